"""`python -m release COMMAND`: the steps of a release; make has a target for each."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from image.engine import TARGETS
from localcluster.cache import cache_folder
from localcluster.errors import ClusterError
from localcluster.helm import locate_helm
from localcluster.progress import to_stderr
from localcluster.tools import locate_tool
from release import place
from release.announcing import announce
from release.chart import push_charts
from release.files import collect, downloads
from release.images import push_images
from release.place import FOLDER, ROOT, ReleaseError
from release.programs import pack, unpack
from release.registry import sign_in
from release.signatures import sign
from release.version import check_tag

_PROGRAMS: Final = FOLDER / "programs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("pack", "unpack", "collect", "downloads", "login", "push", "sign", "outputs"):
        commands.add_parser(name)
    for name in ("check", "announce"):
        commands.add_parser(name).add_argument("tag")
    given = parser.parse_args(arguments)
    steps: dict[str, Callable[[], None]] = {
        "check": lambda: check_tag(given.tag, ROOT),
        "announce": lambda: announce(_program("gh", "cli.github.com"), given.tag, ROOT, FOLDER),
        "pack": lambda: print(pack(_programs(), _PROGRAMS)),
        "unpack": lambda: unpack(_PROGRAMS, cache_folder()),
        "collect": lambda: print(collect(FOLDER)),
        "downloads": lambda: print(downloads(FOLDER, place.platforms(place.environment()))),
        "login": _login,
        "push": _push,
        "sign": _sign,
        "outputs": _outputs,
    }
    try:
        steps[given.command]()
    except (ReleaseError, ClusterError) as error:
        to_stderr(f"error: {error}")
        return 1
    return 0


def _programs() -> tuple[Path, Path]:
    """Return crane and helm, built where they are missing."""
    return locate_tool("crane", to_stderr), locate_helm(to_stderr)


def _login() -> None:
    environment = place.environment()
    target = place.registry(environment)
    sign_in(*_programs(), target, environment)


def _push() -> None:
    environment = place.environment()
    target = place.registry(environment)
    crane, helm = _programs()
    push_images(crane, target, FOLDER, place.platforms(environment))
    push_charts(helm, target, FOLDER)


def _sign() -> None:
    sign(_program("cosign", "docs.sigstore.dev"), FOLDER, place.environment())


def _program(name: str, source: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise ReleaseError(f"{name} is not on the PATH: install it, from {source}")
    return path


def _outputs() -> None:
    """Print the digests of the images as the outputs of a step of a workflow."""
    target = place.registry(place.environment())
    known = place.pushed(FOLDER)
    for kind, name in TARGETS.items():
        print(f"{kind}={known[f'{target}/{name}']}")


if __name__ == "__main__":
    sys.exit(main())
