"""One mint, performed by the real effects on an API server and an Entra in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.entra import Application, Credential, Grant
from appcredential.domain.secret.records import pending_name
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, KeyId, ObjectId
from appcredential.effects.dispatch import Context, Effects
from appcredential.errors import TooLateError
from appcredential.gather.state import ResourceState
from appcredential.kube.custom_resources import KubeObjects, KubeResources
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.ports.entra import MintedPassword, Probe
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
from tests.support.unfederated import NoFederation

SECRETS: Final = f"/api/v1/namespaces/{OWNER.namespace}/secrets"
PENDING: Final = f"{SECRETS}/{pending_name(OWNER.hash)}"
MADE: Final = KeyId("key-made")


class MintingDirectory(NoFederation):
    """A Directory that mints `MADE`, holds to the deadline, and notes what was asked."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.deadline = 0.0
        self.end = NOW
        self.removed: list[KeyId] = []
        self.is_made = False
        self.wait: Callable[[], None] = lambda: None
        """What happens before the request is sent."""
        self.answered: Callable[[], None] = lambda: None
        """What happens before the answer is used."""

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        return application(read_time=self._clock.now())

    async def add_password(
        self, object_id: ObjectId, display_name: str, end: datetime, *, deadline: float = 0
    ) -> MintedPassword:
        self.deadline, self.end = deadline, end
        self.wait()
        if self._clock.monotonic() > deadline:
            raise TooLateError("too late")
        self.is_made = True
        self.answered()
        made = Credential(key_id=MADE, display_name=display_name, start=self._clock.now(), end=end)
        return MintedPassword(made, SecretValue("canary-made"))

    async def add_certificate(self, *_: Any, **__: Any) -> None:
        raise AssertionError("this world has client secrets only")

    async def remove_certificate(self, *_: Any, **__: Any) -> None:
        raise AssertionError("this world has client secrets only")

    def take_losses(self, object_id: ObjectId) -> tuple[()]:
        return ()

    async def remove_password(self, object_id: ObjectId, key_id: KeyId) -> None:
        self.removed.append(key_id)

    def skew(self) -> timedelta | None:
        return timedelta(0)


class MintingSession:
    sign_in: Any = None
    authority_host = ""
    client_id: Any = None

    def __init__(self, directory: MintingDirectory) -> None:
        self.directory = directory

    async def probe(self) -> Probe:
        return Probe()

    async def close(self) -> None:
        return


class Minting:
    """A resource without any credential, about to get its first one."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.kube = ApiServer()
        self.secrets = KubeSecrets(self.kube, IDENTITY)
        self.directory = MintingDirectory(self.clock)
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
        session = MintingSession(self.directory)
        context = Context(view=self.view, facts=self.facts, session=session)
        await self._effects.perform(act.Mint(1, (), lifetime), context)

    @property
    def state(self) -> str:
        """P's state as it is stored; empty without a P."""
        found = self.kube.objects.get(PENDING, {"metadata": {}})["metadata"]
        return str((found.get("annotations") or {}).get("appcredential.io/state") or "")
