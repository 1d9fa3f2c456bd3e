from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.domain.skew import Skew, http_date
from appcredential.kube.resources import APP_CREDENTIALS
from tests.support.builders import HOUR, MINUTE, SECOND
from tests.tenants.world import World

LIMIT = 5 * MINUTE


def seen(*found: timedelta, start: Skew = Skew()) -> Skew:  # noqa: B008 - frozen
    """Return what is known after these answers, a second apart."""
    skew = start
    for number, one in enumerate(found):
        skew = skew.seen(one, 1000.0 + number, LIMIT)
    return skew


@pytest.mark.parametrize(
    ("answers", "believed"),
    [
        ((), None),
        ((2 * MINUTE,), 2 * MINUTE),
        ((LIMIT,), LIMIT),
        ((HOUR,), None),
        ((SECOND, HOUR), SECOND),
        ((SECOND, HOUR, SECOND, HOUR), SECOND),
        ((HOUR, HOUR - 20 * SECOND), HOUR - 20 * SECOND),
        ((HOUR, -HOUR), None),
        ((SECOND, HOUR, 3 * HOUR, 5 * HOUR), SECOND),
        ((HOUR, HOUR, SECOND), SECOND),
        ((HOUR, HOUR, 2 * HOUR), HOUR),
        ((-HOUR, -HOUR, -HOUR + SECOND), -HOUR + SECOND),
    ],
)
def test_a_large_skew_counts_once_two_answers_agree(
    answers: tuple[timedelta, ...], believed: timedelta | None
) -> None:
    assert seen(*answers).now(1010.0) == believed


def test_an_old_skew_is_unknown() -> None:
    skew = seen(SECOND)
    assert skew.now(1000.0 + 3600) == SECOND
    assert skew.now(1000.0 + 90 * 60 + 1) is None


@pytest.mark.parametrize("text", ["", "soon", "Wed, 99 Jan 2026 12:02:00 GMT", "1" * 400])
def test_a_date_that_is_none_is_none(text: str) -> None:
    assert http_date(text) is None


def test_a_date_without_a_zone_is_utc() -> None:
    date = http_date("Wed, 21 Jan 2026 12:02:00 -0000")
    assert date is not None
    assert date.utcoffset() == timedelta(0)


async def test_a_tenant_is_probed_each_minute_while_its_clock_blocks() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.skew_now = HOUR
    for _ in range(10):
        world.clock.pass_(await world.look_at_tenant() or MINUTE)
    assert 4 <= world.entra.probes - 1 <= 5


async def test_a_tenant_whose_clock_is_right_is_probed_each_hour() -> None:
    world = World()
    for _ in range(130):
        world.clock.pass_(await world.look_at_tenant() or MINUTE)
    assert world.entra.probes == 2


async def test_whoever_a_wrong_clock_held_is_woken_when_it_is_right() -> None:
    world = World()
    await world.publish()
    world.entra.skew_now = HOUR
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "ClockSkew"
    world.clock.pass_(MINUTE)
    world.taken(APP_CREDENTIALS)
    await world.look_at_tenant()
    assert world.taken(APP_CREDENTIALS) == []
    world.entra.skew_now = timedelta(0)
    world.clock.pass_(MINUTE)
    await world.look_at_tenant()
    assert [key.name for key in world.taken(APP_CREDENTIALS)] == ["orders"]
    await world.look()
    assert "Stalled" not in world.conditions


async def test_a_new_session_forgets_nobody_whom_a_wrong_clock_held() -> None:
    world = World()
    await world.publish()
    world.entra.skew_now = HOUR
    await world.look()
    world.entra.skew_now = None
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    world.clock.pass_(MINUTE)
    world.taken(APP_CREDENTIALS)
    await world.look_at_tenant()
    assert [key.name for key in world.taken(APP_CREDENTIALS)] == ["orders"]


async def test_a_new_credential_of_the_operator_is_taken_up_within_a_minute() -> None:
    world = World()
    wait = await world.look_at_tenant()
    assert wait is not None
    assert wait < MINUTE
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    world.clock.pass_(wait)
    await world.look_at_tenant()
    assert (len(world.sessions), world.entra.probes) == (2, 2)
