"""What people download from a release: collected in one folder, with the hash of each file."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from appcredential import __version__
from onefile.archive import NAME
from onefile.krew import system
from release.place import ROOT, ReleaseError

DOWNLOAD: Final = "download"
SUMS: Final = "SHA256SUMS"
MANIFEST: Final = "krew.yaml"


def this_platform() -> str:
    """Return the platform of this machine, such as `linux-amd64`."""
    return "-".join(system())


def collect(folder: Path) -> Path:
    """Copy what `make zipapp` wrote to the folder of this platform; return that folder.

    Raises:
        ReleaseError: something was not made.
    """
    target = folder / this_platform()
    target.mkdir(parents=True, exist_ok=True)
    archive = f"{NAME}-{__version__}-{this_platform()}.tar.gz"
    sources = {
        f"{NAME}.pyz": f"{NAME}-{__version__}-{this_platform()}.pyz",
        archive: archive,
        "krew/appcredential.yaml": MANIFEST,
    }
    for source, name in sources.items():
        path = ROOT / "build" / source
        if not path.exists():
            raise ReleaseError(f"{path} is missing: run make zipapp")
        shutil.copy2(path, target / name)
    return target


def downloads(folder: Path, platforms: Sequence[str]) -> Path:
    """Copy all that people download into one folder, with their hashes; return the folder.

    Raises:
        ReleaseError: the files of a platform, or the wheels, are missing.
    """
    target = folder / DOWNLOAD
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    wheels = sorted((folder / "any").glob("*.whl"))
    if not wheels:
        raise ReleaseError(f"{folder / 'any'} has no wheels: run make wheels")
    for path in (*wheels, *sorted((folder / "any").glob("*.tgz"))):
        shutil.copy2(path, target / path.name)
    for name in platforms:
        _copy_platform(folder / name, name, target)
    manifests = [folder / name / MANIFEST for name in platforms]
    (target / f"{NAME}-krew.yaml").write_text(merged([path.read_text() for path in manifests]))
    files = sorted(target.iterdir())
    sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (target / SUMS).write_text("".join(sums))
    return target


def _copy_platform(source: Path, name: str, target: Path) -> None:
    if not (source / MANIFEST).exists():
        raise ReleaseError(
            f"{source} is missing or not whole: run make dist on a machine of {name}; "
            "or say what the release has, as PLATFORMS=linux-amd64"
        )
    for path in sorted(source.iterdir()):
        if path.name.startswith(NAME):
            shutil.copy2(path, target / path.name)
        elif path.name.endswith(".spdx.json"):
            image = path.name.removesuffix(".spdx.json")
            shutil.copy2(path, target / f"{image}-{__version__}-{name}.spdx.json")


def merged(manifests: Sequence[str]) -> str:
    """Return krew's manifest for several platforms, made of those for one each."""
    documents: list[dict[str, Any]] = [yaml.safe_load(text) for text in manifests]
    platforms = [found for document in documents for found in document["spec"]["platforms"]]
    first = documents[0]
    first["spec"]["platforms"] = platforms
    return yaml.safe_dump(first, sort_keys=False)
