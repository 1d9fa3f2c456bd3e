"""Answers of an API server that are too large or no objects, over real TLS."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web

from appcredential.errors import (
    AnswerTooLargeError,
    NamespaceTerminatingError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
)
from appcredential.kube.client import KubeClient
from tests.support.clock import HandClock
from tests.support.hostile import BODIES, MIB, HostileServer, hostile_server
from tests.support.tokenserver import serve

CUSTOM: Final = "/apis/appcredential.io/v1alpha1/appcredentials"
OBJECTS: Final = {"many values", "huge token", "number in text"}
"""Those that are JSON objects after all."""


async def connected(folder: Path, url: str) -> KubeClient:
    """Connect to a server that ca.pem in the folder vouches for."""
    cluster = {"server": url, "certificate-authority": str(folder / "ca.pem")}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": "t"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    return await KubeClient.connect(HandClock(), str(path))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[HostileServer]:
    async with hostile_server(tmp_path) as running:
        yield running


@pytest.mark.parametrize("how", ["gzip", "endless", *sorted(BODIES.keys() - OBJECTS)])
async def test_a_success_that_is_no_object_is_no_answer(
    tmp_path: Path, server: HostileServer, how: str
) -> None:
    server.how = how
    kube = await connected(tmp_path, server.url)
    try:
        with pytest.raises(UnavailableError) as caught:
            await kube.request("GET", "/api/v1/namespaces/shop/secrets/orders")
    finally:
        await kube.close()
    assert (type(caught.value) is AnswerTooLargeError) == (how in {"gzip", "endless"})
    assert server.sent < 24 * MIB
    assert server.encodings == ["identity"]


@pytest.mark.parametrize("how", ["gzip", "endless", *BODIES])
async def test_an_error_is_known_by_its_status(
    tmp_path: Path, server: HostileServer, how: str
) -> None:
    server.how, server.status = how, 403
    kube = await connected(tmp_path, server.url)
    try:
        with pytest.raises((PermissionDeniedError, UnavailableError)):
            await kube.request("GET", "/api/v1/pods")
    finally:
        await kube.close()
    assert server.sent < 24 * MIB


@pytest.mark.parametrize(
    ("status", "body", "headers", "error"),
    [
        (403, {"details": {"causes": [{"reason": "NamespaceTerminating"}]}}, {}, 1),
        (403, {"details": {"causes": "NamespaceTerminating"}}, {}, 0),
        (403, {"details": [1]}, {}, 0),
        (403, {"details": {"causes": [None, "x"]}}, {}, 0),
        (429, {}, {"Retry-After": "9" * 5000}, 2),
        (429, {}, {"Retry-After": "soon"}, 2),
    ],
)
async def test_an_error_s_members_may_be_anything(
    tmp_path: Path, status: int, body: object, headers: dict[str, str], error: int
) -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers=headers)

    wanted = (PermissionDeniedError, NamespaceTerminatingError, ThrottledError)[error]
    async with serve(tmp_path, handle) as url:
        kube = await connected(tmp_path, url)
        try:
            with pytest.raises(wanted):
                await kube.request("POST", "/api/v1/namespaces/shop/configmaps", body={})
        finally:
            await kube.close()


class Objects:
    """Serves a list of objects of a size, in the pages that are asked for."""

    def __init__(self, count: int, size: int) -> None:
        self.items = [{"metadata": {"name": f"a{n}"}, "pad": "x" * size} for n in range(count)]
        self.limits: list[int] = []

    async def handle(self, request: web.Request) -> web.Response:
        limit, start = int(request.query["limit"]), int(request.query.get("continue") or 0)
        self.limits.append(limit)
        left = start + limit < len(self.items)
        found: dict[str, Any] = {
            "metadata": {"continue": str(start + limit) if left else ""},
            "items": self.items[start : start + limit],
        }
        return web.json_response(found)


async def listed(folder: Path, objects: Objects) -> list[str]:
    async with serve(folder, objects.handle) as url:
        kube = await connected(folder, url)
        try:
            return [item["metadata"]["name"] async for item in kube.pages(CUSTOM)]
        finally:
            await kube.close()


async def test_objects_of_an_ordinary_size_are_listed_by_the_hundreds(tmp_path: Path) -> None:
    objects = Objects(1200, 100)
    assert await listed(tmp_path, objects) == [f"a{n}" for n in range(1200)]
    assert objects.limits == [25, 100, 400, 500, 500]


async def test_large_objects_are_listed_in_smaller_pages(tmp_path: Path) -> None:
    """What users put into their objects must not keep the operator from listing them."""
    objects = Objects(60, MIB)
    assert await listed(tmp_path, objects) == [f"a{n}" for n in range(60)]
    assert objects.limits[:2] == [25, 6]
    assert set(objects.limits[2:]) == {6}, "a larger page is not tried again"


async def test_an_object_that_is_too_large_by_itself_ends_the_list(tmp_path: Path) -> None:
    with pytest.raises(AnswerTooLargeError):
        await listed(tmp_path, Objects(2, 9 * MIB))
