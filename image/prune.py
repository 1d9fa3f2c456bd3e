"""Remove the parts of the installed SDKs that the operator never imports: nearly all of them.

Run as `python prune.py SITE_PACKAGES`. modules.txt lists the modules of msgraph that the operator's
calls to Graph import; tests/image makes all those calls without the rest of msgraph. Of the
Kubernetes client only the typed models and APIs go, because the operator works with JSON.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MODULES = Path(__file__).with_name("modules.txt")
PRUNED = re.compile(r"msgraph(\.|$)|kubernetes\.(aio\.)?client\.(models|api)\.")


def kept(text: str) -> frozenset[str]:
    """Return the names of the modules to keep, with their packages."""
    names = [line.strip() for line in text.splitlines() if line.strip()]
    return frozenset(
        ".".join(parts[:n])
        for parts in (name.split(".") for name in names)
        for n in range(1, len(parts) + 1)
    )


def is_pruned(module: str, names: frozenset[str]) -> bool:
    """Return whether the image leaves a module out."""
    return PRUNED.match(module) is not None and module not in names


def prune(site: Path, names: frozenset[str]) -> int:
    """Delete the other modules and empty folders; return the number of deleted files."""
    gone = 0
    for package in ("msgraph", "kubernetes"):
        for path in sorted((site / package).rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif is_pruned(module_of(path.relative_to(site)), names):
                path.unlink()
                gone += 1
    return gone


def module_of(path: Path) -> str:
    """Return the name of the module in a file of site-packages."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


if __name__ == "__main__":
    count = prune(Path(sys.argv[1]), kept(MODULES.read_text()))
    sys.stdout.write(f"{count} files removed\n")
