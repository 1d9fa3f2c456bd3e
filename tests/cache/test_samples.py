"""What a scrape shows of the objects that the watches tell."""

from __future__ import annotations

from typing import Final

from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, TENANTS, path_of
from appcredential.runtime.metrics import ResourceSample, TenantSample
from tests.support.world import RESOURCE, World

PATHS: Final = {
    APP_CREDENTIALS: RESOURCE,
    TENANTS: path_of(TENANTS, "", "default"),
    GRANTS: path_of(GRANTS, "", "shop-apps"),
}


def see_all(world: World) -> None:
    """Let the watches tell of every object."""
    for plural, path in PATHS.items():
        world.sync.on_event(plural, "MODIFIED", world.api.objects[path])


async def test_a_tenant_and_its_user_are_shown_and_a_grant_is_not() -> None:
    world = World()
    await world.look_at_tenant()
    await world.publish()
    see_all(world)
    tenants = [s for s in world.store.samples() if isinstance(s, TenantSample)]
    assert tenants == [TenantSample("default", "True")]
    (resource,) = (s for s in world.store.samples() if isinstance(s, ResourceSample))
    assert (resource.namespace, resource.name, resource.ready) == ("shop", "orders", "True")


async def test_a_tenant_that_cannot_be_used_is_shown_with_its_reason() -> None:
    world = World(trial=True)
    await world.look_at_tenant()
    see_all(world)
    tenants = [s for s in world.store.samples() if isinstance(s, TenantSample)]
    assert tenants == [TenantSample("default", "False", "NotInATrial")]
