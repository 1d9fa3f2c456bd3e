"""Text for people: one line in which nothing moves a cursor, and times as people say them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appcredential.domain.shown_text import first_of, plain, span, when
from tests.support.builders import NOW


@given(st.text())
def test_plain_text_is_one_line_without_control_characters(text: str) -> None:
    assert plain(text).isprintable()


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("Orders", "Orders"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\r\nb\tc", "a b c"),
        ("abc\u202egpj", "abc gpj"),
        ("Größe 注文", "Größe 注文"),
        (None, ""),
        (5, ""),
        ("x" * 3000, "x" * 2047 + "…"),
    ],
)
def test_what_is_shown(given_: object, shown: str) -> None:
    assert plain(given_) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (1, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (-90, "1 min"),
        (3600, "60 min"),
        (7200, "2 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 d"),
        (12.9 * 86400, "12 d"),
    ],
)
def test_a_length_of_time_in_its_largest_unit(seconds: float, shown: str) -> None:
    assert span(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(("count", "shown"), [(1, "n0"), (2, "n0, n1"), (3, "n0, n1 and 1 more")])
def test_a_long_list_is_cut(count: int, shown: str) -> None:
    assert first_of([f"n{n}" for n in range(count)], 2) == shown


def test_a_time_is_ahead_or_past() -> None:
    assert when(NOW + timedelta(days=12), NOW) == "in 12 d"
    assert when(NOW - timedelta(hours=3), NOW) == "3 h ago"
    assert when(NOW, NOW) == "now"
    assert when(None, NOW) == ""
