from __future__ import annotations

from dataclasses import replace

from appcredential.domain.secret.revocation_time import with_revocation_time
from tests.support.builders import DAY, NOW, target

TIME = "appcredential.io/revocation-time"


def test_only_the_time_is_added_and_taken_away() -> None:
    live = target()
    told = with_revocation_time(live, NOW + DAY)
    assert told is not None
    assert told.annotations == {**live.annotations, TIME: "2026-11-23T10:00:00Z"}
    assert (told.data, told.labels) == (live.data, live.labels)
    again = replace(live, annotations=told.annotations)
    assert with_revocation_time(again, NOW + DAY) is None
    cancelled = with_revocation_time(again, None)
    assert cancelled is not None
    assert cancelled.annotations == live.annotations
    assert with_revocation_time(live, None) is None


def test_a_label_that_somebody_took_away_is_there_again() -> None:
    """The chart's admission policy lets the operator write no Secret without it."""
    told = with_revocation_time(replace(target(), labels={}), NOW)
    assert told is not None
    assert told.labels == {"app.kubernetes.io/managed-by": "appcredential"}
