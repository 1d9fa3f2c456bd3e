"""What a person, `kubectl wait`, Flux and Argo CD are told, and that it is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState
from appcredential.domain.proof import PROVEN, UNREACHABLE, SignInClass, SignInResult, classify
from appcredential.domain.spec.model import (
    CredentialType,
    KeyId,
    Limits,
    ObjectId,
    VerificationMode,
)
from appcredential.domain.status.projection import needs_write
from tests.domain.test_proof import ANSWERS
from tests.support.builders import (
    ATTEMPT,
    CLIENT_ID,
    DAY,
    HOUR,
    ISSUED,
    KEY,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NEXT_SECRET,
    NOT_YET,
    NOW,
    OBJECT_ID,
    OLD,
    OTHER_OWNER,
    SECOND,
    application,
    attempt,
    credential,
    foreign_target,
    minted,
    next_credential,
    observation,
    old_credential,
    pending,
    problem,
    proof,
    resource,
    retiring,
    spec,
    target,
    tenant,
)

SEEN = {"observedGeneration": 1, "application": {"clientId": CLIENT_ID}}
FRESH = {"observedGeneration": -1}

BLOCKED = classify(400, (53003,))
NO_PRINCIPAL = classify(401, (7000229,))


def kstatus(generation: int, status: Mapping[str, Any]) -> str:
    """Say what the tools that wait for a resource make of it, by their published algorithm."""
    if status.get("observedGeneration", generation) != generation:
        return "InProgress"
    conditions = {c["type"]: c["status"] for c in status.get("conditions", ())}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "Current" if conditions.get("Ready", "True") == "True" else "InProgress"


def told(o: Observation) -> dict[str, str]:
    """Return every condition as `status reason`, and what the tools make of them."""
    r = o.resource
    status = decide(replace(o, resource=replace(r, status=r.status or SEEN))).status
    found = {c["type"]: f"{c['status']} {c['reason']}" for c in status["conditions"]}
    return found | {"kstatus": kstatus(r.generation, status)}


def words(
    ready: str,
    kstatus: str,
    *,
    verified: str = "True Proven",
    expiring: str = "False NotDue",
    reconciling: str = "",
    stalled: str = "",
) -> dict[str, str]:
    abnormal = {"Reconciling": reconciling, "Stalled": stalled}
    return {
        "Ready": ready,
        "Verified": verified,
        "Expiring": expiring,
        **{k: f"True {v}" for k, v in abnormal.items() if v},
        "kstatus": kstatus,
    }


UNTRIED = "Unknown NotVerified"
RENEWAL = ISSUED + 61 * DAY
"""A time at which the default credential's renewal is due, but not overdue."""
OVERDUE = ISSUED + 75 * DAY
END = ISSUED + 90 * DAY


def at(o: Observation, now: datetime) -> Observation:
    """Move an observation, and the read in it, to another time."""
    read = o.application
    assert read is not None
    return replace(o, now=now, application=replace(read, read_time=now))


def proving(*results: SignInResult, every: int = 1, valid: bool = True) -> Observation:
    """Return an observation in which P was tried with these answers, the last one just now."""
    return observation(
        target=target() if valid else None,
        pending=pending(intent_time=NOW - 10 * MINUTE),
        application=application(
            *([credential()] if valid else []),
            next_credential(),
        ),
        memory=Memory(pending_proof=proof(NEXT_ATTEMPT, *results, every=every)),
    )


def failing(result: SignInResult, *, valid: bool = True) -> Observation:
    """Return one in which every try of the last six minutes ended so."""
    return proving(*[result] * 13, every=30, valid=valid)


def second(*results: SignInResult, valid: bool = True) -> Observation:
    """Return one in which the second attempt of P was tried every half minute."""
    tried = proving(*results, every=30, valid=valid)
    number, made = pending(number=2, intent_time=NOW - 10 * MINUTE), attempt(number=2)
    listed = credential(NEXT, attempt=made, start=NOW - 5 * SECOND)
    return replace(
        tried,
        pending=replace(number, credential=minted(NEXT, attempt=made, value=NEXT_SECRET)),
        application=application(*([credential()] if valid else []), listed),
        memory=Memory(pending_proof=proof(made, *results, every=30)),
    )


def given_up(refused: timedelta, *, valid: bool = True) -> Observation:
    """Return one in which P was given up after so long, while the next one waits."""
    tries = int(refused / (5 * MINUTE)) + 1
    tried = proving(*[NOT_YET] * tries, every=300, valid=valid)
    held, memory = tried.pending, tried.memory
    assert held is not None
    return at(
        replace(
            tried,
            pending=replace(held, state=PendingState.ABANDONED, intent_time=RENEWAL - SECOND),
            memory=replace(memory, issued=RENEWAL - SECOND),
        ),
        RENEWAL,
    )


def lost(*, refusals: int = 3) -> Observation:
    """Return one whose published key is not listed, and refused so often."""
    memory = Memory(published_proof=proof(ATTEMPT, *[NOT_YET] * refusals, every=15))
    return observation(application=application(), memory=memory)


def gated(stalled: bool, *, valid: bool, generation: int = 1) -> Observation:
    """Return one held at a gate by a problem of the tenant."""
    return observation(
        resource=resource(generation=generation),
        target=target() if valid else None,
        application=application(*([credential()] if valid else [])),
        tenant=tenant(problem=problem(Reason.DIRECTORY_UNAVAILABLE, stalled=stalled)),
    )


LIMIT = observation(
    target=None,
    application=application(
        *(
            credential(KeyId(f"key-{n}"), attempt=attempt("gone-uid", n), start=NOW - DAY)
            for n in range(6)
        )
    ),
)
"""Six of ours in no record, while nothing valid is published."""

SITUATIONS: list[tuple[str, Observation, dict[str, str]]] = [
    ("all is well", observation(), words("True Published", "Current")),
    (
        "nothing is issued yet",
        observation(target=None, application=application(), resource=resource(status=FRESH)),
        words("False Progressing", "InProgress", verified=UNTRIED, reconciling="Progressing"),
    ),
    (
        "the first one is being proven",
        proving(PROVEN, valid=False),
        words("False Progressing", "InProgress", verified=UNTRIED, reconciling="Progressing"),
    ),
    (
        "the first one is refused, as is usual for a while",
        proving(NOT_YET, NOT_YET, valid=False),
        words("False Progressing", "InProgress", verified=UNTRIED, reconciling="Progressing"),
    ),
    (
        "the first one is refused for long",
        failing(NOT_YET, valid=False),
        words(
            "False SignInRejected",
            "InProgress",
            verified="False SignInRejected",
            reconciling="SignInRejected",
        ),
    ),
    (
        "the second one is refused for long as well",
        second(*[NOT_YET] * 13, valid=False),
        words(
            "False SignInRejected",
            "Failed",
            verified="False SignInRejected",
            stalled="SignInRejected",
        ),
    ),
    (
        "the first one was given up, and the next one is not due yet",
        given_up(31 * MINUTE, valid=False),
        words("False SignInRejected", "Failed", verified=UNTRIED, stalled="SignInRejected"),
    ),
    (
        "a scheduled rotation is under way",
        proving(PROVEN),
        words("True Published", "Current"),
    ),
    (
        "a rotation is refused, as is usual for a while",
        proving(NOT_YET, NOT_YET),
        words("True Published", "Current"),
    ),
    (
        "a rotation is refused for long",
        failing(NOT_YET),
        words(
            "True RotationFailing",
            "InProgress",
            verified="False SignInRejected",
            reconciling="SignInRejected",
        ),
    ),
    (
        "a rotation is refused for long, and the one before was",
        second(*[NOT_YET] * 13),
        words(
            "True RotationFailing",
            "Failed",
            verified="False SignInRejected",
            stalled="SignInRejected",
        ),
    ),
    (
        "a second one is refused, as is usual for a while",
        second(NOT_YET, NOT_YET),
        words("True Published", "Current"),
    ),
    (
        "one was given up, and the next one is not due yet",
        given_up(31 * MINUTE),
        words("True RotationFailing", "Failed", stalled="SignInRejected"),
    ),
    (
        "one was given up for another reason than refusals",
        given_up(5 * MINUTE),
        words("True Published", "Current"),
    ),
    (
        "a rotation cannot reach the token endpoint for long",
        failing(UNREACHABLE),
        words("True RotationFailing", "Current", verified="Unknown TokenEndpointUnavailable"),
    ),
    (
        "a policy blocks the proof, just now",
        proving(BLOCKED),
        words("True RotationFailing", "Current", verified="Unknown BlockedByConditionalAccess"),
    ),
    (
        "a policy blocks the proof, for long",
        failing(BLOCKED),
        words(
            "True RotationFailing",
            "Failed",
            verified="Unknown BlockedByConditionalAccess",
            stalled="BlockedByConditionalAccess",
        ),
    ),
    (
        "the first one is blocked by a policy, for long",
        failing(BLOCKED, valid=False),
        words(
            "False BlockedByConditionalAccess",
            "Failed",
            verified="Unknown BlockedByConditionalAccess",
            stalled="BlockedByConditionalAccess",
        ),
    ),
    (
        "the application lacks its service principal, just now",
        proving(NO_PRINCIPAL, valid=False),
        words(
            "False NoServicePrincipal",
            "InProgress",
            verified="False NoServicePrincipal",
            reconciling="NoServicePrincipal",
        ),
    ),
    (
        "it signed in again after failing",
        proving(*[NOT_YET] * 12, PROVEN, every=30),
        words("True Published", "Current"),
    ),
    (
        "the failing run is another attempt's",
        replace(
            proving(PROVEN),
            memory=Memory(pending_proof=proof(ATTEMPT, *[NOT_YET] * 13, every=30)),
        ),
        words("True Published", "Current"),
    ),
    (
        "the renewal is due",
        at(observation(), RENEWAL),
        words("True Published", "Current"),
    ),
    (
        "the renewal is overdue",
        at(observation(), OVERDUE),
        words("True Published", "Current", expiring="True RenewalDue"),
    ),
    (
        "the last second before the end",
        at(observation(), END - SECOND),
        words("True Published", "Current", expiring="True RenewalDue"),
    ),
    (
        "the end",
        at(observation(), END),
        words("False Expired", "InProgress", expiring="True Expired", reconciling="Expired"),
    ),
    (
        "the end by our clock, but not by Entra's",
        replace(at(observation(), END + MINUTE), directory_skew=-2 * MINUTE),
        words("True Published", "Current", expiring="True RenewalDue"),
    ),
    (
        "the end by Entra's clock, but not by ours",
        replace(at(observation(), END - MINUTE), directory_skew=2 * MINUTE),
        words("False Expired", "InProgress", expiring="True Expired", reconciling="Expired"),
    ),
    (
        "the end by our clock, Entra's unknown",
        replace(at(observation(), END), directory_skew=None),
        words("False Expired", "InProgress", expiring="True Expired", reconciling="Expired"),
    ),
    (
        "the value was damaged",
        observation(target=target(damaged=True)),
        words(
            "False SecretEdited",
            "InProgress",
            expiring="True Expired",
            reconciling="SecretEdited",
        ),
    ),
    (
        "reads do not list the published key, and nobody has tried it since",
        observation(application=application()),
        words("True CredentialMissing", "Current"),
    ),
    (
        "reads do not list the published key, and it was refused once",
        lost(refusals=1),
        words("False CredentialMissing", "InProgress", reconciling="CredentialMissing"),
    ),
    (
        "the published key is gone",
        lost(),
        words(
            "False SignInRejected",
            "InProgress",
            verified="False SignInRejected",
            reconciling="SignInRejected",
        ),
    ),
    (
        "verification is disabled",
        observation(
            resource=resource(spec(verification=VerificationMode.DISABLED)),
            target=target(verified_time=None),
        ),
        words("True Published", "Current", verified="Unknown Disabled"),
    ),
    (
        "verification was disabled when it was published",
        observation(target=target(verified_time=None)),
        words("True Published", "Current", verified=UNTRIED),
    ),
    (
        "suspended",
        observation(resource=resource(spec(suspend=True))),
        words("True Suspended", "Current"),
    ),
    (
        "suspended, and the end has come",
        at(observation(resource=resource(spec(suspend=True))), END),
        words("False Expired", "InProgress", expiring="True Expired"),
    ),
    (
        "suspended before anything was issued",
        observation(resource=resource(spec(suspend=True)), target=None),
        words("False Suspended", "InProgress", verified=UNTRIED),
    ),
    (
        "the spec cannot be used",
        observation(resource=resource(problem(Reason.INVALID_SPEC))),
        words("False InvalidSpec", "Failed", stalled="InvalidSpec"),
    ),
    (
        "the spec cannot be used, and the clocks differ too much",
        observation(resource=resource(problem(Reason.INVALID_SPEC)), directory_skew=6 * MINUTE),
        words("True RotationFailing", "Failed", stalled="ClockSkew"),
    ),
    (
        "the clocks differ too much",
        observation(directory_skew=6 * MINUTE),
        words("True Published", "Failed", stalled="ClockSkew"),
    ),
    (
        "the lifetime is too short",
        observation(resource=resource(spec(lifetime=MINUTE))),
        words("False LifetimeTooShort", "Failed", stalled="LifetimeTooShort"),
    ),
    (
        "the Secret is another resource's",
        observation(target=foreign_target()),
        words("False SecretConflict", "Failed", verified=UNTRIED, stalled="SecretConflict"),
    ),
    (
        "the Secret cannot be written",
        observation(target=replace(target(), immutable=True)),
        words("True Published", "Failed", stalled="SecretConflict"),
    ),
    (
        "the Secret cannot be written, and the renewal is due",
        at(observation(target=replace(target(), immutable=True)), RENEWAL),
        words("True RotationFailing", "Failed", stalled="SecretConflict"),
    ),
    (
        "the Secret cannot be written, and the renewal is overdue",
        at(observation(target=replace(target(), immutable=True)), OVERDUE),
        words(
            "True RotationFailing",
            "Failed",
            expiring="True RenewalDue",
            stalled="SecretConflict",
        ),
    ),
    (
        "the Secret cannot be written, and its value was damaged",
        observation(target=replace(target(damaged=True), immutable=True)),
        words("False SecretEdited", "Failed", expiring="True Expired", stalled="SecretConflict"),
    ),
    (
        "the Secret holds a credential of another type",
        observation(resource=resource(replace(spec(), type=CredentialType.CERTIFICATE))),
        words("False SecretConflict", "Failed", stalled="SecretConflict"),
    ),
    (
        "the Secret has another type",
        observation(target=replace(target(), type="kubernetes.io/tls")),
        words("True Published", "Failed", stalled="SecretConflict"),
    ),
    (
        "somebody has the pending Secret's name",
        observation(pending=replace(pending(), is_foreign=True)),
        words("True Published", "Failed", stalled="SecretConflict"),
    ),
    (
        "the application is another one",
        observation(application=replace(application(), object_id=ObjectId("another"))),
        words("False ApplicationChanged", "Failed", stalled="ApplicationChanged"),
    ),
    (
        "never granted",
        observation(grant=problem(), target=None, application=None),
        words("False NotGranted", "Failed", verified=UNTRIED, stalled="NotGranted"),
    ),
    (
        "not granted yet, everything in one apply",
        observation(
            resource=resource(creation_time=NOW, last_applied_time=NOW, status=FRESH),
            grant=problem(),
            target=None,
            application=None,
        ),
        words("False NotGranted", "InProgress", verified=UNTRIED, reconciling="NotGranted"),
    ),
    (
        "the grant was withdrawn, nothing is due",
        observation(grant=problem()),
        words("True Published", "Failed", stalled="GrantWithdrawn"),
    ),
    (
        "the limits exclude the type now, nothing is due",
        observation(tenant=tenant(limits=Limits(types=frozenset({CredentialType.CERTIFICATE})))),
        words("True Published", "Failed", stalled="TypeNotAllowed"),
    ),
    (
        "a ceiling is below the minimum now, nothing is due",
        observation(tenant=tenant(limits=Limits(max_lifetime=MINUTE))),
        words("True Published", "Failed", stalled="LifetimeTooShort"),
    ),
    (
        "the grant was withdrawn, and the end has come",
        at(observation(grant=problem()), END),
        words("False Expired", "Failed", expiring="True Expired", stalled="GrantWithdrawn"),
    ),
    (
        "the grant was withdrawn, and the published key is gone",
        replace(lost(), grant=problem()),
        words(
            "False SignInRejected",
            "Failed",
            verified="False SignInRejected",
            stalled="GrantWithdrawn",
        ),
    ),
    (
        "Graph is away, and the end has come",
        at(
            observation(
                memory=Memory(
                    directory_problem=problem(Reason.DIRECTORY_UNAVAILABLE, stalled=False)
                )
            ),
            END,
        ),
        words(
            "False Expired",
            "InProgress",
            expiring="True Expired",
            reconciling="DirectoryUnavailable",
        ),
    ),
    (
        "Entra's clock is far ahead, and by it the end has come",
        replace(at(observation(), END - 10 * MINUTE), directory_skew=15 * MINUTE),
        words("False Expired", "Failed", expiring="True Expired", stalled="ClockSkew"),
    ),
    (
        "the tenant needs a person, and the end has come",
        at(gated(stalled=True, valid=True), END),
        words("False Expired", "Failed", expiring="True Expired", stalled="DirectoryUnavailable"),
    ),
    (
        "the tenant needs a person, and the renewal is overdue",
        at(gated(stalled=True, valid=True), OVERDUE),
        words(
            "True RotationFailing",
            "Failed",
            expiring="True RenewalDue",
            stalled="DirectoryUnavailable",
        ),
    ),
    (
        "the spec cannot be used, and the end has come",
        at(observation(resource=resource(problem(Reason.INVALID_SPEC))), END),
        words("False Expired", "Failed", expiring="True Expired", stalled="InvalidSpec"),
    ),
    (
        "the spec cannot be used, and the renewal is overdue",
        at(observation(resource=resource(problem(Reason.INVALID_SPEC))), OVERDUE),
        words("False InvalidSpec", "Failed", expiring="True RenewalDue", stalled="InvalidSpec"),
    ),
    (
        "the grant was withdrawn, the renewal is due",
        at(observation(grant=problem()), RENEWAL),
        words("True RotationFailing", "Failed", stalled="GrantWithdrawn"),
    ),
    (
        "Graph is away, nothing is due",
        observation(memory=Memory(directory_problem=problem(Reason.DIRECTORY_UNAVAILABLE))),
        words("True Published", "Current"),
    ),
    (
        "Graph is away, the renewal is due",
        at(
            observation(
                memory=Memory(
                    directory_problem=problem(Reason.DIRECTORY_UNAVAILABLE, stalled=False)
                )
            ),
            RENEWAL,
        ),
        words("True RotationFailing", "Current"),
    ),
    (
        "Graph refuses, the renewal is due",
        at(
            observation(memory=Memory(directory_problem=problem(Reason.PERMISSION_DENIED))),
            RENEWAL,
        ),
        words("True RotationFailing", "Failed", stalled="PermissionDenied"),
    ),
    (
        "too many came about, and none is published",
        LIMIT,
        words("False CredentialLimit", "Failed", verified=UNTRIED, stalled="CredentialLimit"),
    ),
    (
        "the tenant cannot be used for a while",
        gated(stalled=False, valid=True),
        words("True Published", "Current"),
    ),
    (
        "the tenant cannot be used, and nothing is published",
        gated(stalled=False, valid=False),
        words(
            "False DirectoryUnavailable",
            "InProgress",
            verified=UNTRIED,
            reconciling="DirectoryUnavailable",
        ),
    ),
    (
        "the tenant needs a person",
        gated(stalled=True, valid=True),
        words("True Published", "Failed", stalled="DirectoryUnavailable"),
    ),
    (
        "the tenant needs a person, and the renewal is due",
        at(gated(stalled=True, valid=True), RENEWAL),
        words("True RotationFailing", "Failed", stalled="DirectoryUnavailable"),
    ),
    (
        "an edited spec meets a gate that opens by itself",
        gated(stalled=False, valid=True, generation=2),
        words("True Published", "InProgress"),
    ),
    (
        "an edited spec meets a gate that needs a person",
        gated(stalled=True, valid=True, generation=2),
        words("True Published", "Failed", stalled="DirectoryUnavailable"),
    ),
]


@pytest.mark.parametrize(
    ("o", "expected"), [s[1:] for s in SITUATIONS], ids=[s[0] for s in SITUATIONS]
)
def test_a_situation_is_told(o: Observation, expected: dict[str, str]) -> None:
    assert told(o) == expected


# --- each answer of the token endpoint -----------------------------------------------------

VERIFIED = {
    SignInClass.NOT_YET: "False",
    SignInClass.APPLICATION: "False",
    SignInClass.UNMATCHED: "Unknown",
    SignInClass.BLOCKED: "Unknown",
    SignInClass.OPERATOR: "Unknown",
    SignInClass.TRANSIENT: "Unknown",
    SignInClass.UNCLASSIFIED: "Unknown",
}
"""What each class says of the credential: only a word about it, or its application, is False."""

FAILURES = {r.reason: r for r in (classify(status, (code,)) for status, code, _, _ in ANSWERS)}


@pytest.mark.parametrize("result", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("valid", [True, False], ids=["a rotation", "the first"])
def test_a_lasting_failure_is_told_and_never_as_more_than_it_is(
    result: SignInResult, valid: bool
) -> None:
    found = told(failing(result, valid=valid))
    assert found["Verified"] == f"{VERIFIED[result.kind]} {result.reason}"
    assert found["Ready"] == ("True RotationFailing" if valid else f"False {result.reason}")
    passing = {SignInClass.TRANSIENT, SignInClass.NOT_YET}
    assert ("Stalled" in found) is (result.kind not in passing)


@pytest.mark.parametrize("result", FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_needs_a_person_only_after_two_minutes(result: SignInResult) -> None:
    assert "Stalled" not in told(proving(*[result] * 4, every=39))
    lasting = told(proving(*[result] * 4, every=40))
    told_at_once = {SignInClass.APPLICATION, SignInClass.BLOCKED, SignInClass.OPERATOR}
    assert ("Stalled" in lasting) is (result.kind in told_at_once)


# --- the details ---------------------------------------------------------------------------


def test_the_details_are_those_of_the_credential_that_workloads_have() -> None:
    status = decide(observation()).status
    assert status["secretRef"] == {"name": "orders-entra"}
    assert status["grant"] == "shop-apps"
    assert status["requestedLifetime"] == "90d"
    assert status["application"] == {
        "objectId": OBJECT_ID,
        "clientId": CLIENT_ID,
        "displayName": "Orders",
    }
    assert status["credential"] == {
        "keyId": KEY,
        "type": "ClientSecret",
        "startTime": "2026-11-12T10:00:00Z",
        "expirationTime": "2027-02-10T10:00:00Z",
        "verifiedTime": "2026-11-12T10:00:00Z",
        "publishedTime": "2026-11-12T10:00:00Z",
    }
    assert status["renewalTime"] < status["credential"]["expirationTime"]
    assert "pending" not in status
    assert "retiring" not in status


def test_a_successor_on_its_way_is_told() -> None:
    assert decide(proving(PROVEN)).status["pending"] == {
        "keyId": NEXT,
        "startTime": "2026-11-22T09:59:55Z",
    }
    intent = observation(pending=pending(PendingState.INTENT, holder="other"))
    assert "pending" not in decide(intent).status


def test_what_goes_and_when_is_told() -> None:
    entries = (
        retiring(OLD, since=NOW, end=NOW + 60 * DAY),
        retiring(NEXT, since=NOW, end=NOW + 9 * DAY),  # Entra's end is the truth
        retiring(KeyId("key-gone"), since=ISSUED, end=NOW + DAY, removed=NOW),
    )
    o = observation(
        target=target(retiring=entries),
        application=application(
            credential(),
            old_credential(),
            credential(NEXT, attempt=NEXT_ATTEMPT, start=ISSUED, end=NOW + HOUR),
        ),
    )
    overlap = 15 * DAY + 30 * SECOND
    assert decide(o).status["retiring"] == [
        {"keyId": OLD, "retireTime": (NOW + overlap).strftime("%Y-%m-%dT%H:%M:%SZ")},
        {"keyId": NEXT, "retireTime": "2026-11-22T11:00:00Z"},
        {
            "keyId": "key-gone",
            "retireTime": "2026-11-23T10:00:00Z",
            "waitingFor": "confirmation that it is gone",
        },
    ]


def test_the_inventory_tells_ours_from_theirs() -> None:
    o = observation(
        application=application(
            credential(),
            old_credential(end=NOW - DAY),
            credential(KeyId("theirs-1"), owner=OTHER_OWNER),
            credential(KeyId("theirs-2"), display_name="made in the portal"),
        )
    )
    assert decide(o).status["inventory"] == {"managed": 2, "foreign": 2, "expired": 1}


def test_what_we_hold_counts_as_ours_before_a_read_shows_it() -> None:
    o = observation(application=application(), pending=pending())
    assert decide(o).status["inventory"] == {"managed": 2, "foreign": 0, "expired": 0}


def test_a_closed_gate_keeps_what_was_last_seen_and_no_more() -> None:
    known = decide(observation(pending=pending())).status
    shut = observation(
        resource=resource(problem(Reason.INVALID_SPEC), status=known), grant=problem()
    )
    status = decide(shut).status
    for key in ("application", "requestedLifetime", "renewalTime", "inventory", "secretRef"):
        assert status[key] == known[key]
    assert "grant" not in status
    assert "pending" not in status
    assert "type" not in status["credential"]


def test_nothing_of_another_resources_secret_is_told() -> None:
    status = decide(observation(target=foreign_target())).status
    assert "secretRef" not in status
    assert "credential" not in status


# --- writing it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ({"observedGeneration": 1}, False),
        ({"observedGeneration": 1, "inventory": {"managed": 1}}, False),
        ({"observedGeneration": 2}, True),
        ({"observedGeneration": 1, "grant": "g"}, True),
        ({}, True),
    ],
)
def test_the_inventory_alone_is_no_reason_to_write(
    current: Mapping[str, Any], expected: bool
) -> None:
    wanted = {"observedGeneration": 1, "inventory": {"managed": 2}}
    assert needs_write(current, wanted) is expected


@pytest.mark.parametrize("o", [s[1] for s in SITUATIONS], ids=[s[0] for s in SITUATIONS])
def test_a_situation_is_told_once(o: Observation) -> None:
    first = decide(o).status
    again = replace(o, resource=replace(o.resource, status=first))
    assert decide(again).status == first


@pytest.mark.parametrize("o", [s[1] for s in SITUATIONS], ids=[s[0] for s in SITUATIONS])
def test_no_condition_is_ahead_of_the_status(o: Observation) -> None:
    status = decide(o).status
    generations = {c.get("observedGeneration", -1) for c in status["conditions"]}
    assert generations == {status["observedGeneration"]}
    assert status["observedGeneration"] <= o.resource.generation


@pytest.mark.parametrize("o", [s[1] for s in SITUATIONS], ids=[s[0] for s in SITUATIONS])
def test_messages_are_stable_sentences_without_values(o: Observation) -> None:
    for c in decide(o).status["conditions"]:
        assert c["message"].endswith((".", "Because of NotGranted.")) or "{" in c["message"]
        assert "canary" not in c["message"]
        assert KEY not in c["message"]
        assert str(NOW.year) not in c["message"]


def test_an_hour_in_which_nothing_happens_changes_nothing() -> None:
    status = decide(observation()).status
    o = observation(resource=resource(status=status))
    assert decide(at(o, NOW + HOUR)).status == status


@pytest.mark.parametrize(
    ("old", "expected"), [({}, -1), (FRESH, -1), (SEEN, 1), ({"observedGeneration": "1"}, -1)]
)
def test_the_generation_stays_what_it_was_until_there_is_an_outcome(
    old: Mapping[str, Any], expected: int
) -> None:
    o = observation(
        resource=resource(generation=2, status=old), target=None, application=application()
    )
    assert decide(o).status["observedGeneration"] == expected


def test_expiry_shows_at_the_very_second_the_value_stops_working() -> None:
    ends = minted(value=NEXT_SECRET, not_before=ISSUED, expires=NOW + SECOND)
    o = observation(target=target(ends, value=NEXT_SECRET))
    assert told(o)["Ready"].startswith("True")
    assert told(at(o, NOW + SECOND))["Ready"] == "False Expired"


def test_a_proof_that_is_under_way_hides_no_expiry() -> None:
    o = at(proving(PROVEN), END)
    assert told(o)["Expiring"] == "True Expired"
    assert told(o)["Ready"] == "False Expired"
