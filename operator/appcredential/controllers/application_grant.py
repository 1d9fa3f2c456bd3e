"""ApplicationGrants: their status. `cache/informer.py` reads what they allow."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.cache.informer import parse_grant
from appcredential.cache.namespaces import KnownNamespaces
from appcredential.domain.status.cluster_kinds import grant_conditions
from appcredential.domain.status.merge import merge_conditions
from appcredential.domain.status.projection import needs_write
from appcredential.errors import ConflictError
from appcredential.kube.custom_resources import GRANTS, KubeObjects
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.ready import Key

_CONFLICT_RETRY = timedelta(seconds=1)


class ApplicationGrantController:
    """Writes the conditions of ApplicationGrants.

    Args:
        namespaces: says whether their labels can be read.
        period: how often a grant is reconciled when nothing changes.
        trial: whether the operator runs as a trial; each Ready condition says so then.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        objects: KubeObjects,
        guard: EffectGuard,
        namespaces: KnownNamespaces,
        period: timedelta,
        trial: bool,
    ) -> None:
        self._clock = clock
        self._objects = objects
        self._guard = guard
        self._namespaces = namespaces
        self._period = period
        self._trial = trial

    async def reconcile(self, key: Key) -> datetime | None:
        """Bring one grant's status up to date.

        Returns:
            When to look again; None when the grant is gone.
        """
        document = await self._objects.get(GRANTS, "", key.name)
        if document is None:
            return None
        now, grant = self._clock.now(), parse_grant(document)
        later = now + self._period
        if self._guard.problem(key.namespace) is not None:
            return later
        current, metadata = document.get("status") or {}, document["metadata"]
        generation = int(metadata["generation"])
        conditions = merge_conditions(
            current.get("conditions") or (),
            grant_conditions(grant, now, self._namespaces.problem),
            generation=generation,
            now=now,
            trial=self._trial,
        )
        wanted = {"observedGeneration": generation, "conditions": conditions}
        if needs_write(current, wanted):
            try:
                await self._objects.apply_status(GRANTS, metadata, wanted)
            except ConflictError:
                return self._clock.now() + _CONFLICT_RETRY
        return later
