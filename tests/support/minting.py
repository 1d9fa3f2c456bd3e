"""One mint, performed by the real effects on an API server and an Entra in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.entra import Grant
from appcredential.domain.secret.records import pending_name
from appcredential.domain.spec.model import KeyId
from appcredential.effects.dispatch import Context, Effects
from appcredential.gather.state import ResourceState
from appcredential.kube.custom_resources import KubeObjects, KubeResources
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.ports.kube import EventSubject
from tests.support.api_server import ApiServer
from tests.support.builders import (
    DAY,
    HOLDER,
    IDENTITY,
    MINUTE,
    NOW,
    OWNER,
    application,
    facts,
    grant,
    observation,
)
from tests.support.clock import HandClock
from tests.support.session import MemorySession

SECRETS: Final = f"/api/v1/namespaces/{OWNER.namespace}/secrets"
PENDING: Final = f"{SECRETS}/{pending_name(OWNER.hash)}"
MADE: Final = KeyId("key-1")
"""The credential that is made."""


class Minting:
    """A resource without any credential, about to get its first one."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.kube = ApiServer()
        self.secrets = KubeSecrets(self.kube, IDENTITY)
        self.directory = MemorySession(self.clock)
        self.grant: Grant | Problem = grant()
        self.view = ResourceState()
        self.view.application = application(read_time=NOW)
        self.facts = facts(observation(target=None, pending=None, application=application()))
        self._effects = Effects(
            clock=self.clock,
            holder=HOLDER,
            secrets=self.secrets,
            resources=KubeResources(KubeObjects(self.kube)),
            events=self,
            permission_retry=10 * MINUTE,
            live_grant=self._live_grant,
            is_open=lambda: True,
            service_accounts=KubeServiceAccounts(self.kube),
            outputs=KubeOutputs(self.kube),
        )

    async def _live_grant(self, _: Facts) -> Grant | Problem:
        return self.grant

    async def emit(self, about: EventSubject, reason: str, note: str, *, warning: bool) -> None:
        return

    async def mint(self, lifetime: timedelta = 90 * DAY) -> None:
        context = Context(view=self.view, facts=self.facts, session=self.directory)
        await self._effects.perform(act.Mint(1, (), lifetime), context)

    @property
    def state(self) -> str:
        """P's state as it is stored; empty without a P."""
        found = self.kube.objects.get(PENDING, {"metadata": {}})["metadata"]
        return str((found.get("annotations") or {}).get("appcredential.io/state") or "")
