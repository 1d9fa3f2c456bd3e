"""A trial never signs in to a real tenant, and says everywhere that it is one."""

from __future__ import annotations

from tests.support.world import World


async def test_a_real_tenant_is_refused_before_anything_is_sent() -> None:
    world = World(trial=True)
    await world.look_at_tenant()
    ready = world.tenant_conditions["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "NotInATrial")
    assert ready["message"].startswith("TRIAL: ")
    assert world.tenant_conditions["Stalled"]["reason"] == "NotInATrial"
    assert (world.sessions, world.entra.probes) == ([], 0)
    await world.look()
    assert world.ready["reason"] == "TenantNotReady"
    assert world.entra.calls == []


async def test_a_custom_one_is_served_and_ready_says_that_it_is_a_trial() -> None:
    world = World(trial=True)
    world.set_cloud("Custom")
    await world.look_at_tenant()
    assert world.tenant_conditions["Ready"]["status"] == "True"
    await world.until(lambda: world.ready["status"] == "True")
    assert world.ready["message"] == "TRIAL: The Secret holds a valid credential."
    assert not world.conditions["Verified"]["message"].startswith("TRIAL")


async def test_without_a_trial_nothing_says_so() -> None:
    world = World()
    await world.look_at_tenant()
    assert not world.tenant_conditions["Ready"]["message"].startswith("TRIAL")
