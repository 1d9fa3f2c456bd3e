"""A resource that is deleted and created again: what its lives leave behind."""

from __future__ import annotations

from tests.support.builders import MINUTE
from tests.support.revocation_documents import REVOCATIONS, revocation_document
from tests.support.world import RESOURCE, World

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/appcredentials.appcredential.io"


async def left_under_another_name() -> tuple[World, str]:
    """Return a resource at work, and what an earlier life left under a second EntraTenant."""
    world = World()
    await world.publish()
    name, document = revocation_document({"tenant": "second", "resourceUid": "earlier-uid"})
    world.api.put(f"{REVOCATIONS}/{name}", document)
    await world.open_revocations.refresh()
    return world, f"{REVOCATIONS}/{name}"


async def test_it_cancels_what_an_earlier_life_left_under_another_tenants_name() -> None:
    world, left = await left_under_another_name()
    await world.look()
    assert left not in world.api.objects
    assert world.open_revocations.count == 0


async def test_its_deletion_replaces_that() -> None:
    world, left = await left_under_another_name()
    found = world.api.objects[RESOURCE]
    deleted = {**found["metadata"], "deletionTimestamp": "2026-11-22T09:00:00Z"}
    world.api.put(RESOURCE, {**found, "metadata": deleted})
    world.api.put(CRD, {})
    world.clock.advance(MINUTE)
    await world.look()
    assert left not in world.api.objects
    assert [r.tenant for _, r in world.open_revocations.items()] == ["default"]
