"""A tag, and everything in the repository that says which version it is, agree."""

from __future__ import annotations

import re
from pathlib import Path

from release.place import ReleaseError


def check_tag(tag: str, root: Path) -> None:
    """Refuse a tag that is not `v` and the version of all parts.

    Raises:
        ReleaseError: it names each part that says something else, with its file.
    """
    if not re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", tag):
        raise ReleaseError(f"TAG={tag}: a release's tag is v and a version, such as TAG=v1.2.3")
    version = tag.removeprefix("v")
    wrong = [f"{path} says {said}" for path, said in said_versions(root) if said != version]
    if _section(version, root) is None:
        wrong.append(_no_section(version))
    if wrong:
        raise ReleaseError(f"{tag} is no release of this tree: {'; '.join(wrong)}")


def said_versions(root: Path) -> list[tuple[str, str]]:
    """Return each file that says the version, and what it says."""
    found = []
    for package in ("appcredential", "entra_emulator"):
        path = f"operator/{package}/__init__.py"
        found.append((path, _only(r'^__version__ = "(.*)"$', root / path)))
    for chart in ("appcredential", "appcredential-crds"):
        path = f"charts/{chart}/Chart.yaml"
        found += [
            (path, _only(rf"^{key}: (.*)$", root / path)) for key in ("version", "appVersion")
        ]
    return found


def _only(pattern: str, path: Path) -> str:
    found = re.findall(pattern, path.read_text(), re.MULTILINE)
    return str(found[0]).strip('"') if len(found) == 1 else "nothing, or several versions"


def notes(tag: str, root: Path) -> str:
    """Return the section of the changelog about a tag's version.

    Raises:
        ReleaseError: there is none.
    """
    version = tag.removeprefix("v")
    found = _section(version, root)
    if found is None:
        raise ReleaseError(_no_section(version))
    return found + "\n"


def _section(version: str, root: Path) -> str | None:
    """Return the section of exactly this version: 1.2.3 is not 1.2.3-rc.1."""
    title = rf"^## {re.escape(version)}(?: [^\n]*)?\n"
    text = (root / "CHANGELOG.md").read_text()
    found = re.search(rf"{title}(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group(1).strip() if found is not None else None


def _no_section(version: str) -> str:
    return f"CHANGELOG.md has no section `## {version}`"


def is_prerelease(tag: str) -> bool:
    """Return whether a tag is of a version before a release, such as `v1.2.3-rc.1` (SemVer 9)."""
    return "-" in tag
