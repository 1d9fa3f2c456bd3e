"""Sends each key of the work queue to the controller of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from appcredential.cache.store import Store
from appcredential.controllers.app_credential import AppCredentialController
from appcredential.controllers.application_grant import ApplicationGrantController
from appcredential.controllers.application_search import ApplicationSearch
from appcredential.controllers.entra_tenant import EntraTenantController
from appcredential.controllers.inventory import Inventory
from appcredential.controllers.issued_records import UnownedRecords
from appcredential.controllers.ownership import OwnershipLooks
from appcredential.controllers.published_sign_ins import PublishedSignIns
from appcredential.controllers.resumption import Resumption
from appcredential.domain.marker import Owner
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS
from appcredential.ports.local import Clock
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again
from appcredential.tenants.access import TenantAccess

_UNREAD_RETRY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controllers:
    """The controllers of the three kinds, of all applications, and of what was left unseen."""

    clock: Clock
    store: Store
    app_credentials: AppCredentialController
    entra_tenants: EntraTenantController
    application_grants: ApplicationGrantController
    search: ApplicationSearch
    unowned: UnownedRecords
    tenants: TenantAccess
    inventory: Inventory
    ownership: OwnershipLooks
    resumption: Resumption
    sign_ins: PublishedSignIns

    async def reconcile(self, key: Key) -> Again | None:
        """Reconcile one object.

        Returns:
            When to look again; None when the object is gone.
        """
        if not self.store.is_complete:
            return self._unread()
        if key.kind == APP_CREDENTIALS:
            return await self._app_credential(key)
        if key.kind == TENANTS and self.store.take_check(key):
            self.tenants.ask_probe(key.name)
            self.ownership.ask(key)
        controller = self.entra_tenants if key.kind == TENANTS else self.application_grants
        when = await controller.reconcile(key)
        return Again(when) if when is not None else None

    async def _app_credential(self, key: Key) -> Again | None:
        known = self.store.get(key)
        if known is not None and self._is_unread(known.tenant):
            return self._unread()
        seen, owner = known.version if known is not None else "", Owner(key.namespace, key.name)
        if known is None and not self.app_credentials.holds(owner):
            return None  # it went, and was seen to go; or an event is about to show it
        if self.store.take_check(key):
            self.app_credentials.ask_check(owner)
            self.sign_ins.ask(owner)
            self.ownership.ask(key)
        return await self.app_credentials.reconcile(owner, seen)

    def _unread(self) -> Again:
        return Again(self.clock.now() + _UNREAD_RETRY)

    def _is_unread(self, tenant: str) -> bool:
        """Return whether an EntraTenant exists but was not reconciled yet: it is not missing."""
        exists = self.store.get(Key(TENANTS, "", tenant)) is not None
        return exists and not self.tenants.is_known(tenant)
