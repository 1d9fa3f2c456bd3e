"""Rules for what a deleted resource leaves: wait, look, remove what is ours, tidy up."""

from __future__ import annotations

from appcredential.domain.facts.revocation import (
    CLEAN_READS,
    credentials_to_revoke,
    ends_unread,
    is_own_output,
    is_own_pending,
    is_own_target,
    is_reachable,
)
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.revocation import RevocationObservation
from appcredential.domain.observed.target import PendingState
from appcredential.domain.revocation_actions import (
    DeleteOutput,
    DeletePendingSecret,
    DeleteTarget,
    ReadRevokedApplication,
    ReadRevokedSecrets,
    RemoveAnnotations,
    RevocationAction,
    RevokeCredential,
    Wait,
)
from appcredential.domain.spec.model import DeletionPolicy


def owner_is_present_or_unknown(observation: RevocationObservation) -> RevocationAction | None:
    """R1: the owner exists, or nobody could look for it."""
    is_absent = observation.owner_absent_since is not None
    return None if is_absent else Wait(observation.now + observation.absence)


def revocation_is_not_due(observation: RevocationObservation) -> RevocationAction | None:
    """R2: the grace period is not over, or the owner was not seen absent for long enough."""
    since = observation.owner_absent_since
    assert since is not None  # noqa: S101 - R1 waits
    start = max(observation.revocation.due, since + observation.absence)
    return Wait(start) if observation.now < start else None


def directory_is_out_of_reach(observation: RevocationObservation) -> RevocationAction | None:
    """R3: the EntraTenant cannot be used, or leads to another directory."""
    is_usable = is_reachable(observation.revocation, observation.tenant_id)
    if is_usable or ends_unread(observation):
        return None
    return Wait(observation.now + observation.absence)


def secrets_are_unread(observation: RevocationObservation) -> RevocationAction | None:
    """R4: the namespace was not looked at in this round: last, because that reads Secrets."""
    return None if observation.has_secrets else ReadRevokedSecrets()


def intent_is_recent(observation: RevocationObservation) -> RevocationAction | None:
    """R5: the pending Secret is an intent whose credential may just be added."""
    pending = observation.pending
    if pending is None or pending.state is not PendingState.INTENT:
        return None
    end = pending.intent_time + observation.intent_respect
    return Wait(end) if observation.now < end else None


def application_is_unread(observation: RevocationObservation) -> RevocationAction | None:
    """R6: the application was not read, or not lately."""
    if not _looks_at_entra(observation):
        return None
    application = observation.application
    is_fresh = (
        application is not None and observation.now - application.read_time <= observation.freshness
    )
    return None if is_fresh else ReadRevokedApplication()


def all_credentials_are_inherited(observation: RevocationObservation) -> RevocationAction | None:
    """R7: other resources ask for all that is left, and take it over without a gap."""
    found = _listed(observation)
    if found and all(c.key_id in observation.inherited for c in found):
        return Wait(observation.now + observation.absence)
    return None


def credential_is_left(observation: RevocationObservation) -> RevocationAction | None:
    """R8: a credential of the owner is listed, and nobody inherits it."""
    left = next((c for c in _listed(observation) if c.key_id not in observation.inherited), None)
    if left is None:
        return None
    marker = parse_marker(left.display_name)
    assert marker is not None  # noqa: S101 - it would not be ours
    return RevokeCredential(left.key_id, marker.attempt)


def removal_is_unconfirmed(observation: RevocationObservation) -> RevocationAction | None:
    """R9: fewer than three direct reads in a row were clean."""
    is_clean = len(observation.clean_reads) >= CLEAN_READS
    return ReadRevokedApplication() if _looks_at_entra(observation) and not is_clean else None


def service_account_is_annotated(observation: RevocationObservation) -> RevocationAction | None:
    """R10: nothing is trusted any more, but the ServiceAccount may still have our annotations."""
    revocation = observation.revocation
    if not revocation.type.is_federated or revocation.policy is DeletionPolicy.RETAIN:
        return None
    is_done = not revocation.service_account or observation.is_annotation_removed
    return None if is_done else RemoveAnnotations()


def output_config_map_is_left(observation: RevocationObservation) -> RevocationAction | None:
    """R11: the output ConfigMap is the owner's."""
    revocation = observation.revocation
    if not revocation.type.is_federated or revocation.policy is DeletionPolicy.RETAIN:
        return None
    return DeleteOutput() if is_own_output(observation) else None


def pending_secret_is_left(observation: RevocationObservation) -> RevocationAction | None:
    """R12: the pending Secret is the owner's."""
    if observation.revocation.type.is_federated or not is_own_pending(observation):
        return None
    return DeletePendingSecret()


def target_secret_is_left(observation: RevocationObservation) -> RevocationAction | None:
    """R13: the target Secret is the owner's."""
    revocation = observation.revocation
    if revocation.type.is_federated or revocation.policy is DeletionPolicy.RETAIN:
        return None
    return DeleteTarget() if is_own_target(observation) else None


def _looks_at_entra(observation: RevocationObservation) -> bool:
    return not observation.application_gone and not ends_unread(observation)


def _listed(observation: RevocationObservation) -> list[Credential]:
    """Return what is to be revoked, by a read that still counts."""
    return credentials_to_revoke(observation) if _looks_at_entra(observation) else []
