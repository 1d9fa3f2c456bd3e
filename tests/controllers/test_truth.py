"""What goes wrong is told at once, and with one Event."""

from __future__ import annotations

import pytest

from appcredential.domain.spec.model import CredentialType
from appcredential.kube.custom_resources import GRANTS, path_of
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import HOUR, OWNER
from tests.support.session import MemorySession
from tests.support.world import World

GRANT = path_of(GRANTS, "", "shop-apps")


def of_type(kind: CredentialType) -> World:
    match kind:
        case CredentialType.CLIENT_SECRET:
            return World()
        case CredentialType.CERTIFICATE:
            world = World()
            world.entra = MemorySession(world.clock, types=CredentialType)
            world.put_resource(OWNER, type=str(kind), clientSecret=None, certificate={})
            return world
        case CredentialType.FEDERATED_IDENTITY:
            return Federated()


def told(world: World, reason: str) -> list[str]:
    """Return the notes of the Events with a reason."""
    return [e["note"] for e in world.events if e["reason"] == reason]


@pytest.mark.parametrize("kind", CredentialType)
async def test_a_withdrawn_grant_is_told_at_once_and_once(kind: CredentialType) -> None:
    world = of_type(kind)
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    grant = world.api.objects.pop(GRANT)
    world.sync.on_event(GRANTS, "DELETED", grant)
    for _ in range(5):
        world.clock.advance(min(await world.look() or HOUR, HOUR))
    assert world.ready["status"] == "True"
    assert world.conditions["Stalled"]["reason"] == "GrantWithdrawn"
    assert len(told(world, "GrantWithdrawn")) == 1
    world.sync.on_event(GRANTS, "ADDED", world.api.put(GRANT, {"spec": grant["spec"]}))
    await world.look()
    assert "Stalled" not in world.conditions
    assert world.ready["status"] == "True"
