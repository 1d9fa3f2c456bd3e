"""What lists show is noticed soon, and nothing follows from it but a direct read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appcredential.controllers import doubts
from appcredential.controllers.doubts import Doubts
from appcredential.domain.inventory import Way
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Application
from appcredential.domain.proof import PROVEN, record
from appcredential.domain.spec.model import ClientId
from appcredential.errors import (
    AppCredentialError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
    UnusableListError,
)
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.runtime.ready import Key
from tests.controllers.test_certificate import Certified
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import HOUR, MINUTE, NOT_YET, OWNER, SECOND, application
from tests.support.watched import live
from tests.support.world import RESOURCE, TARGET, World


async def settled(world: World | None = None) -> World:
    """Return a world with a published credential that lists have confirmed for an hour."""
    world = world or World()
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    await live(world, 2 * MINUTE)
    world.entra.calls.clear()
    world.entra.lists.asked.clear()
    world.api.requests.clear()
    return world


def direct_reads(world: World) -> int:
    return world.entra.calls.count("read")


async def test_a_settled_application_is_never_read_while_lists_confirm_it() -> None:
    world = await settled()
    await live(world, 3 * HOUR)
    assert direct_reads(world) == 0
    assert 350 <= len(world.entra.lists.asked) <= 361
    assert world.api.count("POST PUT PATCH DELETE", "") == 0


async def test_without_lists_it_is_read_every_hour() -> None:
    world = await settled()
    world.entra.lists.errors[Way.FILTER] = UnavailableError("503")
    await live(world, 3 * HOUR)
    assert 2 <= direct_reads(world) <= 4


async def test_a_removal_is_read_directly_within_a_round() -> None:
    world = await settled()
    world.entra.credentials.clear()
    world.entra.sign_in_result = NOT_YET
    took = await live(world, HOUR, lambda: direct_reads(world))
    assert took <= timedelta(seconds=31)
    assert world.entra.calls[:2] == ["read", "sign-in"]


async def test_a_certificate_that_is_removed_is_read_directly_within_a_round() -> None:
    world = await settled(Certified())
    world.entra.credentials.clear()
    world.entra.sign_in_result = NOT_YET
    assert await live(world, HOUR, lambda: direct_reads(world)) <= timedelta(seconds=31)


@pytest.mark.parametrize("is_edited", [True, False])
async def test_a_trust_that_is_changed_is_read_and_made_anew_within_a_round(
    is_edited: bool,
) -> None:
    world = Federated()
    await settled(world)
    (trust,) = world.entra.trusts.values()
    if is_edited:
        world.entra.put(replace(trust, issuer="https://elsewhere.example"))
    else:
        world.entra.trusts.clear()
    took = await live(world, HOUR, lambda: world.subjects == [trust.subject] and took_back(world))
    assert took <= timedelta(seconds=31)


@pytest.mark.parametrize("kind", [World, Certified])
async def test_a_removal_is_said_within_a_minute(kind: type[World]) -> None:
    world = await settled(kind())
    world.entra.credentials.clear()
    world.entra.sign_in_result = NOT_YET
    took = await live(world, HOUR, lambda: world.ready["status"] == "False")
    assert took <= MINUTE
    assert world.ready["reason"] == "CredentialMissing"
    await live(world, 5 * MINUTE, lambda: world.entra.credentials)  # a successor is there
    world.entra.sign_in_result = PROVEN
    await live(world, 5 * MINUTE, lambda: world.ready["reason"] == "Published")
    assert world.ready["reason"] == "Published"


@pytest.mark.parametrize("kind", [World, Certified])
async def test_a_removal_right_after_a_sign_in_is_said_within_a_minute_too(
    kind: type[World],
) -> None:
    """That it signed in before the removal says nothing of what is so now."""
    world = await settled(kind())
    (state,) = world.states._states.values()
    attempt = state.target.value.published.attempt  # type: ignore[union-attr]
    proven = record(None, str(attempt), PROVEN, world.clock.now())
    state.memory = replace(state.memory, published_proof=proven)
    world.clock.advance(timedelta(seconds=1))
    world.entra.credentials.clear()
    world.entra.sign_in_result = NOT_YET
    took = await live(world, HOUR, lambda: world.ready["status"] == "False")
    assert took <= MINUTE
    assert world.ready["reason"] == "CredentialMissing"


async def test_a_removal_is_noticed_though_the_clock_was_set_back() -> None:
    world = await settled()
    removed: list[float] = []

    def remove() -> bool:
        if not removed:  # after the look that `live` begins with
            removed.append(world.clock.seconds)
            world.clock.set_wall(-HOUR)
            world.entra.credentials.clear()
            world.entra.sign_in_result = NOT_YET
        return world.ready["status"] == "False" or world.clock.seconds - removed[0] > 600

    await live(world, HOUR, remove)
    assert world.clock.seconds - removed[0] <= MINUTE.total_seconds()


async def test_a_clock_that_was_set_back_costs_one_read() -> None:
    world = await settled()
    begun = world.clock.seconds

    def set_back() -> bool:
        if world.clock.seconds == begun:
            world.clock.set_wall(-HOUR)
        return world.clock.seconds - begun > 1800

    await live(world, HOUR, set_back)
    assert direct_reads(world) == 1


async def test_what_is_removed_right_after_the_publish_is_noticed_too() -> None:
    """The last direct read is from before the credential was made, and so agrees with the list."""
    world = World()
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True")
    world.entra.credentials.clear()
    world.entra.sign_in_result = NOT_YET
    took = await live(world, HOUR, lambda: world.ready["status"] == "False")
    assert took <= MINUTE + timedelta(seconds=1)
    assert world.ready["reason"] == "CredentialMissing"


async def test_what_was_just_made_costs_no_read_whenever_a_round_passes() -> None:
    world = World()
    await world.look_at_tenant()

    def begin_a_round() -> bool:
        world.inventory._schedules.clear()
        return False

    await live(world, MINUTE, begin_a_round)
    assert world.ready["status"] == "True"
    assert len(world.entra.lists.asked) == 60
    assert direct_reads(world) == 1
    held = world.states.of(OWNER).target
    assert held.is_outline, "the value stays in memory"


async def _shown(age: timedelta, published: timedelta) -> None:
    """See that a list which shows the published credential changes no direct read without it.

    Args:
        age: of the direct read.
        published: how long ago that was.
    """
    world = await settled()
    world.entra.lists.stale = tuple(world.entra.credentials.values())
    state, now = world.states.of(OWNER), world.clock.now()
    assert state.target.value is not None
    state.target.keep_outline(replace(state.target.value, published_time=now - published))
    state.application = application(read_time=now - age)
    world.inventory._schedules.clear()
    await world.inventory.run_once()
    await world.inventory.finish()
    assert state.application.credentials == ()


async def test_a_list_passes_for_no_young_direct_read() -> None:
    """What removes an older credential asks for one that shows the published one."""
    await _shown(age=SECOND, published=timedelta(0))


async def test_a_direct_read_is_believed_against_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    await _shown(age=MINUTE, published=HOUR)
    monkeypatch.setattr(doubts, "made_since", lambda _read, target, *_: [target.published.key_id])
    with pytest.raises(AssertionError):
        await _shown(age=MINUTE, published=HOUR)


async def test_a_list_that_left_before_a_doubt_does_not_settle_it() -> None:
    world = await settled()
    state = world.states.of(OWNER)
    assert state.application is not None
    now = world.clock.now()
    state.application = replace(state.application, doubted=now + SECOND)
    world.inventory._schedules.clear()
    await world.inventory.run_once()
    await world.inventory.finish()
    assert state.application.is_doubted


async def test_a_removed_credential_that_still_signs_in_is_said_to_be_missing() -> None:
    world = await settled()
    world.entra.credentials.clear()
    took = await live(world, HOUR, lambda: world.ready["reason"] == "CredentialMissing")
    assert took <= MINUTE
    assert world.ready["status"] == "True"


@pytest.mark.parametrize("kind", [World, Certified, Federated])
async def test_a_deleted_application_is_said_within_a_minute(kind: type[World]) -> None:
    world = await settled(kind())
    world.entra.is_missing = True
    took = await live(world, HOUR, lambda: world.ready["status"] == "False")
    assert took <= MINUTE
    assert world.ready["reason"] == "ApplicationNotFound"
    world.entra.is_missing = False
    assert await live(world, HOUR, lambda: world.ready["status"] == "True") <= MINUTE


async def test_one_read_that_does_not_find_the_application_says_nothing_yet() -> None:
    world = await settled()
    world.entra.lists.lacks_all = world.entra.is_missing = True
    await live(world, HOUR, lambda: direct_reads(world))
    world.entra.lists.lacks_all = world.entra.is_missing = False
    assert world.ready["status"] == "True"
    await live(world, 10 * MINUTE)
    assert world.ready["reason"] == "Published"
    assert world.api.count("POST PUT DELETE", "") == 0


def took_back(world: Federated) -> bool:
    return all(c.issuer != "https://elsewhere.example" for c in world.entra.trusts.values())


async def test_a_deleted_application_is_looked_for_within_a_round() -> None:
    world = await settled()
    world.entra.is_missing = True
    assert await live(world, HOUR, lambda: direct_reads(world)) <= timedelta(seconds=31)
    await live(world, 10 * MINUTE)
    assert world.conditions["Stalled"]["reason"] == "ApplicationNotFound"
    assert "remove" not in world.entra.calls
    assert TARGET in world.api.objects


async def test_an_application_that_is_back_is_found_within_a_round() -> None:
    world = await settled()
    world.entra.is_missing = True
    await live(world, 30 * MINUTE)
    world.entra.is_missing = False
    took = await live(world, HOUR, lambda: "Stalled" not in world.conditions)
    assert took <= timedelta(seconds=31)


async def test_what_lists_lack_is_never_a_conclusion() -> None:
    world = await settled()
    world.entra.lists.stale = ()
    before = world.api.objects[TARGET]
    await live(world, 12 * HOUR)
    assert world.ready["reason"] == "Published"
    assert world.api.objects[TARGET] == before
    assert {"add", "remove", "sign-in"}.isdisjoint(world.entra.calls)
    assert world.api.count("POST PUT PATCH DELETE", "") == 0
    # A list that is wrong for ever costs less and less, and confirms nothing.
    hourly, each_round, doublings = 12, 4, 8
    assert direct_reads(world) <= hourly + each_round + doublings


async def test_a_replica_that_flips_costs_at_most_one_read_a_round() -> None:
    world = await settled()
    rounds = 0
    for number in range(20):
        world.entra.lists.stale = () if number % 2 else None
        await live(world, timedelta(seconds=30))
        rounds += 1
    assert direct_reads(world) <= rounds / 2
    assert world.api.count("POST PUT PATCH DELETE", "") == 0


async def test_an_empty_inventory_has_no_consequence() -> None:
    world = await settled()
    world.entra.lists.lacks_all = True
    await live(world, HOUR)
    assert world.ready["reason"] == "Published"
    assert world.api.count("POST PUT PATCH DELETE", "") == 0
    assert {"add", "remove", "sign-in"}.isdisjoint(world.entra.calls)


async def test_an_empty_batch_has_no_consequence() -> None:
    world = Federated()
    await settled(world)
    world.entra.writes.clear()
    world.entra.lists.stale_trusts = ()
    await live(world, HOUR)
    assert not world.entra.writes
    assert world.ready["status"] == "True"
    assert world.entra.calls.count("read federated") <= 12


async def test_a_direct_read_that_fails_leaves_status_alone() -> None:
    world = await settled()
    world.entra.lists.stale = ()
    world.entra.error = UnavailableError("503")
    await live(world, 30 * MINUTE)
    assert world.ready["status"] == "True"
    assert world.ready["reason"] == "Published"


def many(world: World, count: int) -> None:
    """Add resources of other applications, as settled as one can be."""
    document = world.api.objects[RESOURCE]
    for number in range(count):
        client_id = f"00000000-0000-0000-0000-{number:012d}"
        metadata = {
            **document["metadata"],
            "name": f"other-{number}",
            "uid": f"uid-{number}",
        }
        spec = {**document["spec"], "application": {"clientId": client_id}}
        other = {**document, "metadata": metadata, "spec": spec}
        world.sync.on_event(APP_CREDENTIALS, "ADDED", other)
        held = world.states.of(OWNER).application
        assert held is not None
        known = replace(held, client_id=ClientId(client_id))
        world.states.of(replace(OWNER, name=f"other-{number}")).application = known
        world.entra.lists.others[ClientId(client_id)] = known
    world.woken.clear()


async def rounds(world: World) -> list[tuple[Way | None, int]]:
    """Do what is due of the lists; return what was asked for."""
    world.entra.lists.asked.clear()
    world.clock.advance(timedelta(seconds=30))
    await world.inventory.run_once()
    await world.inventory.finish()
    return world.entra.lists.asked


async def test_sixty_applications_cost_four_requests() -> None:
    world = await settled()
    many(world, 59)
    assert await rounds(world) == [(Way.FILTER, 15)] * 4
    assert direct_reads(world) == 0
    assert not world.taken(APP_CREDENTIALS)


async def test_many_applications_are_found_in_pages() -> None:
    world = await settled()
    many(world, 300)
    assert await rounds(world) == [(Way.OWNED, 301)]
    assert not world.taken(APP_CREDENTIALS)


async def test_what_is_not_owned_is_asked_for_by_client_id() -> None:
    world = await settled()
    many(world, 300)
    world.entra.lists.owned = False
    assert await rounds(world) == [(Way.OWNED, 301), (Way.FILTER, 1)]
    assert not world.taken(APP_CREDENTIALS)


@pytest.mark.parametrize("error", [PermissionDeniedError("403"), UnusableListError("elsewhere")])
async def test_a_list_that_leads_nowhere_gives_way_to_another(
    error: AppCredentialError, caplog: pytest.LogCaptureFixture
) -> None:
    world = await settled()
    many(world, 300)
    world.entra.lists.errors[Way.OWNED] = error
    assert await rounds(world) == [(Way.OWNED, 301), (Way.ALL, 301)]
    assert "another way is used" in caplog.text
    assert await rounds(world) == [(Way.ALL, 301)]
    world.entra.lists.errors[Way.ALL] = error
    asked = await rounds(world)
    assert asked == [(Way.ALL, 301), *[(Way.FILTER, 15)] * 20, (Way.FILTER, 1)]
    assert not world.taken(APP_CREDENTIALS)
    world.clock.advance(HOUR)
    del world.entra.lists.errors[Way.OWNED]
    assert await rounds(world) == [(Way.OWNED, 301)]


async def test_a_page_that_never_comes_gives_way_to_another_in_the_next_round() -> None:
    """It may be too large to be sent or read, and one failure may be the network's."""
    world = await settled()
    many(world, 300)
    world.entra.lists.errors[Way.OWNED] = UnavailableError("no answer in 20 s")
    assert await rounds(world) == [(Way.OWNED, 301)]
    assert await rounds(world) == [(Way.OWNED, 301), (Way.ALL, 301)]


async def test_an_inventory_that_never_ended_well_has_an_age_all_the_same() -> None:
    world = await settled()
    world.entra.lists.errors[Way.FILTER] = UnavailableError("503")
    for _ in range(4):
        await rounds(world)
    world.clock.advance(HOUR)
    await world.inventory.run_once()
    assert _age(world) >= HOUR.total_seconds()


def _age(world: World) -> float:
    """Return how old the metric says the inventory of applications is."""
    labels = {"tenant": "default", "subject": "applications"}
    found = world.metrics.registry.get_sample_value("appcredential_inventory_age_seconds", labels)
    assert found is not None
    return found


async def test_a_throttled_tenant_is_left_alone() -> None:
    world = await settled()
    world.entra.lists.errors[Way.FILTER] = ThrottledError("429", retry_after=5 * MINUTE)
    assert len(await rounds(world)) == 1
    assert not await rounds(world)
    world.clock.advance(5 * MINUTE)
    assert len(await rounds(world)) == 1


async def test_what_no_grant_allows_is_not_asked_for() -> None:
    world = World()
    await world.look_at_tenant()
    await world.inventory.run_once()
    await world.inventory.finish()
    assert not world.entra.lists.asked


async def test_only_who_may_act_looks() -> None:
    world = await settled()
    world.gate.stopping = True
    assert not await rounds(world)


async def test_how_old_the_inventory_is_can_be_scraped() -> None:
    world = await settled()
    await rounds(world)
    world.clock.advance(MINUTE)
    await world.inventory.run_once()
    registry = world.metrics.registry
    labels = {"tenant": "default", "subject": "applications"}
    assert registry.get_sample_value("appcredential_inventory_age_seconds", labels) == 60.0
    labels = {"tenant": "default", "way": "filter"}
    assert registry.get_sample_value("appcredential_inventory_applications", labels) == 1.0
    await world.inventory.close()


async def test_concluding_from_a_list_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant takes what a list shows for a direct read."""

    def believe(
        doubts: Doubts, owners: Iterable[Owner], found: Application | None, _left: datetime
    ) -> None:
        for owner in owners:
            state = doubts._states.of(owner)
            state.application = found
            doubts._wake(Key(APP_CREDENTIALS, owner.namespace, owner.name))

    monkeypatch.setattr(Doubts, "compare", believe)
    with pytest.raises(AssertionError):
        await test_what_lists_lack_is_never_a_conclusion()
