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
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedList, OutputMap
from appcredential.domain.observed.target import Pending, PendingState, Target
from appcredential.domain.secret.content import digest
from appcredential.domain.secret.value import type_of
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
class Revocation:
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


def revocation_name(owner: Owner, tenant: str, client_id: ClientId, kind: CredentialType) -> str:
    """Return the ConfigMap's name: one per owner, tenant, application and type."""
    parts = "\0".join((str(owner), tenant, client_id, kind))
    return f"appcredential-ticket-{digest(parts)[:20]}"


def is_of_revocation(
    revocation: Revocation, spec: AppCredentialSpec | Problem, tenant_id: TenantId | None
) -> bool:
    """Tell whether a resource of the owner's name is the ticket's, and so the owner present.

    It is when tenant, application and type are the ticket's; in doubt as well.

    Args:
        revocation: whose owner has the resource's name.
        spec: of the resource.
        tenant_id: of the EntraTenant that the spec names, None when unknown: under another
            name it may lead to the same directory, where both have the same marker.
    """
    if isinstance(spec, Problem):
        return True
    if (spec.client_id, spec.type) != (revocation.client_id, revocation.type):
        return False
    if spec.tenant == revocation.tenant or tenant_id is None or not revocation.tenant_id:
        return True
    return tenant_id == revocation.tenant_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationObservation:
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
    revocation: Revocation
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
    is_annotation_removed: bool = False
    output: OutputMap | None = None
    absence: timedelta = timedelta(minutes=10)
    intent_respect: timedelta = timedelta(seconds=60)
    freshness: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class ReadRevokedApplication:
    """Read the application directly."""


@dataclass(frozen=True, slots=True)
class ReadRevokedSecrets:
    """Read T and P."""


@dataclass(frozen=True, slots=True)
class RevokeCredential:
    """Remove one credential."""

    key_id: KeyId
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class DeletePendingSecret:
    """Delete P."""


@dataclass(frozen=True, slots=True)
class DeleteTarget:
    """Delete T."""


@dataclass(frozen=True, slots=True)
class RemoveAnnotations:
    """Take our annotations from the ServiceAccount."""


@dataclass(frozen=True, slots=True)
class DeleteOutput:
    """Delete the output ConfigMap."""


@dataclass(frozen=True, slots=True)
class DeleteRevocation:
    """All is done."""


RevocationAction: TypeAlias = (
    Wait
    | ReadRevokedApplication
    | ReadRevokedSecrets
    | RevokeCredential
    | DeletePendingSecret
    | DeleteTarget
    | RemoveAnnotations
    | DeleteOutput
    | DeleteRevocation
)


def decide_revocation(observation: RevocationObservation) -> RevocationAction:
    """Return the one thing to do next for a ticket."""
    waiting = _waiting(observation)
    if waiting is not None:
        return waiting
    removal = _removal(observation)
    if removal is not None:
        return removal
    if observation.revocation.type is CredentialType.FEDERATED_IDENTITY:
        return _tidy_federated(observation)
    if _is_own_pending(observation):
        return DeletePendingSecret()
    if observation.revocation.policy is DeletionPolicy.REVOKE and _is_own_target(observation):
        return DeleteTarget()
    return DeleteRevocation()


def _tidy_federated(observation: RevocationObservation) -> RevocationAction:
    """Nothing is trusted any more: what told workloads of it goes too."""
    revocation = observation.revocation
    if revocation.policy is DeletionPolicy.RETAIN:
        return DeleteRevocation()
    if revocation.service_account and not observation.is_annotation_removed:
        return RemoveAnnotations()
    return DeleteOutput() if _is_own_output(observation) else DeleteRevocation()


def _is_own_output(observation: RevocationObservation) -> bool:
    if observation.output is None or observation.output.owner != str(observation.revocation.owner):
        return False
    if (
        observation.output.data.get("AZURE_CLIENT_ID", observation.revocation.client_id)
        != observation.revocation.client_id
    ):
        return False  # as with T
    federated = observation.successor.federated if observation.successor is not None else None
    return federated is None or federated.config_map != observation.output.name


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


def _waiting(observation: RevocationObservation) -> RevocationAction | None:
    """Wait for the owner's absence, the tenant and a mint in flight; Secrets are read last."""
    start = _start(observation)
    if start is None:
        return Wait(observation.now + observation.absence)
    if observation.now < start:
        return Wait(start)
    if not (
        is_reachable(observation.revocation, observation.tenant_id) or _ends_unread(observation)
    ):
        return Wait(observation.now + observation.absence)
    if not observation.has_secrets:
        return ReadRevokedSecrets()
    intent = _intent_ends(observation)
    return Wait(intent) if intent is not None and observation.now < intent else None


def _start(observation: RevocationObservation) -> datetime | None:
    if observation.owner_absent_since is None:
        return None
    return max(observation.revocation.due, observation.owner_absent_since + observation.absence)


def _intent_ends(observation: RevocationObservation) -> datetime | None:
    if observation.pending is None or observation.pending.state is not PendingState.INTENT:
        return None
    return observation.pending.intent_time + observation.intent_respect


def _removal(observation: RevocationObservation) -> RevocationAction | None:
    """Remove what is ours, until enough direct reads in a row are clean."""
    if observation.application_gone or _ends_unread(observation):
        return None
    if (
        observation.application is None
        or observation.now - observation.application.read_time > observation.freshness
    ):
        return ReadRevokedApplication()
    ours = credentials_to_revoke(observation)
    if ours and all(c.key_id in observation.inherited for c in ours):
        return Wait(
            observation.now + observation.absence
        )  # whoever asks for them takes them over, without a gap
    ours = [c for c in ours if c.key_id not in observation.inherited]
    if ours:
        marker = parse_marker(ours[0].display_name)
        assert marker is not None  # noqa: S101 - it would not be ours
        return RevokeCredential(ours[0].key_id, marker.attempt)
    if len(observation.clean_reads) < CLEAN_READS:
        return ReadRevokedApplication()
    return None


def is_reachable(revocation: Revocation, tenant_id: TenantId | None) -> bool:
    """Tell whether an EntraTenant leads to the directory in which the credentials were made.

    Created anew with another tenantId it does not: what cannot be found there proves nothing.
    """
    return tenant_id is not None and revocation.tenant_id in {"", tenant_id}


def _ends_unread(observation: RevocationObservation) -> bool:
    """Tell whether nothing in Entra has to be looked at.

    Without an object id the owner's status was lost or it never got so far. Only with no
    trace of anything issued and no tenant to issue it in is the latter certain enough.
    """
    t = observation.revocation
    if t.object_id is not None:
        return False
    if t.policy is DeletionPolicy.RETAIN:
        return True
    return observation.is_tenant_missing and not (t.tenant_id or t.secret_uid or t.pending_attempt)


def is_unconfirmed(observation: RevocationObservation) -> bool:
    """Tell whether a ticket that ends now ends without having seen Entra clean."""
    is_kept = (
        observation.revocation.policy is DeletionPolicy.RETAIN
        and not observation.revocation.pending_attempt
    )
    return not is_kept and len(observation.clean_reads) < CLEAN_READS


def credentials_to_revoke(observation: RevocationObservation) -> list[Credential]:
    """Return the listed credentials that the ticket's policy removes."""
    listed = observation.application.credentials if observation.application is not None else ()
    return [c for c in listed if _is_revoked(observation, c)]


def _is_revoked(observation: RevocationObservation, c: Credential) -> bool:
    """Tell whether the policy removes this credential.

    Retain removes only the unpublished attempt that the ticket names: never T's
    key nor one in its `retiring`.
    """
    marker = parse_marker(c.display_name)
    if c.type is not observation.revocation.type or marker is None:
        return False
    if not marker.is_removable_by(observation.identity, observation.revocation.owner):
        return False
    if observation.revocation.policy is DeletionPolicy.REVOKE:
        return True
    kept = (
        {r.key_id for r in observation.target.retiring} if observation.target is not None else set()
    )
    if observation.target is not None and observation.target.published is not None:
        kept.add(observation.target.published.key_id)
    return marker.attempt == observation.revocation.pending_attempt and c.key_id not in kept


def _is_own_pending(observation: RevocationObservation) -> bool:
    """P bears the owner's name, so a successor has the same one, and tidies it itself."""
    p = observation.pending
    if observation.successor is not None:
        return False
    return p is not None and not p.is_foreign and p.owner in {"", str(observation.revocation.owner)}


def _is_own_target(observation: RevocationObservation) -> bool:
    t = observation.target
    if (
        t is None
        or t.owner != str(observation.revocation.owner)
        or t.uid != observation.revocation.secret_uid
    ):
        return False
    if _holds_another(observation, t):
        return False
    return observation.successor is None or observation.successor.secret.name != t.name


def _holds_another(observation: RevocationObservation, t: Target) -> bool:
    """Tell whether T's credential is of another type or application than the ticket's.

    A resource that was something else for a while never had T, and its deletion
    takes nothing from the one that it was before and is again.
    """
    if t.value is not None and type_of(t.value) is not observation.revocation.type:
        return True
    return observation.application is not None and observation.application.object_id != t.object_id
