"""`python -m image.build`: build both images with docker or, if its daemon is not there, buildah.

If the base image cannot be pulled, debootstrap makes one from Debian's packages; debootstrap and
buildah need root. Sizes and digests go to build/image.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
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

ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
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


def choose_base(engine: Engine, asked: str, arch: str = "") -> str:
    """Return the base asked for, else the Dockerfile's base if it can be pulled, else our own.

    Raises:
        ImageError: there is none for another architecture, `arch`, or our own cannot be made.
    """
    if asked:
        return asked
    (line,) = (
        x for x in (ROOT / "Dockerfile").read_text().splitlines() if x.startswith("ARG BASE")
    )
    default = line.partition("=")[2]
    other = ["--platform", f"linux/{arch}"] if arch else []
    if engine.run("pull", "--quiet", *other, default, check=False).returncode == 0:
        return default
    if arch:
        raise ImageError(
            f"{default} cannot be pulled, and a base of Debian's packages is made for this "
            f"machine's architecture only; name one of {arch}: BASE=registry.example.com/python"
        )
    return local_base(engine)


def foreign(asked: str) -> str:
    """Return the architecture that was asked for, empty if it is this machine's own.

    Raises:
        ImageError: it is another one, and the kernel has no emulator for it, as the build runs
            Python (docs.kernel.org/admin-guide/binfmt-misc.html).
    """
    here = ARCHITECTURES.get(platform.machine(), platform.machine())
    emulators = {"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}
    if not asked or asked == here:
        return ""
    if asked not in emulators:
        raise ImageError(f"ARCH={asked}: there are {' and '.join(emulators)}")
    if not (BINFMT / emulators[asked]).exists():
        raise ImageError(
            f"this machine runs no programs of {asked}, only make image ARCH={here} works: build "
            f"on a machine of {asked}, as the workflow release does, or install qemu-user-static"
        )
    return asked


def build(
    engine: Engine,
    base: str,
    names: Sequence[str],
    suffix: str = "",
    *,
    anew: bool = False,
    arch: str = "",
) -> None:
    """Build the targets, of this machine's architecture unless `arch` names another.

    `anew` ignores the cache of earlier builds.
    """
    with tempfile.TemporaryDirectory(prefix="appcredential-image-") as folder:
        for target in names:
            say(f"building {TARGETS[target]} on {base}")
            tag = f"{TARGETS[target]}:{__version__}{suffix}"
            words = ["build", "--target", target, "--tag", tag]
            words += ["--no-cache"] if anew else []
            words += ["--platform", f"linux/{arch}"] if arch else []
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
    parser.add_argument(
        "--arch", default=os.environ.get("ARCH", ""), help="amd64 or arm64; this machine's if empty"
    )
    options = parser.parse_args(arguments)
    try:
        arch = foreign(options.arch)
        engine = find_engine()
        base = choose_base(engine, options.base, arch)
        build(engine, base, list(TARGETS), arch=arch)
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
