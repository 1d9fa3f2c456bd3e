"""Fixtures of the unit tests."""

from __future__ import annotations

import pytest

from tests.unit.fakes import HandClock


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands still."""
    return HandClock()
