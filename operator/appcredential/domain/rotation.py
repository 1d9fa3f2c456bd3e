"""Time arithmetic of renewal, overlap and retirement. Pure: `now` is always passed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from appcredential.domain.spec.model import DEFAULT_LIFETIME, AppCredentialSpec, RotationSpec

MAX_JITTER = 0.05
_WHATEVER_IT_HAS = timedelta(days=3650)


def wanted_lifetime(spec: AppCredentialSpec) -> timedelta:
    """Return the spec's lifetime: 90 days when left out, a brought certificate's own at most."""
    if spec.lifetime is not None:
        return spec.lifetime
    return _WHATEVER_IT_HAS if spec.is_supplied else DEFAULT_LIFETIME


def asked_lifetime(wanted: timedelta, *ceilings: timedelta | None) -> timedelta:
    """Return the lifetime to ask for: the wanted one, capped by every ceiling."""
    return min([wanted, *(c for c in ceilings if c is not None)])


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a credential is renewed and for how long its predecessor stays.

    Attributes:
        renew_before: effective lead time before `end`.
        overlap: effective time both are valid.
        end: when it has to be replaced: Entra's end, or earlier by the spec's lifetime.
        renewal_time: `end - renew_before`, up to 5 % of renew_before earlier.
    """

    renew_before: timedelta
    overlap: timedelta
    end: datetime
    renewal_time: datetime


def schedule(
    rotation: RotationSpec, lifetime: timedelta, start: datetime, expires: datetime, seed: str
) -> Schedule:
    """Plan the renewal of a credential from its real validity.

    Args:
        rotation: `spec.rotation`.
        lifetime: what we would ask for today; a shortened one brings renewal near.
        start: Entra's startDateTime.
        expires: Entra's endDateTime, which may be earlier than asked.
        seed: makes the jitter, so that it never changes for one credential.
    """
    end = min(expires, start + lifetime)
    actual = max(end - start, timedelta(0))
    renew_before = effective_renew_before(rotation, actual)
    jitter = renew_before * (MAX_JITTER * _fraction(seed))
    renewal = (end - renew_before - jitter).replace(microsecond=0)
    return Schedule(renew_before, effective_overlap(rotation, renew_before), end, renewal)


def effective_renew_before(rotation: RotationSpec, actual: timedelta) -> timedelta:
    """Return the spec's lead time when below 2/3 of the actual lifetime, else a third of it."""
    asked = rotation.renew_before
    return asked if asked is not None and asked < actual * 2 / 3 else actual / 3


def effective_overlap(rotation: RotationSpec, renew_before: timedelta) -> timedelta:
    """Return the overlap: default half of the lead time, never more than it."""
    return min(rotation.overlap or renew_before / 2, renew_before)


def is_overdue(plan: Schedule, now: datetime) -> bool:
    """Tell whether 30 % of the time from renewal to the end have passed."""
    return now >= plan.renewal_time + (plan.end - plan.renewal_time) * 0.3


def backoff(attempts: int, base: timedelta, cap: timedelta, seed: str) -> timedelta:
    """Return how long to wait after `attempts` fruitless mints: base · 2^(n-1), capped.

    Up to 10 % are added by `seed`, so that many resources do not retry at once.
    """
    if attempts <= 0:
        return timedelta(0)
    delay = min(base * (1 << min(attempts - 1, 20)), cap)
    return delay * (1 + 0.1 * _fraction(seed))


def _fraction(seed: str) -> float:
    """Return a number in [0, 1) that depends on nothing but `seed`."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
