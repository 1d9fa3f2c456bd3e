"""What `make bench-report` writes: each figure in its table, and nothing else of the page."""

from __future__ import annotations

import math
from typing import Final

import pytest

from bench.figures import Figure, document, figures_of
from bench.profiles import told
from bench.report import PAGE, parts, replaced
from bench.results import Results

_FIGURES: Final = [
    Figure("applied at once", "all Ready, s", 10.0, 12.0, "secret", 100),
    Figure("applied at once", "all Ready, s", 100.0, 80.0, "secret", 1000),
    Figure("applied at once", "Graph: token each", 3.0, None, "secret", 1000),
    Figure("heap", "held: appcredential/cache/store.py:7, MiB", 2.5, None, "secret", 1000),
    Figure("beside a flood", "p99, s", math.nan, 5.0, "flood", 5000),
    Figure("strategies", "calls for a first issue", 7.0, None, "seen five times", 20),
]


@pytest.fixture
def results() -> Results:
    found = Results(PAGE.parent / "nothing.json", keep=False)
    found.figures = _FIGURES
    found.profiles = {"1000 secret: applied at once": {"samples": 10, "owners": {"here": 5}}}
    return found


def test_every_figure_is_in_one_table(results: Results) -> None:
    found = parts(results, with_quota=False)
    rows = found["figures"].splitlines()
    (row,) = [row for row in rows if "all Ready" in row]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["applied at once", "all Ready, s", "≤ 80", "10", "100", "1.25", "1.00"]
    assert any("not seen" in row for row in rows)
    assert "token each" in found["requests"]
    assert "store.py:7" in found["heap"]
    assert "seen five times" in found["ways"]
    assert "token each" not in found["figures"] + found["heap"] + found["ways"]
    assert "missed all Ready, s" in found["missed"]
    assert "50.0 % for here" in found["missed"]


def test_the_page_has_a_place_for_every_part(results: Results) -> None:
    page = PAGE.read_text()
    written = {**parts(results, with_quota=False), "quota": "| a table |"}
    for name, part in written.items():
        once = replaced(page, name, part)
        assert part.strip() in once
        assert replaced(once, name, part) == once
    with pytest.raises(ValueError, match="no part other"):
        replaced(page, "other", "")


def test_a_file_gives_back_what_was_measured() -> None:
    again = figures_of(document(_FIGURES, {}))
    assert str(again) == str(_FIGURES)  # nan is no equal of nan


def test_a_profile_is_told_only_beside_a_missed_target() -> None:
    profiles = {"100 secret: applied at once": {"samples": 4, "owners": {"here": 1}}}
    assert told(_FIGURES, profiles) == ""
