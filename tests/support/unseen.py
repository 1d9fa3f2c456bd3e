"""A resource that goes without its finalizer, in virtual time, and the look for what it left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from appcredential.controllers.issued_records import Sweep, UnownedRecords
from appcredential.domain.marker import Owner
from appcredential.domain.shards import WHOLE, Shard
from appcredential.effects.revocation import RevocationWrites
from appcredential.gather.heirs import Heirs
from appcredential.gather.revocation import RevocationObserver, RevocationReads
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.custom_resources import (
    APP_CREDENTIALS,
    KubeObjects,
    path_of,
)
from appcredential.kube.events import KubeEvents
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.service_accounts import KubeServiceAccounts
from tests.support.builders import IDENTITY, MINUTE, OWNER, problem
from tests.support.heirs import MemoryGrants, MemoryIssuer
from tests.support.revocation_documents import REVOCATIONS
from tests.support.world import SYSTEM, World

CRD: Final = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/appcredentials.appcredential.io"
)
SERVED: Final[dict[str, Any]] = {
    "spec": {"versions": [{"name": "v1alpha1", "served": True}]},
    "status": {"conditions": [{"type": "Established", "status": "True"}]},
}


class Unseen(World):
    """A world whose operator also looks for what resources left that went unseen."""

    def __init__(self, shard: Shard = WHOLE) -> None:
        super().__init__(shard=shard)
        self.api.put(CRD, SERVED)
        self.skewed: Callable[[], timedelta | None] = self.api.skew
        self.start_looking()

    def start_looking(self) -> None:
        """Begin as a process that knows nothing of earlier looks."""
        resources = KubeResources(KubeObjects(self.api), self.clock)
        outputs, revocations = KubeOutputs(self.api), KubeRevocations(self.api, SYSTEM)
        access = self.tenants.access
        heirs = Heirs(
            resources=resources,
            issuer=MemoryIssuer(problem()),
            grants=MemoryGrants(),
            access=access,
        )
        settings = self.process.settings
        self.unowned = UnownedRecords(
            Sweep(
                clock=self.clock,
                settings=settings,
                guard=self.gate,
                skew=self._skew,
                resources=resources,
                observer=RevocationObserver(
                    clock=self.clock,
                    settings=settings,
                    absence=10 * MINUTE,
                    identity=IDENTITY,
                    reads=RevocationReads(
                        resources=resources,
                        secrets=self.secrets,
                        outputs=outputs,
                        heirs=heirs,
                        access=access,
                    ),
                ),
                records=self.records,
                writes=RevocationWrites(
                    secrets=self.secrets,
                    outputs=outputs,
                    service_accounts=KubeServiceAccounts(self.api),
                    revocations=revocations,
                    open_revocations=self.open_revocations,
                    events=KubeEvents(self.api, self.clock, "operator"),
                ),
            )
        )

    def _skew(self) -> timedelta | None:
        return self.skewed()

    async def issue(self) -> None:
        """Have a credential published."""
        await self.unowned.refresh()
        await self.publish()

    def vanish(self, owner: Owner = OWNER, *, is_noticed: bool = True) -> None:
        """Take a resource away as if it never had a finalizer."""
        gone = self.api.objects.pop(path_of(APP_CREDENTIALS, owner.namespace, owner.name))
        if is_noticed:
            self.sync.on_event(APP_CREDENTIALS, "DELETED", gone)

    @property
    def tickets(self) -> list[str]:
        return self._named("appcredential-ticket-")

    @property
    def kept(self) -> list[str]:
        """The paths of the records."""
        return self._named("appcredential-issued-")

    def _named(self, prefix: str) -> list[str]:
        return [p for p in self.api.objects if p.startswith(f"{REVOCATIONS}/{prefix}")]

    def change_record(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edit the one record by hand, as a person."""
        (path,) = self.kept
        found = self.api.objects[path]
        change(found)
        self.api.put(path, found)
