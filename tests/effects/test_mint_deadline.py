from __future__ import annotations

import pytest

from appcredential.domain.actions import Fence
from appcredential.domain.lifecycle import decide
from appcredential.errors import ConflictError
from tests.support.builders import DAY, HOUR, MINUTE, NOW, SECOND, grant, observation, problem
from tests.support.minting import PENDING, Minting


async def test_a_mint_is_sent_within_ten_seconds_of_its_intent() -> None:
    world = Minting()
    await world.mint()
    assert world.directory.deadline == 1010
    assert world.state == "Minted"


async def test_the_time_counts_from_before_the_intent_is_written() -> None:
    world = Minting()

    def write_slowly(method: str, path: str) -> None:
        if method == "POST":
            world.clock.advance(11 * SECOND)

    world.kube.before = write_slowly
    await world.mint()
    assert not world.directory.is_made
    assert world.state == "Intent"


async def test_a_mint_that_waited_too_long_for_its_turn_is_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Minting()
    world.directory.before_add = lambda: world.clock.advance(11 * SECOND)
    await world.mint()
    assert not world.directory.is_made
    # It is no failure of Graph: nothing is said of it, and the intent is fenced at once.
    assert world.view.memory.directory_problem is None
    assert "too late" in caplog.text
    left = await world.secrets.pending(world.facts.resource.owner)
    assert isinstance(decide(observation(target=None, pending=left)).action, Fence)


async def test_a_lower_ceiling_of_the_grants_counts_at_once() -> None:
    world = Minting()
    world.grant = grant(max_lifetime=30 * DAY)
    await world.mint(90 * DAY)
    assert world.directory.end == NOW + 30 * DAY
    wider = Minting()
    wider.grant = grant(max_lifetime=100 * DAY)
    await wider.mint(90 * DAY)
    assert wider.directory.end == NOW + 90 * DAY


@pytest.mark.parametrize("now", [grant(max_lifetime=HOUR - MINUTE), problem()])
async def test_nothing_is_written_for_what_the_grants_allow_no_more(now: object) -> None:
    world = Minting()
    world.grant = now  # type: ignore[assignment]
    with pytest.raises(ConflictError):
        await world.mint()
    assert PENDING not in world.kube.objects
