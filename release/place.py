"""Where a release is pushed to, and what was pushed: from environment and build/release."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from localcluster.progress import to_stderr

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "build" / "release"
PUSHED: Final = "pushed.json"
"""The file that says what was pushed: reference without a tag, and digest."""
_REGISTRY: Final = re.compile(r"[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_LOOPBACK: Final = ("127.0.0.1", "localhost")


class ReleaseError(Exception):
    """The release cannot go on; the message names what is missing and the remedy."""


def registry(environment: Mapping[str, str]) -> str:
    """Return the place in a registry that REGISTRY names, such as `ghcr.io/example`.

    Raises:
        ReleaseError: it is missing, or no such place.
    """
    value = environment.get("REGISTRY", "")
    if not value:
        raise ReleaseError("REGISTRY is missing: name where to push, as REGISTRY=ghcr.io/example")
    if not _REGISTRY.fullmatch(value):
        raise ReleaseError(
            f"REGISTRY={value}: it is a host with a path in lower case, without https:// and "
            "without a slash at its end, such as ghcr.io/example"
        )
    return value


def is_loopback(place: str) -> bool:
    """Return whether a place is a registry on this machine, which is spoken to without TLS."""
    return place.partition("/")[0].partition(":")[0] in _LOOPBACK


def run(
    program: Path | str, *words: str | Path, secret: str = "", with_errors: bool = False
) -> str:
    """Run a program of the release; return what it printed, with its progress for people.

    Args:
        program: its path, or its name on the PATH.
        words: of its command line, which everybody on the machine can read.
        secret: what it reads on standard input.
        with_errors: return what it writes to standard error too, instead of showing it.

    Raises:
        ReleaseError: it failed; its own words are on standard error.
    """
    command = [str(program), *map(str, words)]
    try:
        done = subprocess.run(
            command,
            input=secret,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if with_errors else sys.stderr,
            text=True,
            check=False,
        )
    except OSError as error:
        raise ReleaseError(f"{command[0]} cannot be run: {error}") from None
    if done.returncode != 0:
        said = f": {done.stdout.strip()}" if with_errors else ", see above"
        name = Path(command[0]).name
        raise ReleaseError(f"{name} {words[0]} ended with status {done.returncode}{said}")
    return done.stdout.strip()


def note(folder: Path, found: Mapping[str, str]) -> None:
    """Add what was pushed to the file that says so, and print it."""
    known = {**(pushed(folder) if (folder / PUSHED).exists() else {}), **found}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PUSHED).write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    for reference, digest in found.items():
        to_stderr(f"pushed {reference}@{digest}")


def pushed(folder: Path) -> dict[str, str]:
    """Return what was pushed: digests by their references without a tag.

    Raises:
        ReleaseError: nothing was.
    """
    try:
        return dict(json.loads((folder / PUSHED).read_text()))
    except FileNotFoundError:
        raise ReleaseError(
            f"{folder / PUSHED} is missing: push first, as make push REGISTRY=ghcr.io/example"
        ) from None


def platforms(environment: Mapping[str, str]) -> Sequence[str]:
    """Return the platforms of a release, which PLATFORMS overrides: `linux-amd64 linux-arm64`."""
    return environment.get("PLATFORMS", "").split() or ("linux-amd64", "linux-arm64")


def environment() -> Mapping[str, str]:
    """Return the environment of this process."""
    return os.environ
