"""`make screenshots`: writes docs/screenshots, from scenes that are always the same."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from appcredential.cli.app_credential import AppCredential
from appcredential.cli.columns import TableForm, table
from appcredential.cli.story import chapters, lines
from appcredential.cli.styles import Line
from appcredential.cli.terminal import LOOKS
from appcredential.domain.attention import in_order
from appcredential.report.page import render
from tests.cli.scenes import NOW
from tests.report.fleet import ORIGIN, fleet, rows
from tests.support.chromium import PROGRAM, Tab, chromium

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"
LARGEST: Final = 150 * 1024
_COLUMNS: Final = 110
_LISTED: Final = 16
_THEME: Final = TerminalTheme(
    (22, 26, 30),
    (214, 220, 224),
    [
        *((60, 68, 76), (255, 130, 120), (126, 201, 149), (232, 182, 92)),
        *((134, 180, 245), (200, 160, 240), (120, 200, 210), (214, 220, 224)),
    ],
)


async def draw(folder: Path) -> dict[str, bytes]:
    """Return all pictures by their names.

    Args:
        folder: where pages may be written that Chromium opens.
    """
    found: dict[str, bytes] = {}
    async with chromium() as tab:
        await tab.size(1000, 860)
        await tab.open(_page(folder, "report", render(rows(), ORIGIN, NOW)))
        for colours in ("light", "dark"):
            await tab.media(prefers_color_scheme=colours)
            found[f"report-{colours}"] = await tab.picture()
        await tab.media(prefers_color_scheme="light")
        await tab.value("document.querySelector('#times').scrollIntoView()")
        found["report-timeline"] = await tab.picture()
        await tab.value("scrollTo(0, 0)")
        await tab.size(420, 900, 1.25)
        found["report-narrow"] = await tab.picture()
        for name, shown in (("list", _list()), ("status", _status())):
            text = _terminal(f"kubectl appcredential {name}", shown)
            found[f"cli-{name}"] = await _terminal_picture(tab, _page(folder, name, text))
    return found


def _page(folder: Path, name: str, text: str) -> str:
    page = folder / f"{name}.html"
    page.write_text(text)
    return page.as_uri()


async def _terminal_picture(tab: Tab, url: str) -> bytes:
    await tab.size(1000, 400)
    await tab.open(url)
    height = int(await tab.value("document.querySelector('pre').offsetHeight"))
    await tab.size(1000, height)
    return await tab.picture()


def _list() -> tuple[str, Iterable[Line]]:
    found = in_order(map(AppCredential, fleet()), NOW)[:_LISTED]
    form = TableForm(namespaces=True, wide=False, width=_COLUMNS, unicode=True)
    return " -A | head -17", table(found, NOW, form)


def _status() -> tuple[str, Iterable[Line]]:
    resource = next(r for r in map(AppCredential, fleet()) if r.name == "payments")
    return " payments -n checkout", lines(chapters(resource, NOW), _COLUMNS)


def _terminal(command: str, shown: tuple[str, Iterable[Line]]) -> str:
    """Return a page that shows a command and its output as a terminal does."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), color_system="truecolor")
    console.print(Text(f"$ {command}{shown[0]}", style="bold"))
    for line in shown[1]:
        parts = (Text(part.text, style=LOOKS[part.style]) for part in line)
        console.print(Text.assemble(*parts), overflow="ignore", no_wrap=True, crop=False)
    page = (
        "<!doctype html><meta charset='utf-8'><style>{stylesheet} * {{ margin: 0 }} pre {{ "
        "padding: 18px 22px; color: {foreground}; background: {background}; "
        "font: 14px/1.4 'DejaVu Sans Mono', monospace; white-space: pre }}</style>"
        "<pre>{code}</pre>"
    )
    return console.export_html(theme=_THEME, code_format=page)


def main() -> int:
    """Draw; return the exit status."""
    if PROGRAM is None:
        sys.stderr.write("error: chromium is not installed: apt-get install chromium\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as made:
        found = asyncio.run(draw(Path(made)))
    for name, picture in found.items():
        (FOLDER / f"{name}.png").write_bytes(picture)
    too_large = sorted(name for name, picture in found.items() if len(picture) > LARGEST)
    if too_large:
        sys.stderr.write(f"error: over {LARGEST} bytes: {', '.join(too_large)}\n")
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
