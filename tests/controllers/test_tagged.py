"""Applications whose owner consents by a tag: looked for cheaply, confirmed before it counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from appcredential.domain.inventory import Way
from appcredential.domain.marker import Owner
from appcredential.domain.spec.grant import allow_tag
from appcredential.errors import ThrottledError, UnavailableError
from appcredential.gather import granted
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.runtime.ready import Key
from tests.support.builders import CLIENT_ID, HOUR, IDENTITY, MINUTE, OWNER, SECOND
from tests.support.deletions import ANOTHER
from tests.support.watched import live
from tests.support.world import RESOURCE, World

TAG: Final = allow_tag(IDENTITY.cluster_id, OWNER.namespace)
ROUND: Final = timedelta(seconds=31)


def tagged(*tags: str, world: World | None = None) -> World:
    """Return a world whose only grant is for tagged applications."""
    world = world or World()
    world.put_grant("shop-apps", applications={"tagged": True})
    world.entra.tags = tags
    return world


async def begun(*tags: str) -> World:
    world = tagged(*tags)
    await world.look_at_tenant()
    return world


def stalled(world: World) -> str:
    found = world.conditions.get("Stalled") or world.conditions.get("Reconciling") or {}
    return str(found.get("reason"))


async def published() -> World:
    world = await begun(TAG)
    await world.until(lambda: world.ready["status"] == "True", 120)
    await live(world, 2 * MINUTE)
    world.entra.calls.clear()
    return world


async def test_a_tag_is_found_by_one_direct_read() -> None:
    world = await begun(TAG)
    await world.until(lambda: world.ready["status"] == "True", 120)
    assert world.entra.calls.count("read") == 1
    assert world.status["grant"] == "shop-apps"


async def test_without_the_tag_one_read_is_all_that_leaves() -> None:
    world = await begun()
    await live(world, 3 * MINUTE)
    assert stalled(world) == "NotGranted"
    assert f"lacks the tag {TAG}" in world.conditions["Stalled"]["message"]
    assert world.entra.calls == ["read"]


async def test_a_tag_that_is_added_is_seen_in_a_list_and_confirmed() -> None:
    world = await begun()
    await live(world, 3 * MINUTE)
    world.entra.tags = (TAG,)
    took = await live(world, HOUR, lambda: world.entra.is_made)
    assert took <= ROUND
    assert world.entra.calls.count("read") == 2


async def test_a_list_alone_issues_nothing() -> None:
    """It shows a tag that no direct read does: lists lag, and may be wrong."""
    world = await begun()
    await live(world, 3 * MINUTE)
    world.entra.lists.stale_tags = (TAG,)
    await live(world, HOUR)
    assert not world.entra.is_made
    assert stalled(world) == "NotGranted"
    assert world.entra.calls.count("read") <= 12  # at most as often as it is looked at


async def test_a_tag_in_another_form_wakes_nobody_for_nothing() -> None:
    world = await begun(TAG.upper())
    await live(world, 3 * MINUTE)
    assert f"Seen instead: {TAG.upper()}" in world.conditions["Stalled"]["message"]
    world.entra.calls.clear()
    await live(world, HOUR)
    assert world.entra.calls == []


async def test_an_unreadable_application_is_not_refused() -> None:
    world = await begun(TAG)
    world.entra.error = UnavailableError("503")
    await world.look()
    assert (stalled(world), world.ready["status"]) == ("DirectoryUnavailable", "False")
    assert "Reconciling" in world.conditions
    world.entra.error = None
    await world.until(lambda: world.ready["status"] == "True", 120)


async def test_what_graph_throttles_is_asked_again_in_its_time() -> None:
    world = await begun(TAG)
    world.entra.error = ThrottledError("429", retry_after=MINUTE)
    again = await world.look()
    assert again is not None
    assert SECOND < again <= MINUTE
    await world.look()
    assert world.entra.calls.count("read") == 1


async def test_an_application_that_entra_does_not_know_is_read_once() -> None:
    world = await begun()
    world.entra.is_missing = True
    await live(world, 10 * MINUTE)
    assert stalled(world) == "NotGranted"
    assert world.entra.calls.count("read") == 1
    world.entra.is_missing, world.entra.tags = False, (TAG,)
    assert await live(world, HOUR, lambda: world.entra.is_made) <= ROUND + MINUTE


async def test_a_lost_tag_is_a_withdrawn_grant() -> None:
    world = await published()
    made = dict(world.entra.credentials)
    world.entra.tags = ()
    took = await live(world, HOUR, lambda: stalled(world) == "GrantWithdrawn")
    assert took <= ROUND
    assert world.ready["status"] == "True"
    world.put_resource(OWNER, rotation={"rotateIssuedBefore": "2026-12-31T00:00:00Z"})
    world.entra.is_made = False
    world.clock.advance(timedelta(days=60))
    await live(world, HOUR)
    assert not world.entra.is_made
    assert world.entra.credentials == made
    world.entra.tags = (TAG,)
    await live(world, HOUR, lambda: world.entra.is_made)
    assert world.entra.is_made


async def test_a_list_that_lacks_the_tag_is_no_evidence() -> None:
    world = await published()
    world.entra.lists.stale_tags = ()
    await live(world, 10 * MINUTE)
    assert world.ready["status"] == "True"
    assert {"Stalled", "Reconciling"}.isdisjoint(world.conditions)


async def test_an_error_while_reading_is_no_lost_tag() -> None:
    world = await published()
    world.entra.lists.stale_tags = ()
    world.entra.error = UnavailableError("503")
    await live(world, 10 * MINUTE)
    assert world.ready["status"] == "True"
    assert stalled(world) != "GrantWithdrawn"
    world.entra.error = world.entra.lists.stale_tags = None
    await live(world, 10 * MINUTE)
    assert {"Stalled", "Reconciling"}.isdisjoint(world.conditions)


async def test_lists_that_fail_leave_the_direct_read_of_each_hour() -> None:
    world = await published()
    world.entra.lists.errors[Way.FILTER] = UnavailableError("503")
    world.entra.tags = ()
    took = await live(world, 3 * HOUR, lambda: stalled(world) == "GrantWithdrawn")
    assert took <= HOUR + MINUTE


def made_anew(world: World, client_id: str) -> None:
    """Replace the resource by one of the same name, and show it to the store."""
    world.api.take_away(RESOURCE)
    world.put_resource(OWNER, client_id)


async def test_one_that_is_made_anew_is_not_refused_for_the_tags_of_another_application() -> None:
    world = tagged(TAG)
    world.put_resource(OWNER, ANOTHER)
    await world.look_at_tenant()
    await world.look()
    assert world.entra.calls == ["read"]  # Entra has no such application
    made_anew(world, CLIENT_ID)
    await world.until(lambda: world.ready["status"] == "True", 120)


async def test_one_that_is_made_anew_is_not_granted_by_the_tags_of_another_application() -> None:
    world = await begun(TAG)
    await world.until(lambda: world.ready["status"] == "True", 120)
    made_anew(world, ANOTHER)
    await live(world, 10 * MINUTE)
    assert stalled(world) == "NotGranted"


async def test_a_clock_that_is_set_back_keeps_no_tag_from_being_seen() -> None:
    world = await begun()
    world.clock.advance(HOUR)
    await live(world, 3 * MINUTE)
    world.clock.set_wall(-HOUR)
    await live(world, 3 * MINUTE)
    world.entra.tags = (TAG,)
    assert await live(world, HOUR, lambda: world.entra.is_made) <= ROUND + MINUTE


async def test_a_namespace_full_of_made_up_ids_costs_so_many_reads_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(granted, "_BURST", 3)
    monkeypatch.setattr(granted, "_PER_SECOND", 0.0)
    world = await begun()
    for number in range(9):
        client_id = f"77777777-7777-7777-7777-{number:012d}"
        owner = Owner(OWNER.namespace, f"made-up-{number}")
        world.put_resource(owner, client_id, secret={"name": f"made-up-{number}"})
        await world.reconciler.reconcile(owner, "")
    assert world.entra.calls.count("read") == 3


async def test_lists_ask_for_a_bounded_number_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appcredential.controllers.doubts._MOST_WAITING", 2)
    world = await begun()
    for number in range(5):
        owner = Owner(OWNER.namespace, f"made-up-{number}")
        world.put_resource(owner, f"77777777-7777-7777-7777-{number:012d}")
        world.states.of(owner).tags.is_awaited = True
        world.store.ask_check(Key(APP_CREDENTIALS, owner.namespace, owner.name))
    assert len(world.inventory.doubts.users("default")) == 2


async def test_no_other_grant_has_anything_asked() -> None:
    world = tagged(TAG)
    world.put_grant("shop-apps", ("elsewhere",), applications={"tagged": True})
    await world.look_at_tenant()
    world.entra.calls.clear()
    await live(world, 10 * MINUTE)
    assert (world.entra.calls, world.entra.lists.asked) == ([], [])


async def test_the_broken_variant_that_takes_a_list_for_a_read_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without what follows the list, a tag that no direct read shows would be enough."""
    monkeypatch.setattr("appcredential.effects.issuing.read_tags", lambda _state: (TAG,))
    monkeypatch.setattr(granted, "known_tags", lambda _state: (TAG,))
    with pytest.raises(AssertionError):
        await test_a_list_alone_issues_nothing()
