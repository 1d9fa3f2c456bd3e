"""The annotations of the target Secret and the pending Secret, written and read here alone.

They are a wire format: older releases wrote them, and newer ones must read them.

Reading never fails, even if a person has edited an annotation. Records only ever narrow what
the operator may do, so an unreadable one counts as missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from sys import intern

from appcredential.domain.marker import Attempt, ClusterIdentity, attempt_id
from appcredential.domain.observed.target import (
    Abandoned,
    FormerOwner,
    HandedOver,
    IssuedCredential,
    PendingState,
    Retiring,
)
from appcredential.domain.secret.annotations import (
    Name,
    credential_annotations,
    read_credential,
    value_of,
)
from appcredential.domain.secret.entries import (
    dump_abandoned,
    dump_former_owners,
    dump_handed_over,
    dump_retiring,
    load_abandoned,
    load_former_owners,
    load_handed_over,
    load_retiring,
    rounded_up,
)
from appcredential.domain.spec.model import ObjectId, TenantId
from appcredential.domain.times import format_time, parse_time

# --- the target Secret ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Everything that the target Secret records about itself after a publish.

    Attributes:
        verified_time: time of the sign-in that proved it; None with verification disabled.
        taken_from: former owners of the Secret.
        handed_over: keys of the former owner that stay for now.
        restart_since: when the publish was for which workloads are to be restarted.
    """

    owner: str
    cluster: str
    tenant_id: str
    object_id: ObjectId
    credential: IssuedCredential
    verified_time: datetime | None
    published_time: datetime
    retiring: tuple[Retiring, ...]
    abandoned: tuple[Abandoned, ...]
    taken_from: tuple[FormerOwner, ...] = ()
    handed_over: HandedOver | None = None
    restart_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRecords:
    """What the target Secret records, as far as it can be read."""

    owner: str
    tenant_id: TenantId
    object_id: ObjectId
    credential: IssuedCredential | None
    verified_time: datetime | None
    published_time: datetime | None
    retiring: tuple[Retiring, ...]
    abandoned: tuple[Abandoned, ...]
    taken_from: tuple[FormerOwner, ...]
    handed_over: HandedOver | None
    restart_since: datetime | None


def target_annotations(publication: Publication) -> dict[str, str]:
    """Return the annotations that record a publication."""
    found = {
        Name.OWNER: publication.owner,
        Name.CLUSTER: publication.cluster,
        Name.TENANT_ID: publication.tenant_id,
        Name.OBJECT_ID: publication.object_id,
        Name.ATTEMPT: publication.credential.attempt,
        Name.PUBLISHED_TIME: format_time(rounded_up(publication.published_time)),
        **credential_annotations(publication.credential),
    }
    if publication.verified_time is not None:
        found[Name.VERIFIED_TIME] = format_time(publication.verified_time)
    if publication.retiring:
        found[Name.RETIRING] = dump_retiring(publication.retiring)
    if publication.abandoned:
        found[Name.ABANDONED] = dump_abandoned(publication.abandoned)
    if publication.taken_from:
        found[Name.TAKEN_FROM] = dump_former_owners(publication.taken_from)
    if publication.handed_over is not None:
        found[Name.HANDED_OVER] = dump_handed_over(publication.handed_over)
    if publication.restart_since is not None:
        found[Name.RESTART_SINCE] = format_time(rounded_up(publication.restart_since))
    return found


def read_target(annotations: Mapping[str, str]) -> TargetRecords:
    """Return what the annotations of a target Secret record."""
    return TargetRecords(
        owner=value_of(annotations, Name.OWNER),
        tenant_id=TenantId(intern(value_of(annotations, Name.TENANT_ID))),
        object_id=ObjectId(intern(value_of(annotations, Name.OBJECT_ID))),
        credential=read_credential(annotations),
        verified_time=parse_time(value_of(annotations, Name.VERIFIED_TIME)),
        published_time=parse_time(value_of(annotations, Name.PUBLISHED_TIME)),
        retiring=load_retiring(value_of(annotations, Name.RETIRING)),
        abandoned=load_abandoned(value_of(annotations, Name.ABANDONED)),
        taken_from=load_former_owners(value_of(annotations, Name.TAKEN_FROM)),
        handed_over=load_handed_over(value_of(annotations, Name.HANDED_OVER)),
        restart_since=parse_time(value_of(annotations, Name.RESTART_SINCE)),
    )


def cluster_of(annotations: Mapping[str, str]) -> str:
    """Return the cluster whose operator wrote a target Secret; empty when it does not say."""
    return value_of(annotations, Name.CLUSTER)


def adopter_of(annotations: Mapping[str, str]) -> str:
    """Return the `namespace/name` that a person gives the Secret to; empty without one."""
    return value_of(annotations, Name.ADOPT)


# --- the pending Secret ---------------------------------------------------------------------


def pending_name(owner_hash: str) -> str:
    """Return the name of the pending Secret of the owner with this hash."""
    return f"appcredential-pending-{owner_hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRecords:
    """What the pending Secret records.

    Attributes:
        attempt: empty in a first intent: it follows from the uid, which exists only after the
            create.
        credential: what the Secret holds or held; None in an intent without a value.
    """

    owner: str
    cluster: str
    tenant_id: TenantId
    object_id: ObjectId
    attempt: Attempt
    attempt_number: int
    holder: str
    state: PendingState
    intent_time: datetime
    credential: IssuedCredential | None
    abandoned: tuple[Abandoned, ...]


def pending_annotations(records: PendingRecords) -> dict[str, str]:
    """Return the annotations of the pending Secret."""
    found = {
        Name.OWNER: records.owner,
        Name.CLUSTER: records.cluster,
        Name.TENANT_ID: records.tenant_id,
        Name.OBJECT_ID: records.object_id,
        Name.ATTEMPT_NUMBER: str(records.attempt_number),
        Name.HOLDER: records.holder,
        Name.STATE: str(records.state),
        Name.INTENT_TIME: format_time(records.intent_time),
    }
    if records.attempt:
        found[Name.ATTEMPT] = records.attempt
    if records.abandoned:
        found[Name.ABANDONED] = dump_abandoned(records.abandoned)
    if records.credential is not None:
        found |= credential_annotations(records.credential)
    return found


def read_pending(
    annotations: Mapping[str, str],
    identity: ClusterIdentity,
    *,
    uid: str,
    created: datetime,
    has_value: bool,
) -> PendingRecords:
    """Return what the annotations of a pending Secret record.

    Unreadable records make it an Abandoned one that proves nothing. A `Minted` one with its
    key id stays so: its value may be the only one.

    Args:
        annotations: the Secret's.
        identity: the cluster's, from which an attempt follows that a first intent cannot store.
        uid: the Secret's.
        created: when the Secret was created; replaces an unreadable time of the intent.
        has_value: whether the Secret holds a value.
    """
    credential, number = read_credential(annotations), _number(annotations)
    state, attempt = _state(annotations), Attempt(value_of(annotations, Name.ATTEMPT))
    never_minted = state is not PendingState.MINTED and not has_value
    is_read = number is not None and (credential is not None or never_minted)
    is_held = state is PendingState.MINTED and credential is not None
    is_believed = state is not None and (is_read or is_held)
    if is_believed and number is not None and not attempt:
        # The next write stores it, so that a copy of the Secret shows.
        attempt = attempt_id(identity, uid, number)
    if credential is not None and not credential.attempt:
        credential = replace(credential, attempt=attempt)
    return PendingRecords(
        owner=value_of(annotations, Name.OWNER),
        cluster=value_of(annotations, Name.CLUSTER),
        tenant_id=TenantId(intern(value_of(annotations, Name.TENANT_ID))),
        object_id=ObjectId(intern(value_of(annotations, Name.OBJECT_ID))),
        # Without an attempt it belongs to nobody, and does not count as a fenced intent.
        attempt=attempt if is_believed else Attempt(""),
        attempt_number=number or 0,
        holder=value_of(annotations, Name.HOLDER),
        state=state if state is not None and is_believed else PendingState.ABANDONED,
        intent_time=parse_time(value_of(annotations, Name.INTENT_TIME)) or created,
        credential=credential,
        abandoned=load_abandoned(value_of(annotations, Name.ABANDONED)),
    )


def _number(annotations: Mapping[str, str]) -> int | None:
    raw = value_of(annotations, Name.ATTEMPT_NUMBER)
    return int(raw) if re.fullmatch(r"[0-9]{1,9}", raw) else None


def _state(annotations: Mapping[str, str]) -> PendingState | None:
    raw = value_of(annotations, Name.STATE)
    return PendingState(raw) if raw in set(PendingState) else None
