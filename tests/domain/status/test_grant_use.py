"""What a grant's status says of its use, and when that is worth a write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from appcredential.domain.spec.model import ClientId
from appcredential.domain.status.grant_use import named_applications, usage, with_use
from appcredential.domain.times import format_time
from tests.support.builders import NOW

A, B, C = (ClientId(f"{n}1111111-1111-4111-8111-111111111111") for n in "abc")
LEAST: Final = timedelta(minutes=5)
SAID: Final[dict[str, Any]] = {"observedGeneration": 1, "conditions": []}


def test_the_namespaces_with_most_are_named_and_all_are_counted() -> None:
    counts = {f"team-{n:02}": 1 for n in range(30)} | {"shop": 7, "bank": 7}
    found = usage(counts)
    assert (found["appCredentials"], found["namespaces"]) == (44, 32)
    named = [entry["namespace"] for entry in found["byNamespace"]]
    assert named == ["bank", "shop", *(f"team-{n:02}" for n in range(18))]


def test_an_unused_grant_says_so() -> None:
    assert usage({}) == {"appCredentials": 0, "namespaces": 0}


def test_what_is_not_known_is_neither_found_nor_missing() -> None:
    known = {A: True, B: False}
    assert named_applications([C, B, A], known.get) == {
        "found": 1,
        "missing": 1,
        "unknown": 1,
        "missingClientIds": [B],
    }
    assert named_applications([A], known.get) == {"found": 1, "missing": 0, "unknown": 0}


def test_a_grant_that_names_none_says_nothing_of_them() -> None:
    assert named_applications([], {A: True}.get) is None
    assert "applications" not in with_use({}, SAID, {"applications": None}, NOW, LEAST)


def test_twenty_missing_ones_are_named_at_most() -> None:
    ids = [ClientId(f"{n:08}-1111-4111-8111-111111111111") for n in range(30)]
    found = named_applications(ids, lambda _: False) or {}
    assert (found["missing"], len(found["missingClientIds"])) == (30, 20)


def _used(count: int) -> dict[str, Any]:
    return {"usage": usage({"shop": count}), "applications": None}


def test_a_change_is_written_with_its_time_and_no_time_moves_by_itself() -> None:
    first = with_use({}, SAID, _used(1), NOW, LEAST)
    assert first == {**SAID, "usage": {**usage({"shop": 1}), "changeTime": format_time(NOW)}}
    assert with_use(first, SAID, _used(1), NOW + 10 * LEAST, LEAST) == first


def test_changes_of_the_use_alone_are_written_at_most_once_in_a_while() -> None:
    status, writes, now = with_use({}, SAID, _used(0), NOW, LEAST), 0, NOW
    for count in range(1, 601):  # a change a second, for ten minutes
        now += timedelta(seconds=1)
        wanted = with_use(status, SAID, _used(count), now, LEAST)
        writes += wanted != status
        status = wanted
    assert writes == 2
    assert status["usage"]["appCredentials"] == 600


def test_what_is_written_for_another_reason_says_the_use_as_it_is() -> None:
    status = with_use({}, SAID, _used(0), NOW, LEAST)
    soon, other = NOW + timedelta(seconds=1), {**SAID, "observedGeneration": 2}
    found = with_use(status, other, _used(3), soon, LEAST)
    assert found["usage"] == {**usage({"shop": 3}), "changeTime": format_time(soon)}


def test_a_time_ahead_holds_nothing_back() -> None:
    """After the clock was set back, or where somebody wrote it."""
    status = with_use({}, SAID, _used(0), NOW + 10 * LEAST, LEAST)
    assert with_use(status, SAID, _used(1), NOW, LEAST)["usage"]["appCredentials"] == 1


def test_a_status_without_usable_times_is_written_anew() -> None:
    status = {**SAID, "usage": {"appCredentials": 9, "changeTime": "yesterday"}}
    assert with_use(status, SAID, _used(1), NOW, LEAST)["usage"]["appCredentials"] == 1
