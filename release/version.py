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
    if f"\n## {version}" not in (root / "CHANGELOG.md").read_text():
        wrong.append(f"CHANGELOG.md has no section `## {version}`")
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
    version = re.escape(tag.removeprefix("v"))
    text = (root / "CHANGELOG.md").read_text()
    found = re.search(rf"^## {version}[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ReleaseError(f"CHANGELOG.md has no section `## {tag.removeprefix('v')}`")
    return found.group(1).strip() + "\n"
