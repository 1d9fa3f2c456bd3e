"""The tables of docs/lifecycle.md and the ordered lists of the code name the same rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from appcredential.domain.lifecycle import FEDERATED_RULES, GATES, RULES
from appcredential.domain.revocation import REVOCATION_RULES
from appcredential.domain.rules import discard
from tests.docs.reading import ROOT

Row = tuple[str, str]
ROWS: list[Row] = re.findall(
    r"^\| (\d+[ab]?|[DFR]\d+) \| `(\w+)` \|",
    (ROOT / "docs" / "lifecycle.md").read_text(),
    re.MULTILINE,
)


def listed(rules: tuple[Callable[..., Any], ...]) -> list[Row]:
    """Return number and name of each rule; the number begins its docstring."""
    return [((rule.__doc__ or "").split(":")[0], rule.__name__) for rule in rules]


@pytest.mark.parametrize(
    ("rules", "numbers"),
    [
        (GATES, r"[0-6]"),
        (RULES, r"[0-9]+[ab]?"),
        (discard.RULES[1:], r"D\d+"),  # the first one is rule 7
        (FEDERATED_RULES, r"F\d+"),
        (REVOCATION_RULES, r"R\d+"),
    ],
    ids=["gates", "rules", "discards", "federated", "revocations"],
)
def test_names_and_order_are_the_documented_ones(
    rules: tuple[Callable[..., Any], ...], numbers: str
) -> None:
    gates = dict(listed(GATES))
    rows = [row for row in ROWS if re.fullmatch(numbers, row[0])]
    if rules is RULES:
        rows = [row for row in rows if row[0] not in gates]
    assert rows == listed(rules)


def test_the_two_rules_that_only_look_are_documented() -> None:
    assert {"9b", "18a"} <= dict(ROWS).keys()


def test_a_name_is_a_sentence() -> None:
    """A noun alone does not say what must hold for the rule to match."""
    for _, name in ROWS:
        assert re.search(r"_(is|are|was|has|seems|differs|left)(_|$)", name), name
