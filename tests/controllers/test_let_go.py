"""What is held of a resource that nobody granted: whoever may create one decides its size."""

from __future__ import annotations

import pickle
from base64 import b64encode
from io import BytesIO
from types import MappingProxyType
from typing import Any

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.secret.annotations import Name
from appcredential.domain.secret_value import SecretValue
from tests.controllers.test_federated_identity import ACCOUNTS, OUTPUT, Federated
from tests.support.builders import MINUTE, OWNER
from tests.support.world import RESOURCE, TARGET, World

CANARY = "canary-of-somebody"
LARGE = {f"k{i}": {"value": CANARY * 100} for i in range(16)}
OF_A_USER = {CANARY: CANARY * 1000}
"""Labels, annotations or data."""


class _Pickler(pickle.Pickler):
    """Writes everything that an object holds, however deep."""

    def reducer_override(self, held: object) -> Any:
        if isinstance(held, MappingProxyType):
            return dict, (dict(held),)
        if isinstance(held, SecretValue):
            return str, (held.reveal(),)
        return NotImplemented


def put_large(world: World) -> None:
    world.put_resource(OWNER, secret={"name": "orders-entra", "data": LARGE})
    put_many_finalizers(world)


def put_many_finalizers(world: World) -> None:
    found = world.api.objects[RESOURCE]
    finalizers = [f"{CANARY}.example/{i}" for i in range(1000)]
    metadata = {**found["metadata"], "finalizers": finalizers, "labels": OF_A_USER}
    world.api.put(RESOURCE, {**found, "metadata": metadata})


def put_large_secret(world: World, owner: str) -> None:
    annotations = {**OF_A_USER, Name.OWNER: owner, Name.OBJECT_ID: CANARY}
    world.api.put(
        TARGET,
        {
            "metadata": {"annotations": annotations, "labels": OF_A_USER},
            "type": "Opaque",
            "data": {CANARY: b64encode(CANARY.encode() * 1000).decode()},
        },
    )


async def refused(world: World) -> World:
    """Let a resource be looked at that no grant allows."""
    world.put_grant("shop-apps", namespaces=("elsewhere",))
    await world.look_at_tenant()
    for _ in range(5):
        await world.look()
        world.clock.advance(MINUTE)
    assert world.conditions["Stalled"]["reason"] == "NotGranted"
    return world


def holds_nothing_of_a_user(world: World) -> bool:
    held = world.states.of(OWNER)
    assert held.resource.value is not None
    assert isinstance(held.resource.value.spec, Problem)
    stream = BytesIO()
    _Pickler(stream).dump(held)
    found = stream.getvalue()
    return CANARY.encode() not in found and len(found) < 5000


async def test_nothing_of_a_manifest_is_held_while_no_grant_allows_it() -> None:
    world = World()
    put_large(world)
    assert holds_nothing_of_a_user(await refused(world))


@pytest.mark.parametrize("owner", ["shop/somebody-else", str(OWNER), CANARY])
async def test_nothing_is_held_of_the_secret_that_it_names(owner: str) -> None:
    world = World()
    put_large_secret(world, owner)
    assert holds_nothing_of_a_user(await refused(world))


async def test_nothing_is_held_of_the_account_and_the_output_that_it_names() -> None:
    world = Federated()
    world.api.put(f"{ACCOUNTS}/orders", {"metadata": {"annotations": OF_A_USER}})
    world.api.put(OUTPUT, {"metadata": {"annotations": {Name.OWNER: CANARY}}, "data": OF_A_USER})
    assert holds_nothing_of_a_user(await refused(world))


@pytest.mark.parametrize("spec", [{"tenantRef": {"name": "gone"}}, {"deletionPolicy": "Later"}])
async def test_what_was_let_go_at_a_closed_gate_is_read_anew_behind_it(
    spec: dict[str, Any],
) -> None:
    world = World()
    await world.publish()
    published, key_id = world.api.objects[TARGET], world.status["credential"]["keyId"]
    world.put_resource(OWNER, **spec)
    for _ in range(5):
        await world.look()
        world.clock.advance(MINUTE)
    assert not world.states.of(OWNER).target.is_fresh(world.clock.monotonic(), MINUTE.seconds)
    assert world.status["credential"]["keyId"] == key_id
    world.put_resource(OWNER)
    await world.until(lambda: world.ready["status"] == "True")
    assert world.api.objects[TARGET] == published


async def test_a_grant_that_comes_later_finds_the_whole_manifest() -> None:
    world = World()
    put_large(world)
    world.put_grant("shop-apps", namespaces=("elsewhere",))
    await world.look_at_tenant()
    await world.look()
    world.put_grant("shop-apps")
    await world.until(lambda: TARGET in world.api.objects)
    assert LARGE.keys() <= world.api.objects[TARGET]["data"].keys()
