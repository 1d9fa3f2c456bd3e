"""A resource whose turn to write has not come leaves its worker, and loses nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.controllers.test_certificate import PENDING, Certified
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import DAY, MINUTE, OWNER, SECOND
from tests.support.deletions import Deletion
from tests.support.world import World


async def test_no_intent_is_written_before_the_turn_has_come() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.waits = [90 * SECOND]
    assert await world.look() == 90 * SECOND
    # Nothing was begun, so no deadline runs; status is true, and it is nobody's failure.
    assert PENDING not in world.api.objects
    assert "add" not in world.entra.calls
    assert world.ready["reason"] == "Progressing"
    assert "Stalled" not in world.conditions
    # A look before then asks for no turn.
    world.clock.advance(30 * SECOND)
    assert await world.look() == 60 * SECOND
    assert world.entra.turns == []
    world.clock.advance(60 * SECOND)
    await world.look()
    assert world.entra.turns == [str(OWNER)]
    assert world.entra.is_made


async def test_waiting_again_and_again_is_no_failure() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.waits = [5 * SECOND] * 10
    await world.publish()
    assert world.entra.calls.count("add") == 1
    assert {e["reason"] for e in world.events} == {"Issued", "Published"}


async def test_a_renewal_that_waits_for_its_turn_leaves_ready_alone() -> None:
    world = World()
    await world.publish()
    world.put_resource(OWNER, rotation={"rotateIssuedBefore": "2027-01-01T00:00:00Z"})
    world.clock.advance(60 * DAY)
    world.entra.waits = [MINUTE]
    await world.until(lambda: not world.entra.waits)
    assert (world.ready["status"], world.ready["reason"]) == ("True", "Published")
    assert "Stalled" not in world.conditions


@pytest.mark.parametrize("world", [Certified(), Federated()], ids=["certificate", "federated"])
async def test_every_type_comes_when_it_is_told_to(world: Certified | Federated) -> None:
    await world.look_at_tenant()
    world.entra.waits = [40 * SECOND, 3 * SECOND]
    began = world.clock.now()
    while not world.entra.writes:
        world.clock.advance(await world.look() or timedelta(0))
        assert world.clock.now() < began + 5 * MINUTE, "nothing was written"
    assert world.clock.now() >= began + 43 * SECOND
    assert world.entra.turns == [str(OWNER)]


async def test_a_revocation_comes_again_too() -> None:
    world = Deletion()
    world.directory.waits = [SECOND]
    await world.pass_(12 * MINUTE)
    assert not world.is_open
    assert world.directory.turns == [world.name]
