"""Rules 1 to 3: the resource is being deleted, or was deleted and is back."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from appcredential.domain.actions import (
    Action,
    AddFinalizer,
    CancelRevocation,
    Hold,
    ReadCrd,
    RecordIssued,
    ReleaseFinalizer,
    ScheduleRevocation,
    TakeOverRecord,
)
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.deletion import ISSUED, TRACES
from appcredential.domain.facts.takeover import is_former_owner
from appcredential.domain.facts.told import names_application
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.spec.model import AppCredentialSpec


def resource_is_being_deleted(observation: Observation) -> Action | None:
    """1: the resource is being deleted. This never waits for Graph."""
    resource = observation.resource
    if resource.deletion_time is None:
        return None
    if not resource.has_finalizer:
        return Hold(Problem(reason=Reason.PROGRESSING, message="Being deleted.", stalled=False))
    if observation.resource.observes:
        return ReleaseFinalizer()
    if is_settling(resource, observation.now, observation.settings):
        return Hold(Problem(reason=Reason.PROGRESSING, message="Being deleted.", stalled=False))
    if observation.crd_deleted is None:
        return ReadCrd()
    if observation.crd_deleted or observation.revocation_uid == resource.uid:
        return ReleaseFinalizer()
    if _was_never_issued(observation):
        return ReleaseFinalizer()
    return _unreadable(resource.spec) or _too_many(observation) or ScheduleRevocation()


def is_settling(resource: Resource, now: datetime, settings: LifecycleSettings) -> bool:
    """Return whether a deletion only waits: whether the CRD goes too, shows a little later."""
    deleted = resource.deletion_time
    return (
        deleted is not None
        and resource.has_finalizer
        and not resource.observes
        and now < deleted + settings.deletion_settle
    )


def _was_never_issued(observation: Observation) -> bool:
    """Return whether this process or a complete status, and the Secrets, show that nothing was.

    No revocation is needed then. It would ask Entra about an application that perhaps no
    grant ever allowed. A namespace that is being deleted has taken both Secrets along, so that
    they prove nothing alone, and what one witness tells of, the other one cannot deny.
    """
    status = observation.resource.status
    secrets = (observation.own_target, observation.pending)
    if status.keys() & ISSUED or secrets != (None, None):
        return False
    if is_former_owner(observation) or observation.revocation_uid is not None:
        return False
    if observation.recorded is Recorded.OF_FORMER_LIFE:
        return False
    names_nothing = bool(status.get("conditions")) and not status.keys() & TRACES
    return observation.is_untouched or (names_nothing and not observation.has_begun)


def _too_many(observation: Observation) -> Action | None:
    """Hold a deletion while many of the namespace wait; each of these ends after its grace."""
    if not is_at_revocation_limit(observation):
        return None
    return Hold(
        Problem(
            reason=Reason.REVOCATION_LIMIT,
            message="Being deleted, but many deleted resources of this namespace still wait for "
            "their revocation. This one goes when an earlier one has been revoked.",
        )
    )


def is_at_revocation_limit(observation: Observation) -> bool:
    """Return whether no more deletions of the namespace may wait; one that waits is replaced."""
    most = observation.settings.max_open_revocations
    return observation.revocation_uid is None and observation.open_revocations >= most


def _unreadable(spec: AppCredentialSpec | Problem) -> Action | None:
    """Hold a resource whose unreadable spec hides what was issued for it."""
    if not isinstance(spec, Problem):
        return None
    return Hold(
        Problem(
            reason=Reason.INVALID_SPEC,
            message="Being deleted, but the spec is unreadable, so the operator does not know what "
            "to revoke. Correct the spec, or remove the credential in Entra, then the finalizer.",
        )
    )


def deletion_is_unprepared(observation: Observation) -> Action | None:
    """2: add the finalizer, without which a deletion would go unnoticed, and record the rest.

    Anybody may take the finalizer away, or replace the resource without it. So before anything
    is issued, a record of it is written that outlives the resource.
    """
    resource = observation.resource
    if not resource.has_finalizer and not resource.observes:
        return AddFinalizer()
    if observation.is_record_refused:
        return None  # a renewal is worth more than the record of it
    match observation.recorded:
        case Recorded.CURRENT:
            return None
        case Recorded.OUTDATED:
            return RecordIssued()
        case Recorded.ABSENT:
            if observation.unowned_records >= observation.settings.max_open_revocations:
                return _too_many_unowned(observation)
            return RecordIssued() if _may_issue(observation) else None
        case Recorded.OF_FORMER_LIFE:
            return TakeOverRecord() if _may_issue(observation) else None
        case _:
            assert_never(observation.recorded)


def _may_issue(observation: Observation) -> bool:
    """Return whether something may have been issued, or may be next.

    Status names the application before anything is issued, and never without a grant. A
    suspended resource issues nothing, but cancels the revocation of what a former one left.
    """
    resource = observation.resource
    traces = ISSUED if resource.is_suspended else TRACES
    has_traces = bool(resource.status.keys() & traces)
    cancels = isinstance(revocation_is_scheduled(observation), CancelRevocation)
    return not resource.observes and (has_traces or cancels)


def _too_many_unowned(observation: Observation) -> Action | None:
    """Record nothing while many of the namespace went without their finalizer.

    Each of them is recorded until there is room for its revocation. A new resource waits; one
    that has something goes on unrecorded, because a renewal is worth more.
    """
    resource = observation.resource
    secrets = (observation.own_target, observation.pending)
    if resource.status.keys() & ISSUED or secrets != (None, None):
        return None
    if resource.observes or resource.is_suspended:
        return None
    return Hold(
        Problem(
            reason=Reason.REVOCATION_LIMIT,
            message="Nothing is issued: many resources of this namespace went without their "
            "finalizer, and wait for their revocation. This one goes on as they are revoked.",
        )
    )


def revocation_is_scheduled(observation: Observation) -> Action | None:
    """3: the resource was created again within the grace period: cancel the revocation.

    Until status names the application, only the revocation knows what the former resource left.
    So it stays until then, and does nothing, because its owner exists.
    """
    if observation.revocation_uid is None or observation.resource.observes:
        return None
    is_known = names_application(observation.resource.status)
    return CancelRevocation() if is_known or _is_elsewhere(observation) else None


def _is_elsewhere(observation: Observation) -> bool:
    """Return whether the Secrets hold a credential of another directory than the spec's.

    A revocation in that directory does not count us as its owner, and would not wait.
    """
    recorded, tenant = observation.own_target or observation.pending, observation.tenant
    if recorded is None or not isinstance(tenant, Tenant):
        return False
    return recorded.tenant_id not in {"", tenant.tenant_id}
