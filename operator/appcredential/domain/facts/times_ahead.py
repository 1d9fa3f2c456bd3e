"""What counts for a recorded time that lies ahead: the moment at which it was first met. Pure.

A clock may have been far ahead when a time was written: ours, another replica's, or the API
server's. Taken at its word, such a time would hold things up until it has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.target import Pending, Target


def meet(observation: Observation) -> Memory:
    """Return the memory, with the moment at which each time that lies ahead was first met."""
    before, met = observation.memory, _entra_now(observation)
    ahead = [time for time in _times(observation) if _is_ahead(observation, time)]
    if not ahead and not before.met:
        return before
    return replace(before, met={time: before.met.get(time, met) for time in ahead})


def settled(observation: Observation) -> Observation:
    """Return the observation with those moments in place of the times that lie ahead.

    That holds for every time of the past in the resource's metadata and in both Secrets.
    """
    if not observation.memory.met:
        return observation

    def time(found: datetime) -> datetime:
        is_ahead = _is_ahead(observation, found)
        return observation.memory.met.get(found, _entra_now(observation)) if is_ahead else found

    def perhaps(found: datetime | None) -> datetime | None:
        return time(found) if found is not None else None

    resource, target, pending = observation.resource, observation.own_target, observation.pending
    observation = replace(
        observation,
        resource=replace(
            resource,
            creation_time=time(resource.creation_time),
            deletion_time=perhaps(resource.deletion_time),
            last_applied_time=time(resource.last_applied_time),
        ),
    )
    if target is not None:
        retiring = tuple(
            replace(r, since=time(r.since), removed=perhaps(r.removed)) for r in target.retiring
        )
        target = replace(
            target,
            creation_time=time(target.creation_time),
            published_time=perhaps(target.published_time),
            verified_time=perhaps(target.verified_time),
            restart_since=perhaps(target.restart_since),
            retiring=retiring,
            abandoned=tuple(replace(a, time=time(a.time)) for a in target.abandoned),
        )
        observation = replace(observation, target=target)
    if pending is not None:
        pending = replace(
            pending,
            intent_time=time(pending.intent_time),
            abandoned=tuple(replace(a, time=time(a.time)) for a in pending.abandoned),
        )
        observation = replace(observation, pending=pending)
    return observation


def _is_ahead(observation: Observation, time: datetime) -> bool:
    """Return whether a time is later than any replica's clock may say."""
    return time > observation.now + observation.settings.max_clock_skew


def _entra_now(observation: Observation) -> datetime:
    return observation.now + (observation.directory_skew or timedelta(0))


def _times(observation: Observation) -> Iterator[datetime]:
    found = [*_of_resource(observation.resource)]
    if observation.own_target is not None:
        found += _of_target(observation.own_target)
    if observation.pending is not None:
        found += _of_pending(observation.pending)
    return (time for time in found if time is not None)


def _of_resource(resource: Resource) -> list[datetime | None]:
    return [resource.creation_time, resource.deletion_time, resource.last_applied_time]


def _of_target(target: Target) -> list[datetime | None]:
    return [
        target.creation_time,
        target.published_time,
        target.verified_time,
        target.restart_since,
        *(time for r in target.retiring for time in (r.since, r.removed)),
        *(a.time for a in target.abandoned),
    ]


def _of_pending(pending: Pending) -> list[datetime | None]:
    return [pending.intent_time, *(a.time for a in pending.abandoned)]
