"""A list of ours takes a while, and shows the moment at which it began."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from appcredential.cache.informer import Informer
from appcredential.kube.custom_resources import APP_CREDENTIALS, KubeObjects
from tests.cache.test_own_echoes import ORDERS
from tests.support.world import RESOURCE, World


async def listed(world: World, meanwhile: Callable[[dict[str, Any]], None]) -> None:
    """List all; `meanwhile` is called with each AppCredential after it was read from etcd."""
    pages = KubeObjects.pages

    async def slow(self: KubeObjects, plural: str, namespace: str) -> AsyncIterator[dict[str, Any]]:
        found = [copy.deepcopy(one) async for one in pages(self, plural, namespace)]
        for document in found:
            if plural == APP_CREDENTIALS:
                meanwhile(document)
            yield document

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KubeObjects, "pages", slow)
        await world.sync.relist()


def show(world: World, event: str = "MODIFIED") -> None:
    world.sync.on_event(APP_CREDENTIALS, event, world.api.objects[RESOURCE])


def change(world: World) -> str:
    """Change the resource; return its version."""
    made = world.api.put(RESOURCE, world.api.objects[RESOURCE])
    return str(made["metadata"]["resourceVersion"])


async def _fits(_: Informer) -> str:
    return ""


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(Informer, "_check_server", _fits)
    monkeypatch.setattr(Informer, "_check_schema", _fits)
    world = World()
    await world.publish()
    show(world)
    return world


def held(world: World) -> str:
    known = world.store.get(ORDERS)
    return known.version if known is not None else ""


async def test_what_the_watch_told_meanwhile_stays(world: World) -> None:
    versions: list[str] = []

    def meanwhile(_: dict[str, Any]) -> None:
        versions.append(change(world))
        show(world)

    await listed(world, meanwhile)
    assert held(world) == versions[-1]


async def test_what_was_deleted_meanwhile_does_not_come_back(world: World) -> None:
    await listed(world, lambda _: show(world, "DELETED"))
    assert held(world) == ""


async def test_what_was_replaced_meanwhile_stays(world: World) -> None:
    def meanwhile(document: dict[str, Any]) -> None:
        show(world, "DELETED")
        del world.api.objects[RESOURCE]
        world.api.put(RESOURCE, {**document, "metadata": {**document["metadata"], "uid": ""}})
        show(world, "ADDED")

    await listed(world, meanwhile)
    known = world.store.get(ORDERS)
    assert known is not None
    assert known.uid == world.api.objects[RESOURCE]["metadata"]["uid"]


async def test_what_the_watch_missed_comes_by_the_list(world: World) -> None:
    version = change(world)
    await listed(world, lambda _: None)
    assert held(world) == version


async def test_an_event_that_is_older_than_the_list_hides_nothing(world: World) -> None:
    old = copy.deepcopy(world.api.objects[RESOURCE])
    version = change(world)
    await listed(world, lambda _: world.sync.on_event(APP_CREDENTIALS, "MODIFIED", old))
    assert held(world) == version


async def test_a_list_that_is_believed_whatever_comes_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Informer, "_is_outdated", lambda *_: False)
    before = held(world)

    def meanwhile(_: dict[str, Any]) -> None:
        change(world)
        show(world)

    await listed(world, meanwhile)
    assert held(world) == before


async def test_a_namespace_that_may_not_be_listed_is_told_and_forgotten(world: World) -> None:
    informer = Informer(
        KubeObjects(world.api),
        world.store,
        ("shop", "closed"),
        lambda *_, **__: None,
        lambda _: None,
    )
    refusal = world.api.refuse("GET", "/namespaces/closed/", "no role")
    await informer.relist()
    assert informer.left_out == {"closed"}

    world.api.refusals.remove(refusal)
    await informer.relist()
    assert informer.left_out == set()
