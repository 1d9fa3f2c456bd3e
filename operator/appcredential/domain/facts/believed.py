"""What is believed of the records in the two Secrets, which many people may edit. Pure.

Records only ever narrow what may be done, and Entra knows better. So a record counts as far as
the credential that carries its attempt bears it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.facts.times_ahead import settled
from appcredential.domain.marker import Attempt, attempt_id, parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Pending, PendingState, Target

_RECENT_ATTEMPTS: Final = 20


def believed(observation: Observation) -> Observation:
    """Return the observation with its own target and pending Secret as far as they are believed.

    A target Secret whose records name what its value cannot be counts as damaged: it is issued
    anew, and what it held retires with the full overlap.
    """
    observation = settled(observation)
    target, pending = observation.target, observation.pending
    if target is not None and target is observation.own_target:
        target = _believed_target(observation, target)
    if pending is not None and not pending.is_foreign:
        pending = _believed_pending(observation, pending)
    return replace(observation, target=target, pending=pending)


def _believed_target(observation: Observation, target: Target) -> Target:
    held = target.published
    found = _as_listed(observation, held) if held is not None else None
    if found is not None:
        return replace(target, published=found)
    return replace(target, published=None, value=None)


def _believed_pending(observation: Observation, pending: Pending) -> Pending:
    own = _own_attempts(observation, pending)
    pending = replace(
        pending, abandoned=tuple(entry for entry in pending.abandoned if entry.attempt in own)
    )
    held = pending.credential
    # Without its key id an abandoned one would look as if it never held a value.
    if held is None or pending.state is PendingState.ABANDONED:
        return pending
    return replace(pending, credential=_as_listed(observation, held))


def _own_attempts(observation: Observation, pending: Pending) -> frozenset[Attempt]:
    """Return the earlier attempts of this very Secret: its journal knows of no others."""
    number = pending.attempt_number
    numbers = range(max(1, number - _RECENT_ATTEMPTS), number)
    return frozenset(attempt_id(observation.identity, pending.uid, n) for n in numbers)


def _as_listed(observation: Observation, held: IssuedCredential) -> IssuedCredential | None:
    """Return a recorded credential with key id and times as Entra lists it.

    Returns:
        None when the record is damaged: its key id is that of another attempt of ours, or it is
        not listed and begins in the future.
    """
    listed = observation.application.credentials if observation.application is not None else ()
    made = _made_by(listed, held)
    if made is not None:
        return replace(held, key_id=made.key_id, not_before=made.start, expires=made.end)
    owner, identity = observation.resource.owner, observation.identity
    for other in listed:
        marker = parse_marker(other.display_name)
        is_ours = marker is not None and marker.is_removable_by(identity, owner)
        if other.key_id == held.key_id and is_ours:
            return None
    skew, most = observation.directory_skew or timedelta(0), observation.settings.max_clock_skew
    is_ahead = abs(skew) <= most and held.not_before > observation.now + skew + most
    return None if is_ahead else held


def _made_by(listed: Iterable[Credential], held: IssuedCredential) -> Credential | None:
    """Return the listed credential that the attempt made; of several the one with its key id."""
    made = [c for c in listed if held.attempt and _attempt_of(c) == held.attempt]
    same = (c for c in made if c.key_id == held.key_id)
    return next(same, made[0] if made else None)


def _attempt_of(credential: Credential) -> str:
    marker = parse_marker(credential.display_name)
    return marker.attempt if marker is not None else ""
