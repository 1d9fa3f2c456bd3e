"""Lists and watches of published Secrets: names and versions, and never a value on the wire."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web

from appcredential.errors import (
    AnswerTooLargeError,
    PermissionDeniedError,
    RejectedError,
    UnavailableError,
)
from appcredential.kube.client import JSON, KubeClient
from appcredential.kube.secret_watch import KubeSecretVersions
from appcredential.ports.versions import SeenSecret
from localcluster import Cluster
from tests.kube.test_bounds import connected
from tests.support.clock import HandClock
from tests.support.tokenserver import serve

OURS: Final = {"app.kubernetes.io/managed-by": "appcredential"}
CANARY: Final = base64.b64encode(b"the canary value").decode()
MIB: Final = 2**20


class Recording:
    """A client of the API server that keeps all that came over the wire for lists and watches."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube
        self.answers: list[str] = []

    async def lists(
        self, path: str, query: Sequence[tuple[str, str]] = (), accept: str = JSON
    ) -> AsyncIterator[dict[str, Any]]:
        async for page in self._kube.lists(path, query, accept):
            self.answers.append(json.dumps(page))
            yield page

    async def lines(
        self, path: str, query: Sequence[tuple[str, str]], accept: str, silence: float
    ) -> AsyncGenerator[bytes, None]:
        async for line in self._kube.lines(path, query, accept, silence):
            self.answers.append(line.decode())
            yield line


def put(cluster: Cluster, namespace: str, name: str, **more: Any) -> str:
    """Create a Secret; return its version."""
    body = {"metadata": {"name": name, "labels": OURS}, "data": {"value": CANARY}, **more}
    path = f"/api/v1/namespaces/{namespace}/secrets"
    return str(cluster.api.call("POST", path, body)["metadata"]["resourceVersion"])


@pytest.fixture
async def kube(cluster: Cluster) -> AsyncIterator[KubeClient]:
    client = await KubeClient.connect(HandClock(), str(cluster.kubeconfig))
    yield client
    await client.close()


@pytest.mark.cluster
async def test_only_names_and_versions_of_what_is_published_are_seen(
    cluster: Cluster, kube: KubeClient, namespace: str
) -> None:
    wire = Recording(kube)
    source = KubeSecretVersions(wire)  # type: ignore[arg-type] # all that it uses
    first = put(cluster, namespace, "first")
    put(cluster, namespace, "theirs", metadata={"name": "theirs"})
    put(cluster, namespace, "pending", type="appcredential.io/pending")
    seen: list[SeenSecret] = []
    since = await source.listed(namespace, seen.append)
    assert seen == [SeenSecret(namespace, "first", first)]

    found: list[SeenSecret | str] = []

    async def follow() -> None:
        async for one in source.changes(namespace, since, 60):
            found.append(one)
            if len(found) == 4:
                return

    following = asyncio.create_task(follow())
    path = f"/api/v1/namespaces/{namespace}/secrets"
    await asyncio.to_thread(put, cluster, namespace, "more", type="appcredential.io/pending")
    second = await asyncio.to_thread(put, cluster, namespace, "second")
    live = cluster.api.call("GET", f"{path}/first")
    edited = cluster.api.call("PUT", f"{path}/first", {**live, "data": {"value": "eA=="}})
    bare = {**live, "metadata": {"name": "first"}}
    cluster.api.call("PUT", f"{path}/first", bare)
    cluster.api.call("DELETE", f"{path}/second")
    await asyncio.wait_for(following, 10)
    assert found[:2] == [
        SeenSecret(namespace, "second", second),
        SeenSecret(namespace, "first", edited["metadata"]["resourceVersion"]),
    ]
    gone = [one for one in found[2:] if isinstance(one, SeenSecret)]
    assert [(one.name, one.is_gone) for one in gone] == [("first", True), ("second", True)]
    assert int(gone[1].version) > int(gone[0].version) > int(edited["metadata"]["resourceVersion"])
    assert wire.answers
    assert not any(CANARY in answer or '"data"' in answer for answer in wire.answers)


@pytest.mark.cluster
async def test_a_watch_ends_when_it_should(kube: KubeClient, namespace: str) -> None:
    source = KubeSecretVersions(kube)
    since = await source.listed(namespace, lambda _: None)
    async with asyncio.timeout(10):
        assert all([isinstance(one, str) async for one in source.changes(namespace, since, 1)])


@pytest.mark.cluster
@pytest.mark.parametrize("where", ["", "namespace"])
async def test_without_the_right_it_says_so(
    cluster: Cluster, namespace: str, tmp_path: Path, where: str
) -> None:
    kubeconfig = cluster.service_account_kubeconfig(namespace, "default", tmp_path / "config")
    client = await KubeClient.connect(HandClock(), str(kubeconfig))
    try:
        source, scope = KubeSecretVersions(client), namespace if where else ""
        with pytest.raises(PermissionDeniedError):
            await source.listed(scope, lambda _: None)
        with pytest.raises(PermissionDeniedError):
            async for _ in source.changes(scope, "1", 5):
                pass
    finally:
        await client.close()


# --- a server that answers otherwise than it should -------------------------------------------


def whole(kind: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "orders", "namespace": "shop"}, "data": {}}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (json.dumps({"type": "ADDED", "object": whole("Secret")}), UnavailableError),
        ("no JSON", UnavailableError),
        (json.dumps({"type": "ADDED"}), UnavailableError),
        (json.dumps([1]), UnavailableError),
        ("[" * 100_000, UnavailableError),
        ("x" * (9 * MIB), AnswerTooLargeError),
        (
            json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410}}),
            RejectedError,
        ),
        (json.dumps({"type": "ERROR", "object": {"kind": "Status"}}), UnavailableError),
    ],
)
async def test_an_event_of_another_form_ends_the_watch(
    tmp_path: Path, text: str, error: type[Exception]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=f"{text}\n", content_type="application/json")

    async with serve(tmp_path, answer) as url:
        kube = await connected(tmp_path, url)
        try:
            with pytest.raises(error):
                async for _ in KubeSecretVersions(kube).changes("shop", "1", 5):
                    pass
        finally:
            await kube.close()


async def test_a_version_that_is_too_old_asks_for_a_list(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"kind": "Status", "reason": "Expired"}, status=410)

    async with serve(tmp_path, answer) as url:
        kube = await connected(tmp_path, url)
        try:
            with pytest.raises(RejectedError):
                async for _ in KubeSecretVersions(kube).changes("shop", "1", 5):
                    pass
        finally:
            await kube.close()


async def test_a_list_of_whole_secrets_is_given_up(tmp_path: Path) -> None:
    body = {"kind": "SecretList", "metadata": {"resourceVersion": "1"}, "items": [whole("Secret")]}

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body)

    async with serve(tmp_path, answer) as url:
        kube = await connected(tmp_path, url)
        seen: list[SeenSecret] = []
        try:
            with pytest.raises(UnavailableError, match="more of Secrets than their metadata"):
                await KubeSecretVersions(kube).listed("shop", seen.append)
        finally:
            await kube.close()
        assert seen == []
