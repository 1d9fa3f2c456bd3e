"""The conditions of EntraTenants and ApplicationGrants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from appcredential.domain.conditions import Condition, Problem, Reason
from appcredential.domain.own.renewal import OwnRenewal
from appcredential.domain.spec.grant import (
    NamedApplications,
    NamedNamespaces,
    SelectedNamespaces,
)
from appcredential.domain.spec.label_selector import (
    LabelOperator,
    LabelRequirement,
    LabelSelector,
)
from appcredential.domain.spec.model import ApplicationGrantSpec, ClientId
from appcredential.domain.status.cluster_kinds import (
    Holders,
    ProbeOutcome,
    grant_conditions,
    operator_identity,
    tenant_conditions,
)
from appcredential.domain.times import format_time
from tests.support.builders import CLIENT_ID, NOW, problem

SIGNS_IN = "The operator signs in and may read applications."
GRANT = ApplicationGrantSpec(
    tenant="default",
    applications=NamedApplications(frozenset({CLIENT_ID})),
    namespaces=NamedNamespaces(frozenset({"shop"})),
)
SELECTING = replace(
    GRANT,
    namespaces=SelectedNamespaces(
        LabelSelector((LabelRequirement("env", LabelOperator.IN, ("prod",)),))
    ),
)
STALLED = Problem(reason=Reason.IDENTITY_REJECTED, message="Entra refuses it.")
PASSING = Problem(reason=Reason.DIRECTORY_UNAVAILABLE, message="No answer.", stalled=False)


def row(condition: Condition) -> tuple[str, str, str, str]:
    """Return a condition as status shows it."""
    return str(condition.type), condition.status, str(condition.reason), condition.message


@pytest.mark.parametrize(
    ("outcome", "rows"),
    [
        (ProbeOutcome(), [("Ready", "True", "SignedIn", SIGNS_IN)]),
        (
            ProbeOutcome(STALLED),
            [
                ("Ready", "False", "IdentityRejected", "Entra refuses it."),
                ("Stalled", "True", "IdentityRejected", "Entra refuses it."),
            ],
        ),
        (
            ProbeOutcome(PASSING),
            [
                ("Ready", "False", "DirectoryUnavailable", "No answer."),
                ("Reconciling", "True", "DirectoryUnavailable", "No answer."),
            ],
        ),
        (
            ProbeOutcome(warning=STALLED),
            [
                (
                    "Ready",
                    "True",
                    "SignedIn",
                    f"{SIGNS_IN} It does so with what it had before: see the other condition.",
                ),
                ("Stalled", "True", "IdentityRejected", "Entra refuses it."),
            ],
        ),
        (
            ProbeOutcome(PASSING, warning=STALLED),
            [
                ("Ready", "False", "DirectoryUnavailable", "No answer."),
                ("Reconciling", "True", "DirectoryUnavailable", "No answer."),
            ],
        ),
    ],
)
def test_a_tenant_is_as_its_last_probe(
    outcome: ProbeOutcome, rows: list[tuple[str, str, str, str]]
) -> None:
    assert [row(c) for c in tenant_conditions(outcome)] == rows


@pytest.mark.parametrize(
    ("outcome", "kinds"),
    [
        (ProbeOutcome(), ["Ready", "Reconciling"]),
        (ProbeOutcome(STALLED), ["Ready", "Stalled"]),
        (ProbeOutcome(warning=STALLED), ["Ready", "Stalled"]),
    ],
)
@pytest.mark.parametrize(("count", "others"), [(1, ""), (5, ""), (8, " and 3 more")])
def test_who_holds_a_tenant_that_is_being_deleted_is_told(
    outcome: ProbeOutcome, kinds: list[str], count: int, others: str
) -> None:
    users = [f"shop/u{number}" for number in range(count)]
    found = tenant_conditions(outcome, Holders(users))
    assert [str(c.type) for c in found] == kinds
    told = f"use it: {', '.join(users[:5])}{others} ({count} in all)."
    assert told in found[1].message


def test_a_tenant_that_is_not_being_deleted_has_no_holders() -> None:
    assert Holders().problem is None
    assert [str(c.type) for c in tenant_conditions(ProbeOutcome(), Holders())] == ["Ready"]


@pytest.mark.parametrize(("count", "others"), [(1, ""), (8, " and 3 more")])
def test_what_is_left_to_be_revoked_holds_a_tenant(count: int, others: str) -> None:
    left = [f"shop/gone-{number}" for number in range(count)]
    found = Holders(left=left).problem
    assert found is not None
    assert (found.reason, found.stalled) == (Reason.REVOCATIONS_OPEN, False)
    assert f"revoked: {', '.join(left[:5])}{others} ({count} in all)." in found.message
    assert "appcredential.io/ticket" in found.message


def test_users_are_told_before_what_is_left() -> None:
    found = Holders(["shop/orders"], ["shop/gone"]).problem
    assert found is not None
    assert found.reason is Reason.IN_USE
    assert found.message.index("shop/orders") < found.message.index("shop/gone")


def test_a_usable_grant_is_in_force() -> None:
    found = [row(c) for c in grant_conditions(GRANT, NOW)]
    assert found == [("Ready", "True", "Accepted", "The grant is in force.")]


def test_a_grant_whose_end_has_passed_is_stalled_and_says_what_to_do() -> None:
    ending = replace(GRANT, expires=NOW)
    assert [row(c)[:3] for c in grant_conditions(ending, NOW)] == [
        ("Ready", "False", "GrantExpired"),
        ("Stalled", "True", "GrantExpired"),
    ]
    assert "Set a later time" in grant_conditions(ending, NOW)[0].message
    before = grant_conditions(ending, NOW - timedelta(seconds=1))
    assert [row(c)[:3] for c in before] == [("Ready", "True", "Accepted")]


def test_a_grant_by_labels_that_nobody_may_read_says_so_and_others_do_not() -> None:
    found = grant_conditions(SELECTING, NOW, "the operator may not.")
    assert row(found[0])[:3] == ("Ready", "False", "NamespacesUnreadable")
    assert found[0].message == "The grant cannot be used: the operator may not."
    assert row(grant_conditions(SELECTING, NOW)[0])[:3] == ("Ready", "True", "Accepted")
    named = grant_conditions(GRANT, NOW, "the operator may not.")
    assert row(named[0])[:3] == ("Ready", "True", "Accepted")


def test_an_unusable_grant_says_why() -> None:
    problem = Problem(reason=Reason.INVALID_SPEC, message="spec.applications: is empty")
    assert [row(c) for c in grant_conditions(problem, NOW)] == [
        ("Ready", "False", "InvalidSpec", "spec.applications: is empty"),
        ("Stalled", "True", "InvalidSpec", "spec.applications: is empty"),
    ]


@pytest.mark.parametrize(
    ("client_id", "thumbprint", "expiration", "shown"),
    [
        (None, "", None, {}),
        (CLIENT_ID, "", None, {"clientId": CLIENT_ID}),
        (
            CLIENT_ID,
            "AB12",
            datetime(2027, 1, 31, 12, tzinfo=UTC),
            {
                "clientId": CLIENT_ID,
                "thumbprint": "AB12",
                "expirationTime": "2027-01-31T12:00:00Z",
            },
        ),
    ],
)
def test_a_tenant_shows_what_is_known_of_the_operators_credential(
    client_id: ClientId | None,
    thumbprint: str,
    expiration: datetime | None,
    shown: dict[str, str],
) -> None:
    assert operator_identity(client_id, thumbprint, expiration) == shown


def test_a_certificate_that_is_not_renewed_is_told_while_it_works() -> None:
    renewal = problem(Reason.IDENTITY_NOT_RENEWED)
    passing = problem(Reason.IDENTITY_NOT_RENEWED, stalled=False)
    assert [c.type for c in tenant_conditions(ProbeOutcome(renewal=passing))] == ["Ready"]
    ready, stalled = tenant_conditions(ProbeOutcome(renewal=renewal))
    assert (ready.status, stalled.type, stalled.reason) == ("True", "Stalled", renewal.reason)
    assert ProbeOutcome(warning=STALLED, renewal=renewal).told is STALLED
    assert ProbeOutcome(renewal=renewal).told is renewal
    held = Holders(users=["shop/orders"])
    assert "shop/orders" in tenant_conditions(ProbeOutcome(renewal=renewal), held)[1].message
    assert tenant_conditions(ProbeOutcome(), held)[1].reason is Reason.IN_USE


def test_the_identity_tells_its_renewal() -> None:
    renewal = OwnRenewal(renewal=NOW, problem=problem(Reason.IDENTITY_NOT_RENEWED))
    told = operator_identity(None, "A", None, renewal)
    assert told["renewalTime"] == format_time(NOW)
    assert told["renewalProblem"]
