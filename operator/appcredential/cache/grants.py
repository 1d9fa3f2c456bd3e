"""The ApplicationGrants, as watched and as listed now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from appcredential.cache.informer import parse_grant
from appcredential.cache.namespaces import UNREADABLE
from appcredential.cache.seen import key_of
from appcredential.cache.store import Store
from appcredential.domain.conditions import Problem
from appcredential.domain.grant_match import covers
from appcredential.domain.observed.asker import Asker, Tags
from appcredential.domain.spec.grant import SelectedNamespaces
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.errors import PermissionDeniedError
from appcredential.kube.custom_resources import GRANTS, KubeObjects
from appcredential.ports.local import Clock
from appcredential.ports.namespaces import Namespaces, SeenNamespace
from appcredential.runtime.shared_read import SharedRead

LIVE_FOR: Final = timedelta(seconds=2)
"""How old a list may be that allows a credential: as long as a withdrawal may need to count."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the operator works.

    Attributes:
        cluster_id: what the tags of applications call the cluster.
        namespace: the operator's own.
    """

    cluster_id: str
    namespace: str


class Grants:
    """Implements `ports.local.GrantSource`.

    All that issue at the same time share one list. A grant is parsed where it is not of the
    version that the store holds: lists times grants would be most of the work of a large fleet.
    """

    def __init__(
        self, objects: KubeObjects, store: Store, clock: Clock, namespaces: Namespaces, site: Site
    ) -> None:
        self._objects = objects
        self._store = store
        self._clock = clock
        self._namespaces = namespaces
        self._site = site
        self._live = SharedRead(self._list, clock, LIVE_FOR)

    def known(self) -> dict[str, ApplicationGrantSpec]:
        """See `ports.local.GrantSource`."""
        return self._store.valid_grants()

    async def live(self) -> dict[str, ApplicationGrantSpec]:
        """See `ports.local.GrantSource`."""
        return await self._live.get()

    def asker(self, namespace: str, tags: Tags | None) -> Asker:
        """See `ports.local.GrantSource`."""
        known = self._store.namespaces
        return Asker(
            namespace=namespace,
            now=self._clock.now(),
            cluster_id=self._site.cluster_id,
            operator_namespace=self._site.namespace,
            labels=known.labels(namespace),
            labels_problem=known.problem,
            tags=tags,
        )

    async def live_asker(self, namespace: str, tags: Tags | None) -> Asker:
        """See `ports.local.GrantSource`. What is read here counts at once, before a watch tells."""
        known = self._store.namespaces
        before = known.labels(namespace)
        if not self._rests_on_labels(namespace):
            return self.asker(namespace, tags)
        try:
            seen = await self._namespaces.read(namespace)
        except PermissionDeniedError:
            known.forget(UNREADABLE)
            return self.asker(namespace, tags)
        if known.labels(namespace) != before:
            # Which of both is the later one, nobody knows: the next pass asks again.
            return replace(self.asker(namespace, tags), labels=None)
        gone = SeenNamespace(namespace, "", None, is_gone=True)
        known.read(gone if seen is None else seen)
        return self.asker(namespace, tags)

    def _rests_on_labels(self, namespace: str) -> bool:
        """Return whether a grant is about a namespace because of its labels."""
        labels = self._store.namespaces.labels(namespace)
        return labels is not None and any(
            isinstance(grant.namespaces, SelectedNamespaces) and covers(grant, namespace, labels)
            for grant in self._store.valid_grants().values()
        )

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
