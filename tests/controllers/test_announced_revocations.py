"""After a deletion the namespace says when the credential goes: an Event, and its Secret."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    SecretRefusal,
    SecretRefusedError,
)
from appcredential.kube.custom_resources import APP_CREDENTIALS
from tests.support.builders import CLIENT_ID, MINUTE, NOW, OWNER, SECOND
from tests.support.world import RESOURCE, TARGET, World

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/appcredentials.appcredential.io"
TIME = "appcredential.io/revocation-time"


async def _published(**spec: Any) -> World:
    world = World()
    world.api.put(CRD, {})
    world.put_resource(OWNER, CLIENT_ID, **spec)
    await world.publish()
    return world


async def _delete(world: World) -> None:
    found = world.api.objects[RESOURCE]
    metadata = {**found["metadata"], "deletionTimestamp": NOW.isoformat()}
    world.api.put(RESOURCE, {**found, "metadata": metadata})
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.objects[RESOURCE])
    world.states.invalidate(OWNER)
    world.clock.advance(30 * SECOND)
    await world.until(lambda: not world.api.objects[RESOURCE]["metadata"].get("finalizers"))
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects.pop(RESOURCE))
    await world.look()


def _annotations(world: World) -> dict[str, str]:
    found: dict[str, str] = world.api.objects[TARGET]["metadata"]["annotations"]
    return found


def _told(world: World) -> list[str]:
    return [e["note"] for e in world.events if e["reason"] == "RevocationScheduled"]


def _due(world: World) -> str:
    ((_, revocation),) = world.open_revocations.items()
    return revocation.due.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_event_and_secret_have_the_time() -> None:
    world = await _published(deletionGracePeriod="3h")
    before = world.api.objects[TARGET]
    await _delete(world)
    (note,) = _told(world)
    assert f"its credentials and its Secret are removed at {_due(world)}" in note
    assert _annotations(world) == {**before["metadata"]["annotations"], TIME: _due(world)}
    assert world.api.objects[TARGET]["data"] == before["data"]
    assert world.api.objects[TARGET]["metadata"]["labels"] == before["metadata"]["labels"]


async def test_whoever_comes_back_finds_the_time_gone() -> None:
    world = await _published()
    before = _annotations(world)
    await _delete(world)
    world.put_resource(OWNER)
    await world.until(lambda: world.ready["status"] == "True")
    assert world.open_revocations.count == 0
    assert _annotations(world) == before


async def test_it_is_gone_also_for_one_that_comes_back_suspended() -> None:
    """A suspended resource repairs nothing; only the cancelled revocation takes it away."""
    world = await _published()
    await _delete(world)
    world.put_resource(OWNER, suspend=True)
    for _ in range(6):
        world.clock.advance(MINUTE)
        await world.look()
    assert world.open_revocations.count == 0
    assert TIME not in _annotations(world)


async def test_nothing_is_told_where_all_stays() -> None:
    world = await _published(deletionPolicy="Retain")
    before = _annotations(world)
    await _delete(world)
    assert world.open_revocations.count == 1
    assert _told(world) == []
    assert _annotations(world) == before


@pytest.mark.parametrize(
    "error", [ConflictError("changed"), SecretRefusedError("no", cause=SecretRefusal.QUOTA)]
)
async def test_a_deletion_does_not_wait_for_the_secret(error: AppCredentialError) -> None:
    world = await _published()

    def refuse(method: str, path: str) -> None:
        if method == "PUT" and path == TARGET:
            raise error

    world.api.before = refuse
    await _delete(world)
    assert world.open_revocations.count == 1
    assert TIME not in _annotations(world)
    assert len(_told(world)) == 1


async def test_the_secret_of_another_owner_is_not_touched() -> None:
    world = await _published()
    annotations = {**_annotations(world), "appcredential.io/owner": "shop/another"}
    found = world.api.objects[TARGET]
    world.api.put(TARGET, {**found, "metadata": {**found["metadata"], "annotations": annotations}})
    world.states.invalidate(OWNER)
    await _delete(world)
    assert _annotations(world) == annotations
    (note,) = _told(world)
    assert f"its credentials are removed at {_due(world)}" in note
