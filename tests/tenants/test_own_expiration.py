from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from appcredential.errors import UnavailableError
from appcredential.kube.custom_resources import TENANTS
from tests.support.builders import HOUR
from tests.support.world import TENANT, World

END = datetime(2027, 2, 20, 10, tzinfo=UTC)


def identity(world: World) -> dict[str, Any]:
    (document,) = (
        found for path, found in world.api.objects.items() if path.endswith(f"/{TENANTS}/default")
    )
    told: dict[str, Any] = document["status"]["identity"]
    return told


async def test_status_tells_when_the_operator_s_own_credential_ends() -> None:
    world = World()
    world.entra.expiration = END
    await world.look_at_tenant()
    assert identity(world)["expirationTime"] == "2027-02-20T10:00:00Z"
    assert identity(world)["clientId"]


async def test_what_cannot_be_told_is_left_out() -> None:
    world = World()
    await world.look_at_tenant()
    assert list(identity(world)) == ["clientId"]


async def test_a_failed_probe_forgets_nothing_and_a_good_one_renews_it() -> None:
    world = World()
    world.entra.expiration = END
    await world.look_at_tenant()
    world.entra.probe_errors = [UnavailableError("probe: HTTP 503")]
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    assert identity(world)["expirationTime"] == "2027-02-20T10:00:00Z"
    world.entra.expiration = END.replace(year=2028)
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    assert identity(world)["expirationTime"] == "2028-02-20T10:00:00Z"


async def test_another_credential_does_not_inherit_the_end() -> None:
    world = World()
    world.entra.expiration = END
    await world.look_at_tenant()
    world.put_identity("YW5vdGhlcg==")
    world.entra.expiration = None
    await world.look_at_tenant()
    assert TENANT.name == "default"
    assert list(identity(world)) == ["clientId"]
