"""ApplicationGrants: their status. `cache/informer.py` reads what they allow.

A change of a resource does not have its grant looked at: what a grant is used for is brought up to
date when the grant is looked at anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from appcredential.cache.granted import GrantedUses
from appcredential.cache.informer import parse_grant
from appcredential.cache.namespaces import KnownNamespaces
from appcredential.controllers.application_search import ApplicationSearch
from appcredential.domain.conditions import Problem
from appcredential.domain.grant_match import named_client_ids
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.status.cluster_kinds import grant_conditions
from appcredential.domain.status.grant_use import named_applications, usage, with_use
from appcredential.domain.status.merge import merge_conditions
from appcredential.domain.status.projection import needs_write
from appcredential.errors import ConflictError
from appcredential.kube.custom_resources import GRANTS, KubeObjects
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.ready import Key

_CONFLICT_RETRY = timedelta(seconds=1)


class ApplicationGrantController:
    """Writes the conditions of ApplicationGrants, and what they are used for.

    Args:
        uses: what the AppCredentials use grants for.
        search: knows which applications exist.
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
        uses: GrantedUses,
        search: ApplicationSearch,
        namespaces: KnownNamespaces,
        period: timedelta,
        trial: bool,
    ) -> None:
        self._clock = clock
        self._objects = objects
        self._guard = guard
        self._uses = uses
        self._search = search
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
        wanted = with_use(
            current,
            {"observedGeneration": generation, "conditions": conditions},
            self._use(key.name, grant),
            now,
            self._period,
        )
        if needs_write(current, wanted):
            try:
                await self._objects.apply_status(GRANTS, metadata, wanted)
            except ConflictError:
                return self._clock.now() + _CONFLICT_RETRY
        return later

    def _use(
        self, name: str, grant: ApplicationGrantSpec | Problem
    ) -> Mapping[str, Mapping[str, Any] | None]:
        found: dict[str, Mapping[str, Any] | None] = {"usage": usage(self._uses.namespaces(name))}
        if isinstance(grant, ApplicationGrantSpec):
            exists = partial(self._search.exists, grant.tenant)
            found["applications"] = named_applications(named_client_ids(grant), exists)
        return found
