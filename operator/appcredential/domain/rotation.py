"""Time arithmetic of renewal, overlap and retirement. Pure: `now` is a parameter."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from appcredential.domain.spec.model import DEFAULT_LIFETIME, AppCredentialSpec, RotationSpec
from appcredential.domain.windows import last_opening

MAX_JITTER = 0.05
_WHATEVER_IT_HAS = timedelta(days=3650)
_TO_PROVE = timedelta(hours=1)
"""A successor is issued at most so long before the window in which it is published."""


def wanted_lifetime(spec: AppCredentialSpec) -> timedelta:
    """Return the spec's lifetime: 90 days when left out, or a supplied certificate's own."""
    if spec.lifetime is not None:
        return spec.lifetime
    return _WHATEVER_IT_HAS if spec.is_supplied else DEFAULT_LIFETIME


def asked_lifetime(wanted: timedelta, *ceilings: timedelta | None) -> timedelta:
    """Return the lifetime to ask for: the wanted one, at most that of each ceiling."""
    return min([wanted, *(c for c in ceilings if c is not None)])


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a credential is renewed and for how long its predecessor stays.

    Attributes:
        renew_before: effective lead time before `end`.
        overlap: effective time for which both credentials are valid.
        end: when the credential must be replaced: at Entra's end, or once the spec's lifetime is
            over.
        renewal_time: `end - renew_before`, and up to 5 % of renew_before earlier. If no window
            lies between that and the last time for a publish, it is before the last one that does
            lie before it, unless less than half of the lifetime would be over: renewals would come
            too often, and the successor is published outside the windows instead.
    """

    renew_before: timedelta
    overlap: timedelta
    end: datetime
    renewal_time: datetime


def schedule(
    rotation: RotationSpec, lifetime: timedelta, start: datetime, expires: datetime, seed: str
) -> Schedule:
    """Return the schedule of a credential from its real validity.

    Args:
        rotation: `spec.rotation`.
        lifetime: the lifetime to ask for today; a shorter one brings the renewal closer.
        start: Entra's startDateTime.
        expires: Entra's endDateTime, which may be earlier than asked for.
        seed: source of the jitter, which so never changes for one credential.
    """
    end = min(expires, start + lifetime)
    actual = max(end - start, timedelta(0))
    renew_before = effective_renew_before(rotation, actual)
    jitter = renew_before * (MAX_JITTER * _fraction(seed))
    overlap = effective_overlap(rotation, renew_before)
    planned = end - renew_before
    opens = _last_opens(rotation, end - overlap)
    if opens is not None and opens < planned:
        earlier = opens - min(actual / 20, _TO_PROVE)
        planned = earlier if earlier - jitter >= end - actual / 2 else planned
    renewal = (planned - jitter).replace(microsecond=0)
    return Schedule(renew_before, overlap, end, renewal)


def _last_opens(rotation: RotationSpec, deadline: datetime) -> datetime | None:
    """Return when the last window opens in which a successor is published in time."""
    last = last_opening(rotation.windows, deadline)
    return last.opens if last is not None else None


def effective_renew_before(rotation: RotationSpec, actual: timedelta) -> timedelta:
    """Return the spec's lead time if it is below 2/3 of the actual lifetime, else 1/3 of it."""
    asked = rotation.renew_before
    return asked if asked is not None and asked < actual * 2 / 3 else actual / 3


def effective_overlap(rotation: RotationSpec, renew_before: timedelta) -> timedelta:
    """Return the overlap: half of the lead time by default, and never more than all of it."""
    return min(rotation.overlap or renew_before / 2, renew_before)


def is_overdue(plan: Schedule, now: datetime) -> bool:
    """Return whether a renewal takes longer than it should."""
    return is_late(plan.renewal_time, plan.end, now)


def is_late(renewal: datetime, end: datetime, now: datetime) -> bool:
    """Return whether 30 % of the time from renewal to the end have passed."""
    return now >= renewal + (end - renewal) * 0.3


def backoff(attempts: int, base: timedelta, cap: timedelta, seed: str) -> timedelta:
    """Return how long to wait after `attempts` fruitless attempts: base · 2^(n-1), capped.

    `seed` adds up to 10 %, so that many resources do not retry at once.
    """
    if attempts <= 0:
        return timedelta(0)
    delay = min(base * (1 << min(attempts - 1, 20)), cap)
    return delay * (1 + 0.1 * _fraction(seed))


def _fraction(seed: str) -> float:
    """Return a number in [0, 1) that depends on `seed` alone."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
