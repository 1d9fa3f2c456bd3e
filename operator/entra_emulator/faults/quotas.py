"""Graph's published quotas: resource units and writes, as token buckets.

A refused request is charged too, down to 80 % of the quota below zero. So the percentage header can
be as high as 1.8.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from entra_emulator.faults.documents import Quotas

_OVERDRAFT = 0.8
_WARN_FROM = 0.8
_UNITS_PER_10_SECONDS = {"S": 3500, "M": 5000, "L": 8000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """The cost of one request, and who pays."""

    tenant_id: str
    app_id: str
    units: int
    writes: int = 0
    personal_write: bool = False
    key_credentials: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a request may pass, and the values of its headers."""

    refused: bool
    percentage: float
    retry_after: int
    scope: str
    information: str


class _Bucket:
    def __init__(self, limit: float, seconds: float) -> None:
        self.limit = limit
        self.rate = limit / seconds
        self.level = limit
        self._at: datetime | None = None

    def take(self, amount: float, now: datetime) -> bool:
        if self._at is not None:
            passed = max((now - self._at).total_seconds(), 0.0)
            self.level = min(self.limit, self.level + passed * self.rate)
        self._at = now
        allowed = self.level >= amount
        self.level = max(self.level - amount, -_OVERDRAFT * self.limit)
        return allowed

    def percentage(self) -> float:
        return (self.limit - self.level) / self.limit

    def seconds_until(self, amount: float) -> int:
        return max(1, math.ceil((amount - self.level) / self.rate))


class QuotaBook:
    """All buckets; each is made at its first use."""

    def __init__(self, quotas: Quotas | None = None) -> None:
        self.configure(quotas or Quotas())

    def configure(self, quotas: Quotas) -> None:
        """Use other quotas, with every bucket full."""
        self._quotas = quotas
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def charge(self, charge: Charge, now: datetime) -> Verdict | None:
        """Charge a request to all its buckets; return the worst verdict, None if quotas are off."""
        if not self._quotas.enabled:
            return None
        worst: Verdict | None = None
        for bucket, amount, information, scope in self._touched(charge):
            refused = not bucket.take(amount, now)
            verdict = Verdict(
                refused=refused,
                percentage=bucket.percentage(),
                retry_after=bucket.seconds_until(amount) if refused else 0,
                scope=f"{scope}/{charge.app_id}/{charge.tenant_id}",
                information=information,
            )
            if worst is None or _badness(verdict) > _badness(worst):
                worst = verdict
        return worst

    def _touched(self, charge: Charge) -> Iterator[tuple[_Bucket, float, str, str]]:
        tenant, app = charge.tenant_id, charge.app_id
        units, writes = "ResourceUnitLimitExceeded", "WriteLimitExceeded"
        pair, everywhere = "Tenant_Application/ReadWrite", "Application/ReadWrite"
        size = _UNITS_PER_10_SECONDS[self._quotas.tenant_size]
        yield self._bucket(("units", tenant, app), size, 10), charge.units, units, pair
        yield self._bucket(("units", app), 150_000, 20), charge.units, units, everywhere
        if charge.writes:
            yield self._bucket(("writes", tenant, app), 3000, 150), 1, writes, pair
            yield self._bucket(("writes", app), 35_000, 300), 1, writes, everywhere
            yield self._bucket(("tenant", tenant), 18_000, 300), 1, writes, "Tenant/ReadWrite"
        if charge.personal_write:
            yield self._bucket(("personal", tenant, app), 60, 60), 1, writes, pair
        if charge.key_credentials:
            yield self._bucket(("keys", tenant), 150, 60), 1, units, "Tenant/Read"

    def _bucket(self, key: tuple[str, ...], limit: float, seconds: float) -> _Bucket:
        return self._buckets.setdefault(key, _Bucket(limit, seconds))


def throttle_headers(verdict: Verdict) -> dict[str, str]:
    """Return the headers that show a client how close it is to the limit."""
    headers: dict[str, str] = {}
    if verdict.percentage > _WARN_FROM:
        headers["x-ms-throttle-limit-percentage"] = f"{verdict.percentage:.2f}"
    if verdict.refused:
        headers["x-ms-throttle-scope"] = verdict.scope
        headers["x-ms-throttle-information"] = verdict.information
        headers["Retry-After"] = str(verdict.retry_after)
    return headers


def _badness(verdict: Verdict) -> tuple[bool, float]:
    return verdict.refused, verdict.percentage
