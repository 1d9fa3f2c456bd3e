"""A world in which lists are read, too: time passes second by second, as in a process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS, path_of
from appcredential.runtime.ready import Key
from tests.support.builders import OWNER, SECOND
from tests.support.world import RESOURCE, World

KEY = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)


async def live(
    world: World,
    length: timedelta,
    until: Callable[[], object] = lambda: False,
    *,
    signs_in: bool = False,
) -> timedelta:
    """Let time pass, with rounds over the lists; the resource is looked at when it is due.

    Args:
        world: which has a resource.
        length: how long to go on.
        until: ends it sooner.
        signs_in: what is published signs in now and then, too.

    Returns:
        How long it took.
    """
    world.sync.on_event(TENANTS, "ADDED", world.api.objects[path_of(TENANTS, "", "default")])
    begun, due = world.clock.now(), world.clock.now() + (await world.look() or timedelta(0))
    world.woken.clear()
    while world.clock.now() - begun < length and not until():
        world.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.objects[RESOURCE])
        await world.inventory.run_once()
        await world.inventory.finish()
        if signs_in:
            await world.sign_ins.run_once()
            await world.sign_ins.finish()
        if KEY in world.woken or world.clock.now() >= due:
            world.woken.clear()
            due = world.clock.now() + (await world.look() or timedelta(0))
        world.clock.advance(SECOND)
    return world.clock.now() - begun
