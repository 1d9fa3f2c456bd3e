"""A changed preset or template takes no key from a workload before the overlap is over."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.facts import handover
from tests.support.builders import CLIENT_ID, DAY, MINUTE, OWNER, SECOND
from tests.support.world import TARGET, World

ROTATION = {"renewBefore": "30d", "overlap": "2d"}
OLD, NEW = "AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET"


def _with(**secret: Any) -> dict[str, Any]:
    return {"rotation": ROTATION, "secret": {"name": "orders-entra", **secret}}


async def _published(**secret: Any) -> World:
    world = World()
    world.put_resource(OWNER, CLIENT_ID, **_with(**secret))
    await world.publish()
    return world


async def _change(world: World, **secret: Any) -> None:
    world.put_resource(OWNER, CLIENT_ID, **_with(**secret))
    world.states.of(OWNER).resource.drop()
    world.clock.advance(MINUTE)
    await world.look()


async def _wait(world: World, length: timedelta) -> None:
    until = world.clock.now() + length
    while world.clock.now() < until:
        again = await world.look() or SECOND
        world.clock.advance(min(max(again, SECOND), until - world.clock.now()))
    await world.look()


def _data(world: World) -> dict[str, str]:
    found: dict[str, str] = world.api.objects[TARGET]["data"]
    return {key: base64.b64decode(value).decode() for key, value in found.items()}


async def test_the_former_presets_keys_stay_for_the_overlap() -> None:
    world = await _published()
    before = _data(world)
    await _change(world, preset="Terraform")
    after = _data(world)
    assert before.items() <= after.items()
    assert after[NEW] == before[OLD]
    await _wait(world, 2 * DAY - 2 * MINUTE)
    assert before.items() <= _data(world).items()
    await _wait(world, 4 * MINUTE)
    assert _data(world).keys().isdisjoint({OLD, "AZURE_CLIENT_ID"})
    assert _data(world)[NEW] == before[OLD]


async def test_a_key_that_the_spec_names_no_more_stays_too() -> None:
    world = await _published(data={"URL": {"value": "id=$(clientId)"}})
    await _change(world)
    assert _data(world)["URL"] == f"id={CLIENT_ID}"
    await _wait(world, 2 * DAY + MINUTE)
    assert "URL" not in _data(world)


async def test_what_comes_back_and_goes_again_has_its_whole_overlap() -> None:
    world = await _published()
    await _change(world, preset="Terraform")
    await _wait(world, DAY)
    await _change(world)
    await _change(world, preset="Terraform")
    await _wait(world, 2 * DAY - 10 * MINUTE)
    assert OLD in _data(world)
    await _wait(world, 12 * MINUTE)
    assert OLD not in _data(world)
    assert NEW in _data(world)


async def test_they_stay_when_a_successor_is_published_meanwhile() -> None:
    """The former credential retires with the same overlap, so that it still signs in."""
    world = await _published()
    old = _data(world)[OLD]
    await _change(world, preset="Terraform")
    rotated = (world.clock.now() + MINUTE).strftime("%Y-%m-%dT%H:%M:%SZ")
    spec = {**_with(preset="Terraform"), "rotation": {**ROTATION, "rotateIssuedBefore": rotated}}
    world.put_resource(OWNER, CLIENT_ID, **spec)
    world.clock.advance(15 * MINUTE)
    await world.until(lambda: _data(world)[NEW] != old)
    assert _data(world)[OLD] == old


async def test_a_new_key_stays_the_same_when_nothing_changes() -> None:
    world = await _published()
    await _change(world, preset="Terraform")
    before = world.api.objects[TARGET]["metadata"]["resourceVersion"]
    await _wait(world, timedelta(hours=3))
    assert world.api.objects[TARGET]["metadata"]["resourceVersion"] == before


@pytest.mark.parametrize(("count", "stays"), [(1, True), (3, False)])
async def test_what_is_asked_for_goes_before_what_was(
    monkeypatch: pytest.MonkeyPatch, count: int, stays: bool
) -> None:
    """A Secret has a bound; old keys must not keep new ones out."""
    monkeypatch.setattr(handover, "MAX_SECRET", 20_000)
    value = {"value": "x" * 4000}
    world = await _published(data={f"old{n}": value for n in range(count)})
    await _change(world, data={f"new{n}": value for n in range(count)})
    assert "new0" in _data(world)
    assert ("old0" in _data(world)) is stays
