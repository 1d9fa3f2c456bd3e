"""What is to be revoked later for a resource that was deleted. Pure.

A ticket is due after the grace period; until then re-applying the resource
cancels it. It acts only when this process has seen the owner absent for a
while, and removes only credentials that carry the owner's exact marker. The
owner is absent also when its name was given to a resource for another
application: what that one uses is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Attempt, ClusterIdentity, Owner, parse_marker
from appcredential.domain.observed.federated import FederatedList, OutputMap
from appcredential.domain.observed.observation import (
    Application,
    Credential,
    Pending,
    PendingState,
    Target,
)
from appcredential.domain.secret.content import digest, type_of
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ClientId,
    CredentialType,
    DeletionPolicy,
    KeyId,
    ObjectId,
    TenantId,
)

CLEAN_READS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One deletion to finish. `uid` and `resource_version` are the ConfigMap's."""

    owner: Owner
    resource_uid: str
    tenant: str
    tenant_id: TenantId
    client_id: ClientId
    object_id: ObjectId | None
    type: CredentialType
    policy: DeletionPolicy
    secret_name: str
    secret_uid: str
    pending_attempt: str
    due: datetime
    service_account: str = ""
    config_map: str = ""
    uid: str = ""
    resource_version: str = ""


def ticket_name(owner: Owner, tenant: str, client_id: ClientId, kind: CredentialType) -> str:
    """Return the ConfigMap's name: one per owner, tenant, application and type."""
    parts = "\0".join((str(owner), tenant, client_id, kind))
    return f"appcredential-ticket-{digest(parts)[:20]}"


def is_of_ticket(
    ticket: Ticket, spec: AppCredentialSpec | Problem, tenant_id: TenantId | None
) -> bool:
    """Tell whether a resource of the owner's name is the ticket's, and so the owner present.

    It is when tenant, application and type are the ticket's; in doubt as well.

    Args:
        ticket: whose owner has the resource's name.
        spec: of the resource.
        tenant_id: of the EntraTenant that the spec names, None when unknown: under another
            name it may lead to the same directory, where both have the same marker.
    """
    if isinstance(spec, Problem):
        return True
    if (spec.client_id, spec.type) != (ticket.client_id, ticket.type):
        return False
    if spec.tenant == ticket.tenant or tenant_id is None or not ticket.tenant_id:
        return True
    return tenant_id == ticket.tenant_id


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketObservation:
    """Everything about one ticket.

    Attributes:
        owner_absent_since: when this process first saw the owner absent; None while present
            or unknown.
        successor: spec of a resource for another application that has the owner's name now.
        tenant_id: of the ticket's EntraTenant as it is now; None when it cannot be used.
        is_tenant_missing: there is no EntraTenant of that name.
        has_secrets: `target` and `pending` were read in this round.
        application: None when not read; `application_gone` when it answered 404 lastingly.
        clean_reads: times of consecutive direct reads without a credential of ours.
        inherited: ids that another resource of the namespace asks for and is to take over.
        is_unwired: the ServiceAccount was looked at, and has no annotation of ours any more.
        output: the output ConfigMap, None when it does not exist or none was asked for.
    """

    now: datetime
    identity: ClusterIdentity
    ticket: Ticket
    owner_absent_since: datetime | None
    successor: AppCredentialSpec | None = None
    tenant_id: TenantId | None
    is_tenant_missing: bool = False
    application: Application | None
    application_gone: bool
    target: Target | None
    pending: Pending | None
    has_secrets: bool = True
    clean_reads: tuple[datetime, ...] = ()
    inherited: frozenset[KeyId] = frozenset()
    is_unwired: bool = False
    output: OutputMap | None = None
    absence: timedelta = timedelta(minutes=10)
    intent_respect: timedelta = timedelta(seconds=60)
    freshness: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class ReadTicketApplication:
    """Read the application directly."""


@dataclass(frozen=True, slots=True)
class ReadTicketSecrets:
    """Read T and P."""


@dataclass(frozen=True, slots=True)
class RemoveForTicket:
    """Remove one credential."""

    key_id: KeyId
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class DeleteTicketPending:
    """Delete P."""


@dataclass(frozen=True, slots=True)
class DeleteTarget:
    """Delete T."""


@dataclass(frozen=True, slots=True)
class Unwire:
    """Take our annotations from the ServiceAccount."""


@dataclass(frozen=True, slots=True)
class DeleteOutput:
    """Delete the output ConfigMap."""


@dataclass(frozen=True, slots=True)
class DeleteTicket:
    """All is done."""


TicketAction: TypeAlias = (
    Wait
    | ReadTicketApplication
    | ReadTicketSecrets
    | RemoveForTicket
    | DeleteTicketPending
    | DeleteTarget
    | Unwire
    | DeleteOutput
    | DeleteTicket
)


def decide_ticket(o: TicketObservation) -> TicketAction:
    """Return the one thing to do next for a ticket."""
    waiting = _waiting(o)
    if waiting is not None:
        return waiting
    removal = _removal(o)
    if removal is not None:
        return removal
    if o.ticket.type is CredentialType.FEDERATED_IDENTITY:
        return _tidy_federated(o)
    if _is_own_pending(o):
        return DeleteTicketPending()
    if o.ticket.policy is DeletionPolicy.REVOKE and _is_own_target(o):
        return DeleteTarget()
    return DeleteTicket()


def _tidy_federated(o: TicketObservation) -> TicketAction:
    """Nothing is trusted any more: what told workloads of it goes too."""
    ticket = o.ticket
    if ticket.policy is DeletionPolicy.RETAIN:
        return DeleteTicket()
    if ticket.service_account and not o.is_unwired:
        return Unwire()
    return DeleteOutput() if _is_own_output(o) else DeleteTicket()


def _is_own_output(o: TicketObservation) -> bool:
    if o.output is None or o.output.owner != str(o.ticket.owner):
        return False
    if o.output.data.get("AZURE_CLIENT_ID", o.ticket.client_id) != o.ticket.client_id:
        return False  # as with T
    federated = o.successor.federated if o.successor is not None else None
    return federated is None or federated.config_map != o.output.name


def as_credentials(listed: FederatedList) -> tuple[Credential, ...]:
    """Return federated credentials in the form that tickets judge all types by.

    They have no times; the marker stands in the description.
    """
    return tuple(
        Credential(
            key_id=KeyId(c.id),
            display_name=c.description,
            start=listed.read_time,
            end=listed.read_time,
            type=CredentialType.FEDERATED_IDENTITY,
        )
        for c in listed.credentials
    )


def _waiting(o: TicketObservation) -> TicketAction | None:
    """Wait for the owner's absence, the tenant and a mint in flight; Secrets are read last."""
    start = _start(o)
    if start is None:
        return Wait(o.now + o.absence)
    if o.now < start:
        return Wait(start)
    if not (is_reachable(o.ticket, o.tenant_id) or _ends_unread(o)):
        return Wait(o.now + o.absence)
    if not o.has_secrets:
        return ReadTicketSecrets()
    intent = _intent_ends(o)
    return Wait(intent) if intent is not None and o.now < intent else None


def _start(o: TicketObservation) -> datetime | None:
    if o.owner_absent_since is None:
        return None
    return max(o.ticket.due, o.owner_absent_since + o.absence)


def _intent_ends(o: TicketObservation) -> datetime | None:
    if o.pending is None or o.pending.state is not PendingState.INTENT:
        return None
    return o.pending.intent_time + o.intent_respect


def _removal(o: TicketObservation) -> TicketAction | None:
    """Remove what is ours, until enough direct reads in a row are clean."""
    if o.application_gone or _ends_unread(o):
        return None
    if o.application is None or o.now - o.application.read_time > o.freshness:
        return ReadTicketApplication()
    ours = credentials_to_revoke(o)
    if ours and all(c.key_id in o.inherited for c in ours):
        return Wait(o.now + o.absence)  # whoever asks for them takes them over, without a gap
    ours = [c for c in ours if c.key_id not in o.inherited]
    if ours:
        marker = parse_marker(ours[0].display_name)
        assert marker is not None  # noqa: S101 - it would not be ours
        return RemoveForTicket(ours[0].key_id, marker.attempt)
    if len(o.clean_reads) < CLEAN_READS:
        return ReadTicketApplication()
    return None


def is_reachable(ticket: Ticket, tenant_id: TenantId | None) -> bool:
    """Tell whether an EntraTenant leads to the directory in which the credentials were made.

    Created anew with another tenantId it does not: what cannot be found there proves nothing.
    """
    return tenant_id is not None and ticket.tenant_id in {"", tenant_id}


def _ends_unread(o: TicketObservation) -> bool:
    """Tell whether nothing in Entra has to be looked at.

    Without an object id the owner's status was lost or it never got so far. Only with no
    trace of anything issued and no tenant to issue it in is the latter certain enough.
    """
    t = o.ticket
    if t.object_id is not None:
        return False
    if t.policy is DeletionPolicy.RETAIN:
        return True
    return o.is_tenant_missing and not (t.tenant_id or t.secret_uid or t.pending_attempt)


def is_unconfirmed(o: TicketObservation) -> bool:
    """Tell whether a ticket that ends now ends without having seen Entra clean."""
    is_kept = o.ticket.policy is DeletionPolicy.RETAIN and not o.ticket.pending_attempt
    return not is_kept and len(o.clean_reads) < CLEAN_READS


def credentials_to_revoke(o: TicketObservation) -> list[Credential]:
    """Return the listed credentials that the ticket's policy removes."""
    listed = o.application.credentials if o.application is not None else ()
    return [c for c in listed if _is_revoked(o, c)]


def _is_revoked(o: TicketObservation, c: Credential) -> bool:
    """Tell whether the policy removes this credential.

    Retain removes only the unpublished attempt that the ticket names: never T's
    key nor one in its `retiring`.
    """
    marker = parse_marker(c.display_name)
    if c.type is not o.ticket.type or marker is None:
        return False
    if not marker.is_removable_by(o.identity, o.ticket.owner):
        return False
    if o.ticket.policy is DeletionPolicy.REVOKE:
        return True
    kept = {r.key_id for r in o.target.retiring} if o.target is not None else set()
    if o.target is not None and o.target.published is not None:
        kept.add(o.target.published.key_id)
    return marker.attempt == o.ticket.pending_attempt and c.key_id not in kept


def _is_own_pending(o: TicketObservation) -> bool:
    """P bears the owner's name, so a successor has the same one, and tidies it itself."""
    p = o.pending
    if o.successor is not None:
        return False
    return p is not None and not p.is_foreign and p.owner in {"", str(o.ticket.owner)}


def _is_own_target(o: TicketObservation) -> bool:
    t = o.target
    if t is None or t.owner != str(o.ticket.owner) or t.uid != o.ticket.secret_uid:
        return False
    if _holds_another(o, t):
        return False
    return o.successor is None or o.successor.secret.name != t.name


def _holds_another(o: TicketObservation, t: Target) -> bool:
    """Tell whether T's credential is of another type or application than the ticket's.

    A resource that was something else for a while never had T, and its deletion
    takes nothing from the one that it was before and is again.
    """
    if t.value is not None and type_of(t.value) is not o.ticket.type:
        return True
    return o.application is not None and o.application.object_id != t.object_id
