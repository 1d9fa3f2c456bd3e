"""An EntraTenant that is deleted while resources use it says who holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.marker import Owner
from appcredential.domain.spec.model import TenantId
from appcredential.domain.status.cluster_kinds import in_use
from appcredential.errors import IdentityRejectedError
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS, path_of
from tests.support.builders import NOW, OWNER, SECOND
from tests.support.world import RESOURCE, World

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD = f"{CRDS}/appcredentials.appcredential.io"
TENANTS_CRD = f"{CRDS}/entratenants.appcredential.io"
PATH = path_of(TENANTS, "", "default")


def _delete_tenant(world: World) -> None:
    found = world.api.objects[PATH]
    world.api.put(
        PATH, {**found, "metadata": {**found["metadata"], "deletionTimestamp": NOW.isoformat()}}
    )


def _told(world: World) -> list[dict[str, Any]]:
    return [event for event in world.events if event["reason"] == "InUse"]


async def test_who_uses_it_is_told_once_and_it_serves_them_on() -> None:
    world = World()
    await world.publish()
    _delete_tenant(world)
    for number in range(7):
        world.put_resource(Owner("shop", f"more-{number}"))
        await world.look_at_tenant()
    condition = world.tenant_conditions["Reconciling"]
    assert condition["reason"] == "InUse"
    names = "shop/more-0, shop/more-1, shop/more-2, shop/more-3, shop/more-4 and 3 more (8 in all)"
    assert names in condition["message"]
    assert len(_told(world)) == 1
    assert world.tenant_conditions["Ready"]["status"] == "True"
    await world.look()
    assert world.ready["status"] == "True"


async def test_it_goes_with_the_last_of_them() -> None:
    world = World()
    await world.publish()
    _delete_tenant(world)
    await world.look_at_tenant()
    path = path_of(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects.pop(path))
    world.clock.advance(30 * SECOND)
    await world.look_at_tenant()
    left = world.api.objects.get(PATH, {"metadata": {}})
    assert not left["metadata"].get("finalizers")


async def test_it_is_told_beside_what_else_is_wrong() -> None:
    world = World()
    await world.publish()
    world.entra.error = IdentityRejectedError("token: refused", code=7000222)
    world.tenants.request_probe("default", 0 * SECOND)
    world.clock.advance(SECOND)
    world.tenants.request_probe("default", 0 * SECOND)
    _delete_tenant(world)
    await world.look_at_tenant()
    condition = world.tenant_conditions["Stalled"]
    assert condition["reason"] == "IdentityRejected"
    assert "shop/orders (1 in all)" in condition["message"]
    assert "Reconciling" not in world.tenant_conditions


@pytest.mark.parametrize(("count", "words"), [(1, "u0 (1 in all)"), (5, "u4 (5 in all)")])
def test_few_are_all_named(count: int, words: str) -> None:
    assert f"{words}." in in_use([f"u{n}" for n in range(count)]).message


# --- what deleted resources left --------------------------------------------------------------


def _apply_and_delete_both(world: World) -> None:
    """As `kubectl delete -f file` does with a file that holds both."""
    world.api.put(CRD, {})
    _delete_tenant(world)
    found = world.api.objects[RESOURCE]
    metadata = {**found["metadata"], "deletionTimestamp": NOW.isoformat()}
    world.sync.on_event(
        APP_CREDENTIALS, "MODIFIED", world.api.put(RESOURCE, {**found, "metadata": metadata})
    )


async def _release(world: World) -> None:
    """Let the resource go, with its revocation scheduled."""
    world.clock.advance(30 * SECOND)
    await world.until(lambda: not _finalizers(world, RESOURCE))
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects.pop(RESOURCE))


def _finalizers(world: World, path: str) -> list[str]:
    found: list[str] = world.api.objects[path]["metadata"].get("finalizers") or []
    return found


async def test_it_stays_for_the_revocation_of_what_was_deleted_with_it() -> None:
    world = World()
    await world.publish()
    _apply_and_delete_both(world)
    await world.look_at_tenant()
    await _release(world)
    for _ in range(3):
        world.clock.advance(30 * SECOND)
        await world.look_at_tenant()
        assert _finalizers(world, PATH)
    condition = world.tenant_conditions["Reconciling"]
    assert condition["reason"] == "RevocationsOpen"
    assert "shop/orders (1 in all)" in condition["message"]
    assert world.tenant_conditions["Ready"]["status"] == "True"
    told = [e["reason"] for e in world.events if e["regarding"]["kind"] == "EntraTenant"]
    assert told == ["InUse", "RevocationsOpen"]
    ((name, _),) = world.open_revocations.items()
    world.open_revocations.note(name, None)
    await world.look_at_tenant()
    assert not _finalizers(world, PATH)


async def test_whoever_deletes_the_record_lets_it_go_although_its_identity_is_broken() -> None:
    """The way out that the condition names."""
    world = World()
    await world.publish()
    _apply_and_delete_both(world)
    await _release(world)
    world.put_identity_data(None)
    world.clock.advance(timedelta(hours=1))
    await world.look_at_tenant()
    assert _finalizers(world, PATH)
    stalled = world.tenant_conditions["Stalled"]
    assert "shop/orders (1 in all)" in stalled["message"]
    assert "delete their ConfigMaps" in stalled["message"]
    for path in [path for path in world.api.objects if "/configmaps/" in path]:
        del world.api.objects[path]
    await world.open_revocations.refresh()
    await world.look_at_tenant()
    assert not _finalizers(world, PATH)


async def test_what_is_left_in_another_directory_does_not_hold_it() -> None:
    """It waits for an EntraTenant of this name that leads there, so this one must go first."""
    world = World()
    await world.publish()
    _apply_and_delete_both(world)
    await _release(world)
    ((name, revocation),) = world.open_revocations.items()
    elsewhere = replace(revocation, tenant_id=TenantId("another directory"))
    world.open_revocations.note(name, elsewhere)
    await world.look_at_tenant()
    assert not _finalizers(world, PATH)


async def test_what_is_retained_does_not_hold_it() -> None:
    world = World()
    world.put_resource(OWNER, deletionPolicy="Retain")
    await world.publish()
    _apply_and_delete_both(world)
    await _release(world)
    assert world.open_revocations.count == 1
    await world.look_at_tenant()
    assert not _finalizers(world, PATH)


# --- the deletion of the CRD ------------------------------------------------------------------


def _delete_crd(world: World) -> None:
    world.api.put(TENANTS_CRD, {"metadata": {"deletionTimestamp": NOW.isoformat()}})


async def test_revocations_do_not_hold_up_the_deletion_of_the_crd() -> None:
    world = World()
    await world.publish()
    world.api.put(TENANTS_CRD, {})
    _apply_and_delete_both(world)
    await _release(world)
    await world.look_at_tenant()
    assert _finalizers(world, PATH)
    _delete_crd(world)
    await world.look_at_tenant()
    assert not _finalizers(world, PATH)
    assert world.open_revocations.count == 1


async def test_users_hold_it_also_then() -> None:
    """They let it go themselves: their own CRD goes as well, or somebody deletes them."""
    world = World()
    await world.publish()
    _delete_crd(world)
    _delete_tenant(world)
    await world.look_at_tenant()
    assert _finalizers(world, PATH)


async def test_the_crd_is_read_only_where_revocations_alone_hold_it() -> None:
    world = World()
    await world.publish()
    _delete_tenant(world)
    await world.look_at_tenant()
    assert TENANTS_CRD not in [request.path for request in world.api.requests]
