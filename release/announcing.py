"""Make the release on GitHub: its notes, its files, and whether it is one to try out."""

from __future__ import annotations

from pathlib import Path

from release.files import DOWNLOAD
from release.place import ReleaseError, run
from release.version import is_prerelease, notes


def announce(gh: str, tag: str, root: Path, folder: Path) -> None:
    """Make the release of a tag, with what people download.

    GitHub shows as the latest release whatever is not marked as a prerelease
    (cli.github.com/manual/gh_release_create).

    Args:
        gh: GitHub's program.
        tag: such as `v1.2.3`; it must have been pushed.
        root: the repository, whose changelog has the notes.
        folder: of the release.

    Raises:
        ReleaseError: there are no notes or files, or gh failed.
    """
    text = notes(tag, root)
    files = sorted((folder / DOWNLOAD).glob("*"))
    if not files:
        raise ReleaseError(f"{folder / DOWNLOAD} is empty: run make downloads")
    path = folder / "notes.md"
    path.write_text(text)
    kind = ["--prerelease"] if is_prerelease(tag) else []
    words: list[str | Path] = ["--verify-tag", "--title", tag, "--notes-file", path, *kind]
    run(gh, "release", "create", tag, *words, *files)
