"""A call of Graph that took effect although its answer was lost: what status says afterwards."""

from __future__ import annotations

from appcredential.domain import actions as act
from appcredential.domain.observed.operation import Operation
from appcredential.domain.spec.federated import ServiceAccountSource
from tests.domain.worlds.federated_world import FederatedWorld
from tests.support.builders import DAY, HOUR, MINUTE
from tests.support.federated import account, federated_spec

NEXT = ServiceAccountSource(name="next")


def trusted() -> FederatedWorld:
    """Return a world in which the trust is there and all is quiet."""
    world = FederatedWorld()
    world.accounts["next"] = account(name="next")
    world.run(10 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")
    return world


def generation_told(world: FederatedWorld) -> int:
    told = world.resource.status["observedGeneration"]
    assert isinstance(told, int)
    return told


def lose(world: FederatedWorld, operation: Operation) -> None:
    """Have a process remember that a call got no answer."""
    world.fail(operation)
    world.run(HOUR)


def test_a_trust_that_was_made_is_nobodys_problem() -> None:
    world = trusted()
    lose(world, Operation.MINT)
    world.change(federated_spec(config_map="out"))
    world.run(HOUR)
    assert generation_told(world) == world.resource.generation == 2


def test_a_trust_that_is_still_to_be_made_is() -> None:
    world = trusted()
    world.refuses = True
    world.change(federated_spec(NEXT))
    world.run(HOUR)
    assert generation_told(world) == 1
    world.refuses = False
    world.run(HOUR)
    assert generation_told(world) == 2


def test_a_superseded_trust_whose_time_is_not_written_yet_is() -> None:
    world = trusted()
    world.change(federated_spec(NEXT))
    world.step_until(act.PatchFederated)
    world.refuses = True
    world.run(MINUTE)
    assert generation_told(world) == 1


def test_a_trust_that_was_removed_is_nobodys_problem() -> None:
    world = trusted()
    world.change(federated_spec(NEXT))
    world.run(HOUR)
    lose(world, Operation.REMOVE)
    assert generation_told(world) == 2
    world.refuses = True
    world.run(DAY)
    world.change(federated_spec(NEXT, config_map="out"))
    world.run(HOUR)
    assert generation_told(world) == 2
    world.refuses = False
    world.run(HOUR)
    assert generation_told(world) == 3
    assert len(world.entra) == 1
