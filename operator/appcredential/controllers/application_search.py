"""Whether the applications exist that grants name and no AppCredential uses yet.

Of those in use the resources know. A client id that was mistyped in a grant would show only once
a team asks for it, so the others are looked for now and then, slowly: by lists, and what these
lack directly, because a list may lack anything. An error leaves them unknown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final

from appcredential.cache.store import Store
from appcredential.domain.conditions import Problem
from appcredential.domain.grant_match import named_client_ids
from appcredential.domain.inventory import IN_A_FILTER, Way
from appcredential.domain.spec.model import ClientId, TenantId
from appcredential.errors import AppCredentialError, NotFoundError
from appcredential.ports.local import Clock
from appcredential.ports.session import Access, Session
from appcredential.runtime.effect_guard import EffectGuard

log = logging.getLogger(__name__)

PERIOD: Final = timedelta(minutes=5)
"""How often something is looked for, and how long a tenant is known before that."""
_MOST: Final = 20 * IN_A_FILTER
_MOST_DIRECT: Final = 20
_AGAIN: Final = {True: timedelta(hours=6), False: timedelta(hours=1)}
_BELIEVED: Final = timedelta(days=1)
_LONGEST: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found, and when by the monotonic clock."""

    exists: bool
    time: float


class ApplicationSearch:
    """Looks for applications of all tenants, and remembers what it found.

    Args:
        clock: of this process.
        store: the grants, and what resources know of applications.
        access: returns a tenant that the operator can sign in to, or why there is none.
        guard: only the process that may act looks.
    """

    def __init__(
        self,
        clock: Clock,
        store: Store,
        access: Callable[[str], Access | Problem],
        guard: EffectGuard,
    ) -> None:
        self._clock = clock
        self._store = store
        self._access = access
        self._guard = guard
        self._usable: set[str] = set()
        self._tenant_ids: dict[str, TenantId] = {}
        self._found: dict[tuple[str, ClientId], _Found] = {}

    def exists(self, tenant: str, client_id: ClientId) -> bool | None:
        """Return whether a tenant has an application; None while nobody knows.

        What was found is believed for a day.
        """
        told = self._store.uses.exists(tenant, client_id)
        found = self._found.get((tenant, client_id))
        if told is not None or found is None or self._age(found) >= _BELIEVED:
            return told
        return found.exists

    async def run_once(self) -> None:
        """Look for what is due, in each tenant that could be used the last time, too."""
        if self._guard.problem() is not None:
            return
        named = self._named()
        self._found = {k: found for k, found in self._found.items() if k[1] in named.get(k[0], ())}
        access = {name: self._access(name) for name in named}
        usable = {name: a for name, a in access.items() if isinstance(a, Access)}
        known, self._usable = self._usable, set(usable)
        await asyncio.gather(
            *(self._search(name, a, named[name]) for name, a in usable.items() if name in known)
        )

    def _named(self) -> dict[str, set[ClientId]]:
        named: dict[str, set[ClientId]] = {}
        for grant in self._store.valid_grants().values():
            named.setdefault(grant.tenant, set()).update(named_client_ids(grant))
        return named

    async def _search(self, name: str, access: Access, named: Iterable[ClientId]) -> None:
        if self._tenant_ids.get(name) != access.tenant.tenant_id:  # another one has this name now
            self._found = {k: found for k, found in self._found.items() if k[0] != name}
            self._tenant_ids[name] = access.tenant.tenant_id
        try:
            async with asyncio.timeout(_LONGEST.total_seconds()):
                await self._look(name, access.session, self._due(name, named))
        except (AppCredentialError, TimeoutError) as exc:
            told = {"tenant": name, "error": str(exc)}
            log.warning("applications that grants name were not looked for", extra=told)

    def _due(self, name: str, named: Iterable[ClientId]) -> list[ClientId]:
        """Return what is to be looked for, the longest unknown first."""
        ages: list[tuple[float, ClientId]] = []
        for client_id in named:
            found = self._found.get((name, client_id))
            if found is None:
                ages.append((float("-inf"), client_id))
            elif self._age(found) >= _AGAIN[found.exists]:
                ages.append((found.time, client_id))
        unused = (c for _, c in sorted(ages) if self._store.uses.exists(name, c) is None)
        return list(islice(unused, _MOST))

    async def _look(self, name: str, session: Session, due: Sequence[ClientId]) -> None:
        missing: list[ClientId] = []
        for start in range(0, len(due), IN_A_FILTER):
            asked = due[start : start + IN_A_FILTER]
            shown = session.lists.pages(Way.FILTER, asked, 1, "")
            async with aclosing(shown):
                async for page in shown:
                    self._note(name, page.found, exists=True)
                    missing.extend(c for c in asked if c not in page.found)
        for client_id in missing[:_MOST_DIRECT]:
            try:
                await session.directory.application(client_id, timedelta(0))
            except NotFoundError:
                self._note(name, (client_id,), exists=False)
            else:
                self._note(name, (client_id,), exists=True)

    def _note(self, name: str, client_ids: Iterable[ClientId], *, exists: bool) -> None:
        now = self._clock.monotonic()
        self._found |= {(name, client_id): _Found(exists, now) for client_id in client_ids}

    def _age(self, found: _Found) -> timedelta:
        return timedelta(seconds=self._clock.monotonic() - found.time)
