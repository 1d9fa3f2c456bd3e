from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from appcredential.domain.actions import (
    Action,
    AddFinalizer,
    ApplyStatus,
    CancelRevocation,
    Hold,
    ReadApplication,
    ReadCrd,
    RecordIssued,
    ReleaseFinalizer,
    ScheduleRevocation,
    Sleep,
    TakeOverRecord,
)
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.deletion import ISSUED
from appcredential.domain.lifecycle import GATES, decide
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState
from appcredential.domain.rules.gates import _gate_times, is_admitted
from appcredential.domain.rules.gates_deletion import deletion_is_unprepared
from appcredential.domain.spec.model import CredentialType, Limits, Mode, TenantId
from tests.support.builders import (
    CLIENT_ID,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OBJECT_ID,
    SECOND,
    application,
    credential,
    foreign_target,
    grant,
    named,
    observation,
    pending,
    problem,
    resource,
    spec,
    target,
    tenant,
)

UNREAD = Memory(
    directory_problem=problem(Reason.DIRECTORY_UNAVAILABLE, stalled=False),
    retry_time=NOW + 10 * SECOND,
)
NEW = resource(creation_time=NOW - MINUTE, last_applied_time=NOW - MINUTE)
REFUSED = {
    "observedGeneration": 1,
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "reason": "NotGranted",
            "lastTransitionTime": "2026-11-22T09:00:00Z",
        }
    ],
}
ONCE_GRANTED = {"application": {"clientId": CLIENT_ID}}
SUSPENDED: Final = spec(suspend=True)
OBSERVED: Final = replace(spec(), mode=Mode.OBSERVE)
NO_TYPES: frozenset[CredentialType] = frozenset(["Certificate"])  # type: ignore[list-item]


def gate(o: Observation) -> Action | None:
    """Return what the first closed gate says."""
    return next((found for g in GATES if (found := g(o)) is not None), None)


def held(o: Observation) -> tuple[str, bool] | None:
    """Return reason and whether it is Stalled, of the gate that holds; None when all are open."""
    found = gate(o)
    if found is None:
        return None
    assert isinstance(found, Hold)
    return str(found.problem.reason), found.problem.stalled


def missing(*ages: timedelta, retry: timedelta = SECOND) -> Observation:
    """Return an observation whose application answered 404 at these ages."""
    memory = Memory(application_missing=tuple(NOW - a for a in ages), retry_time=NOW + retry)
    return observation(application=None, memory=memory)


def deleted(age: timedelta = MINUTE, *, has_finalizer: bool = True) -> Observation:
    return observation(
        resource=resource(deletion_time=NOW - age, has_finalizer=has_finalizer),
        crd_deleted=False,
    )


HOLDS: list[tuple[str, Observation, tuple[str, bool] | None]] = [
    ("all is well", observation(), None),
    # 0
    ("not leader", observation(blocked=problem(Reason.NOT_LEADER)), ("NotLeader", True)),
    ("Entra's clock is ahead", observation(directory_skew=301 * SECOND), ("ClockSkew", True)),
    ("Entra's clock is behind", observation(directory_skew=-301 * SECOND), ("ClockSkew", True)),
    ("the API server's clock is off", observation(cluster_skew=301 * SECOND), ("ClockSkew", True)),
    ("five minutes are allowed", observation(cluster_skew=300 * SECOND), None),
    ("unknown skew is no skew", observation(directory_skew=None, cluster_skew=None), None),
    # 1
    ("deletion waits for others' finalizers", deleted(has_finalizer=False), ("Progressing", False)),
    ("deletion waits fifteen seconds", deleted(14 * SECOND), ("Progressing", False)),
    # 4
    (
        "the spec is unusable",
        observation(resource=resource(problem(Reason.INVALID_SPEC))),
        ("InvalidSpec", True),
    ),
    (
        "suspended, and never granted",
        observation(
            resource=resource(spec(suspend=True)), target=None, pending=None, grant=problem()
        ),
        ("Suspended", False),
    ),
    (
        "suspended, and the tenant is missing",
        observation(resource=resource(spec(suspend=True)), tenant=problem(Reason.TENANT_NOT_FOUND)),
        ("Suspended", False),
    ),
    (
        "the tenant is missing",
        observation(tenant=problem(Reason.TENANT_NOT_FOUND)),
        ("TenantNotFound", True),
    ),
    (
        "the tenant is missing, but the resource is new",
        observation(resource=NEW, tenant=problem(Reason.TENANT_NOT_FOUND)),
        ("TenantNotFound", False),
    ),
    (
        "the tenant is missing, and the resource was changed just now",
        observation(
            resource=resource(last_applied_time=NOW - MINUTE),
            tenant=problem(Reason.TENANT_NOT_FOUND),
        ),
        ("TenantNotFound", False),
    ),
    (
        "the tenant cannot be used",
        observation(tenant=tenant(problem=problem(Reason.TENANT_NOT_READY))),
        ("TenantNotReady", True),
    ),
    (
        "the tenant is only being looked at",
        observation(tenant=problem(Reason.TENANT_NOT_READY, stalled=False)),
        ("TenantNotReady", False),
    ),
    (
        "the tenant's limits exclude the type",
        observation(tenant=tenant(limits=Limits(types=NO_TYPES))),
        ("TypeNotAllowed", True),
    ),
    (
        "never granted",
        observation(target=None, grant=problem()),
        ("NotGranted", True),
    ),
    (
        "never granted, but the resource is new",
        observation(resource=NEW, target=None, grant=problem()),
        ("NotGranted", False),
    ),
    (
        "another resource's Secret is no proof of a grant",
        observation(target=foreign_target(), grant=problem()),
        ("NotGranted", True),
    ),
    (
        "an own Secret that records nothing is no proof of a grant",
        observation(target=replace(target(), published=None), grant=problem()),
        ("NotGranted", True),
    ),
    (
        "the operator's own application is refused at once",
        observation(resource=NEW, target=None, grant=problem(Reason.OPERATOR_IDENTITY)),
        ("OperatorIdentity", True),
    ),
    (
        "a grant withdrawn after the publish",
        observation(resource=resource(status=ONCE_GRANTED), grant=problem()),
        None,
    ),
    (
        "a grant withdrawn after the intent",
        observation(
            resource=resource(status=ONCE_GRANTED),
            target=None,
            pending=pending(PendingState.INTENT),
            grant=problem(),
        ),
        None,
    ),
    (
        "Secrets that look issued without a grant ever having been there",
        observation(pending=pending(), grant=problem()),
        ("NotGranted", True),
    ),
    (
        "Secrets that look issued, and a status of another application",
        observation(
            resource=resource(status={"application": {"clientId": OBJECT_ID}}), grant=problem()
        ),
        ("NotGranted", True),
    ),
    (
        "the operator's own application, whatever was issued",
        observation(
            resource=resource(status=ONCE_GRANTED), grant=problem(Reason.OPERATOR_IDENTITY)
        ),
        ("OperatorIdentity", True),
    ),
    (
        "the spec's lifetime is below the minimum",
        observation(resource=resource(spec(lifetime=HOUR - SECOND))),
        ("LifetimeTooShort", True),
    ),
    (
        "the grant's lifetime is below the minimum",
        observation(grant=grant(max_lifetime=MINUTE)),
        ("LifetimeTooShort", True),
    ),
    (
        "the tenant's lifetime is below the minimum",
        observation(tenant=tenant(limits=Limits(max_lifetime=MINUTE))),
        ("LifetimeTooShort", True),
    ),
    ("the minimum itself is enough", observation(grant=grant(max_lifetime=HOUR)), None),
    # 5
    ("no T at all", observation(target=None), None),
    ("T is another's", observation(target=foreign_target()), ("SecretConflict", True)),
    (
        "T is nobody's",
        observation(target=replace(target(), owner="")),
        ("SecretConflict", True),
    ),
    (
        "T is immutable",
        observation(target=replace(target(), immutable=True)),
        ("SecretConflict", True),
    ),
    (
        "T has another type",
        observation(target=replace(target(), type="kubernetes.io/tls")),
        ("SecretConflict", True),
    ),
    (
        "T is being deleted",
        observation(target=replace(target(), deletion_time=NOW)),
        ("SecretTerminating", False),
    ),
    # 6
    ("one 404", missing(timedelta(0)), ("ApplicationNotFound", False)),
    (
        "three 404 within five minutes",
        missing(299 * SECOND, MINUTE, timedelta(0)),
        ("ApplicationNotFound", False),
    ),
    ("two 404 over five minutes", missing(HOUR, timedelta(0)), ("ApplicationNotFound", False)),
    (
        "three 404 over five minutes",
        missing(300 * SECOND, MINUTE, timedelta(0)),
        ("ApplicationNotFound", True),
    ),
    (
        "the directory failed and is left alone",
        observation(application=None, memory=UNREAD),
        ("DirectoryUnavailable", False),
    ),
    (
        "the directory is left alone for another reason",
        observation(application=None, memory=Memory(retry_time=NOW + SECOND)),
        ("DirectoryUnavailable", False),
    ),
    (
        "the hourly read is due, but the directory failed",
        observation(application=application(credential(), read_time=NOW - 2 * HOUR), memory=UNREAD),
        None,
    ),
    (
        "a Secret that only bears P's name",
        observation(pending=replace(pending(), is_foreign=True)),
        ("SecretConflict", True),
    ),
    (
        "T belongs to another application object",
        observation(application=application(object_id=OBJECT_ID[::-1])),  # type: ignore[arg-type]
        ("ApplicationChanged", True),
    ),
    (
        "T belongs to another application object, the hourly read is due and cannot be made",
        observation(
            application=application(read_time=NOW - 2 * HOUR, object_id=OBJECT_ID[::-1]),  # type: ignore[arg-type]
            memory=UNREAD,
        ),
        ("ApplicationChanged", True),
    ),
    (
        "T belongs to another tenant",
        observation(tenant=tenant(tenant_id=CLIENT_ID)),  # type: ignore[arg-type]
        ("ApplicationChanged", True),
    ),
    (
        "a T that a resource of our name, now gone, left for another application: it is replaced",
        observation(
            target=replace(target(), object_id=OBJECT_ID[::-1]),  # type: ignore[arg-type]
            application=application(),
            resource=NEW,
        ),
        None,
    ),
    (
        "a T that records nothing belongs to no application",
        observation(target=replace(target(), published=None, object_id=OBJECT_ID[::-1])),  # type: ignore[arg-type]
        None,
    ),
]


@pytest.mark.parametrize(("o", "expected"), [h[1:] for h in HOLDS], ids=[h[0] for h in HOLDS])
def test_a_gate_holds(o: Observation, expected: tuple[str, bool] | None) -> None:
    assert held(o) == expected


ACTS: list[tuple[str, Observation, Action]] = [
    ("looks at the CRD first", replace(deleted(), crd_deleted=None), ReadCrd()),
    ("at exactly fifteen seconds", replace(deleted(15 * SECOND), crd_deleted=None), ReadCrd()),
    ("writes a ticket", deleted(), ScheduleRevocation()),
    (
        "replaces a ticket of another life",
        replace(deleted(), revocation_uid="other"),
        ScheduleRevocation(),
    ),
    (
        "releases once it is written",
        replace(deleted(), revocation_uid="resource-uid"),
        ReleaseFinalizer(),
    ),
    (
        "writes no ticket when the CRD goes",
        replace(deleted(), crd_deleted=True),
        ReleaseFinalizer(),
    ),
    (
        "writes no ticket for an unusable spec of which nothing was issued",
        replace(
            deleted(),
            target=None,
            resource=resource(
                problem(Reason.INVALID_SPEC), deletion_time=NOW - MINUTE, status=REFUSED
            ),
        ),
        ReleaseFinalizer(),
    ),
    (
        "writes no ticket for what was never granted",
        replace(
            deleted(),
            target=None,
            resource=resource(deletion_time=NOW - MINUTE, status=REFUSED),
        ),
        ReleaseFinalizer(),
    ),
    (
        "writes none for what this process knows that nobody began anything for",
        replace(deleted(), target=None, is_untouched=True),
        ReleaseFinalizer(),
    ),
    (
        "writes one when a Secret tells of more than this process knows",
        replace(deleted(), is_untouched=True),
        ScheduleRevocation(),
    ),
    (
        "writes one when a former resource of that name left something",
        replace(deleted(), target=None, is_untouched=True, revocation_uid="other"),
        ScheduleRevocation(),
    ),
    (
        "writes one while fewer of the namespace wait than may",
        replace(deleted(), open_revocations=499),
        ScheduleRevocation(),
    ),
    (
        "replaces one, however many wait",
        replace(deleted(), open_revocations=500, revocation_uid="other"),
        ScheduleRevocation(),
    ),
    (
        "writes one when status was lost",
        replace(deleted(), target=None, resource=resource(deletion_time=NOW - MINUTE)),
        ScheduleRevocation(),
    ),
    (
        "writes one when a Secret tells of more than status does",
        replace(deleted(), resource=resource(deletion_time=NOW - MINUTE, status=REFUSED)),
        ScheduleRevocation(),
    ),
    (
        "writes one when a successor is on its way",
        replace(
            deleted(),
            target=None,
            pending=pending(),
            resource=resource(deletion_time=NOW - MINUTE, status=REFUSED),
        ),
        ScheduleRevocation(),
    ),
    (
        "adds the finalizer",
        observation(resource=resource(has_finalizer=False)),
        AddFinalizer(),
    ),
    (
        "records what may be issued next",
        named(observation(recorded=Recorded.ABSENT)),
        RecordIssued(),
    ),
    (
        "records it anew",
        observation(recorded=Recorded.OUTDATED),
        RecordIssued(),
    ),
    (
        "records also while its tenant is down",
        named(observation(recorded=Recorded.ABSENT, tenant=problem())),
        RecordIssued(),
    ),
    (
        "answers for what a former one left",
        named(observation(recorded=Recorded.OF_FORMER_LIFE, unowned_records=500)),
        TakeOverRecord(),
    ),
    (
        "tells that an observed one leaves all",
        named(observation(recorded=Recorded.OUTDATED, resource=resource(OBSERVED))),
        RecordIssued(),
    ),
    (
        "writes one for what a former one left, which only the record tells",
        replace(
            deleted(),
            target=None,
            resource=resource(deletion_time=NOW - MINUTE, status=REFUSED),
            recorded=Recorded.OF_FORMER_LIFE,
        ),
        ScheduleRevocation(),
    ),
    ("cancels the ticket", named(observation(revocation_uid="other")), CancelRevocation()),
    ("reads the application", observation(application=None), ReadApplication(HOUR)),
    (
        "reads it again after an hour",
        observation(application=application(read_time=NOW - HOUR)),
        ReadApplication(HOUR / 2),
    ),
    (
        "reads it again when a list shows something else",
        observation(
            application=replace(
                application(credential(), read_time=NOW - MINUTE), doubted=NOW - SECOND
            )
        ),
        ReadApplication(SECOND),
    ),
    (
        "reads it again although a list agreed before",
        observation(
            application=replace(
                application(credential(), read_time=NOW - 3 * HOUR),
                confirmed=NOW - HOUR - SECOND,
            )
        ),
        ReadApplication(HOUR / 2),
    ),
    (
        "takes no read from before a doubt, whatever the clock says",
        observation(application=replace(application(read_time=NOW), doubted=NOW + SECOND)),
        ReadApplication(timedelta(0)),
    ),
    (
        "takes no read from before one that did not find it",
        observation(
            application=None,
            memory=Memory(application_missing=(NOW - HOUR, NOW - 10 * SECOND)),
        ),
        ReadApplication(10 * SECOND),
    ),
    (
        "reads it when the pause is over",
        observation(application=None, memory=replace(UNREAD, retry_time=NOW)),
        ReadApplication(HOUR),
    ),
]


@pytest.mark.parametrize(("o", "expected"), [a[1:] for a in ACTS], ids=[a[0] for a in ACTS])
def test_a_gate_acts(o: Observation, expected: Action) -> None:
    assert gate(o) == expected
    assert decide(o).action == expected
    assert decide(o).look_again == NOW


@pytest.mark.parametrize("trace", sorted(ISSUED))
def test_what_status_names_is_revoked_whatever_this_process_knows(trace: str) -> None:
    gone = resource(deletion_time=NOW - MINUTE, status={**REFUSED, trace: {}})
    o = replace(deleted(), target=None, resource=gone, is_untouched=True)
    assert decide(o).action == ScheduleRevocation()


@pytest.mark.parametrize(
    "o",
    [
        observation(recorded=Recorded.ABSENT),
        observation(recorded=Recorded.OF_FORMER_LIFE),
        named(observation(recorded=Recorded.ABSENT, resource=resource(OBSERVED))),
        named(observation(recorded=Recorded.OF_FORMER_LIFE, resource=resource(OBSERVED))),
        named(observation(recorded=Recorded.ABSENT, resource=resource(SUSPENDED))),
        named(observation(recorded=Recorded.ABSENT, unowned_records=500)),
        observation(
            recorded=Recorded.ABSENT,
            unowned_records=500,
            target=None,
            resource=resource(status={"federatedIdentities": [{}]}),
        ),
        observation(
            recorded=Recorded.ABSENT, unowned_records=500, resource=resource(OBSERVED), target=None
        ),
        observation(
            recorded=Recorded.ABSENT, unowned_records=500, resource=resource(SUSPENDED), target=None
        ),
    ],
    ids=range(9),
)
def test_what_issues_nothing_or_has_too_many_beside_it_writes_no_record(o: Observation) -> None:
    assert deletion_is_unprepared(o) is None


@pytest.mark.parametrize("state", Recorded)
def test_a_renewal_does_not_wait_for_a_record_that_is_refused(state: Recorded) -> None:
    o = replace(named(observation(recorded=state)), is_record_refused=True)
    assert deletion_is_unprepared(o) is None


def test_a_suspended_one_is_recorded_before_it_cancels_a_revocation() -> None:
    o = observation(recorded=Recorded.ABSENT, revocation_uid="other", resource=resource(SUSPENDED))
    assert deletion_is_unprepared(named(o)) == RecordIssued()


def test_a_suspended_one_that_has_something_is_recorded() -> None:
    status = {"credential": {"keyId": "key"}}
    o = observation(recorded=Recorded.ABSENT, resource=resource(SUSPENDED, status=status))
    assert deletion_is_unprepared(o) == RecordIssued()


def test_a_new_resource_waits_while_many_of_its_namespace_went_unseen() -> None:
    o = observation(recorded=Recorded.ABSENT, unowned_records=500, target=None)
    found = deletion_is_unprepared(o)
    assert isinstance(found, Hold)
    assert found.problem.reason is Reason.REVOCATION_LIMIT
    assert deletion_is_unprepared(replace(o, unowned_records=499)) is None


def test_what_this_process_began_is_revoked_whatever_status_says() -> None:
    gone = resource(deletion_time=NOW - MINUTE, status=REFUSED)
    o = replace(deleted(), target=None, resource=gone, has_begun=True)
    assert decide(o).action == ScheduleRevocation()


def test_an_application_that_was_only_read_has_nothing_to_revoke() -> None:
    named = {**REFUSED, "application": {"objectId": OBJECT_ID}}
    gone = resource(deletion_time=NOW - MINUTE, status=named)
    o = replace(deleted(), target=None, resource=gone)
    assert decide(o).action == ScheduleRevocation()
    assert decide(replace(o, is_untouched=True)).action == ReleaseFinalizer()


@pytest.mark.parametrize("issued", ["credential", "pending", "retiring"])
def test_what_was_issued_for_a_spec_that_cannot_be_read_is_not_forgotten(issued: str) -> None:
    gone = resource(
        problem(Reason.INVALID_SPEC), deletion_time=NOW - MINUTE, status={issued: {"keyId": "k"}}
    )
    o = replace(deleted(), resource=gone)
    assert held(o) == ("InvalidSpec", True)
    decision = decide(o)
    assert decision.action == ApplyStatus()
    told = {c["type"]: c["reason"] for c in decision.status["conditions"]}
    assert told["Stalled"] == "InvalidSpec"
    assert decision.look_again > NOW


@pytest.mark.parametrize(
    "held_by",
    [
        {"grant": problem()},
        {"tenant": problem(Reason.TENANT_NOT_FOUND)},
        {"application": None, "memory": replace(UNREAD, retry_time=NOW + HOUR)},
        {"target": foreign_target()},
    ],
    ids=["no grant", "no tenant", "the application is unread", "the Secret is another's"],
)
def test_a_ticket_outlives_a_return_that_may_do_nothing(held_by: dict[str, Any]) -> None:
    """Deleted, applied again while nothing may be done, deleted again."""
    back = observation(**{"target": None, **held_by}, revocation_uid="earlier")
    decision = decide(back)
    assert decision.action == ApplyStatus()
    gone = resource(deletion_time=NOW - MINUTE, status=decision.status)
    o = replace(back, resource=gone, crd_deleted=False)
    assert decide(o).action == ScheduleRevocation()


def test_a_ticket_in_another_directory_would_not_wait_for_its_owner() -> None:
    elsewhere = replace(target(), tenant_id=TenantId(CLIENT_ID))
    o = observation(target=elsewhere, revocation_uid="earlier")
    assert gate(o) == CancelRevocation()
    assert gate(replace(o, tenant=problem(Reason.TENANT_NOT_FOUND))) != CancelRevocation()


def test_each_gate_goes_before_the_next() -> None:
    """Close all gates, then open one after the other from the top."""
    conflict = foreign_target()
    o = observation(
        blocked=problem(Reason.NOT_LEADER),
        resource=resource(
            problem(Reason.INVALID_SPEC), has_finalizer=False, deletion_time=NOW - SECOND
        ),
        revocation_uid="other",
        target=conflict,
        application=None,
    )
    assert held(o) == ("NotLeader", True)
    o = replace(o, blocked=None)
    assert held(o) == ("Progressing", False)
    o = replace(o, resource=replace(o.resource, deletion_time=None))
    assert gate(o) == AddFinalizer()
    o = replace(o, resource=replace(o.resource, has_finalizer=True))
    assert gate(named(o)) == CancelRevocation()
    assert held(o) == ("InvalidSpec", True)
    o = replace(o, resource=replace(o.resource, spec=spec()))
    assert held(o) == ("SecretConflict", True)
    o = replace(o, target=target())
    assert gate(o) == ReadApplication(HOUR)
    o = replace(o, application=application(credential(), read_time=NOW))
    assert gate(o) is None


def test_suspend_goes_before_a_missing_tenant_and_that_before_a_missing_grant() -> None:
    o = observation(
        resource=resource(spec(suspend=True)),
        tenant=problem(Reason.TENANT_NOT_FOUND),
        grant=problem(),
        target=None,
    )
    assert held(o) == ("Suspended", False)
    o = replace(o, resource=resource())
    assert held(o) == ("TenantNotFound", True)
    assert held(replace(o, tenant=tenant())) == ("NotGranted", True)


@pytest.mark.parametrize("is_known", [False, True], ids=["no session", "a session with a fault"])
def test_a_tenant_s_fault_hides_no_missing_grant(is_known: bool) -> None:
    """It concerns all that use the tenant, and this one would still not be served after it."""
    down = problem(Reason.TENANT_NOT_READY)
    refused = problem(Reason.NOT_GRANTED)
    broken = replace(tenant(), problem=down) if is_known else down
    found = gate(observation(resource=NEW, tenant=broken, grant=refused))
    assert isinstance(found, Hold)
    assert found.problem.reason is Reason.NOT_GRANTED
    assert found.problem.message == f"{refused.message} {down.message}"
    alone = gate(observation(resource=NEW, tenant=broken, grant=grant()))
    assert isinstance(alone, Hold)
    assert alone.problem.reason is Reason.TENANT_NOT_READY


def test_no_effect_at_all_while_blocked_or_being_deleted() -> None:
    for o in (observation(blocked=problem(Reason.NOT_LEADER)), deleted(SECOND)):
        decision = decide(o)
        assert decision.action == Sleep()
        assert decision.status == o.resource.status


def test_a_deletion_that_is_held_says_why() -> None:
    o = replace(deleted(), open_revocations=500)
    assert held(o) == ("RevocationLimit", True)
    decision = decide(o)
    assert decision.action == ApplyStatus()
    assert decision.status["conditions"][-1]["reason"] == "RevocationLimit"


def test_a_held_resource_still_reports() -> None:
    decision = decide(observation(tenant=problem(Reason.TENANT_NOT_FOUND)))
    assert decision.action == ApplyStatus()
    assert decision.status["conditions"][-1]["type"] == "Stalled"


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (observation(), NOW + 10 * MINUTE),
        (observation(resource=NEW), NOW + MINUTE),
        (deleted(5 * SECOND), NOW + 10 * SECOND),
        (replace(deleted(), open_revocations=500), NOW + MINUTE),
        (observation(memory=UNREAD), NOW + 10 * SECOND),
        (missing(timedelta(0), retry=DAY), NOW + DAY),
    ],
    ids=[
        "ten minutes",
        "patience ends",
        "deletion settles",
        "it is held",
        "pause ends",
        "long pause ends",
    ],
)
def test_a_closed_gate_is_looked_at_again(o: Observation, expected: datetime) -> None:
    assert min(_gate_times(o)) == expected


def test_a_problem_is_not_rewritten_by_patience() -> None:
    wanted = Problem(reason=Reason.TENANT_NOT_FOUND, message="Words.", stalled=True)
    found = gate(observation(resource=NEW, tenant=wanted))
    assert found == Hold(replace(wanted, stalled=False))


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (observation(), True),
        (observation(grant=problem()), False),
        (observation(tenant=problem(Reason.TENANT_NOT_READY)), False),
        (observation(blocked=problem(Reason.NOT_LEADER)), False),
        (observation(resource=resource(deletion_time=NOW)), False),
    ],
    ids=["granted", "not granted", "no tenant", "not the leader", "being deleted"],
)
def test_sources_are_read_only_behind_the_gates(o: Observation, expected: bool) -> None:
    assert is_admitted(replace(o, target=None)) is expected
