"""What `audit` makes of Events: which it believes, in which order, and how that is shown."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.cli.audit import document, entries, lines
from appcredential.cli.styles import Line
from appcredential.cli.text import cells
from appcredential.domain.audit import ANNOTATION
from appcredential.domain.times import format_time
from tests.cli.scenes import KEY, NOW

EVIL: Final = "\x1b]0;owned\x07\x1b[31mred\u202e"
RECORD: Final = {
    "version": 1,
    "change": "Issued",
    "result": "Done",
    "actors": [{"manager": "argocd"}],
    "credential": {"type": "ClientSecret", "keyId": KEY},
}


def event(minutes: float, record: Any = RECORD, **change: Any) -> dict[str, Any]:
    text = record if isinstance(record, str) else json.dumps(record)
    return {
        "metadata": {"annotations": {ANNOTATION: text}},
        "eventTime": format_time(NOW - timedelta(minutes=minutes)),
        "reportingComponent": "appcredential.io/operator",
        "involvedObject": {"namespace": "shop", "name": "orders"},
        "reason": "Issued",
        "message": "It was issued.",
        **change,
    }


def texts(found: list[Line]) -> list[str]:
    return ["".join(part.text for part in line) for line in found]


def table(*events: dict[str, Any], width: int | None = None) -> list[str]:
    names = ("TIME", "RESOURCE", "CHANGE", "RESULT", "KEY ID", "BY")
    cells_ = ("TYPE", "APPLICATION", "TENANT", "ATTEMPT", "OBJECT", "CAUSE", "REQUEST ID")
    columns = (*names, *cells_) if width is None else names
    return texts(list(lines(entries(events, None), NOW, columns, width)))


def test_the_latest_is_last() -> None:
    found = entries([event(1), event(3), event(2)], None)
    assert [(NOW - entry.time) / timedelta(minutes=1) for entry in found] == [3, 2, 1]


def test_since_leaves_older_ones_out() -> None:
    found = entries([event(1), event(10)], NOW - timedelta(minutes=5))
    assert len(found) == 1


@pytest.mark.parametrize(
    "odd",
    [
        event(1, "no JSON"),
        event(1, "[" * 100_000),
        event(1, "[" * 10_000),
        event(1, [1]),
        event(1, {"version": "1"}),
        event(1, {}),
        event(1, eventTime=None),
        event(1, reportingComponent="somebody"),
        event(1, metadata={}),
        event(1, metadata={"annotations": {ANNOTATION: 5}}),
        {},
    ],
)
def test_what_is_no_record_of_an_operator_is_left_out(odd: dict[str, Any]) -> None:
    assert entries([odd], None) == []


@pytest.mark.parametrize("record", [{"version": 2, "credential": 7, "actors": "x"}, RECORD])
def test_a_record_of_another_version_is_shown_as_far_as_it_can_be(record: Any) -> None:
    assert "shop/orders" in table(event(1, record))[1]


def test_a_row_says_what_who_and_which() -> None:
    row = table(event(1))[1]
    assert row.split()[:7] == ["1", "min", "ago", "shop/orders", "Issued", "Done", KEY]
    assert row.split()[7:] == ["argocd", "ClientSecret"]


def test_a_narrow_terminal_does_without_some_columns() -> None:
    rows = table(event(1), width=80)
    assert max(map(cells, rows)) <= 80
    assert "BY" not in rows[0]
    assert "CHANGE" in rows[0]


def test_no_escape_reaches_the_terminal() -> None:
    record = {
        "version": 1,
        "change": EVIL,
        "result": EVIL,
        "object": EVIL,
        "cause": EVIL,
        "actors": [{"manager": EVIL}],
        "credential": {"keyId": EVIL, "type": EVIL, "attempt": EVIL},
        "application": {"clientId": EVIL, "tenant": EVIL},
        "graph": {"requestId": EVIL},
    }
    odd = event(1, record, involvedObject={"namespace": EVIL, "name": EVIL}, message=EVIL)
    assert all(row.isprintable() for row in table(odd))
    assert "red" in table(odd)[1]
    shown = document(entries([odd], None))
    assert all(line.isprintable() for line in shown.splitlines())


def test_json_has_the_whole_record() -> None:
    found = json.loads(document(entries([event(1)], None)))
    assert found == {
        "version": 1,
        "items": [
            {
                "time": "2026-11-29T11:59:00Z",
                "reason": "Issued",
                "message": "It was issued.",
                "record": RECORD,
            }
        ],
    }


def test_a_federated_credential_without_an_id_is_shown_by_its_name() -> None:
    record = {**RECORD, "credential": {"type": "FederatedIdentity", "name": "made"}}
    assert "made" in table(event(1, record))[1]
