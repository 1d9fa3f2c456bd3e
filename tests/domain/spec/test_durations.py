from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appcredential.domain.spec.durations import format_duration, parse_duration

READ = [
    ("0s", timedelta(0)),
    ("90d", timedelta(days=90)),
    ("2w", timedelta(days=14)),
    ("12h30m", timedelta(hours=12, minutes=30)),
    ("1w2d3h4m5s", timedelta(days=9, hours=3, minutes=4, seconds=5)),
    ("007d", timedelta(days=7)),
    ("99999999s", timedelta(seconds=99_999_999)),
]
REFUSED = [
    "",
    "90",
    "d",
    "-90d",
    "+90d",
    "1.5d",
    "90d garbage",
    " 90d",
    "90d\n",
    "90D",
    "1h1d",
    "1d1d",
    "10000d",
    "٣d",
    "9999w9999d99999h999999m9s",
]
WRITTEN = [
    (timedelta(0), "0s"),
    (timedelta(days=90), "90d"),
    (timedelta(days=1, hours=12), "1d12h"),
    (timedelta(minutes=61, seconds=1), "1h1m1s"),
    (timedelta(seconds=1, microseconds=999_999), "1s"),
    (timedelta(microseconds=1), "0s"),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_reads(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="whole numbers with the units"):
        parse_duration(text)


@pytest.mark.parametrize(("value", "expected"), WRITTEN)
def test_writes(value: timedelta, expected: str) -> None:
    assert format_duration(value) == expected


def test_writes_nothing_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(timedelta(seconds=-1))


@given(seconds=st.integers(0, 9999 * 86400))
def test_reads_what_it_wrote(seconds: int) -> None:
    value = timedelta(seconds=seconds)
    assert parse_duration(format_duration(value)) == value
