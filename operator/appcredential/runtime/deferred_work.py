"""What was reconciled while no effect could start, and is done again once one may."""

from __future__ import annotations

from collections.abc import Iterable

from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again, Reconcile, WorkQueue


class DeferredWork:
    """Remembers the keys that the effect guard put off.

    A leader whose renewal of the Lease is late may start no effect for some seconds. Whatever
    is reconciled in these seconds would otherwise wait for its next regular look.
    """

    def __init__(self, queue: WorkQueue, guard: EffectGuard, reconcile: Reconcile) -> None:
        self._queue = queue
        self._guard = guard
        self._reconcile = reconcile
        self._keys: set[Key] = set()

    async def reconcile(self, key: Key) -> Again | None:
        """Reconcile a key, and remember it if the guard refused anything meanwhile."""
        refusals = self._guard.refusals
        try:
            return await self._reconcile(key)
        finally:
            if self._guard.refusals != refusals:
                self._keys.add(key)

    def forget(self, keys: Iterable[Key]) -> None:
        """Do not do these again: something else sees to them."""
        self._keys.difference_update(keys)

    def resume(self) -> None:
        """Queue what was put off, if effects may start now."""
        if not self._keys or self._guard.problem() is not None:
            return
        keys, self._keys = self._keys, set()
        for key in keys:
            self._queue.add(key)
