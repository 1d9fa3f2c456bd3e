"""The machine's clock."""

from __future__ import annotations

import time
from typing import Any

import pytest

from appcredential.runtime.clock import SystemClock


def test_the_clock_counts_while_the_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def read(clock: int) -> float:
        asked.append(clock)
        return 7.0

    monkeypatch.setattr(time, "clock_gettime", read)
    assert SystemClock().monotonic() == 7.0
    wanted: Any = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    assert asked == [wanted]


def test_the_clock_never_goes_backwards() -> None:
    clock = SystemClock()
    first = clock.monotonic()
    assert clock.monotonic() >= first
