"""Another process on the same cluster and the same Entra, as after a restart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from appcredential.domain.observed.federated import Issuer
from appcredential.domain.shards import WHOLE, Shard
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, TENANTS, path_of
from appcredential.runtime.ready import Key
from tests.support.builders import DAY, NOW, OWNER, SECOND
from tests.support.federated import ISSUER
from tests.support.heirs import MemoryIssuer
from tests.support.world import World

KEY = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
ISSUER_SINCE = NOW - DAY


class Restarted(World):
    """What a new process makes of what another one left; it remembers nothing.

    Attributes:
        due: when the resource is to be passed; None when it waits for its first look.
        passes: how often it was passed.
    """

    def __init__(self, former: World, shard: Shard = WHOLE) -> None:
        issuer = MemoryIssuer(Issuer(url=ISSUER, since=ISSUER_SINCE))
        super().__init__(api=former.api, clock=former.clock, issuer=issuer, shard=shard)
        self.entra = former.entra
        self.due: datetime | None = None
        self.passes = 0
        self.entra.calls.clear()
        self.entra.writes.clear()
        self.entra.lists.asked.clear()
        self.api.requests.clear()

    def _fill(self) -> None:
        """Show to the store what there is."""
        for kind in (TENANTS, GRANTS, APP_CREDENTIALS):
            for path, found in list(self.api.objects.items()):
                if f"/{kind}/" in path:
                    self.sync.on_event(kind, "ADDED", found)

    async def begin(self) -> bool:
        """Begin a term; return whether the resource goes on as its status says."""
        await self.find()
        resumed = KEY in await self.resumption.begin()
        self.woken.clear()
        await self.look_at_tenant()
        if not resumed:
            self.woken.append(KEY)
        return resumed

    async def find(self) -> None:
        """Read what a new leader reads before it begins."""
        await self.open_revocations.refresh()
        await self.records.known.refresh()
        await self.resumption.find()

    async def live(
        self, length: timedelta, until: Callable[[], object] = lambda: False
    ) -> timedelta:
        """Let time pass, with light looks and rounds over lists; return how much of it."""
        begun = self.clock.now()
        while self.clock.now() - begun < length and not until():
            await self.inventory.run_once()
            await self.inventory.finish()
            await self.looks.run_once()
            if KEY in self.woken or (self.due is not None and self.clock.now() >= self.due):
                await self._pass()
            self.clock.advance(SECOND / 2)
        return self.clock.now() - begun

    async def _pass(self) -> None:
        self.woken.clear()
        self.passes += 1
        document = self.api.objects.get(path_of(APP_CREDENTIALS, OWNER.namespace, OWNER.name))
        version = document["metadata"]["resourceVersion"] if document is not None else ""
        again = await self.reconciler.reconcile(OWNER, version)
        self.due = again.when if again is not None else None
        if document is not None:
            self.sync.on_event(APP_CREDENTIALS, "MODIFIED", document)
            self.woken.clear()
