"""The world's operators log next to nothing, and other tests' operators do again afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.world.process import be_quiet


@pytest.fixture(autouse=True, scope="package")
def _quiet() -> Iterator[None]:
    before = be_quiet()
    yield
    logging.getLogger("appcredential").setLevel(before)
