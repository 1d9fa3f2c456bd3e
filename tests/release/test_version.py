"""A tag names the version that every part says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from appcredential import __version__
from release.place import ROOT, ReleaseError
from release.version import check_tag, is_prerelease, notes, said_versions


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What says the version, with a changelog that has its section."""
    for path, _ in said_versions(ROOT):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    text = f"# Changelog\n\n## Unreleased\n\n- new\n\n## {__version__} (2026-01-31)\n\n- first\n"
    (tmp_path / "CHANGELOG.md").write_text(text)
    return tmp_path


def test_all_parts_say_the_same_version() -> None:
    assert {said for _, said in said_versions(ROOT)} == {__version__}


def test_the_tag_of_this_version_is_taken(tree: Path) -> None:
    check_tag(f"v{__version__}", tree)


@pytest.mark.parametrize("tag", ["", "1.2.3", "v1.2", "v1.2.3 ", "v1.2.3;id", "v$(id)", "latest"])
def test_what_is_no_version_is_refused(tree: Path, tag: str) -> None:
    with pytest.raises(ReleaseError, match=r"such as TAG=v1\.2\.3"):
        check_tag(tag, tree)


def test_every_part_that_disagrees_is_named(tree: Path) -> None:
    path = tree / "charts/appcredential/Chart.yaml"
    path.write_text(path.read_text().replace(f"\nversion: {__version__}", "\nversion: 9.9.9"))
    (tree / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n")
    with pytest.raises(ReleaseError) as caught:
        check_tag(f"v{__version__}", tree)
    assert "charts/appcredential/Chart.yaml says 9.9.9" in str(caught.value)
    assert f"CHANGELOG.md has no section `## {__version__}`" in str(caught.value)
    assert "appcredential-crds" not in str(caught.value)


@pytest.mark.parametrize("title", ["{}-rc.1", "{}-rc.1 (2026-01-31)", "{}.1", "{}0", "[{}]"])
def test_the_section_of_another_version_is_none(tree: Path, title: str) -> None:
    """A prerelease's notes are not those of the release."""
    path = tree / "CHANGELOG.md"
    path.write_text(f"# Changelog\n\n## {title.format(__version__)}\n\n- tried\n")
    with pytest.raises(ReleaseError, match="has no section"):
        check_tag(f"v{__version__}", tree)
    with pytest.raises(ReleaseError, match="has no section"):
        notes(f"v{__version__}", tree)


@pytest.mark.parametrize("title", ["{}", "{} (2026-01-31)", "{} - 2026-01-31"])
def test_a_section_may_name_its_day(tree: Path, title: str) -> None:
    path = tree / "CHANGELOG.md"
    sections = f"## {title.format(__version__)}\n\n- first\n\n## {__version__}-rc.1\n\n- tried\n"
    path.write_text(f"# Changelog\n\n{sections}")
    check_tag(f"v{__version__}", tree)
    assert notes(f"v{__version__}", tree) == "- first\n"


@pytest.mark.parametrize(("tag", "told"), [("v1.2.3", False), ("v1.2.3-rc.1", True)])
def test_a_prerelease_is_known(tag: str, told: bool) -> None:
    assert is_prerelease(tag) is told


def test_the_notes_are_the_section_of_the_version(tree: Path) -> None:
    assert notes(f"v{__version__}", tree) == "- first\n"
    with pytest.raises(ReleaseError, match="no section"):
        notes("v9.9.9", tree)
