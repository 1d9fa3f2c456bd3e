"""A clock that was far ahead when a resource was deleted does not keep its credential valid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.builders import DAY, HOUR
from tests.support.deletions import Deletion

LONGEST = 7 * DAY


async def test_no_revocation_waits_longer_than_the_longest_grace() -> None:
    """Its ConfigMap says a time more than a year ahead."""
    world = Deletion({"due": "2027-12-27T10:00:00Z"})
    await world.pass_(HOUR)
    assert world.directory.removed == []
    world.clock.advance(LONGEST - 2 * HOUR)
    await world.pass_(HOUR / 2)
    assert world.directory.removed == []
    await world.pass_(HOUR)
    assert len(world.directory.removed) == 1


@pytest.mark.parametrize("early", [HOUR, timedelta(minutes=31)])
async def test_one_within_the_longest_grace_waits_for_its_time(early: timedelta) -> None:
    world = Deletion({"due": "2026-11-29T10:00:00Z"})
    await world.pass_(HOUR)
    world.clock.advance(LONGEST - HOUR - early)
    await world.pass_(HOUR / 2)
    assert world.directory.removed == []
    await world.pass_(early + HOUR / 2)
    assert len(world.directory.removed) == 1
