"""The operator's own certificate on a real API server and the emulator, in time moved by hand."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, cast

import pytest

from appcredential.controllers.entra_tenant import EntraTenantController, TenantSettings
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.observed.entra import Application
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.own.secret import (
    ANNOTATION,
    LABEL,
    NEXT_KEY,
    OwnContent,
    OwnRecords,
    OwnSecret,
)
from appcredential.domain.proof import SignInResult
from appcredential.domain.secret.pem import leaf_der, sha1_thumbprint
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientId,
    EntraTenantSpec,
    KeyId,
    ObjectId,
    TenantId,
    VerificationScope,
)
from appcredential.entra.clouds import Endpoints
from appcredential.entra.pacing import Pacing
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.session_opener import CustomCloud, SessionOpener
from appcredential.entra.signin import TokenEndpoint
from appcredential.entra.tenant_session import TenantSession
from appcredential.kube.client import KubeClient
from appcredential.kube.custom_resources import TENANTS, KubeObjects, path_of
from appcredential.kube.events import KubeEvents
from appcredential.kube.own_secret import KubeOwnSecrets
from appcredential.kube.secret_store import SecretValues, secrets_path
from appcredential.ports.entra import Directory
from appcredential.runtime.ready import Key
from appcredential.runtime.this_process import ThisProcess
from appcredential.tenants.access import TenantAccess
from appcredential.tenants.operator_credential import OperatorCredentials
from appcredential.tenants.own_identity import OwnIdentity
from appcredential.tenants.own_rotation import OwnRotation
from appcredential.tenants.own_secret_rotation import OwnSecretRotation
from appcredential.tenants.own_secret_steps import OwnSecretSteps
from appcredential.tenants.own_steps import OwnSteps
from appcredential.tenants.probing import Prober
from appcredential.tenants.sessions import TenantSessions
from appcredential.tenants.waking import TenantQueue
from tests.support.clock import HandClock
from tests.support.emulator import Emulator
from tests.support.guard import open_guard
from tests.support.keys import MadeCertificate, make_certificate

CLUSTER: Final = ClusterIdentity.of("kube-system-uid")
RETRY: Final = timedelta(seconds=30)
PERMISSIONS: Final = "Application.ReadWrite.OwnedBy Policy.Read.ApplicationConfiguration"
NO_TOKEN: Final = ProjectedToken("/nowhere/token", "")


class Killed(BaseException):
    """The process ends here."""


class Fate:
    """Ends the process before or after one of its writes.

    Attributes:
        points: each moment at which it could have ended, in order.
        at: at which of them it ends; -1 for never.
    """

    def __init__(self, at: int = -1) -> None:
        self.points: list[str] = []
        self.at = at
        self.is_over = False

    async def meet(self, what: str, write: Callable[[], Awaitable[None]]) -> None:
        self._pass(f"before {what}")
        await write()
        self._pass(f"after {what}")

    def _pass(self, point: str) -> None:
        self.points.append(point)
        if len(self.points) - 1 == self.at:
            self.is_over = True
            raise Killed(point)


class FatedSecrets(KubeOwnSecrets):
    """The Secret, written by a process that may end at it."""

    def __init__(self, kube: KubeClient, namespace: str, fate: Fate) -> None:
        super().__init__(kube, namespace)
        self._fate = fate

    async def write(self, name: str, live: OwnSecret, wanted: OwnContent) -> None:
        step = super().write
        await self._fate.meet("Secret", lambda: step(name, live, wanted))


class FatedKeys:
    """The application's certificates, changed by a process that may end at it."""

    def __init__(self, session: TenantSession, scene: Scene) -> None:
        self._keys, self._scene, self._fate = session.own_keys, scene, scene.fate

    async def add(self, object_id: ObjectId, content: str, vouching: SecretValue) -> None:
        async def added() -> None:
            await self._keys.add(object_id, content, vouching)
            self._scene.pass_(timedelta(seconds=1))  # no clock stands still while a call is made

        await self._fate.meet("addKey", added)

    async def remove(self, object_id: ObjectId, key_id: KeyId, vouching: SecretValue) -> None:
        await self._fate.meet("removeKey", lambda: self._keys.remove(object_id, key_id, vouching))


class FatedDirectory:
    """Graph, where a process may end at a change of the application's client secrets.

    It may be paused at a read as well, and lose its Lease meanwhile.
    """

    def __init__(self, directory: Directory, scene: Scene) -> None:
        self._directory, self._scene, self._fate = directory, scene, scene.fate

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        found = await self._directory.application(client_id, max_age)
        self._scene.after_read()
        return found

    def __getattr__(self, name: str) -> object:
        found, shown = getattr(self._directory, name), _FATED.get(name)
        if shown is None:
            return found

        async def fated(*args: Any, **options: Any) -> Any:
            answers: list[Any] = []

            async def call() -> None:
                answers.append(await found(*args, **options))

            await self._fate.meet(shown, call)
            return answers[0]

        return fated


_FATED: Final = {"add_password": "addPassword", "remove_password": "removePassword"}


class Process:
    """One operator, from its start to its end."""

    def __init__(self, scene: Scene, cluster: ClusterIdentity = CLUSTER) -> None:
        clock, kube = scene.clock, scene.kube
        self._scene = scene
        objects, events = KubeObjects(kube), KubeEvents(kube, clock, "operator")
        self.gate = gate = open_guard()
        queue = TenantQueue(lambda _: scene.users, lambda *_: [], lambda _: None)
        opener = SessionOpener(
            clock=clock,
            token=NO_TOKEN,
            custom=CustomCloud(endpoints=scene.endpoints, ca_file=str(scene.emulator.ca_file)),
            pacing=Pacing(spacing=0.0),
            sleep=clock.sleep,
        )

        def opened(
            spec: EntraTenantSpec, credential: OperatorCredential, may_act: Callable[[], bool]
        ) -> TenantSession | None:
            session = opener(spec, credential, may_act)
            if session is not None:
                session.own_keys = FatedKeys(session, scene)
                session.directory = cast("Directory", FatedDirectory(session.directory, scene))
            return session

        self.tenants = TenantAccess(
            clock=clock,
            sessions=TenantSessions(
                open_session=opened,
                prober=Prober(clock=clock, queue=queue, retry=RETRY),
                may_act=lambda: gate.problem() is None,
            ),
            queue=queue,
        )
        own = FatedSecrets(kube, scene.namespace, scene.fate)
        self.this = process = ThisProcess(
            clock=clock,
            settings=LifecycleSettings(next_proof_count=scene.proofs),
            identity=cluster,
            holder=f"operator-{secrets.token_hex(3)}",
            started=clock.now(),
            guard=gate,
        )
        self.controller = EntraTenantController(
            clock=clock,
            settings=TenantSettings(retry=RETRY, trial=False),
            objects=objects,
            identity=OwnIdentity(
                OperatorCredentials(
                    clock=clock,
                    namespace=scene.namespace,
                    secrets=SecretValues(kube),
                    token=NO_TOKEN,
                ),
                OwnRotation(
                    process=process,
                    secrets=own,
                    steps=OwnSteps(clock=clock, secrets=own, events=events, cluster=cluster.whole),
                    tenants=lambda: objects.pages(TENANTS),
                ),
                OwnSecretRotation(
                    process=process,
                    secrets=own,
                    steps=OwnSecretSteps(clock=clock, secrets=own, events=events),
                    tenants=lambda: objects.pages(TENANTS),
                ),
            ),
            tenants=self.tenants,
            events=events,
            guard=gate,
            queue=queue,
        )

    async def look(self) -> datetime:
        """Reconcile the EntraTenant; return when it wants to be looked at again."""
        again = await self.controller.reconcile(Key(TENANTS, "", self._scene.name))
        assert again is not None
        return again

    async def end(self) -> None:
        await self.tenants.close_all()


class Scene:
    """An EntraTenant whose certificate the operator renews, and the Entra that knows it."""

    member = "certificate"

    def __init__(self, emulator: Emulator, kube: KubeClient, namespace: str) -> None:
        self.emulator, self.kube, self.namespace = emulator, kube, namespace
        self.clock = HandClock(emulator.now().replace(microsecond=0))
        self.name = f"own-{secrets.token_hex(3)}"
        self.tenant = emulator.create_tenant()
        self.client_id, self.client_secret = emulator.create_operator(self.tenant, PERMISSIONS)
        self.endpoints = Endpoints(emulator.authority_host, emulator.graph_root.rpartition("/")[0])
        self.first = self.register(self.made("first"))
        self.foreign = self.register(self.made("break-glass"))
        self.fate = Fate()
        self.after_read: Callable[[], object] = lambda: None
        self.proofs = 5
        self.users: list[Key] = []  # AppCredentials that name the EntraTenant
        self._processes: list[Process] = []

    def made(self, name: str, days: int = 90) -> MadeCertificate:
        start = self.clock.now() - timedelta(minutes=1)
        return make_certificate(name, start=start, end=start + timedelta(days=days))

    def register(self, certificate: MadeCertificate) -> MadeCertificate:
        self.emulator.add_key(self.client_id, certificate=certificate.pem.decode())
        return certificate

    # --- the cluster ------------------------------------------------------------------------

    async def create(self, rotation: dict[str, str] | None = None, **changed: Any) -> None:
        """Create the Secret and the EntraTenant.

        Args:
            rotation: of the identity.
            changed: what is different about the Secret's metadata.
        """
        metadata = {"name": self.name, "labels": {LABEL: "true"}, **changed}
        data = {"tls.crt": self.first.pem, "tls.key": self.first.key_pem}
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        body = {"metadata": metadata, "type": "kubernetes.io/tls", "data": encoded}
        await self.kube.request("POST", secrets_path(self.namespace), body=body)
        await self.create_tenant(self.name, rotation or {})

    def added_before(self) -> dict[str, str]:
        """Return the annotations by which the operator made the first certificate itself."""
        records = OwnRecords(
            cluster=CLUSTER.whole,
            tenant=self.name,
            main=self.first.thumbprint,
            since=self.clock.now(),
            added=(self.first.thumbprint,),
        )
        return {ANNOTATION: OwnContent(data={}, records=records).annotation()}

    async def create_tenant(self, name: str, rotation: dict[str, str]) -> None:
        """Create an EntraTenant for the Secret."""
        identity = {
            "clientId": self.client_id,
            "secretRef": {"name": self.name},
            "rotation": rotation,
        }
        spec = {
            "tenantId": self.tenant,
            "cloud": "Custom",
            "identity": {self.member: identity},
        }
        body = {
            "apiVersion": "appcredential.io/v1alpha1",
            "kind": "EntraTenant",
            "metadata": {"name": name},
            "spec": spec,
        }
        await self.kube.request("POST", path_of(TENANTS), body=body)

    async def edit_rotation(self, rotation: dict[str, str]) -> None:
        """Edit the EntraTenant as a person does."""
        await self._edit_identity(rotation=rotation)

    async def move(self) -> None:
        """Name another app registration, and let it know what is in use."""
        self.client_id, _ = self.emulator.create_operator(self.tenant, PERMISSIONS)
        content = base64.b64decode((await self.secret())["data"]["tls.crt"]).decode()
        self.emulator.add_key(self.client_id, certificate=content)
        await self._edit_identity(clientId=self.client_id)

    async def _edit_identity(self, **changed: object) -> None:
        path = path_of(TENANTS, "", self.name)
        found = await self.kube.request("GET", path)
        found["spec"]["identity"][self.member].update(changed)
        await self.kube.request("PUT", path, body=found)

    async def told(self) -> set[str]:
        """Return the reasons of the Events about the EntraTenant."""
        found = await self.kube.request("GET", "/apis/events.k8s.io/v1/namespaces/default/events")
        about = [e for e in found["items"] if e["regarding"]["name"] == self.name]
        return {event["reason"] for event in about}

    async def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edit the Secret as a person does."""
        found = await self.secret()
        change(found)
        await self.kube.request("PUT", secrets_path(self.namespace, self.name), body=found)

    async def secret(self) -> dict[str, Any]:
        return await self.kube.request("GET", secrets_path(self.namespace, self.name))

    async def main(self) -> SecretValue:
        """Return what a fresh operator would sign in with."""
        data = (await self.secret())["data"]
        text = base64.b64decode(data["tls.key"]) + base64.b64decode(data["tls.crt"])
        return SecretValue(text.decode())

    async def has_successor(self) -> bool:
        return NEXT_KEY in (await self.secret())["data"]

    async def successor(self) -> str:
        """Return the thumbprint of the successor."""
        text = base64.b64decode((await self.secret())["data"][NEXT_KEY]).decode()
        return sha1_thumbprint(leaf_der(text))

    async def status(self) -> dict[str, Any]:
        found = await self.kube.request("GET", path_of(TENANTS, "", self.name))
        status: dict[str, Any] = found.get("status") or {}
        return status

    async def condition(self, kind: str) -> dict[str, Any]:
        conditions = (await self.status()).get("conditions") or ()
        return next((dict(c) for c in conditions if c["type"] == kind), {})

    # --- Entra ------------------------------------------------------------------------------

    def listed(self) -> list[str]:
        """Return the thumbprints of the application's certificates, as they truly are."""
        found = self.emulator.application(self.client_id)["keyCredentials"]
        return sorted(key["customKeyIdentifier"] for key in found)

    async def signs_in(self) -> bool:
        """Tell whether a fresh operator would get a token."""
        endpoint = TokenEndpoint(
            TenantId(self.tenant),
            self.endpoints,
            ca_file=str(self.emulator.ca_file),
            clock=self.clock,
        )
        result: SignInResult = await endpoint.with_certificate(
            ClientId(self.client_id), await self.main(), VerificationScope.GRAPH, "test"
        )
        return result.reason == "Proven"

    def gaps(self, operation: str) -> list[timedelta]:
        """Return the times between the calls of an operation that the log holds."""
        times = [entry.time for entry in self.emulator.requests(operation)]
        return [later - former for former, later in pairwise(times)]

    def lose(self, thumbprint: str) -> None:
        """Remove a certificate as a person does."""
        for key in self.emulator.application(self.client_id)["keyCredentials"]:
            if key["customKeyIdentifier"] == thumbprint:
                self.emulator.remove_key(self.client_id, key["keyId"])

    # --- time -------------------------------------------------------------------------------

    def pass_(self, length: timedelta) -> None:
        self.clock.advance(length)
        self.emulator.move_clock(length.total_seconds())

    def process(self, cluster: ClusterIdentity = CLUSTER) -> Process:
        """Start an operator."""
        started = Process(self, cluster)
        self._processes.append(started)
        return started

    async def close(self) -> None:
        """End what was started, also after a failure."""
        for process in self._processes:
            await process.end()

    async def until(
        self, process: Process, holds: Callable[[], Awaitable[bool]], looks: int = 60
    ) -> None:
        """Let it look as it asks to, at most half a minute apart, until something holds."""
        for _ in range(looks):
            again = await process.look()
            if await holds():
                return
            self.pass_(max(again - self.clock.now(), timedelta(seconds=1)))
        pytest.fail(f"did not happen: {await self.status()}")

    async def is_known(self) -> bool:
        """Tell whether Entra knows the successor."""
        return await self.has_successor() and await self.successor() in self.listed()

    async def is_renewed(self) -> bool:
        return await self.thumbprint() != self.first.thumbprint

    async def thumbprint(self) -> str:
        return sha1_thumbprint(leaf_der((await self.main()).reveal()))


def pause(scene: Scene, _: Process) -> None:
    """Let the process stand still for longer than a read may be relied on."""
    scene.pass_(timedelta(seconds=16))


def lose_lease(_: Scene, process: Process) -> None:
    """Let another process lead from now on."""
    process.gate.remaining = lambda: -1.0


def keep_time(patch: pytest.MonkeyPatch, clock: HandClock) -> None:
    """Let libraries that take the time from the machine live in the scene's time."""
    patch.setattr(time, "time", lambda: clock.now().timestamp())
