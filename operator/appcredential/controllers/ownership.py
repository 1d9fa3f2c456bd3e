"""Whether the operator still owns the applications that it serves, looked at about once a day.

Somebody may take its ownership away, as Terraform does with the next apply where the operator is
not among `owners`. That would show at the next renewal, which may be months away. Only with a
permission that needs ownership is anything concluded, and an error never says anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from appcredential.cache.store import Known, Store
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.inventory import IN_A_BATCH, MOST_PAGES, Way
from appcredential.domain.observed.ownership import NOT_LOOKED, Ownership
from appcredential.domain.ownership import READ_AGAIN, Ownerships
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.model import ClientId
from appcredential.domain.write_permission import WritePermission, write_permission
from appcredential.errors import (
    AppCredentialError,
    NotYetError,
    ThrottledError,
    UnavailableError,
)
from appcredential.kube.custom_resources import TENANTS
from appcredential.ports.local import Clock
from appcredential.ports.session import Access, Session
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.ready import Key
from appcredential.runtime.samples import ResourceSample
from appcredential.tenants.probing import OpenTenant

log = logging.getLogger(__name__)

PERIOD: Final = timedelta(seconds=30)
"""How often owners are read while there are doubts, one batch each time."""
_SOON: Final = timedelta(minutes=5)
"""How long a tenant is known before its first list: a process that starts has more to do."""
_DAY: Final = timedelta(days=1)
_LONGEST: Final = timedelta(minutes=3)


@dataclass(slots=True)
class _Tenant:
    """What is known of one tenant, and when more is looked at, by the monotonic clock.

    Attributes:
        principal: the object id of the operator's service principal.
        due: when the next list is read.
        paused: nothing is read before then.
        permission: what its token lets it change. Before that is seen, nothing is concluded.
    """

    principal: str
    due: float
    paused: float = 0.0
    permission: WritePermission = WritePermission.OWNED
    known: Ownerships = field(default_factory=Ownerships)

    def begin_anew(self, now: float) -> None:
        """Forget what may have changed while nobody looked, as before the first list."""
        self.due, self.paused = now + _SOON.total_seconds(), 0.0
        self.permission, self.known = WritePermission.OWNED, self.known.anew()


@dataclass(slots=True, kw_only=True)
class OwnershipLooks:
    """Looks at the ownership of each tenant's applications, and remembers what it saw.

    Attributes:
        access: returns a tenant that the operator can sign in to, or why there is none.
        held: returns the session with a tenant, and what its last probe found.
        guard: only the process that may act looks.
        wake: has a resource reconciled when nothing more urgent is to be done.
    """

    clock: Clock
    store: Store
    access: Callable[[str], Access | Problem]
    held: Callable[[str], OpenTenant | None]
    guard: EffectGuard
    wake: Callable[[Key], None]
    _tenants: dict[str, _Tenant] = field(default_factory=dict)

    def ownership(self, tenant: str, client_id: ClientId) -> Ownership:
        """Return whether the operator owns what it needs to own of an application.

        Without a permission that needs ownership it needs to own nothing: of what it lacks then,
        WritePermitted tells.
        """
        found = self._tenants.get(tenant)
        if found is None:
            return NOT_LOOKED
        if found.permission is not WritePermission.OWNED:
            return Ownership(is_enough=True, principal=found.principal)
        owns = found.known.owns(client_id)
        return NOT_LOOKED if owns is None else Ownership(owns, found.principal)

    def note_written(self, tenant: str, client_id: ClientId) -> None:
        """Note that a write of ours to an application succeeded."""
        found = self._tenants.get(tenant)
        if found is not None:
            found.known.see_write(client_id)

    def ask(self, key: Key) -> None:
        """Look at the owners of a resource's application soon: somebody asked for that.

        Of an EntraTenant, at those of all its applications. Before the first list that comes now,
        too: the EntraTenant counts by it. Of an application that nobody was granted no request
        leaves the cluster, whoever asks.
        """
        known, is_tenant = self.store.get(key), key.kind == TENANTS
        if known is None or not (is_tenant or _is_written(known)):
            return
        found = self._tenants.get(key.name if is_tenant else known.tenant)
        if found is None:
            return
        found.paused = 0.0
        if is_tenant or not found.known.is_listed:
            found.due = 0.0
        if not is_tenant:
            found.known.ask(ClientId(known.client_id))

    async def run_once(self) -> None:
        """Look at what is due, in each tenant that can be used."""
        if self.guard.problem() is not None:
            for found in self._tenants.values():  # another process looks now
                found.begin_anew(self.clock.monotonic())
            return
        names = {key.name for key in self.store.keys(TENANTS)}
        self._tenants = {n: found for n, found in self._tenants.items() if n in names}
        await asyncio.gather(*(self._tenant(name) for name in names))

    async def _tenant(self, name: str) -> None:
        access, held = self.access(name), self.held(name)
        if not isinstance(access, Access) or not access.session.principal_id:
            return
        if held is None or not held.is_proven:
            return  # what its token permits is not known yet
        found, now = self._tenants.get(name), self.clock.monotonic()
        if found is None or found.principal != access.session.principal_id:
            due = now + _SOON.total_seconds()
            found = self._tenants[name] = _Tenant(access.session.principal_id, due)
        self._note_permission(name, found, write_permission(held.roles))
        if found.permission is WritePermission.OWNED and now >= found.paused:
            await self._look(name, found, access.session)
        held.unowned = len(found.known.unowned) if found.known.is_listed else None

    def _note_permission(self, name: str, found: _Tenant, permission: WritePermission) -> None:
        """Note what the token permits; once ownership is no matter, nobody is told to lack it."""
        if found.permission is WritePermission.OWNED and permission is not found.permission:
            found.begin_anew(self.clock.monotonic())
            found.permission = permission
            self._wake(name)
        found.permission = permission

    async def _look(self, name: str, found: _Tenant, session: Session) -> None:
        now = self.clock.monotonic()
        try:
            async with asyncio.timeout(_LONGEST.total_seconds()):
                if now >= found.due:
                    await self._list(name, found, session)
                await self._read_owners(name, found, session)
        except NotYetError:
            found.paused = now + _SOON.total_seconds()  # other work has used up the pace
        except (AppCredentialError, TimeoutError) as exc:
            asked = exc.retry_after if isinstance(exc, ThrottledError) else READ_AGAIN
            found.paused = now + max(READ_AGAIN, min(asked, _DAY)).total_seconds()
            told = {"tenant": name, "error": str(exc)}
            log.warning("ownership of applications could not be looked at", extra=told)

    async def _list(self, name: str, found: _Tenant, session: Session) -> None:
        """Compare the list of what the operator owns with what its AppCredentials use."""
        wanted, listed = self._wanted(name), set[ClientId]()
        if wanted:
            pages = session.lists.pages(Way.OWNED, wanted, MOST_PAGES, found.principal)
            async with aclosing(pages):
                async for page in pages:
                    listed.update(page.found)
        found.known.see_list(wanted, listed)
        found.due = self.clock.monotonic() + _DAY.total_seconds()
        self._wake(name)

    async def _read_owners(self, name: str, found: _Tenant, session: Session) -> None:
        """Read the owners of a few applications that are doubted.

        Raises:
            UnavailableError: none could be read, also of applications that could be read before.
        """
        known, begun, is_news = found.known, set[ClientId](), False
        asked = known.next_reads(IN_A_BATCH, self.clock.monotonic())
        owners = await session.lists.owners(asked) if asked else {}
        now = self.clock.monotonic()
        for client_id in asked:
            principals = owners.get(client_id)
            if client_id not in owners:
                is_news |= known.see_unreadable(client_id, now)
            elif principals is None:
                known.forget(client_id)
            elif known.see_owners(client_id, is_owner=found.principal in principals, now=now):
                begun.add(client_id)
        self._wake(name, begun)
        if is_news and not owners:
            raise UnavailableError("the owners of applications could not be read")

    def _wanted(self, tenant: str) -> frozenset[ClientId]:
        """Return the applications that writes are meant for.

        The first shard looks for all of them, because it says of the tenant how many there are.
        """
        users = self.store.users_of(tenant)
        if not self.guard.shard.is_first:
            users = list(filter(self.store.is_worked_on, users))
        known = (self.store.get(key) for key in users)
        return frozenset(ClientId(k.client_id) for k in known if k is not None and _is_written(k))

    def _wake(self, tenant: str, begun: Collection[ClientId] = ()) -> None:
        """Have those reconciled whose status tells something else: it began, or it ended."""
        for key in filter(self.store.is_worked_on, self.store.users_of(tenant)):
            user = self.store.get(key)
            if user is None or not is_guid(user.client_id):
                continue
            client_id = ClientId(user.client_id)
            is_over = _tells(user, Reason.NOT_OWNER) and self.ownership(tenant, client_id).is_enough
            if is_over or (client_id in begun and _is_written(user)):
                self.wake(key)


def _is_written(known: Known) -> bool:
    """Return whether the operator means to write to the application of an AppCredential."""
    sample = known.sample
    if not known.is_served or known.is_leaving or not is_guid(known.client_id):
        return False
    is_suspended = isinstance(sample, ResourceSample) and sample.is_suspended
    return not is_suspended and not _tells(known, Reason.OBSERVING)


def _tells(known: Known, reason: Reason) -> bool:
    """Return whether a condition in status has a reason."""
    shown = known.sample.conditions if isinstance(known.sample, ResourceSample) else ()
    return any(told == reason for _, _, told in shown)
