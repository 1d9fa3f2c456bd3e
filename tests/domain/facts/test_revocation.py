"""When an application counts as gone for a deletion."""

from __future__ import annotations

from datetime import datetime

import pytest

from appcredential.domain.facts.revocation import is_gone, with_missing_read
from tests.support.builders import MINUTE, NOW, SECOND

FIVE = 5 * MINUTE


@pytest.mark.parametrize(
    ("missing", "gone"),
    [
        pytest.param((), False, id="never missing"),
        pytest.param((NOW, NOW + FIVE), False, id="twice only"),
        pytest.param((NOW, NOW + SECOND, NOW + FIVE - SECOND), False, id="not for long enough"),
        pytest.param((NOW, NOW + SECOND, NOW + FIVE), True, id="three times over five minutes"),
    ],
)
def test_an_application_is_gone_after_three_reads_over_some_time(
    missing: tuple[datetime, ...], gone: bool
) -> None:
    assert is_gone(missing, FIVE) == gone


def test_the_first_time_and_the_latest_ones_are_kept() -> None:
    missing: tuple[datetime, ...] = ()
    for number in range(30):
        missing = with_missing_read(missing, NOW + number * SECOND)
    assert missing[0] == NOW
    assert missing[1:] == tuple(NOW + number * SECOND for number in range(21, 30))
