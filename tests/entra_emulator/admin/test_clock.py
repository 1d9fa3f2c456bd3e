"""The clock of the emulator, and instants as Graph writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from entra_emulator.clock import EmulatorClock
from entra_emulator.values.instants import add_years, parse_time, render_time, ticks_of
from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Wall:
    """A machine's clock that a test sets."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


def test_clock_follows_the_machine_with_an_offset() -> None:
    """F10."""
    wall = Wall()
    clock = EmulatorClock(wall)
    clock.move(HOUR)
    wall.time += HOUR
    assert (clock.now(), clock.offset) == (START + 2 * HOUR, HOUR)
    clock.move(-3 * HOUR)
    assert clock.offset == -2 * HOUR


def test_stopped_clock_moves_only_when_it_is_moved_and_runs_on_from_there() -> None:
    """F10."""
    wall = Wall()
    clock = EmulatorClock(wall)
    clock.stop()
    wall.time += HOUR
    assert (clock.now(), clock.stopped) == (START, True)
    clock.move(2 * HOUR)
    assert clock.now() == START + 2 * HOUR
    clock.resume()
    wall.time += HOUR
    assert (clock.now(), clock.stopped) == (START + 3 * HOUR, False)


def test_resuming_a_running_clock_changes_nothing() -> None:
    clock = EmulatorClock(Wall())
    clock.resume()
    assert clock.now() == START


def test_stamps_never_end_in_a_zero() -> None:
    clock = EmulatorClock(Wall())
    stamps = [render_time(clock.stamp()) for _ in range(30)]
    assert {len(stamp) for stamp in stamps} == {len("2026-01-01T00:00:00.0000001Z")}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-01-21T12:00:00Z", "2026-01-21T12:00:00Z"),
        ("2026-01-21T12:00:00.1234567Z", "2026-01-21T12:00:00.1234567Z"),
        ("2026-01-21T12:00:00.12345678Z", "2026-01-21T12:00:00.1234567Z"),
        ("2026-01-21T12:00:00.500Z", "2026-01-21T12:00:00.5Z"),
        ("2026-01-21T12:00:00+00:00", "2026-01-21T12:00:00Z"),
        ("2026-01-21T12:00:00-05:30", "2026-01-21T17:30:00Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_instants_are_written_as_graph_does(text: str, written: str) -> None:
    """T3, and the seventh digit, which Python's datetime would drop."""
    assert render_time(parse_time(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-21",
        "2026-01-21T12:00:00",
        "2026-01-21 12:00:00Z",
        "2026-02-30T00:00:00Z",
        "9999-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+00:01",
    ],
)
def test_text_that_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_time(text)


def test_years_are_those_of_the_calendar() -> None:
    leap = ticks_of(datetime(2028, 2, 29, 6, tzinfo=UTC))
    assert render_time(add_years(leap, 2)) == "2030-02-28T06:00:00Z"
    assert render_time(add_years(leap, 4)) == "2032-02-29T06:00:00Z"


def test_token_expires_by_the_emulators_clock(user: GraphUser, emulator: Emulator) -> None:
    """F8, F10."""
    user.sign_in()
    emulator.stop_clock()
    emulator.move_clock(3590)
    assert user.call("GET", "applications").status_code == 200
    emulator.move_clock(11)
    answer = user.call("GET", "applications")
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == (
        "Lifetime validation failed, the token is expired."
    )


def test_token_of_the_future_is_not_valid_yet(user: GraphUser, emulator: Emulator) -> None:
    """F10."""
    user.sign_in()
    emulator.move_clock(-60)
    answer = user.call("GET", "applications")
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == ("Access token has expired or is not yet valid.")


def put_clock(http: httpx.Client, emulator: Emulator, body: Any) -> httpx.Response:
    return http.put(f"{emulator.url}/emulator/clock", json=body)


def test_clock_is_set_through_the_admin_api(emulator: Emulator, http: httpx.Client) -> None:
    """F10: a request with several fields stops, sets and moves the clock, in this order."""
    body = {"stopped": True, "now": "2030-01-01T00:00:00+01:00", "moveSeconds": 30}
    shown = put_clock(http, emulator, body).json()
    assert shown["now"] == "2029-12-31T23:00:30+00:00"
    assert shown["stopped"] is True
    assert emulator.now() == datetime(2029, 12, 31, 23, 0, 30, tzinfo=UTC)
    assert http.get(f"{emulator.url}/emulator/clock").json()["now"] == shown["now"]


def test_offset_is_absolute_and_a_move_is_relative(emulator: Emulator, http: httpx.Client) -> None:
    for _ in range(2):
        put_clock(http, emulator, {"offsetSeconds": 100})
    shown = put_clock(http, emulator, {"moveSeconds": -40, "stopped": False}).json()
    assert shown["offsetSeconds"] == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    "body",
    [
        {"now": "2030-01-01T00:00:00"},
        {"now": "tomorrow"},
        {"moveSeconds": "5"},
        {"moveSeconds": 1e300},
        {"move": 5},
        [],
    ],
)
def test_bad_clock_request_is_400_and_changes_nothing(
    emulator: Emulator, http: httpx.Client, body: Any
) -> None:
    answer = put_clock(http, emulator, body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert http.get(f"{emulator.url}/emulator/clock").json()["offsetSeconds"] == pytest.approx(
        0, abs=1
    )
