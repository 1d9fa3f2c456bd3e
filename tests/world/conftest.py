"""The world's operators log next to nothing, and other tests' operators do again afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.world.process import prepared


@pytest.fixture(autouse=True, scope="package")
def _quiet() -> Iterator[None]:
    with prepared():
        yield
