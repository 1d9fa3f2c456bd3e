"""Namespaces by their metadata: labels, and nothing that is not needed."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appcredential.errors import PermissionDeniedError, UnavailableError
from appcredential.kube.client import KubeClient
from appcredential.kube.namespaces import MAX_LABELS, KubeNamespaces
from appcredential.ports.namespaces import SeenNamespace
from localcluster import Cluster
from tests.support.clock import HandClock

PATH = "/api/v1/namespaces"

pytestmark = pytest.mark.cluster


@pytest.fixture
async def kube(cluster: Cluster) -> AsyncIterator[KubeClient]:
    client = await KubeClient.connect(HandClock(), str(cluster.kubeconfig))
    yield client
    await client.close()


def make(cluster: Cluster, labels: dict[str, str]) -> str:
    name = f"labelled-{secrets.token_hex(3)}"
    cluster.api.call("POST", PATH, {"metadata": {"name": name, "labels": labels}})
    return name


async def test_a_list_and_a_watch_show_labels(cluster: Cluster, kube: KubeClient) -> None:
    source, seen = KubeNamespaces(kube), list[SeenNamespace]()
    first = make(cluster, {"env": "prod"})
    version = await source.listed(seen.append)
    (listed,) = (one for one in seen if one.name == first)
    assert (listed.labels or {})["env"] == "prod"
    second = make(cluster, {"env": "test"})
    path = f"{PATH}/{first}"
    found = cluster.api.call("GET", path)
    found["metadata"]["labels"]["env"] = "test"
    cluster.api.call("PUT", path, found)
    shown = dict[str, SeenNamespace]()
    async for one in source.changes(version, 2):
        if isinstance(one, SeenNamespace):
            shown[one.name] = one
    assert (shown[first].labels or {})["env"] == (shown[second].labels or {})["env"] == "test"
    assert not shown[first].is_gone
    read = await source.read(first)
    assert read == shown[first]
    assert await source.read("missing") is None


async def test_a_namespace_with_too_many_labels_is_unknown(
    cluster: Cluster, kube: KubeClient
) -> None:
    name = make(cluster, {f"label-{n}": "x" for n in range(MAX_LABELS)})
    found = await KubeNamespaces(kube).read(name)  # it has one more, with its name
    assert found is not None
    assert found.labels is None


async def test_without_the_right_that_is_said(cluster: Cluster, tmp_path: Path) -> None:
    namespace = make(cluster, {})
    body = {"metadata": {"name": "nobody"}}
    cluster.api.call("POST", f"{PATH}/{namespace}/serviceaccounts", body)
    config = cluster.service_account_kubeconfig(namespace, "nobody", tmp_path / "config")
    client = await KubeClient.connect(HandClock(), str(config))
    try:
        source = KubeNamespaces(client)
        with pytest.raises(PermissionDeniedError):
            await source.listed(lambda _: None)
        with pytest.raises(PermissionDeniedError):
            await source.read(namespace)
        with pytest.raises(PermissionDeniedError):
            async for _ in source.changes("1", 2):
                pass
    finally:
        await client.close()


async def test_more_than_metadata_is_given_up() -> None:
    class Whole:
        async def lists(self, *_: Any) -> AsyncIterator[dict[str, Any]]:
            yield {"kind": "NamespaceList", "metadata": {"resourceVersion": "1"}, "items": []}

        async def lines(self, *_: Any) -> AsyncIterator[bytes]:
            yield json.dumps({"type": "ADDED", "object": {"kind": "Namespace"}}).encode()

    source = KubeNamespaces(Whole())  # type: ignore[arg-type]
    with pytest.raises(UnavailableError, match="more of namespaces"):
        await source.listed(lambda _: None)
    with pytest.raises(UnavailableError, match="more of namespaces"):
        async for _ in source.changes("1", 2):
            pass
