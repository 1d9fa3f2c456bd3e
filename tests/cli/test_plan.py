"""What a plan says in each scene, by the operator's own decisions and without any request."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import pytest

from appcredential.cli.plan import unrolling
from appcredential.cli.plan.assuming import Stand, presumed_application
from appcredential.cli.plan.steps import Plan
from appcredential.cli.plan.unrolling import reread, unroll
from appcredential.domain import actions as act
from appcredential.domain.conditions import Reason
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.observed.federated import FederatedList, Federation, Issuer
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.pods import PodUsers, SeenPods
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSpec
from appcredential.domain.spec.model import CredentialType, DeletionPolicy, RetireWhen
from tests.support import federated as fed
from tests.support.builders import (
    DAY,
    HOUR,
    KEY,
    NOW,
    OBJECT_ID,
    OLD,
    SECOND,
    application,
    credential,
    minted,
    observation,
    old_credential,
    pending,
    problem,
    resource,
    retiring,
    rotation,
    spec,
    target,
)
from tests.support.keys import make_certificate

STAND: Final = Stand(SecretValue("assumed"), SecretValue(make_certificate().bundle.decode()))
NOTHING: Final = application()


def unread(found: Observation) -> Observation:
    """Return an observation as it is gathered where no Secret's data is read."""
    held, staged = found.target, found.pending
    if held is not None:
        held = replace(held, value=None, data=MappingProxyType({}))
    if staged is not None:
        staged = replace(staged, value=None)
    return replace(found, target=held, pending=staged)


def planned(found: Observation, shown: Any = None, listed: FederatedList | None = None) -> Plan:
    """Return the plan for an observation, in which Entra shows an application once it is read."""

    async def read(action: act.Action, seen: Observation) -> Observation:
        if isinstance(action, act.ReadApplication) and seen.application is None:
            return replace(seen, application=replace(shown, read_time=seen.now))
        if isinstance(action, act.ReadFederated) and seen.federation.listed is None:  # type: ignore[union-attr]
            return replace(seen, federation=replace(seen.federation, listed=listed))  # type: ignore[type-var]
        if isinstance(action, act.ReadPods) and seen.pods is None:
            pods = SeenPods(
                secrets=action.secrets, began=seen.now, time=seen.now, found=PodUsers(users=())
            )
            return replace(seen, pods=pods)
        return await reread(action, seen)

    return asyncio.run(unroll(unread(found), read, STAND))


def told(plan: Plan) -> list[str]:
    return [f"{step.where}: {step.what}" for step in plan.steps]


def starts(plan: Plan) -> list[str]:
    return [" ".join(line.split()[:3]) for line in told(plan)]


def fresh(wanted: Any = None, **change: Any) -> Observation:
    """Return a resource that was just applied."""
    made = resource(
        wanted if wanted is not None else spec(),
        has_finalizer=False, creation_time=NOW, last_applied_time=NOW,
    )  # fmt: skip
    return observation(
        resource=made, target=None, application=None, recorded=Recorded.ABSENT, **change
    )


FIRST_ISSUE: Final = [
    "Kubernetes: add the",
    "Kubernetes: write the",
    "Kubernetes: write the",
    "Entra: add a",
    "Kubernetes: keep its",
    "Entra: sign in",
    "Kubernetes: create Secret",
    "Kubernetes: delete the",
]


def test_a_first_issue_from_the_manifest_to_the_secret() -> None:
    plan = planned(fresh(), NOTHING)

    assert starts(plan) == FIRST_ISSUE
    assert (
        "add a client secret to application Orders (22222222-2222-2222-2222-222222222222), allowed "
        "by ApplicationGrant shop-apps, valid for 90d"
    ) in told(plan)[3]
    assert "create Secret shop/orders-entra" in told(plan)[6]
    assert plan.ends == ""
    assert [what for _, what in plan.later] == ["a successor is due"]
    assert plan.later[0][0] > NOW + 55 * DAY


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    well = observation(resource=resource(status={"application": {"objectId": OBJECT_ID}}))

    plan = planned(well)

    assert plan.steps == ()
    assert plan.ends == ""
    assert "a successor is due" in [what for _, what in plan.later]


def test_a_renewal_that_is_due_keeps_the_former_one_for_its_overlap() -> None:
    due = minted(not_before=NOW - 70 * DAY)
    told_status = {"application": {"objectId": OBJECT_ID, "clientId": "x"}}

    plan = planned(observation(resource=resource(status=told_status), target=target(due)))

    assert starts(plan)[:4] == [
        "Kubernetes: write the", "Entra: add a", "Kubernetes: keep its", "Entra: sign in",
    ]  # fmt: skip
    assert f"write the new value into Secret shop/orders-entra; {KEY} retires" in told(plan)[4]
    assert not any("remove" in line for line in told(plan))
    assert f"{KEY} may go" in [what for _, what in plan.later]


def test_a_revocation_removes_the_former_one_after_the_successor_is_published() -> None:
    asked = spec(rotation=rotation(revoke_issued_before=NOW - SECOND))

    plan = planned(observation(resource=resource(asked, status={"application": {"a": "b"}})))

    lines = told(plan)
    published = next(i for i, line in enumerate(lines) if "write the new value" in line)
    removed = next(i for i, line in enumerate(lines) if f"remove credential {KEY}" in line)
    assert published < removed
    assert lines[removed].endswith("by revokeIssuedBefore")


@pytest.mark.parametrize("suspend", [True, False])
def test_without_a_grant_or_suspended_nothing_but_the_finalizer(suspend: bool) -> None:
    refused = problem(Reason.NOT_GRANTED)
    wanted = spec(suspend=suspend)

    plan = planned(fresh(wanted, grant=refused), NOTHING)

    assert starts(plan) == ["Kubernetes: add the"]
    assert plan.ends.startswith("Suspended: " if suspend else "NotGranted: Because of NotGranted.")


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (DeletionPolicy.REVOKE, "the removal of every credential"),
        (DeletionPolicy.RETAIN, "all else stays, by deletionPolicy"),
    ],
)
def test_a_deletion_schedules_by_its_policy_and_releases(
    policy: DeletionPolicy, words: str
) -> None:
    gone = resource(spec(deletion_policy=policy), deletion_time=NOW - HOUR)

    lines = told(planned(observation(resource=gone)))

    assert len(lines) == 2
    assert words in lines[0]
    assert lines[1].startswith("Kubernetes: take the operator's finalizer from")


def test_a_certificate_is_made_before_it_is_registered() -> None:
    wanted = replace(
        spec(), type=CredentialType.CERTIFICATE, certificate=CertificateSpec(), lifetime=90 * DAY
    )

    lines = told(planned(fresh(wanted), NOTHING))

    made = next(i for i, line in enumerate(lines) if "a new key with its certificate" in line)
    registered = next(i for i, line in enumerate(lines) if "register the certificate" in line)
    created = next(i for i, line in enumerate(lines) if "create Secret" in line)
    assert made < registered < created


def test_a_trust_is_created_and_told_after_its_quiet_time() -> None:
    issuer = Issuer(url=fed.ISSUER, since=NOW - DAY)
    federation = Federation(issuer=issuer, service_account=fed.account())
    nothing = FederatedList(object_id=OBJECT_ID, credentials=(), read_time=NOW)

    plan = planned(fresh(fed.federated_spec(), federation=federation), NOTHING, nothing)

    lines = told(plan)
    assert f"Entra: trust {fed.SUBJECT} of {fed.ISSUER}" in lines[2]
    assert lines[3].startswith("Kubernetes: annotate ServiceAccount shop/orders: ")
    assert len(lines) == 4
    assert plan.ends == ""


def test_an_old_one_goes_once_no_pod_uses_it() -> None:
    wanted = spec(rotation=rotation(retire_when=RetireWhen.ROLLED_OUT, overlap=HOUR))
    entry = retiring(since=NOW - 9 * DAY, end=NOW + 20 * DAY)

    plan = planned(
        observation(
            resource=resource(wanted, status={"application": {"a": "b"}}),
            target=target(retiring=(entry,)),
            application=application(credential(), old_credential(end=entry.end)),
        )
    )

    assert [line.partition(" application")[0] for line in told(plan)][:2] == [
        "Entra: sign in with the published value, before anything is removed",
        f"Entra: remove credential {OLD} from",
    ]
    assert plan.ends == ""


def test_a_plan_that_is_cut_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrolling, "MOST", 3)

    plan = planned(fresh(), NOTHING)

    assert plan.steps
    assert plan.ends.startswith("Not planned further")


def test_what_entra_has_to_answer_ends_the_plan() -> None:
    lost = replace(application(), read_time=NOW)

    plan = planned(
        observation(resource=resource(status={"application": {"a": "b"}}), application=lost)
    )

    assert told(plan)[-1].startswith("Entra: sign in with the published value")
    assert (
        plan.ends == "Then it depends on what comes of it: whether the published credential "
        "still signs in."
    )


def test_a_changed_preset_is_seen_without_the_data() -> None:
    held = target(spec=spec(labels={"team": "a"}))
    now = spec(labels={"team": "b"})

    plan = planned(
        observation(resource=resource(now, status={"application": {"a": "b"}}), target=held)
    )

    (line,) = told(plan)
    assert line.startswith("Kubernetes: write Secret shop/orders-entra again with the same cred")


def test_without_entra_the_cluster_tells_what_is_listed() -> None:
    held = observation(
        resource=resource(status={"application": {"objectId": OBJECT_ID, "displayName": "Orders"}}),
        target=target(retiring=(retiring(),)),
        pending=pending(),
        application=None,
    )

    found = presumed_application(held)

    assert {c.key_id for c in found.credentials} == {KEY, OLD, "key-next"}
    assert (found.object_id, found.display_name) == (OBJECT_ID, "Orders")
    held = replace(held, pending=None)
    plan = planned(held, presumed_application(held))
    assert plan.ends == ""
    assert not any("write Secret" in line for line in told(plan))


def test_a_plan_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens, it makes a bounded number of decisions."""
    from appcredential.cli.plan import unrolling

    made: list[Observation] = []

    def noted(seen: Observation) -> Decision:
        made.append(seen)
        return decide(seen)

    monkeypatch.setattr(unrolling, "decide", noted)
    monkeypatch.setattr(unrolling, "play", lambda _decision, seen, _stand: seen)

    planned(fresh(), NOTHING)

    assert len(made) == unrolling.MOST


def test_json_holds_no_control_characters() -> None:
    plan = Plan(about="a/b", ends="x\x1b[31m", later=((NOW, "y\n"),), warnings=("w\r",))

    assert str(plan.as_json()).isprintable()
