"""A release on GitHub is made with its notes and files; one to try out is not the latest."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.announcing import announce
from release.place import ReleaseError

CHANGELOG = "# Changelog\n\n## 1.2.3\n\n- done\n\n## 1.2.3-rc.1 (2026-01-31)\n\n- tried\n"


@pytest.fixture
def gh(tmp_path: Path) -> Path:
    """A program that notes what it is told to do."""
    path = tmp_path / "gh"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/told\n')
    path.chmod(0o755)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return path


def told(gh: Path, tag: str) -> list[str]:
    folder = gh.parent
    (folder / "download").mkdir()
    (folder / "download" / "SHA256SUMS").write_text("")
    announce(str(gh), tag, folder, folder)
    return (folder / "told").read_text().splitlines()


def test_a_release_is_made_of_a_tag_that_exists(gh: Path) -> None:
    words = told(gh, "v1.2.3")
    assert words[:4] == ["release", "create", "v1.2.3", "--verify-tag"]
    assert words[-1] == str(gh.parent / "download" / "SHA256SUMS")
    assert "--prerelease" not in words
    assert Path(words[words.index("--notes-file") + 1]).read_text() == "- done\n"


def test_one_to_try_out_is_marked_as_such(gh: Path) -> None:
    assert "--prerelease" in told(gh, "v1.2.3-rc.1")
    assert (gh.parent / "notes.md").read_text() == "- tried\n"


def test_what_is_missing_is_named(gh: Path) -> None:
    with pytest.raises(ReleaseError, match="download is empty: run make downloads"):
        announce(str(gh), "v1.2.3", gh.parent, gh.parent)
    with pytest.raises(ReleaseError, match=r"no section `## 9\.9\.9`"):
        announce(str(gh), "v9.9.9", gh.parent, gh.parent)
