"""The ApplicationGrants, as watched and as listed now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from appcredential.cache.informer import parse_grant
from appcredential.cache.seen import key_of
from appcredential.cache.store import Store
from appcredential.domain.conditions import Problem
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.kube.custom_resources import GRANTS, KubeObjects
from appcredential.ports.local import Clock
from appcredential.runtime.shared_read import SharedRead

LIVE_FOR: Final = timedelta(seconds=2)
"""How old a list may be that allows a credential: as long as a withdrawal may need to count."""


class Grants:
    """Implements `ports.local.GrantSource`.

    All that issue at the same time share one list. A grant is parsed where it is not of the
    version that the store holds: lists times grants would be most of the work of a large fleet.
    """

    def __init__(self, objects: KubeObjects, store: Store, clock: Clock) -> None:
        self._objects = objects
        self._store = store
        self._live = SharedRead(self._list, clock, LIVE_FOR)

    def known(self) -> dict[str, ApplicationGrantSpec]:
        """See `ports.local.GrantSource`."""
        return self._store.valid_grants()

    async def live(self) -> dict[str, ApplicationGrantSpec]:
        """See `ports.local.GrantSource`."""
        return await self._live.get()

    async def _list(self) -> dict[str, ApplicationGrantSpec]:
        found = {d["metadata"]["name"]: self._read(d) async for d in self._objects.pages(GRANTS)}
        return {name: g for name, g in found.items() if isinstance(g, ApplicationGrantSpec)}

    def _read(self, document: Mapping[str, Any]) -> ApplicationGrantSpec | Problem:
        metadata = document["metadata"]
        known = self._store.get(key_of(GRANTS, document))
        seen = (known.uid, known.version) if known is not None else None
        held = self._store.grants.get(metadata["name"])
        if held is not None and seen == (metadata["uid"], metadata["resourceVersion"]):
            return held
        return parse_grant(document)
