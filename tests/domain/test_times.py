from __future__ import annotations

from datetime import datetime

import pytest

from appcredential.domain.times import format_time, required_time
from tests.support.builders import NOW


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (NOW, "2026-11-22T10:00:00Z"),
        (NOW.replace(microsecond=999_999), "2026-11-22T10:00:00Z"),
    ],
)
def test_times_have_whole_seconds(time: datetime, text: str) -> None:
    assert format_time(time) == text


def test_a_time_that_kubernetes_always_sets_is_required() -> None:
    assert required_time(format_time(NOW)) == NOW
    with pytest.raises(ValueError, match="missing or unreadable"):
        required_time(None)
