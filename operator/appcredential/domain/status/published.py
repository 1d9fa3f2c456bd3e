"""What is known about the published credential, also behind a closed gate."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.conditions import ConditionType, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_gone, seems_gone
from appcredential.domain.facts.source import is_new_at_source, usable_source
from appcredential.domain.facts.successor import is_revoking, needs_successor
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Target
from appcredential.domain.rotation import Schedule, schedule, wanted_lifetime
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.spec.model import AppCredentialSpec, RotationSpec
from appcredential.domain.status.held import held_until
from appcredential.domain.status.refused_published import LISTED
from appcredential.domain.status.revocation_progress import revocation_progress
from appcredential.domain.times import parse_time


def valid_published(observation: Observation) -> IssuedCredential | None:
    """Return the published credential while its value is intact and it has not expired."""
    target = observation.own_target
    if target is None or target.published is None or target.value is None:
        return None
    return target.published if target.published.expires > entra_now(observation) else None


def entra_now(observation: Observation) -> datetime:
    """Return the time by Entra's clock, as far as that is known."""
    return observation.now + (observation.directory_skew or timedelta(0))


def is_rotating(observation: Observation, facts: Facts | None, published: IssuedCredential) -> bool:
    """Return whether a successor is due or on its way; behind a closed gate, by the spec alone."""
    if facts is not None:
        return needs_successor(facts) or facts.successor is not None
    if not isinstance(observation.resource.spec, AppCredentialSpec):
        return True  # without a readable spec nobody knows when a successor is due
    is_due = entra_now(observation) >= _plan_of(observation, published).renewal_time
    return is_due or awaited(observation, facts) is not None


def planned(observation: Observation, facts: Facts | None) -> Schedule | None:
    """Return when the published credential is renewed; behind a closed gate, by the spec alone."""
    if facts is not None:
        return facts.schedule
    published = valid_published(observation)
    return _plan_of(observation, published) if published is not None else None


def _plan_of(observation: Observation, published: IssuedCredential) -> Schedule:
    """Return the schedule by the spec, or of a spec that says nothing if it is unreadable."""
    spec, start, end = observation.resource.spec, published.not_before, published.expires
    if not isinstance(spec, AppCredentialSpec):
        return schedule(RotationSpec(), end - start, start, end, published.key_id)
    return schedule(spec.rotation, wanted_lifetime(spec), start, end, published.key_id)


def awaited(observation: Observation, facts: Facts | None) -> str | None:
    """Return what an `…IssuedBefore` still waits for; None when there is none or it is met.

    It counts as met while a successor waits for a window: that may take days, and is as the spec
    asks for.
    """
    spec, published = observation.resource.spec, valid_published(observation)
    if not isinstance(spec, AppCredentialSpec) or published is None:
        return None
    if facts is not None and is_revoking(facts):
        return revocation_progress(facts)
    if held_until(facts) is not None:
        return None
    asked = {
        "revokeIssuedBefore": spec.rotation.revoke_issued_before,
        "rotateIssuedBefore": spec.rotation.rotate_issued_before,
    }
    for field, before in asked.items():
        if before is not None and published.not_before < before <= entra_now(observation):
            return f"{field} asks for a new credential."
    return None


def is_known_gone(observation: Observation, facts: Facts | None) -> bool:
    """Return whether sign-ins confirmed that the published key is gone.

    The process that confirmed it may have been restarted since. Then status stands until a
    sign-in or a read contradicts it.
    """
    if facts is not None and is_gone(facts):
        return True
    published, status = valid_published(observation), observation.resource.status
    told = (status.get("credential") or {}).get("keyId")
    if published is None or told != published.key_id:
        return False
    ready = (c for c in status.get("conditions") or () if c.get("type") == ConditionType.READY)
    said = (c for c in ready if c.get("reason") == Reason.SIGN_IN_REJECTED)
    if not any(LISTED not in str(c.get("message")) for c in said):
        return False
    return facts is None or (seems_gone(facts) and not _has_signed_in(facts, published))


def _has_signed_in(facts: Facts, published: IssuedCredential) -> bool:
    proof = facts.memory.published_proof
    return proof is not None and proof.attempt == published.attempt and proof.successes > 0


def is_renewed_at_source(facts: Facts) -> bool:
    """Return whether the source holds another certificate than the target Secret."""
    supplied = usable_source(facts)
    return supplied is not None and is_new_at_source(facts, supplied)


def is_keyless(observation: Observation) -> bool:
    """Return whether the target Secret holds a certificate without its private key."""
    target, spec = observation.own_target, observation.resource.spec
    if target is None or target.value is None or not isinstance(spec, AppCredentialSpec):
        return False
    return not can_sign_in(target.value)


def last_sign_in(
    observation: Observation, target: Target, published: IssuedCredential
) -> datetime | None:
    """Return when the published credential last signed in, as far as is known.

    Since it was published, that is told by the hour.
    """
    proof, told = observation.memory.published_proof, observation.resource.status.get("credential")
    is_its = proof is not None and proof.attempt == published.attempt
    signed = proof.last_success if proof is not None and is_its else None
    found = [target.verified_time, signed and signed.replace(minute=0, second=0, microsecond=0)]
    if told and told.get("keyId") == published.key_id:
        found.append(parse_time(str(told.get("verifiedTime", ""))))
    return max((time for time in found if time is not None), default=None)
