from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.errors import IdentityRejectedError
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS
from tests.support.session import MemorySession
from tests.support.world import TENANT, World

REJECTED = IdentityRejectedError("token: Entra refuses the operator (AADSTS7000222)", code=7000222)
SECOND = timedelta(seconds=1)


async def _expired(world: World) -> None:
    """Have the operator's own credential end while a new credential is wanted."""
    await world.look_at_tenant()
    world.taken(TENANTS)
    world.entra.error = REJECTED


async def test_a_rejected_identity_is_told_as_the_tenants_and_not_as_a_missing_owner() -> None:
    world = World()
    await _expired(world)
    wait = await world.look()
    assert world.ready["reason"] == "TenantNotReady"
    assert "IdentityRejected" in world.ready["message"]
    assert "owner" not in world.ready["message"]
    assert wait is not None
    assert wait <= 10 * SECOND


async def test_whoever_meets_it_has_the_tenant_probed_at_once() -> None:
    world = World()
    await _expired(world)
    world.clock.advance(10 * SECOND)
    await world.look()
    assert world.taken(TENANTS) == [TENANT]
    world.taken(APP_CREDENTIALS)
    wait = await world.look_at_tenant()
    assert wait == 30 * SECOND
    assert world.tenant_conditions["Ready"]["reason"] == "IdentityRejected"
    assert [key.name for key in world.taken(APP_CREDENTIALS)] == ["orders"]


async def test_everyone_follows_when_a_valid_one_is_put_there() -> None:
    world = World()
    await _expired(world)
    world.clock.advance(10 * SECOND)
    await world.look()
    await world.look_at_tenant()
    world.entra.error = None
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    world.clock.advance(30 * SECOND)
    world.taken(APP_CREDENTIALS)
    await world.look_at_tenant()
    assert world.tenant_conditions["Ready"]["status"] == "True"
    assert world.taken(APP_CREDENTIALS)
    await world.until(lambda: world.ready["status"] == "True")


async def test_many_who_meet_it_cause_one_probe() -> None:
    world = World()
    await _expired(world)
    world.clock.advance(10 * SECOND)
    for _ in range(50):
        world.tenants.request_probe("default", 10 * SECOND)
    assert world.taken(TENANTS) == [TENANT]
    await world.look_at_tenant()
    for _ in range(50):
        world.clock.advance(SECOND)
        world.tenants.request_probe("default", 10 * SECOND)
    assert world.taken(TENANTS) == []
    assert world.entra.probes == 2


async def test_an_unknown_tenant_is_not_doubted() -> None:
    world = World()
    world.tenants.request_probe("elsewhere", 10 * SECOND)
    assert world.taken(TENANTS) == []


@pytest.mark.parametrize("good", [True, False])
async def test_a_probe_that_goes_well_after_all_wakes_nobody(good: bool) -> None:
    world = World()
    await world.look_at_tenant()
    world.taken(APP_CREDENTIALS)
    world.clock.advance(timedelta(minutes=1))
    world.entra.probe_errors = [None if good else REJECTED]
    world.tenants.request_probe("default", 10 * SECOND)
    await world.look_at_tenant()
    assert bool(world.taken(APP_CREDENTIALS)) is not good


@pytest.mark.parametrize(
    "changed", [{"tenantId": "99999999-9999-4999-8999-999999999999"}, {"cloud": "USGovernment"}]
)
async def test_one_made_anew_under_its_name_is_another_tenant(changed: dict[str, str]) -> None:
    """Deleted and made again between two looks: the session of the one before is not used."""
    world = World()
    await world.look_at_tenant()
    before, world.entra = world.entra, MemorySession(world.clock)
    path = next(p for p in world.api.objects if p.endswith("entratenants/default"))
    found = world.api.objects[path]
    world.api.put(path, {**found, "spec": {**found["spec"], **changed}})
    await world.look_at_tenant()
    access = world.tenants.access("default")
    assert getattr(access, "session", None) is world.entra
    assert (before.closed, world.entra.probes) == (1, 1)
