from __future__ import annotations

from datetime import timedelta

from appcredential.kube.custom_resources import APP_CREDENTIALS
from tests.support.builders import HOUR, MINUTE
from tests.support.world import World


async def test_a_tenant_is_probed_each_minute_while_its_clock_blocks() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.skew_now = HOUR
    for _ in range(10):
        world.clock.advance(await world.look_at_tenant() or MINUTE)
    assert 4 <= world.entra.probes - 1 <= 5


async def test_a_tenant_whose_clock_is_right_is_probed_each_hour() -> None:
    world = World()
    for _ in range(130):
        world.clock.advance(await world.look_at_tenant() or MINUTE)
    assert world.entra.probes == 2


async def test_whoever_a_wrong_clock_held_is_woken_when_it_is_right() -> None:
    world = World()
    await world.publish()
    world.entra.skew_now = HOUR
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "ClockSkew"
    world.clock.advance(MINUTE)
    world.taken(APP_CREDENTIALS)
    await world.look_at_tenant()
    assert world.taken(APP_CREDENTIALS) == []
    world.entra.skew_now = timedelta(0)
    world.clock.advance(MINUTE)
    await world.look_at_tenant()
    assert [key.name for key in world.taken(APP_CREDENTIALS)] == ["orders"]
    await world.look()
    assert "Stalled" not in world.conditions


async def test_a_new_session_forgets_nobody_whom_a_wrong_clock_held() -> None:
    world = World()
    await world.publish()
    world.entra.skew_now = HOUR
    await world.look()
    world.entra.skew_now = None
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    world.clock.advance(MINUTE)
    world.taken(APP_CREDENTIALS)
    await world.look_at_tenant()
    assert [key.name for key in world.taken(APP_CREDENTIALS)] == ["orders"]


async def test_a_new_credential_of_the_operator_is_taken_up_within_a_minute() -> None:
    world = World()
    wait = await world.look_at_tenant()
    assert wait is not None
    assert wait < MINUTE
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    world.clock.advance(wait)
    await world.look_at_tenant()
    assert (len(world.sessions), world.entra.probes) == (2, 2)
