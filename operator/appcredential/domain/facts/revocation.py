"""What a scheduled revocation may remove, and what it must know before. Pure.

Only credentials that carry the owner's exact marker are removed. An owner counts as absent also
when its name was given to a resource for another application: what that resource uses stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.issued import KnownRecord
from appcredential.domain.observed.revocation import Revocation, RevocationObservation
from appcredential.domain.observed.target import Target
from appcredential.domain.secret.value import type_of
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    CredentialType,
    DeletionPolicy,
    KeyId,
    TenantId,
)
from appcredential.domain.turns import in_turns

CLEAN_READS: Final = 3
"""Consecutive direct reads without a credential to revoke that count as proof."""

GONE_READS: Final = 3
"""Answers 404 in a row, over some time, that count as proof that an application is gone."""
_LATEST_MISSING: Final = 8


def is_of_revocation(
    revocation: Revocation, spec: AppCredentialSpec | Problem, tenant_id: TenantId | None
) -> bool:
    """Return whether a resource of the owner's name is the owner, so that it is present.

    It is when tenant, application and type are the revocation's; in doubt as well.

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


# --- Entra ---------------------------------------------------------------------------------


def is_reachable(revocation: Revocation, tenant_id: TenantId | None) -> bool:
    """Return whether an EntraTenant leads to the directory in which the credentials were made.

    Created again with another tenantId it does not: what cannot be found there proves nothing.
    """
    return tenant_id is not None and revocation.tenant_id in {"", tenant_id}


def with_missing_read(missing: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    """Return the times of the answers 404 with one more.

    The first one stays, because it tells for how long; of the others only the latest do.
    """
    return (*missing[:1], *missing[1:][-_LATEST_MISSING:], now)


def is_gone(missing: tuple[datetime, ...], window: timedelta) -> bool:
    """Return whether an application answered 404 often enough, for `window` or longer."""
    return len(missing) >= GONE_READS and missing[-1] - missing[0] >= window


def ends_unread(observation: RevocationObservation) -> bool:
    """Return whether nothing in Entra has to be looked at.

    Without an object id the owner's status was lost or it never got so far. Only with no
    trace of anything issued and no tenant to issue it in is the latter certain enough.
    """
    if needs_directory(observation.revocation):
        return False
    is_kept = observation.revocation.policy is DeletionPolicy.RETAIN
    return is_kept or observation.is_tenant_missing


def needs_directory(revocation: Revocation) -> bool:
    """Return whether a revocation cannot end without its EntraTenant, which must stay for it.

    Under Retain only an unpublished attempt is removed: without one there is nothing to look for.
    """
    if revocation.policy is DeletionPolicy.RETAIN:
        return bool(revocation.pending_attempt)
    return revocation.object_id is not None or bool(
        revocation.tenant_id or revocation.secret_uid or revocation.pending_attempt
    )


def leads_to(tenant: str, tenant_id: str, left: Revocation | KnownRecord) -> bool:
    """Return whether an EntraTenant is the one that lets revoke what a resource left.

    One of another directory does not wait for it: it waits for an EntraTenant of the same
    name with another tenantId, which can be created only after this one has gone.

    Args:
        tenant: its name.
        tenant_id: of its spec; empty when that cannot be read.
        left: what the resource left.
    """
    is_of_directory = "" in {tenant_id, left.tenant_id} or left.tenant_id == tenant_id
    return left.tenant == tenant and is_of_directory


def is_unconfirmed(observation: RevocationObservation) -> bool:
    """Return whether a revocation that ends now ends without having seen Entra clean."""
    is_kept = (
        observation.revocation.policy is DeletionPolicy.RETAIN
        and not observation.revocation.pending_attempt
    )
    return not is_kept and len(observation.clean_reads) < CLEAN_READS


def as_credentials(listed: FederatedList) -> tuple[Credential, ...]:
    """Return federated credentials in the form in which revocations judge all types.

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


def credentials_to_revoke(observation: RevocationObservation) -> list[Credential]:
    """Return the listed credentials that the revocation's policy removes."""
    listed = observation.application.credentials if observation.application is not None else ()
    return [c for c in listed if _is_revoked(observation, c)]


def _is_revoked(observation: RevocationObservation, credential: Credential) -> bool:
    """Return whether the policy removes this credential.

    Retain removes only the unpublished attempt that the revocation names: never the key in
    the target Secret, nor one in its `retiring`.
    """
    revocation, target = observation.revocation, observation.target
    marker = parse_marker(credential.display_name)
    if credential.type is not revocation.type or marker is None:
        return False
    if not marker.is_removable_by(observation.identity, revocation.owner):
        return False
    if revocation.policy is DeletionPolicy.REVOKE:
        return True
    is_kept = target is not None and credential.key_id in _recorded(target)
    return marker.attempt == revocation.pending_attempt and not is_kept


def _recorded(target: Target) -> set[KeyId]:
    published = {target.published.key_id} if target.published is not None else set()
    return published | {entry.key_id for entry in target.retiring}


# --- what the namespace holds --------------------------------------------------------------


def is_own_pending(observation: RevocationObservation) -> bool:
    """Return whether the pending Secret is the owner's.

    It bears the owner's name, so a successor has the same one, and tidies it itself.
    """
    pending = observation.pending
    if pending is None or observation.successor is not None:
        return False
    return not pending.is_foreign and pending.owner in {"", str(observation.revocation.owner)}


def is_own_target(observation: RevocationObservation) -> bool:
    """Return whether the target Secret is the owner's, and no successor publishes to it."""
    target, revocation = observation.target, observation.revocation
    if target is None or target.uid != revocation.secret_uid:
        return False
    if target.owner != str(revocation.owner) or _holds_another(observation, target):
        return False
    return observation.successor is None or observation.successor.secret.name != target.name


def _holds_another(observation: RevocationObservation, target: Target) -> bool:
    """Return whether the target Secret's credential is of another type or application.

    A resource that was something else for a while never had that Secret, and its deletion
    takes nothing from the one that it was before and is again.
    """
    if target.value is not None and type_of(target.value) is not observation.revocation.type:
        return True
    application = observation.application
    return application is not None and application.object_id != target.object_id


def is_own_output(observation: RevocationObservation) -> bool:
    """Return whether the output ConfigMap is the owner's, and no successor writes it."""
    output, revocation = observation.output, observation.revocation
    if output is None or output.owner != str(revocation.owner):
        return False
    named = output.data.get("AZURE_CLIENT_ID", revocation.client_id)
    if named != revocation.client_id:
        return False  # as with the target Secret
    federated = observation.successor.federated if observation.successor is not None else None
    return federated is None or federated.config_map != output.name


def fair_order(
    revocations: Iterable[Revocation], rank: Callable[[Revocation], tuple[float, ...]]
) -> list[Revocation]:
    """Order revocations so that namespaces take turns.

    Args:
        revocations: those to order.
        rank: returns what the order within a namespace goes by, the lowest first; the oldest
            goes first among equals.
    """
    ordered = sorted(revocations, key=lambda r: (rank(r), r.due))
    return in_turns(ordered, lambda r: r.owner.namespace)
