"""An EntraTenant says what the operator's token lets it change; nothing else follows from that."""

from __future__ import annotations

from appcredential.domain.write_permission import OF_ALL, OF_OWNED
from appcredential.errors import UnavailableError
from tests.support.builders import HOUR, MINUTE
from tests.support.world import World


def permitted(world: World) -> tuple[str, str]:
    found = world.tenant_conditions["WritePermitted"]
    return found["status"], found["reason"]


async def having(world: World, *roles: str) -> World:
    """Look at the tenant after its operator's token came to have these permissions."""
    world.entra.roles = frozenset(roles)
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    return world


async def test_it_follows_the_token_and_changes_nothing_else() -> None:
    world = await having(World(), OF_OWNED)
    assert permitted(world) == ("True", "Permitted")
    for roles in ((), ("Application.Read.All",)):
        await having(world, *roles)
        assert permitted(world) == ("Unknown", "PermissionMissing")
        assert world.tenant_conditions["Ready"]["status"] == "True"
        assert world.tenant_conditions.keys() == {"Ready", "WritePermitted"}
    assert world.events == []
    await having(world, OF_ALL)
    assert permitted(world) == ("True", "Permitted")


async def test_a_token_that_cannot_be_read_says_nothing() -> None:
    world = World()
    world.entra.roles = None
    await world.look_at_tenant()
    assert permitted(world) == ("Unknown", "PermissionUnknown")


async def test_of_a_tenant_that_cannot_be_used_nothing_is_said() -> None:
    world = await having(World(), OF_OWNED)
    world.entra.error = UnavailableError("503")
    world.clock.advance(HOUR)
    for _ in range(2):
        await world.look_at_tenant()
        world.clock.advance(MINUTE)
    assert world.tenant_conditions["Ready"]["status"] == "False"
    assert "WritePermitted" not in world.tenant_conditions


async def test_what_does_not_change_is_not_written_again() -> None:
    world = await having(World(), OF_OWNED)
    writes = world.api.count("PATCH", "/status")
    await having(world, OF_OWNED, "User.Read.All")
    assert world.api.count("PATCH", "/status") == writes
