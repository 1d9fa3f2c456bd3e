"""Text for a terminal: bars, and what fits into a width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appcredential.cli.text import bar, cells, cut


@pytest.mark.parametrize(
    ("left", "full"), [(-1, 0), (0, 0), (0.001, 1), (0.5, 5), (0.51, 6), (1, 10), (2, 10)]
)
def test_a_bar_is_empty_only_once_all_is_over(left: float, full: int) -> None:
    assert bar(left) == "█" * full + "░" * (10 - full)
    assert bar(left, unicode=False) == "#" * full + "-" * (10 - full)


@given(st.text(), st.integers(min_value=0, max_value=30))
def test_what_is_cut_fits(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= width


def test_wide_letters_take_two_cells() -> None:
    assert cells("注文") == 4
    assert cut("注文書", 5) == "注文…"
    assert cells("e\u0301") == 1
