"""What every part of a process shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisProcess:
    """The process itself, as observations and effects refer to it.

    Attributes:
        clock: the time.
        settings: the timings of the lifecycle.
        identity: of the cluster, as the markers in Entra carry it.
        holder: the name of this process, as the pending Secret records it.
        started: when it began.
        guard: asked before every effect.
        terms: since when this process leads.
    """

    clock: Clock
    settings: LifecycleSettings
    identity: ClusterIdentity
    holder: str
    started: datetime
    guard: EffectGuard
    terms: Terms = field(default_factory=Terms)

    def led_before(self, time: datetime) -> bool:
        """Return whether this process was the leader already then, by any clock that may differ."""
        since = self.terms.since
        return since is not None and since + self.settings.max_clock_skew <= time

    @property
    def freshness(self) -> float:
        """For how many seconds a read may be relied on."""
        return self.settings.freshness.total_seconds()
