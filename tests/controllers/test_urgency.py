"""Each look says how urgent the next one is, and whether what was read is needed by then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.domain.urgency import Urgency
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS, path_of
from appcredential.runtime.ready import Key, Lane
from appcredential.runtime.workqueue import Again
from tests.support.builders import CLIENT_ID, DAY, OWNER, SECOND
from tests.support.world import RESOURCE, World

ORDERS = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)


def said(world: World) -> Again:
    assert world.again is not None
    return world.again


def lane(world: World, later: timedelta = timedelta(0)) -> Lane:
    """Return where the queue puts the resource once a watch showed it."""
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.objects[RESOURCE])
    return world.store.lane(ORDERS, (world.clock.now() + later).timestamp())


@pytest.fixture
async def world() -> World:
    made = World()
    await made.look_at_tenant()
    path = path_of(TENANTS, "", "default")
    made.sync.on_event(TENANTS, "ADDED", made.api.objects[path])
    return made


async def test_a_new_one_is_to_be_issued(world: World) -> None:
    assert lane(world) == Lane("default", CLIENT_ID, Urgency.ISSUE)


async def test_one_that_waits_for_its_turn_needs_what_was_read(world: World) -> None:
    world.entra.waits = [5 * SECOND]
    await world.look()
    assert (said(world).urgency, said(world).awaits_turn) == (Urgency.IN_FLIGHT, True)


async def test_a_successor_that_is_being_proven_is_in_flight(world: World) -> None:
    await world.look()
    assert (said(world).urgency, said(world).awaits_turn) == (Urgency.IN_FLIGHT, False)
    assert lane(world).urgency is Urgency.IN_FLIGHT


async def test_what_is_published_is_looked_at_until_its_renewal(world: World) -> None:
    await world.publish()
    await world.look()
    assert said(world) == Again(said(world).when, Urgency.LOOK)
    found = [lane(world, days * DAY).urgency for days in (0, 50, 65, 80, 100)]
    due, overdue = Urgency.ISSUE, Urgency.EXPIRING
    assert found == [Urgency.LOOK, Urgency.LOOK, due, overdue, overdue]


async def test_a_renewal_that_is_refused_for_long_is_expiring(world: World) -> None:
    await world.publish()
    world.clock.advance(80 * DAY)
    world.entra.waits = [10 * SECOND]
    await world.look()
    assert (said(world).urgency, said(world).awaits_turn) == (Urgency.EXPIRING, True)


async def test_a_tenant_that_does_not_exist_gives_no_lane_of_its_own(world: World) -> None:
    world.put_resource(OWNER, tenantRef={"name": "made-up"})
    assert lane(world) == Lane("", CLIENT_ID, Urgency.ISSUE)


async def test_tenants_and_grants_go_first_and_what_is_gone_last(world: World) -> None:
    grant = next(key for key in world.store.keys("applicationgrants"))
    assert world.store.lane(grant, 0.0) == Lane(urgency=Urgency.SHARED)
    assert world.store.lane(Key(APP_CREDENTIALS, "shop", "gone"), 0.0) == Lane()


async def test_what_a_person_changes_is_told_from_what_others_write(world: World) -> None:
    world.urgencies.clear()
    world.put_resource(OWNER, rotation={"overlap": "1d"})
    assert world.urgencies == [Urgency.CHANGED]
    document = world.api.objects[RESOURCE]
    labels = {**document["metadata"], "labels": {"team": "shop"}}
    found = world.api.put(RESOURCE, {**document, "metadata": labels})
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", found)
    assert world.urgencies == [Urgency.CHANGED, None]
