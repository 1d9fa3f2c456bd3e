"""What goes into the archive: the tool, and the installed files of what it needs, as locked.

Every file is held against the hash that its package recorded, and every version against
requirements/cli.txt: what was changed by hand since it was installed does not go out.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).parents[1]
ROOTS: Final = ("click", "kubernetes", "msgspec", "pyyaml", "rich", "tzdata", "urllib3")
"""What the tool and domain/ import. Entra's SDKs are not among them."""
WITHOUT: Final = ("aiohttp", "azure", "cryptography", "kiota_abstractions", "kopf", "msgraph")
"""What the archive is without, although the package can be installed with it."""
_UNUSED: Final = frozenset({"aiohttp", "aiohttp-retry", "markdown-it-py", "pygments"})
"""Distributions that only unused parts of others need: the asynchronous Kubernetes client, and what
rich makes of Markdown and source text."""
_LEFT_OUT: Final = (
    "kubernetes/aio/",
    "kubernetes/client/api/",
    "kubernetes/client/models/",
    "kubernetes/e2e_test/",
)
"""100 MB of generated classes: the tool sends JSON and reads JSON."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class ContentsError(Exception):
    """What is installed is not what was locked."""


def contents(lock: str, changed: list[str] | None = None) -> dict[str, bytes]:
    """Return the files by their names within the archive's folder of packages.

    Args:
        lock: the text of requirements/cli.txt.
        changed: filled with the names of files that were changed since they were installed, which
            are then taken as they are; None refuses them.

    Raises:
        ContentsError: something is not installed, or not as it was locked.
    """
    found = dict(_own())
    for distribution in _closure():
        _check_version(distribution, lock)
        found |= dict(_files(distribution, changed))
    return found


def _own() -> Iterator[tuple[str, bytes]]:
    source = ROOT / "operator"
    for path in sorted((source / "appcredential").rglob("*.py")):
        yield path.relative_to(source).as_posix(), path.read_bytes()


def _closure() -> list[metadata.Distribution]:
    seen: dict[str, metadata.Distribution] = {}
    left = list(ROOTS)
    while left:
        name = _canonical(left.pop())
        if name in seen or name in _UNUSED:
            continue
        try:
            seen[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            raise ContentsError(f"{name} is not installed") from None
        left += _needed(seen[name].requires or ())
    return [seen[name] for name in sorted(seen)]


def _needed(requirements: Iterable[str]) -> Iterator[str]:
    """Yield the names of what is needed here; extras and other systems have markers."""
    for requirement in requirements:
        if ";" in requirement:
            continue  # the lock has no distribution that only a marker asks for: see the test
        found = _NAME.match(requirement)
        if found is not None:
            yield found[0]


def _check_version(distribution: metadata.Distribution, lock: str) -> None:
    name = _canonical(distribution.metadata["Name"])
    wanted = re.search(rf"^{re.escape(name)}==(\S+)", lock, re.MULTILINE)
    if wanted is None or wanted[1] != distribution.version:
        locked = wanted[1] if wanted is not None else "nothing"
        raise ContentsError(f"{name} {distribution.version} is installed, and {locked} is locked")


def _files(
    distribution: metadata.Distribution, changed: list[str] | None
) -> Iterator[tuple[str, bytes]]:
    for file in distribution.files or ():
        name = PurePosixPath(file).as_posix()
        if _is_left_out(name):
            continue
        content = Path(str(file.locate())).read_bytes()
        recorded = file.hash
        if recorded is not None and _digest(recorded.mode, content) != recorded.value:
            if changed is None:
                raise ContentsError(f"{name} is not as it was installed")
            changed.append(name)
        yield name, content


def _is_left_out(name: str) -> bool:
    if name.startswith(("..", "/")) or name.endswith((".pyc", "_test.py", ".pyi")):
        return True
    if name.endswith("/__init__.py") and not name.startswith("kubernetes/aio/"):
        return False
    is_bookkeeping = ".dist-info/" in name and not name.endswith(("/METADATA", "LICENSE"))
    return is_bookkeeping or name.startswith(_LEFT_OUT)


def _digest(mode: str, content: bytes) -> str:
    raw = hashlib.new(mode, content).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
