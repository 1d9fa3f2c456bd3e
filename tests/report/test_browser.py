"""The page in a headless Chromium: nothing is asked of anybody, nothing is complained of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from appcredential.report.page import render
from tests.cli.scenes import NOW
from tests.report.fleet import ORIGIN, rows
from tests.support.chromium import PROGRAM, Tab, chromium

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")

_SEARCH: Final = """
(() => {
  const input = document.querySelector("#tools input");
  input.value = "payments";
  input.dispatchEvent(new Event("input"));
  const shown = [...document.querySelectorAll("#all tbody tr")].filter((r) => !r.hidden).length;
  input.value = "";
  input.dispatchEvent(new Event("input"));
  return [shown, document.querySelector("#tools").hidden];
})()
"""
_SORT: Final = """
(() => {
  const head = document.querySelectorAll("#all thead th")[0];
  head.querySelector("button").click();
  const names = [...document.querySelectorAll("#all tbody th")].map((c) => c.textContent);
  return [head.getAttribute("aria-sort"), names[0] <= names[1] && names[1] <= names[90]];
})()
"""
_GROUND: Final = "getComputedStyle(document.body).backgroundColor"
_OVERFLOW: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def _looked_at(page: Path) -> dict[str, Any]:
    """Load the page once and look at all that the tests ask for."""
    async with chromium() as tab:
        await tab.size(1100, 900)
        await tab.open(page.as_uri())
        found = {
            "rows": await tab.value("document.querySelectorAll('#all tbody tr').length"),
            "search": await tab.value(_SEARCH),
            "sort": await tab.value(_SORT),
            **await _grounds(tab),
        }
        await tab.media(prefers_color_scheme="light")
        await tab.size(360, 800)
        found["overflow"] = await tab.value(_OVERFLOW)
        await tab.media("print")
        found["printed"] = await tab.value(
            "getComputedStyle(document.querySelector('nav')).display"
        )
        return {**found, "requested": tab.requested, "complaints": tab.complaints}


async def _grounds(tab: Tab) -> dict[str, Any]:
    found = {}
    for colours in ("light", "dark"):
        await tab.media(prefers_color_scheme=colours)
        found[colours] = await tab.value(_GROUND)
    return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser showed."""
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(render(rows(), ORIGIN, NOW))
    found = asyncio.run(_looked_at(page))
    assert found["requested"] == [page.as_uri()]
    return found


SEEN: Final[dict[str, Callable[[dict[str, Any]], bool]]] = {
    "nothing is complained of": lambda seen: seen["complaints"] == [],
    "the table is there": lambda seen: seen["rows"] == 96,
    "it is dark in the dark": lambda seen: seen["dark"] != seen["light"],
    "words are searched for": lambda seen: seen["search"] == [1, False],
    "columns are sorted": lambda seen: seen["sort"] == ["ascending", True],
    "it fits a telephone": lambda seen: seen["overflow"] <= 0,
    "what cannot be used on paper is left out": lambda seen: seen["printed"] == "none",
}


@pytest.mark.parametrize("what", SEEN)
def test_in_a_browser(seen: dict[str, Any], what: str) -> None:
    assert SEEN[what](seen), seen
