"""Bounded waits on conditions."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest


def wait_for(
    condition: Callable[[], object],
    what: str,
    seconds: float,
    explain: Callable[[], str] = lambda: "",
) -> None:
    """Poll until the condition holds; fail with what was waited for, and why it may be."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}\n{explain()}")
        time.sleep(0.1)


def pass_time(seconds: float) -> None:
    """Let time pass: what happens in it, or does not, is what is tested."""
    end = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= end, "time", seconds + 1)
