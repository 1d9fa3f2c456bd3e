"""What is believed of the records in the two Secrets, which many people may edit. Pure.

Records only ever narrow what may be done, and Entra knows better. So a record counts as far as
the credential that carries its attempt bears it out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.facts.times_ahead import settled
from appcredential.domain.marker import Attempt, Marker, attempt_id, parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Pending, PendingState, Target
from appcredential.domain.secret.records import cluster_of
from appcredential.domain.secret.value import may_be
from appcredential.domain.secret_value import SecretValue

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
    found = (
        _as_listed(observation, held, target.value, cluster_of(target.annotations))
        if held is not None
        else None
    )
    if found is not None:
        return replace(target, published=found)
    is_ahead = held is not None and _is_ahead(observation, held)
    return replace(target, published=None, value=None, is_ahead=is_ahead)


def _believed_pending(observation: Observation, pending: Pending) -> Pending:
    own = _own_attempts(observation, pending)
    pending = replace(
        pending, abandoned=tuple(entry for entry in pending.abandoned if entry.attempt in own)
    )
    held = pending.credential
    # Without its key id an abandoned one would look as if it never held a value.
    if held is None or pending.state is PendingState.ABANDONED:
        return pending
    return replace(pending, credential=_as_listed(observation, held, pending.value))


def _own_attempts(observation: Observation, pending: Pending) -> frozenset[Attempt]:
    """Return the earlier attempts of this very Secret: its journal knows of no others."""
    number = pending.attempt_number
    numbers = range(max(1, number - _RECENT_ATTEMPTS), number)
    return frozenset(attempt_id(observation.identity, pending.uid, n) for n in numbers)


def _as_listed(
    observation: Observation,
    held: IssuedCredential,
    value: SecretValue | None,
    written_by: str = "",
) -> IssuedCredential | None:
    """Return a recorded credential with its times as Entra lists it.

    Args:
        observation: holds what Entra lists.
        held: the record.
        value: what the Secret holds; None when it is lost.
        written_by: the cluster that wrote the record; after a migration another one than ours.

    Returns:
        None when the record is damaged: its key id is that of another credential, its attempt
        made another one, or it is not listed and begins in the future.
    """
    named = next((c for c in _listed(observation) if c.key_id == held.key_id), None)
    marker = parse_marker(named.display_name) if named is not None else None
    if named is not None and value is not None and not may_be(value, named.shown):
        return None
    if named is not None and marker is not None:
        is_own = _is_usable(observation, marker, written_by) and marker.attempt == held.attempt
        return _with_times_of(held, named) if is_own else None
    is_damaged = _made_another(observation, held, written_by) or _is_ahead(observation, held)
    return None if is_damaged else held


def _with_times_of(held: IssuedCredential, named: Credential) -> IssuedCredential:
    """Return the record with the listed times, in whole seconds as records have them.

    Otherwise the renewal moves by a second once a replica lists what was just issued.
    """
    start, end = named.start.replace(microsecond=0), named.end.replace(microsecond=0)
    return replace(held, not_before=start, expires=end)


def _listed(observation: Observation) -> tuple[Credential, ...]:
    return observation.application.credentials if observation.application is not None else ()


def _is_usable(observation: Observation, marker: Marker, written_by: str) -> bool:
    clusters = (observation.identity.cluster, written_by)
    identities = (replace(observation.identity, cluster=cluster) for cluster in clusters)
    return any(marker.is_usable_by(identity, observation.resource.owner) for identity in identities)


def _made_another(observation: Observation, held: IssuedCredential, written_by: str) -> bool:
    """Return whether the recorded attempt made a credential with another key id.

    After a restore of etcd an attempt may be repeated. Then a replica that does not know the
    new credential yet still lists the old one.
    """
    application, settle = observation.application, observation.settings.settle
    if application is None or application.read_time - _issued(observation, held) <= settle:
        return False
    markers = (parse_marker(c.display_name) for c in application.credentials)
    own = (m for m in markers if m is not None and _is_usable(observation, m, written_by))
    return any(m.attempt == held.attempt for m in own)


def _issued(observation: Observation, held: IssuedCredential) -> datetime:
    """Return the recorded time of issue by our clock."""
    return held.not_before - (observation.directory_skew or timedelta(0))


def _is_ahead(observation: Observation, held: IssuedCredential) -> bool:
    skew, most = observation.directory_skew or timedelta(0), observation.settings.max_clock_skew
    return abs(skew) <= most and held.not_before > observation.now + skew + most
