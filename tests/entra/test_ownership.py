"""Ownership of an application on a real API server and the emulator, in time moved by hand."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.cache.store import Store
from appcredential.composition import build_operator
from appcredential.controllers.ownership import PERIOD
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.ownership import REPLICAS_LAG
from appcredential.domain.write_permission import OF_OWNED
from appcredential.entra.clouds import Endpoints
from appcredential.entra.pacing import Pacing
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.session_opener import CustomCloud, SessionOpener
from appcredential.kube.client import MERGE_PATCH, KubeClient
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, KINDS, TENANTS, path_of
from appcredential.kube.secret_store import secrets_path
from appcredential.runtime.clock import SystemClock
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.ready import Key
from appcredential.settings import Settings
from localcluster import Cluster
from tests.entra.own_scene import keep_time
from tests.support.clock import HandClock
from tests.support.emulator import Emulator

pytestmark = pytest.mark.cluster
READ_ALL: Final = "Application.Read.All"
NAME: Final = "orders"
SECOND: Final = timedelta(seconds=1)


class Scene:
    """A whole operator without its loops: each is taken a turn of, as time goes on."""

    def __init__(
        self, emulator: Emulator, kube: KubeClient, namespace: str, permission: str
    ) -> None:
        self.emulator, self.kube, self.namespace = emulator, kube, namespace
        self.clock = HandClock(emulator.now().replace(microsecond=0))
        self.tenant_name = f"owned-{secrets.token_hex(3)}"
        self.tenant = emulator.create_tenant()
        self.operator_id, self.secret = emulator.create_operator(self.tenant, permission)
        made = emulator.create_application(self.tenant, owner=self.operator_id)
        self.app = made.app_id
        settings = Settings(
            namespace=namespace, watch_namespaces=(namespace,), claim_namespace=namespace
        )
        graph = emulator.graph_root.rpartition("/")[0]
        opener = SessionOpener(
            clock=self.clock,
            token=ProjectedToken("/nowhere/token", ""),
            custom=CustomCloud(
                endpoints=Endpoints(emulator.authority_host, graph), ca_file=str(emulator.ca_file)
            ),
            pacing=Pacing(spacing=0.0),
            sleep=self.clock.sleep,
        )
        self.operator = build_operator(
            settings,
            kube,
            ClusterIdentity.of("kube-system-uid"),
            opener,
            Store(),
            Metrics(tuple),
            clock=self.clock,
        )
        self.keys = [
            Key(GRANTS, "", self.tenant_name),
            Key(TENANTS, "", self.tenant_name),
            Key(APP_CREDENTIALS, namespace, NAME),
        ]

    # --- the cluster ------------------------------------------------------------------------

    async def create(self) -> None:
        """Create all that the AppCredential needs, and the AppCredential."""
        value = {"clientSecret": base64.b64encode(self.secret.encode()).decode()}
        identity = {"clientId": self.operator_id, "secretRef": {"name": "identity"}}
        specs: dict[str, dict[str, Any]] = {
            TENANTS: {
                "tenantId": self.tenant,
                "cloud": "Custom",
                "identity": {"clientSecret": identity},
            },
            GRANTS: {
                "tenantRef": {"name": self.tenant_name},
                "applications": {"clientIds": [self.app]},
                "namespaces": {"names": [self.namespace]},
            },
            APP_CREDENTIALS: {
                "tenantRef": {"name": self.tenant_name},
                "application": {"clientId": self.app},
                "type": "ClientSecret",
                "clientSecret": {},
            },
        }
        body: dict[str, Any] = {"metadata": {"name": "identity"}, "data": value}
        await self.kube.request("POST", secrets_path(self.namespace), body=body)
        for key in self.keys:
            body = {
                "apiVersion": "appcredential.io/v1alpha1",
                "kind": KINDS[key.kind],
                "metadata": {"name": key.name},
                "spec": specs[key.kind],
            }
            await self.kube.request("POST", path_of(key.kind, key.namespace), body=body)

    async def ask(self, kind: str) -> None:
        """Ask for a complete look, as a person does."""
        (key,) = (k for k in self.keys if k.kind == kind)
        annotations = {"appcredential.io/check": secrets.token_hex(4)}
        await self._patch(key, {"metadata": {"annotations": annotations}})

    async def rotate(self) -> None:
        """Ask for a new credential."""
        issued = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        await self._patch(self.keys[2], {"spec": {"rotation": {"rotateIssuedBefore": issued}}})

    async def _patch(self, key: Key, body: dict[str, Any]) -> None:
        path = path_of(key.kind, key.namespace, key.name)
        await self.kube.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def status(self, kind: str = APP_CREDENTIALS) -> dict[str, Any]:
        (key,) = (k for k in self.keys if k.kind == kind)
        found = await self.kube.request("GET", path_of(kind, key.namespace, key.name))
        status: dict[str, Any] = found.get("status") or {}
        return status

    async def condition(self, type_: str, kind: str = APP_CREDENTIALS) -> dict[str, Any]:
        found = (await self.status(kind)).get("conditions") or ()
        return next((dict(c) for c in found if c["type"] == type_), {"reason": "", "status": ""})

    async def warnings(self) -> list[str]:
        path = f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events"
        found = (await self.kube.request("GET", path))["items"]
        return [event["note"] for event in found if event["reason"] == "NotOwner"]

    # --- time -------------------------------------------------------------------------------

    async def turn(self) -> None:
        """Take a turn of each loop that matters, and look at the three objects."""
        operator = self.operator
        await operator._relist()
        await operator._look_at_claim()
        await operator._hold_lease()
        await operator._settle()
        await operator._controllers.ownership.run_once()
        for key in self.keys:
            await operator._controllers.reconcile(key)

    async def until(self, holds: Callable[[], Awaitable[bool]], looks: int = 30) -> int:
        """Let time pass until something holds; return how many looks at ownership that took."""
        for number in range(looks):
            await self.turn()
            if await holds():
                return number
            self.clock.advance(PERIOD)
            self.emulator.move_clock(PERIOD.total_seconds())
        pytest.fail(f"did not happen: {await self.status()} {await self.status(TENANTS)}")

    async def tells(self, reason: str) -> bool:
        return bool((await self.condition("Ready"))["reason"] == reason)

    async def becomes(self, reason: str) -> int:
        return await self.until(lambda: self.tells(reason))

    def give(self, *owners: str) -> None:
        self.emulator.set_owners(self.app, *owners)

    async def lose(self) -> int:
        """Take the ownership away, and ask for looks until that is told; return how many."""
        self.give()
        await self.ask(APP_CREDENTIALS)
        for _ in range(3):
            await self.turn()
            assert await self.tells("Published")  # one direct read may be of a replica that lags
        self.clock.advance(REPLICAS_LAG)
        self.emulator.move_clock(REPLICAS_LAG.total_seconds())
        return await self.becomes("NotOwner")

    async def close(self) -> None:
        await self.operator._controllers.tenants.close_all()


@pytest.fixture
async def scene(
    request: pytest.FixtureRequest,
    still_emulator: Emulator,
    cluster: Cluster,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Scene]:
    still_emulator.clear_faults()
    kube = await KubeClient.connect(SystemClock(), str(cluster.kubeconfig))
    made = Scene(still_emulator, kube, namespace, getattr(request, "param", OF_OWNED))
    keep_time(monkeypatch, made.clock)
    await made.create()
    yield made
    await made.close()
    await kube.close()


async def test_ownership_that_is_taken_away_is_told_and_so_is_that_it_is_back(
    scene: Scene,
) -> None:
    await scene.becomes("Published")
    assert await scene.lose() <= 1
    ready, tenant = await scene.condition("Ready"), await scene.condition("Ready", TENANTS)
    assert (ready["status"], tenant["status"]) == ("True", "True")
    assert f"az ad app owner add --id {scene.app} --owner-object-id" in ready["message"]
    permitted = await scene.condition("WritePermitted", TENANTS)
    assert (permitted["status"], permitted["reason"]) == ("Unknown", "NotOwner")
    assert len(await scene.warnings()) == 1
    scene.give(scene.operator_id)
    await scene.ask(TENANTS)
    assert await scene.becomes("Published") <= 3
    await scene.turn()
    assert (await scene.condition("WritePermitted", TENANTS))["status"] == "True"


async def test_a_write_that_succeeds_ends_it_too(scene: Scene) -> None:
    await scene.becomes("Published")
    await scene.lose()
    before = (await scene.status())["credential"]["keyId"]
    scene.give(scene.operator_id)
    await scene.rotate()

    async def is_renewed() -> bool:
        return bool((await scene.status())["credential"]["keyId"] != before)

    await scene.until(is_renewed)
    await scene.becomes("Published")
    assert len(await scene.warnings()) == 1


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        (TENANTS, "servicePrincipal.ownedObjects.list"),
        (APP_CREDENTIALS, "application.owners.list"),
        (APP_CREDENTIALS, "batch"),
    ],
)
async def test_what_cannot_be_read_says_nothing(scene: Scene, kind: str, operation: str) -> None:
    await scene.becomes("Published")
    rule = scene.emulator.add_rule("server-error", match={"operation": operation})
    scene.give()
    scene.emulator.reset_log()
    await scene.ask(kind)
    for _ in range(5):
        await scene.turn()
        scene.clock.advance(PERIOD)
    assert [one.status for one in scene.emulator.requests(operation)] == [500], rule
    assert await scene.tells("Published")
    assert (await scene.condition("WritePermitted", TENANTS))["status"] == "True"


@pytest.mark.parametrize("scene", [READ_ALL], indirect=True)
async def test_a_token_without_the_permission_is_told_and_a_consent_is_noticed(
    scene: Scene,
) -> None:
    async def reason() -> str:
        return str((await scene.condition("WritePermitted", TENANTS))["reason"])

    async def lacks() -> bool:
        return await reason() == "PermissionMissing"

    async def may() -> bool:
        return await reason() == "Permitted"

    await scene.until(lacks)
    assert (await scene.condition("Ready", TENANTS))["status"] == "True"
    scene.emulator.set_permissions(scene.tenant, scene.operator_id, OF_OWNED)
    await scene.ask(TENANTS)
    await scene.until(may, 3)
