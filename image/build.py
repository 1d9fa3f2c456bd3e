"""`python -m image.build`: build both images with docker or, if its daemon is not there, buildah.

If the base image cannot be pulled, debootstrap makes one from Debian's packages; debootstrap and
buildah need root. Sizes and digests go to build/image.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appcredential import __version__
from image.engine import ROOT, TARGETS, Engine, ImageError, find_engine, say
from image.inspecting import describe

RESULT: Final = ROOT / "build" / "image.json"
LOCAL_BASE: Final = "localhost/appcredential-base"
SUITE: Final = "bookworm"
PACKAGES: Final = "python3,python3-venv,ca-certificates"


def local_base(engine: Engine) -> str:
    """Return the name of a base made of Debian's packages; make it if it is missing.

    Raises:
        ImageError: this machine cannot make one, or debootstrap failed.
    """
    if engine.run("inspect", "--type", "image", LOCAL_BASE, check=False).returncode == 0:
        return LOCAL_BASE
    debootstrap = shutil.which("debootstrap") or "/usr/sbin/debootstrap"
    if not engine.is_buildah or not Path(debootstrap).exists() or os.geteuid() != 0:
        raise ImageError(
            "the base image cannot be pulled, and making one takes root, buildah and debootstrap; "
            "name a base that can be reached: make image BASE=registry.example.com/python:3.13-slim"
        )
    say(f"no registry is reachable: making a base of Debian {SUITE} (about a minute)")
    with tempfile.TemporaryDirectory(prefix="appcredential-base-") as folder:
        log = Path(folder) / "debootstrap.log"
        with log.open("w") as output:
            command = [debootstrap, "--variant=minbase", f"--include={PACKAGES}", SUITE]
            made = subprocess.run(
                [*command, f"{folder}/root"], stdout=output, stderr=output, check=False
            )
        if made.returncode != 0:
            raise ImageError(f"debootstrap failed:\n{log.read_text()[-2000:]}")
        container = engine.run("from", "scratch").stdout.strip()
        engine.run("copy", "--quiet", container, f"{folder}/root", "/")
        engine.run("commit", "--quiet", "--rm", container, LOCAL_BASE)
    return LOCAL_BASE


def choose_base(engine: Engine, asked: str) -> str:
    """Return the base asked for, else the Dockerfile's base if it can be pulled, else our own."""
    if asked:
        return asked
    (line,) = (
        x for x in (ROOT / "Dockerfile").read_text().splitlines() if x.startswith("ARG BASE")
    )
    default = line.partition("=")[2]
    if engine.run("pull", "--quiet", default, check=False).returncode == 0:
        return default
    return local_base(engine)


def build(
    engine: Engine, base: str, names: Sequence[str], suffix: str = "", *, anew: bool = False
) -> None:
    """Build the targets; `anew` ignores the cache of earlier builds."""
    with tempfile.TemporaryDirectory(prefix="appcredential-image-") as folder:
        for target in names:
            say(f"building {TARGETS[target]} on {base}")
            tag = f"{TARGETS[target]}:{__version__}{suffix}"
            words = ["build", "--target", target, "--tag", tag]
            words += ["--no-cache"] if anew else []
            words += ["--build-arg", f"BASE={base}", "--build-arg", f"VERSION={__version__}"]
            words += secrets(Path(folder))
            if engine.is_buildah:
                words += ["--timestamp", "0", "--layers", "--quiet", "--pull-never"]
            else:
                words += ["--quiet", "--build-arg", "SOURCE_DATE_EPOCH=0"]
            engine.run(*words, ".")


def secrets(folder: Path) -> list[str]:
    """Return the options that pass pip's configuration and its CA certificates to the build."""
    found = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    names = ("index-url", "extra-index-url", "trusted-host", "proxy", "default-timeout")
    settings, authority = {}, ""
    for line in found.stdout.splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if key in names:
            settings[key] = value.strip("'\"")
        elif key == "cert":
            authority = value.strip("'\"")
    if authority:
        settings["cert"] = "/run/ca.pem"
    conf, ca = folder / "pip.conf", folder / "ca.pem"
    conf.write_text("[global]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items()))
    ca.write_text(Path(authority).read_text() if authority else "")
    return ["--secret", f"id=pip,src={conf}", "--secret", f"id=ca,src={ca}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build both images and write their sizes and digests."""
    parser = argparse.ArgumentParser(prog="python -m image.build", description=__doc__)
    parser.add_argument("--base", default=os.environ.get("BASE", ""), help="base image to build on")
    options = parser.parse_args(arguments)
    try:
        engine = find_engine()
        build(engine, choose_base(engine, options.base), list(TARGETS))
    except ImageError as error:
        say(f"error: {error}")
        return 1
    found = {target: describe(engine, f"{name}:{__version__}") for target, name in TARGETS.items()}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    for target, facts in found.items():
        say(f"{TARGETS[target]}:{__version__}: {facts['megabytes']} MB, {facts['id']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
