"""What a watch shows of our own writes wakes nobody; whatever else changed does."""

from __future__ import annotations

import copy
from typing import Any, Final

import pytest

from appcredential.domain.marker import Owner
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, TENANTS, path_of
from appcredential.runtime.ready import Key
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import OWNER
from tests.support.world import RESOURCE, World

ORDERS: Final = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)


class Watched:
    """A world whose API server keeps each version of the resource, as a watch would show it."""

    def __init__(self) -> None:
        self.world = World()
        self.versions: list[dict[str, Any]] = []
        self._put = self.world.api.put
        self.world.api.put = self._note  # type: ignore[method-assign]
        self.world.woken.clear()

    def _note(self, path: str, document: Any) -> dict[str, Any]:
        found = self._put(path, document)
        if path == RESOURCE:
            self.versions.append(copy.deepcopy(found))
        return found

    def show(self) -> list[Key]:
        """Let the watch show what it has not shown yet; return who was woken."""
        versions, self.versions = self.versions, []
        for document in versions:
            self.world.sync.on_event(APP_CREDENTIALS, "MODIFIED", document)
        return self.world.taken(APP_CREDENTIALS)


@pytest.fixture
async def watched() -> Watched:
    return Watched()


async def test_from_nothing_to_ready_no_echo_wakes_the_resource(watched: Watched) -> None:
    await watched.world.look_at_tenant()
    watched.world.taken(APP_CREDENTIALS)
    for _ in range(20):
        await watched.world.look()
        assert watched.show() == []
        watched.world.clock.advance(watched.world.process.settings.first_proof_spacing)
    assert watched.world.ready["status"] == "True"


async def test_all_versions_of_one_pass_are_known_by_the_last_one(watched: Watched) -> None:
    await watched.world.publish()
    watched.world.taken(APP_CREDENTIALS)
    assert len(watched.versions) > 2
    assert watched.show() == []


async def test_a_change_of_somebody_else_wakes_it(watched: Watched) -> None:
    await watched.world.publish()
    watched.show()
    document = watched.world.api.objects[RESOURCE]
    labels = {**document["metadata"], "labels": {"team": "shop"}}
    watched.world.api.put(RESOURCE, {**document, "metadata": labels})
    assert watched.show() == [ORDERS]


async def test_a_change_that_our_own_write_follows_at_once_is_not_lost(watched: Watched) -> None:
    """Its own event may even be left out: a watch may show the last version only."""
    await watched.world.publish()
    watched.show()
    document = watched.world.api.objects[RESOURCE]
    asked = {**document["metadata"], "generation": document["metadata"]["generation"] + 1}
    found = watched.world.api.put(RESOURCE, {**document, "metadata": asked})
    resource = await watched.world.tools.kube.resources.get(OWNER)
    assert resource is not None
    assert resource.resource_version == found["metadata"]["resourceVersion"]
    await watched.world.tools.kube.resources.apply_status(resource, {"conditions": []})
    watched.versions[:] = watched.versions[-1:]
    assert watched.show() == [ORDERS]


async def test_an_event_before_the_answer_asks_again_after_the_work() -> None:
    world = World()
    await world.look_at_tenant()

    def before(method: str, path: str) -> None:
        """Show the write of a moment ago, whose answer is not there yet."""
        if path == RESOURCE and method == "PATCH" and not world.needless:
            live = copy.deepcopy(world.api.objects[RESOURCE])
            live["metadata"]["resourceVersion"] = str(world.api.version + 1)
            world.sync.on_event(APP_CREDENTIALS, "MODIFIED", live)

    world.api.before = before
    await world.look()
    (is_needless,) = world.needless
    assert is_needless()


async def test_who_wants_the_same_secret_is_still_woken(watched: Watched) -> None:
    watched.world.put_resource(Owner(OWNER.namespace, "second"))
    await watched.world.look_at_tenant()
    watched.world.taken(APP_CREDENTIALS)
    await watched.world.look()
    assert {key.name for key in watched.show()} == {"second"}


async def test_tenants_and_grants_hear_no_echo_either() -> None:
    world = World()
    path = path_of(TENANTS, "", "default")
    world.sync.on_event(TENANTS, "ADDED", world.api.objects[path])
    world.woken.clear()
    await world.look_at_tenant()
    world.woken.clear()
    world.sync.on_event(TENANTS, "MODIFIED", world.api.objects[path])
    assert world.taken(TENANTS) == []
    assert world.taken(GRANTS) == []


async def test_a_resource_that_comes_back_under_its_name_is_news(watched: Watched) -> None:
    await watched.world.publish()
    watched.show()
    document = copy.deepcopy(watched.world.api.objects[RESOURCE])
    watched.world.sync.on_event(APP_CREDENTIALS, "DELETED", document)
    assert watched.world.taken(APP_CREDENTIALS) == [ORDERS]
    watched.world.sync.on_event(APP_CREDENTIALS, "ADDED", document)
    assert watched.world.taken(APP_CREDENTIALS) == [ORDERS]


# --- who is woken by the end of a resource ---------------------------------------------------

DEFAULT: Final = Key(TENANTS, "", "default")


@pytest.mark.parametrize("is_leaving", [False, True])
async def test_the_end_of_a_resource_wakes_its_tenant_only_if_that_waits_for_it(
    is_leaving: bool,
) -> None:
    world = World()
    await world.publish()
    path = path_of(TENANTS, "", "default")
    if is_leaving:
        found = world.api.objects[path]
        leaving = {**found["metadata"], "deletionTimestamp": "2026-11-22T10:00:00Z"}
        shown = world.api.put(path, {**found, "metadata": leaving})
        world.sync.on_event(TENANTS, "MODIFIED", shown)
    world.woken.clear()
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects[RESOURCE])
    assert (DEFAULT in world.woken) == is_leaving


@pytest.mark.parametrize("kind", [World, Federated])
async def test_the_end_of_a_resource_wakes_those_of_its_namespace_and_application(
    kind: type[World],
) -> None:
    """Those that wait, and those that may take over a trust; no others, however many there are."""
    world = kind()
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    waiting, served = Owner("shop", "billing"), Owner("shop", "returns")
    for owner in (waiting, served, Owner("press", "orders")):
        world.put_resource(owner, secret={"name": owner.name})
    path = path_of(APP_CREDENTIALS, served.namespace, served.name)
    told = {"application": {"objectId": "x"}}
    shown = world.api.put(path, {**world.api.objects[path], "status": told})
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", shown)
    elsewhere = "5d0c4f2e-0000-4000-8000-000000000001"
    world.put_resource(Owner("shop", "other"), client_id=elsewhere, secret={"name": "other"})
    world.woken.clear()
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects[RESOURCE])
    woken = {Owner(key.namespace, key.name) for key in world.taken(APP_CREDENTIALS)}
    assert woken == {OWNER, waiting, *([served] if kind is Federated else [])}


async def test_a_resource_made_anew_while_a_list_is_on_its_way_stays_known() -> None:
    """The list was taken between its end and its new life."""
    world = World()
    await world.publish()
    old = world.api.objects[RESOURCE]
    world.api.objects["/version"] = {"major": "1", "minor": "36", "metadata": {}}

    def make_anew(_method: str, path: str) -> None:
        if path.endswith("/appcredentials"):
            world.api.before = lambda *_: None
            world.sync.on_event(APP_CREDENTIALS, "DELETED", old)
            new = {**old, "metadata": {**old["metadata"], "uid": "another"}}
            world.sync.on_event(APP_CREDENTIALS, "ADDED", new)
            del world.api.objects[RESOURCE]

    world.api.before = make_anew
    await world.sync.relist()
    known = world.store.get(ORDERS)
    assert known is not None
    assert known.uid == "another"
