"""Which files of the repository are pages of the site, and what a link between them becomes."""

from __future__ import annotations

import posixpath
import re
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FROM_OUTSIDE: Final = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "threat-model.md",
    "charts/appcredential/README.md": "chart.md",
    "examples/README.md": "examples.md",
    "examples/gitops/README.md": "examples-gitops.md",
}
"""Pages that lie elsewhere than in docs/: path in the repository, and page of the site."""

_FENCED: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"(\]\()([^)\s]+)(\))")


def source_of(page: str) -> str:
    """Return where in the repository the text of a page of the site is."""
    outside = {site: source for source, site in FROM_OUTSIDE.items()}
    return outside.get(page, f"docs/{page}")


def with_links(markdown: str, page: str, repository: str) -> str:
    """Return the text of a page with its links as the site needs them.

    A link to another page leads to it, one to any other file of the repository to its place
    there. What does not exist stays as it is: mkdocs warns of it.

    Args:
        markdown: the page's text, with links relative to its place in the repository.
        page: the page, relative to the site's root.
        repository: URL under which the files of the main branch are shown.
    """
    cut = [0, *(i for m in _FENCED.finditer(markdown) for i in m.span()), len(markdown)]
    parts = [markdown[start:end] for start, end in pairwise(cut)]
    # Every second part is a code block.
    parts[::2] = [
        _LINK.sub(lambda m: f"{m[1]}{_target(m[2], page, repository)}{m[3]}", part)
        for part in parts[::2]
    ]
    return "".join(parts)


def _target(link: str, page: str, repository: str) -> str:
    path, hash_sign, anchor = link.partition("#")
    if not path or re.match(r"[a-z]+:", link):
        return link
    folder = posixpath.dirname(source_of(page))
    target = posixpath.normpath(posixpath.join(folder, path))
    site = FROM_OUTSIDE.get(target, target.removeprefix("docs/"))
    if target in FROM_OUTSIDE or (target.startswith("docs/") and (ROOT / target).is_file()):
        return posixpath.relpath(site, posixpath.dirname(page) or ".") + hash_sign + anchor
    if (ROOT / target).exists():
        kind = "tree" if (ROOT / target).is_dir() else "blob"
        return f"{repository}/{kind}/main/{target}{hash_sign}{anchor}"
    return link
