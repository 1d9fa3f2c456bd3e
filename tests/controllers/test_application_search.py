"""Client ids that only grants name are looked for, slowly, and unknown stays unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from appcredential.controllers.application_search import PERIOD, ApplicationSearch
from appcredential.domain.inventory import Way
from appcredential.domain.spec.model import ClientId
from appcredential.errors import ThrottledError, UnavailableError
from appcredential.kube.custom_resources import APP_CREDENTIALS
from tests.support.builders import CLIENT_ID, HOUR
from tests.support.world import RESOURCE, World

OTHER: Final = ClientId("55555555-5555-4555-8555-555555555555")
STRAY: Final = [ClientId(f"{n:08x}-1111-4111-8111-111111111111") for n in range(600)]


class Searched:
    """A world with grants and no AppCredential."""

    def __init__(self, *client_ids: ClientId) -> None:
        self.world = World()
        for start in range(0, len(client_ids), 200):
            self.world.put_grant(f"grant-{start}", ("bank",), client_ids[start : start + 200])
        self.lists = self.world.entra.lists
        self.search = ApplicationSearch(
            self.world.clock, self.world.store, self.world.tenants.access, self.world.gate
        )

    async def begin(self) -> None:
        """Have the tenant known, and let the time pass that is waited then."""
        await self.world.look_at_tenant()
        await self.search.run_once()
        self.world.entra.calls.clear()
        await self.turn()

    async def turn(self, later: timedelta = PERIOD) -> None:
        """Look once more."""
        self.world.clock.advance(later)
        await self.search.run_once()

    def told(self, client_id: ClientId) -> bool | None:
        """Return what is known of an application."""
        return self.search.exists("default", client_id)


async def test_nothing_is_asked_while_a_tenant_is_new() -> None:
    searched = Searched(CLIENT_ID)
    await searched.search.run_once()
    await searched.world.look_at_tenant()
    searched.world.entra.calls.clear()
    await searched.search.run_once()
    assert (searched.lists.asked, searched.world.entra.calls) == ([], [])
    assert searched.told(CLIENT_ID) is None


async def test_a_list_shows_what_exists_and_a_direct_read_what_does_not() -> None:
    searched = Searched(CLIENT_ID, OTHER)
    await searched.begin()
    assert (searched.told(CLIENT_ID), searched.told(OTHER)) == (True, False)
    assert searched.lists.asked == [(Way.FILTER, 2)]
    assert searched.world.entra.calls == ["read"]


async def test_what_a_list_lacks_may_be_there() -> None:
    searched = Searched(CLIENT_ID)
    searched.lists.lacks_all = True
    await searched.begin()
    assert searched.told(CLIENT_ID) is True


async def test_it_is_looked_for_again_seldom_and_what_was_missing_sooner() -> None:
    searched = Searched(CLIENT_ID, OTHER)
    await searched.begin()
    for _ in range(12 * 12):
        await searched.turn()
    assert len(searched.lists.asked) <= 1 + 12, "twelve hours"
    assert sum(count for _, count in searched.lists.asked) <= 2 + 12 + 2


async def test_many_are_asked_for_a_few_at_a_time() -> None:
    searched = Searched(*STRAY)
    await searched.begin()
    assert len(searched.lists.asked) == 20
    assert len(searched.world.entra.calls) == 20
    known = sum(searched.told(c) is False for c in STRAY)
    assert known == 20, "what no direct read settled stays unknown"


@pytest.mark.parametrize(
    "error", [UnavailableError("503"), ThrottledError("429", retry_after=HOUR)]
)
async def test_an_error_leaves_them_unknown(error: UnavailableError | ThrottledError) -> None:
    searched = Searched(CLIENT_ID)
    searched.lists.errors[Way.FILTER] = error
    await searched.begin()
    assert searched.told(CLIENT_ID) is None
    searched.lists.errors.clear()
    await searched.turn()
    assert searched.told(CLIENT_ID) is True


async def test_what_could_not_be_looked_at_for_a_day_is_unknown_again() -> None:
    searched = Searched(CLIENT_ID)
    await searched.begin()
    searched.lists.errors[Way.FILTER] = UnavailableError("503")
    await searched.turn(23 * HOUR)
    assert searched.told(CLIENT_ID) is True
    await searched.turn(2 * HOUR)
    assert searched.told(CLIENT_ID) is None


async def test_what_resources_use_they_tell_themselves() -> None:
    world = World()
    world.put_grant("one")
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.objects[RESOURCE])
    search = ApplicationSearch(world.clock, world.store, world.tenants.access, world.gate)
    world.entra.lists.asked.clear()
    for _ in range(3):
        await search.run_once()
        world.clock.advance(PERIOD)
    assert world.entra.lists.asked == []
    assert search.exists("default", CLIENT_ID) is True


async def test_only_who_may_act_asks() -> None:
    searched = Searched(CLIENT_ID)
    await searched.world.look_at_tenant()
    await searched.search.run_once()
    searched.world.gate.stopping = True
    await searched.turn()
    assert searched.lists.asked == []


async def test_a_grant_that_goes_takes_what_was_found_along() -> None:
    searched = Searched(OTHER)
    await searched.begin()
    searched.world.put_grant("grant-0", ("bank",), (STRAY[0],))
    await searched.turn()
    assert (searched.told(OTHER), searched.told(STRAY[0])) == (None, False)
