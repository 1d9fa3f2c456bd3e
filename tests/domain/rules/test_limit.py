"""What once failed never makes a later renewal come too late, and never fills the application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from appcredential.domain import actions as act
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.proof import SignInResult
from appcredential.domain.spec.model import AppCredentialSpec, KeyId, RetireWhen
from tests.domain.worlds.driver import World
from tests.support.builders import DAY, HOUR, MINUTE, NOT_YET, NOW, rotation, spec

END = NOW + 90 * DAY
MOST_LISTED = 27
SELDOM = LifecycleSettings(secret_check=6 * HOUR, directory_resync=DAY)
"""Looks only when something may be due, so that months pass in a moment."""


def keeping(rotate_issued_before: datetime | None = None) -> AppCredentialSpec:
    """Return the default: ninety days, nothing removed before its own end."""
    return spec(
        lifetime=90 * DAY,
        rotation=rotation(
            retire_when=RetireWhen.EXPIRED, rotate_issued_before=rotate_issued_before
        ),
    )


def issued() -> World:
    world = World(spec=keeping(), settings=SELDOM)
    world.run(5 * MINUTE)
    return world


def refused_between(
    world: World, begin: datetime, end: datetime, but: KeyId | None
) -> Callable[[KeyId], SignInResult | None]:
    return lambda key: NOT_YET if begin <= world.now < end and key != but else None


def refused_at_the_renewal() -> World:
    world = issued()
    renewal = NOW + 55 * DAY
    world.answer = refused_between(world, renewal, renewal + 5 * DAY, world.published)
    return world


def deleted_thrice() -> World:
    world = issued()
    for _ in range(3):
        world.target = None
        world.restart()
        world.run(20 * MINUTE)
    return world


def rotated_thrice() -> World:
    world = issued()
    for _ in range(3):
        world.change(keeping(world.now))
        world.run(15 * MINUTE)
    return world


@pytest.mark.parametrize(
    ("begin", "latest"),
    [
        (refused_at_the_renewal, timedelta(days=76)),
        (deleted_thrice, timedelta(days=76)),
        (rotated_thrice, timedelta(days=61)),
    ],
)
def test_a_renewal_is_never_missed(begin: Callable[[], World], latest: timedelta) -> None:
    world = begin()
    world.run(55 * DAY - (world.now - NOW))
    before = world.published
    world.run(latest - (world.now - NOW))
    assert world.published != before
    assert world.condition("Ready") == ("True", "Published")
    assert not world.condition("Stalled")


def test_a_first_issue_that_failed_for_hours_is_tried_again() -> None:
    world = World(spec=keeping(), settings=SELDOM)
    world.answer = refused_between(world, NOW, NOW + 4 * HOUR, None)
    world.run(2 * DAY)
    assert len(world.entra) == 5
    assert world.condition("Stalled") == ("True", "CredentialLimit")
    world.run(4 * DAY)
    assert world.condition("Ready") == ("True", "Published")


def test_what_never_signs_in_does_not_fill_the_application() -> None:
    world = World(spec=spec(lifetime=5 * DAY), settings=SELDOM)
    world.answer = lambda _: NOT_YET
    most = 0
    for _ in range(30):
        world.run(DAY / 2)
        most = max(most, len(world.entra))
        lost = [c for c in world.entra.values() if c.end + HOUR < world.now]
        assert not lost, "the expired ones are removed, although there is no Secret to note them"
    assert 5 < most <= MOST_LISTED
    assert world.count(act.Publish) == 0
    assert world.condition("Stalled") == ("True", "CredentialLimit")
