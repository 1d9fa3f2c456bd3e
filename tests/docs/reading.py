"""The documents, cut into what the tests compare: links, blocks and tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "packaging").rglob("*.md"),
    ]
)
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    """Return a document's path in the repository."""
    return str(path.relative_to(ROOT))


def without_blocks(text: str) -> str:
    """Return the prose of a document."""
    return _BLOCK.sub("", text)


def links(text: str) -> list[str]:
    """Return what the prose links to."""
    return _LINK.findall(without_blocks(text))


def blocks(text: str, *languages: str) -> list[str]:
    """Return the code blocks in those languages."""
    return [body for language, body in _BLOCK.findall(text) if language in languages]


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives a document's headings."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def rows(text: str, *header: str) -> list[list[str]]:
    """Return the cells of every table that has this header."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        cells = [
            cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")
        ]
        if tuple(cells) == header:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not set(line) <= set("|-"):
            found.append(cells)
    return found
