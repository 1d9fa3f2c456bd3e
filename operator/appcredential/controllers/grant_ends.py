"""Wakes whoever a grant was about when its time is over: no event tells that."""

from __future__ import annotations

from appcredential.cache.store import Store
from appcredential.domain.urgency import Urgency
from appcredential.kube.custom_resources import GRANTS
from appcredential.ports.local import Clock
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Wake


class GrantEnds:
    """Compares the ends of grants with the clock, whichever way it was set.

    Args:
        wake: has a key reconciled soon.
    """

    def __init__(self, clock: Clock, store: Store, wake: Wake) -> None:
        self._clock = clock
        self._store = store
        self._wake = wake
        self._last = clock.now()

    async def run_once(self) -> None:
        """Wake the users of each grant whose end lies between the last time and now."""
        last, now = self._last, self._clock.now()
        self._last = now
        earlier, later = min(last, now), max(last, now)
        for name, grant in self._store.valid_grants().items():
            if grant.expires is not None and earlier < grant.expires <= later:
                self._wake(Key(GRANTS, "", name))
                for key in self._store.named_by(grant):
                    self._wake(key, Urgency.CHANGED)
