"""When scheduled revocations are due, whatever the clock said that wrote the time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from appcredential.domain.observed.revocation import Revocation
from appcredential.ports.local import Clock


class DueTimes:
    """Bounds due times: none is later than the longest grace after this process met it.

    A clock that was far ahead when a resource was deleted would else keep its credential valid
    until the real time catches up.

    Args:
        longest: the longest grace period that the settings allow.
        tolerance: by how much clocks may differ without any effect.
        absence: an owner must have been absent for so long before its revocation begins.
    """

    def __init__(
        self, clock: Clock, *, longest: timedelta, tolerance: timedelta, absence: timedelta
    ) -> None:
        self._clock = clock
        self._longest = longest
        self._tolerance = tolerance
        self._absence = absence
        self._met: dict[str, float] = {}

    def bounded(self, found: Iterable[Revocation]) -> list[Revocation]:
        """Return all open revocations, with due times that can be believed."""
        met, self._met = self._met, {}
        return [self._bounded(revocation, met) for revocation in found]

    def are_near(self, revocation: Revocation) -> bool:
        """Return whether anything that is seen of a revocation now counts."""
        return self._clock.now() >= revocation.due - self._absence

    def _bounded(self, revocation: Revocation, met: dict[str, float]) -> Revocation:
        now, seconds = self._clock.now(), self._clock.monotonic()
        latest = now + self._longest + self._tolerance
        if revocation.uid not in met and revocation.due <= latest:
            return revocation
        first = self._met[revocation.uid] = met.get(revocation.uid, seconds)
        left = self._longest - timedelta(seconds=seconds - first)
        return replace(revocation, due=min(revocation.due, now + left))
