"""The report as the operator serves it, with the tokens and the roles of a real API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from appcredential.cache.store import Store
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import PermissionDeniedError
from appcredential.kube.client import KubeClient
from appcredential.kube.viewers import KubeViewers
from appcredential.parts import Parts
from appcredential.ports.viewers import ViewerAccess
from appcredential.reporting import build_report
from appcredential.runtime.clock import SystemClock
from appcredential.runtime.health import probe_server
from appcredential.runtime.metrics import Metrics
from appcredential.settings import Settings
from charts.generate import rights
from localcluster import Cluster
from tests.cli.scenes import document, published

pytestmark = pytest.mark.cluster

RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
LIST: Final = {
    "apiGroups": ["appcredential.io"],
    "resources": ["appcredentials"],
    "verbs": ["list"],
}
OWN: Final = {
    "apiGroups": ["appcredential.io"],
    "resources": ["appcredentials", "entratenants", "applicationgrants"],
    "verbs": ["list"],
}


@dataclass
class Shop:
    """A namespace with ServiceAccounts, of which each may something else."""

    cluster: Cluster
    namespace: str

    def account(self, name: str) -> None:
        body = {"metadata": {"name": name}}
        self.cluster.api.call("POST", self.path("serviceaccounts"), body)

    def may(self, name: str, rules: list[dict[str, Any]], *, everywhere: bool) -> None:
        """Give a ServiceAccount a role, in the whole cluster or in the namespace alone."""
        kind, unique = "ClusterRole" if everywhere else "Role", f"{self.namespace}-{name}"
        where = RBAC if everywhere else f"{RBAC}/namespaces/{self.namespace}"
        role = {"metadata": {"name": unique}, "rules": rules}
        self.cluster.api.call("POST", f"{where}/{kind.lower()}s", role)
        subject = {"kind": "ServiceAccount", "namespace": self.namespace, "name": name}
        binding = {
            "metadata": {"name": unique},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": unique},
            "subjects": [subject],
        }
        self.cluster.api.call("POST", f"{where}/{kind.lower()}bindings", binding)

    def token(self, name: str, audience: str | None = None) -> str:
        """Return a token, as kubectl create token does."""
        spec = {"expirationSeconds": 600, **({"audiences": [audience]} if audience else {})}
        path = self.path(f"serviceaccounts/{name}/token")
        return str(self.cluster.api.call("POST", path, {"spec": spec})["status"]["token"])

    def path(self, rest: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{rest}"

    def make(self, name: str) -> None:
        made = document(name)
        made["metadata"] = {"name": name, "labels": {"team": "orders"}}
        del made["status"]
        group = f"/apis/appcredential.io/v1alpha1/namespaces/{self.namespace}/appcredentials"
        self.cluster.api.call("POST", group, made)
        patch = {"status": published(ends=60)}
        self.cluster.kubectl(
            *("patch", "appcredential", name, "-n", self.namespace, "--subresource=status"),
            *("--type=merge", "-p", json.dumps(patch)),
        )


@pytest.fixture
def shop(cluster: Cluster, namespace: str) -> Shop:
    found = Shop(cluster, namespace)
    for name in ("operator", "viewer", "team"):
        found.account(name)
    found.may("operator", [OWN, *rights()["report"]], everywhere=True)
    found.may("viewer", [LIST], everywhere=True)
    found.may("team", [LIST], everywhere=False)
    return found


@pytest.fixture
async def kube(shop: Shop, tmp_path: Path) -> AsyncIterator[KubeClient]:
    """The API server, for the operator with the chart's rights for it and no others."""
    path = tmp_path / "operator"
    shop.cluster.service_account_kubeconfig(shop.namespace, "operator", path)
    client = await KubeClient.connect(SystemClock(), str(path))
    yield client
    await client.close()


async def test_the_api_server_judges_each_token(shop: Shop, kube: KubeClient) -> None:
    viewers = KubeViewers(kube)

    async def access(token: str) -> ViewerAccess:
        return await viewers.access(SecretValue(token))

    await _until_allowed(viewers, shop.token("viewer"))
    good = shop.token("viewer")
    assert await access(good) is ViewerAccess.ALLOWED
    assert await access(shop.token("team")) is ViewerAccess.REFUSED
    assert await access(shop.token("viewer", "api://elsewhere")) is ViewerAccess.UNKNOWN
    for wrong in ("made-up", good[:-3] + "AAA", "."):
        assert await access(wrong) is ViewerAccess.UNKNOWN
    shop.cluster.api.call("DELETE", shop.path("serviceaccounts/viewer"))
    async with asyncio.timeout(30):
        while await access(good) is not ViewerAccess.UNKNOWN:  # noqa: ASYNC110 - it caches a bit
            await asyncio.sleep(0.2)


async def test_an_operator_without_the_rights_shows_nothing(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "team"
    shop.cluster.service_account_kubeconfig(shop.namespace, "team", path)
    client = await KubeClient.connect(SystemClock(), str(path))
    try:
        with pytest.raises(PermissionDeniedError):
            await KubeViewers(client).access(SecretValue(shop.token("viewer")))
    finally:
        await client.close()


async def test_what_is_served_is_what_the_store_holds(shop: Shop, kube: KubeClient) -> None:
    shop.make("orders")
    store, clock = Store(), SystemClock()
    settings = Settings(report=True, pod_name="operator-1", namespace=shop.namespace)
    identity = ClusterIdentity.of("11111111-1111-4111-8111-111111111111", "")
    parts = Parts(settings, kube, clock, identity, store, Metrics(store.samples))
    server = probe_server(str, str, build_report(parts))
    await server.start("127.0.0.1", 0)
    try:
        await _until_allowed(KubeViewers(kube), shop.token("viewer"))
        early = await _get(server.port, shop.token("viewer"))
        assert early == (503, "the first lists are not complete\n")
        for plural in ("entratenants", "applicationgrants", "appcredentials"):
            await parts.informer._relist(plural)
        store.listed = clock.now()
        status, page = await _get(server.port, shop.token("viewer"))
        assert status == 200
        assert f"<small>{shop.namespace}</small>" in page
        assert "Served by operator-1, which stands by." in page
        assert "were last listed at" in page
        assert (await _get(server.port, shop.token("team")))[0] == 403
        assert (await _get(server.port, "made-up"))[0] == 401
    finally:
        await server.stop()


async def _get(port: int, token: str) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"http://127.0.0.1:{port}/report"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def _until_allowed(viewers: KubeViewers, token: str) -> None:
    """Wait until the API server has seen the new roles."""
    async with asyncio.timeout(30):
        while True:
            try:
                if await viewers.access(SecretValue(token)) is ViewerAccess.ALLOWED:
                    return
            except PermissionDeniedError:
                pass
            await asyncio.sleep(0.1)
