"""The site has every page once, and a link means on it what it means in the repository."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import pytest

from tests.docs.navigation import configuration, pages
from tests.docs.reading import ROOT
from website.pages import FROM_OUTSIDE, source_of, with_links

DOCS: Final = ROOT / "docs"
REPOSITORY: Final = "https://git.example/appcredential"


def test_the_navigation_has_every_page_once() -> None:
    wanted = [str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")]
    assert sorted(pages(configuration()["nav"])) == sorted([*wanted, *FROM_OUTSIDE.values()])


def test_pages_from_outside_exist_and_hide_none_of_docs() -> None:
    for source, page in FROM_OUTSIDE.items():
        assert (ROOT / source).is_file()
        assert not (DOCS / page).exists()
        assert source_of(page) == source


def test_a_reader_s_browser_is_sent_nowhere_else() -> None:
    found = configuration()
    assert found["theme"]["font"] is False
    assert found["strict"] is True
    assert all("//" not in str(f) for f in found.get("extra_javascript", []))
    assert set(found["plugins"]) == {"search"}


@pytest.mark.parametrize(
    ("page", "link", "target"),
    [
        ("install.md", "guides/github.md#x", "guides/github.md#x"),
        ("guides/github.md", "../install.md", "../install.md"),
        ("guides/github.md", "../../CHANGELOG.md", "../changelog.md"),
        ("guides/github.md", "../../examples/README.md#y", "../examples.md#y"),
        ("examples.md", "../docs/api.md", "api.md"),
        ("chart.md", "../../docs/install.md", "install.md"),
        (
            "threat-model.md",
            "tests/docs/reading.py",
            f"{REPOSITORY}/blob/main/tests/docs/reading.py",
        ),
        ("how-do-i.md", "runbooks", f"{REPOSITORY}/tree/main/docs/runbooks"),
        ("install.md", "#here", "#here"),
        ("install.md", "https://example.com/a.md", "https://example.com/a.md"),
        ("install.md", "mailto:a@example.com", "mailto:a@example.com"),
        ("install.md", "nowhere.md", "nowhere.md"),
        ("cli.md", "screenshots/cli-list.png", "screenshots/cli-list.png"),
    ],
)
def test_a_link_leads_to_a_page_or_into_the_repository(page: str, link: str, target: str) -> None:
    assert with_links(f"See [it]({link}).", page, REPOSITORY) == f"See [it]({target})."


def test_code_blocks_stay_as_they_are() -> None:
    block = "```sh\n# [it](../README.md)\n```"
    text = f"[a](../README.md)\n{block}\n[b](../README.md)\n"
    page = with_links(text, "install.md", REPOSITORY)
    assert block in page
    assert page.count(f"{REPOSITORY}/blob/main/README.md") == 2


_ITEM: Final = re.compile(r"(?:[-*]|\d+\.) ")


def _torn(text: str) -> list[str]:
    """Return lines that GitHub takes for a heading or a part of a list, and mkdocs does not."""
    prose = re.sub(r"^( *)(```.*?)^\1```$", _without_content, text, flags=re.MULTILINE | re.DOTALL)
    lines = ["", *prose.splitlines()]
    return [
        line
        for before, line in pairwise(lines)
        if (before and re.match(r"#+ ", line))
        or (
            before
            and _ITEM.match(line)
            and not re.match(r" +\S", before)
            and not _ITEM.match(before)
        )
        or (not before and re.match(r"(?: {1,3}| {5,7})\S", line))
    ]


def _without_content(block: re.Match[str]) -> str:
    return block[1] + block[2].splitlines()[0]


@pytest.mark.parametrize("page", [*pages(configuration()["nav"])])
def test_headings_and_lists_are_the_same_on_the_site(page: str) -> None:
    assert _torn((ROOT / source_of(page)).read_text()) == []


def test_what_would_be_torn_is_found() -> None:
    text = (
        "1. a\n\n   ```sh\n   # b\n\n   c\n   ```\n\n| d |\n## e\n\n    ```\n  f\n    ```\ng\n- h\n"
    )
    assert _torn(text) == ["   ```sh", "## e", "- h"]


def test_the_program_for_diagrams_is_pinned() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^MERMAID := \d+\.\d+\.\d+$", makefile, re.MULTILINE)
    pinned = (ROOT / "website" / "mermaid.sha256").read_text()
    assert re.fullmatch(r"[0-9a-f]{64}  mermaid\.min\.js\n", pinned)
