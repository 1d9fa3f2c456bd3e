"""A namespace is deleted, and the Role that lets the operator read its Secrets goes first."""

from __future__ import annotations

from typing import Final

import pytest

from tests.controllers.test_many_deletions import Deleting
from tests.support.builders import HOUR, MINUTE, OBJECT_ID, OWNER, TENANT_ID
from tests.support.deletions import Deletion
from tests.support.world import RESOURCE, SECRETS

NAMESPACE: Final = f"/api/v1/namespaces/{OWNER.namespace}"
FORBIDDEN: Final = (
    'secrets is forbidden: User "system:serviceaccount:quota:op" cannot get resource "secrets" '
    'in API group "" in the namespace "shop"'
)
LEAVING: Final = {"metadata": {"deletionTimestamp": "2026-11-22T10:00:00Z"}}


async def without_its_role() -> Deleting:
    """Return a world whose operator has lost its Role there, an hour after it published."""
    world = Deleting()
    world.api.put(NAMESPACE, {})
    await world.publish()
    world.clock.advance(HOUR)  # whatever was read is too old now
    world.api.refuse("GET POST PUT DELETE", SECRETS, FORBIDDEN)
    return world


@pytest.mark.parametrize("is_gone", [False, True], ids=["being deleted", "gone"])
async def test_it_is_released_and_what_was_issued_there_is_to_be_revoked(*, is_gone: bool) -> None:
    world = await without_its_role()
    world.api.refuse("PATCH", f"{RESOURCE}/status", FORBIDDEN)
    if is_gone:
        del world.api.objects[NAMESPACE]
    else:
        world.api.put(NAMESPACE, LEAVING)
    await world.finish()
    assert not world.has_finalizer
    (ticket,) = world.tickets
    recorded = world.api.objects[ticket]["data"]
    assert (recorded["tenantId"], recorded["objectId"]) == (TENANT_ID, OBJECT_ID)


async def test_one_deletion_in_a_namespace_that_stays_waits_for_the_role() -> None:
    """Its Secrets exist, and tell what has to be revoked."""
    world = await without_its_role()
    await world.finish()
    assert world.has_finalizer
    assert world.tickets == []
    assert world.conditions["Stalled"]["reason"] == "SecretForbidden"
    world.api.refusals.clear()
    await world.finish()
    assert not world.has_finalizer
    assert len(world.tickets) == 1


async def test_a_namespace_that_may_not_be_read_counts_as_one_that_stays() -> None:
    world = await without_its_role()
    world.api.put(NAMESPACE, LEAVING)
    world.api.refuse("GET", NAMESPACE, FORBIDDEN)
    await world.finish()
    assert world.has_finalizer
    assert world.conditions["Stalled"]["reason"] == "SecretForbidden"


async def test_a_resource_that_stays_is_not_judged_by_a_leaving_namespace() -> None:
    """Its Secrets count as unread, so nothing is issued in place of what cannot be seen."""
    world = await without_its_role()
    world.api.put(NAMESPACE, LEAVING)
    calls = list(world.entra.calls)
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "SecretForbidden"
    assert world.entra.calls == calls


async def test_a_revocation_does_not_wait_until_the_namespace_is_gone() -> None:
    """Another finalizer may hold the namespace for ever."""
    world = Deletion()
    world.kube.put(NAMESPACE, LEAVING)
    world.kube.refuse("GET PUT DELETE", SECRETS, FORBIDDEN)
    await world.pass_(30 * MINUTE)
    assert not world.is_open
    assert len(world.directory.removed) == 1
