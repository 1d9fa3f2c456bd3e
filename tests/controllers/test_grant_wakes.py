from __future__ import annotations

import pytest

from appcredential.domain.marker import Owner
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, path_of
from tests.support.builders import CLIENT_ID
from tests.support.world import World

OTHER_ID = "55555555-5555-5555-5555-555555555555"
THIRD_ID = "66666666-6666-6666-6666-666666666666"


@pytest.fixture
def world() -> World:
    """Four resources: two namespaces, two applications, and one of another tenant."""
    made = World()
    made.put_resource(Owner("shop", "invoices"), OTHER_ID)
    made.put_resource(Owner("bank", "ledger"), CLIENT_ID)
    made.put_resource(Owner("shop", "abroad"), CLIENT_ID, tenantRef={"name": "other"})
    made.taken(APP_CREDENTIALS)
    return made


def woken(world: World) -> list[str]:
    return sorted(key.name for key in world.taken(APP_CREDENTIALS))


def test_a_new_grant_wakes_only_whom_it_names(world: World) -> None:
    world.put_grant("one", ("shop",), (CLIENT_ID,))
    assert woken(world) == ["orders"]
    world.put_grant("more", ("shop", "bank"), (CLIENT_ID, OTHER_ID))
    assert woken(world) == ["invoices", "ledger", "orders"]
    world.put_grant("none", ("shop",), (THIRD_ID,))
    assert woken(world) == []


def test_an_edited_grant_wakes_those_of_the_old_and_of_the_new_one(world: World) -> None:
    world.put_grant("one", ("shop",), (OTHER_ID,))
    woken(world)
    world.put_grant("one", ("bank",), (CLIENT_ID,))
    assert woken(world) == ["invoices", "ledger"]


def test_a_grant_shown_again_unchanged_wakes_nobody(world: World) -> None:
    world.put_grant("one", ("shop",), (CLIENT_ID,))
    woken(world)
    world.put_grant("one", ("shop",), (CLIENT_ID,))
    assert woken(world) == []


def test_a_withdrawn_grant_wakes_those_it_named(world: World) -> None:
    world.put_grant("one", ("bank",), (CLIENT_ID,))
    woken(world)
    world.sync.on_event(GRANTS, "DELETED", world.api.objects[path_of(GRANTS, "", "one")])
    assert woken(world) == ["ledger"]


def test_an_unusable_grant_wakes_those_it_named_before(world: World) -> None:
    world.put_grant("one", ("bank",), (CLIENT_ID,))
    woken(world)
    broken = world.api.put(path_of(GRANTS, "", "one"), {"spec": {"applications": {}}})
    world.sync.on_event(GRANTS, "MODIFIED", broken)
    assert woken(world) == ["ledger"]


def test_a_resource_whose_spec_is_broken_is_nobodys(world: World) -> None:
    path = path_of(APP_CREDENTIALS, "shop", "broken")
    world.sync.on_event(APP_CREDENTIALS, "ADDED", world.api.put(path, {"spec": None}))
    woken(world)
    world.put_grant("one", ("shop",), (CLIENT_ID,))
    assert woken(world) == ["orders"]
