"""What every part of a process shares."""

from __future__ import annotations

from dataclasses import dataclass

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisProcess:
    """The process itself, as observations and effects refer to it.

    Attributes:
        clock: the time.
        settings: the timings of the lifecycle.
        identity: of the cluster, as the markers in Entra carry it.
        holder: the name of this process, as the pending Secret records it.
        guard: asked before every effect.
    """

    clock: Clock
    settings: LifecycleSettings
    identity: ClusterIdentity
    holder: str
    guard: EffectGuard

    @property
    def freshness(self) -> float:
        """For how many seconds a read may be relied on."""
        return self.settings.freshness.total_seconds()
