"""Push the images of all platforms, and under one name an index of them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appcredential import __version__
from image.engine import TARGETS
from release.place import ReleaseError, note, run


def push_images(crane: Path, place: str, folder: Path, platforms: Sequence[str]) -> None:
    """Push what `make dist` left for each platform.

    Args:
        crane: the program.
        place: in a registry, such as `ghcr.io/example`.
        folder: of the release, with a folder for each platform.
        platforms: that the release has, such as `linux-amd64`.

    Raises:
        ReleaseError: an archive is missing or of another platform, before anything is pushed; or
            a push failed.
    """
    for name in TARGETS.values():
        for platform in platforms:
            _archive(folder, platform, name)
    for name in TARGETS.values():
        reference = f"{place}/{name}"
        parts: dict[str, str] = {}
        for platform in platforms:
            tag = f"{reference}:{__version__}-{platform}"
            # It prints the reference with the digest that the registry answered.
            answer = run(crane, "push", _archive(folder, platform, name), tag)
            parts[f"{reference}#{platform}"] = answer.rpartition("@")[2]
        members = [w for d in parts.values() for w in ("--manifest", f"{reference}@{d}")]
        tag = f"{reference}:{__version__}"
        # By digest: nobody can put another image under a tag in the meantime.
        answer = run(crane, "index", "append", *members, "--tag", tag)
        note(folder, {reference: answer.rpartition("@")[2], **parts})


def platform_of(archive: Path) -> str:
    """Return the platform in the configuration of an image's archive, such as `linux-amd64`."""
    with tarfile.open(archive) as files:
        (image,) = _json(files, "manifest.json")
        configuration = _json(files, image["Config"])
    return f"{configuration['os']}-{configuration['architecture']}"


def _json(files: tarfile.TarFile, name: str) -> Any:
    found = files.extractfile(name)
    return json.loads(found.read() if found else b"{}")


def _archive(folder: Path, platform: str, name: str) -> Path:
    path = folder / platform / f"{name}.tar"
    if not path.exists():
        raise ReleaseError(
            f"{path} is missing: run make image dist on a machine of {platform}, and put its "
            f"build/release/{platform} here; or say what the release has, as PLATFORMS=linux-amd64"
        )
    if (found := platform_of(path)) != platform:
        raise ReleaseError(f"{path} is an image of {found}: run make image dist where it belongs")
    return path
