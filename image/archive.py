"""`python -m image.archive FOLDER`: write the built images as archives that any node can load."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from appcredential import __version__
from image.engine import TARGETS, Engine, ImageError, find_engine, say


def archive(engine: Engine, name: str, folder: Path) -> Path:
    """Write an image's archive, with the image name that the chart uses by default."""
    path = folder / f"{name}.tar"
    # Neither engine overwrites an existing archive.
    path.unlink(missing_ok=True)
    tag = f"{name}:{__version__}"
    if engine.is_buildah:
        engine.run("push", "--quiet", tag, f"docker-archive:{path}:{tag}")
    else:
        engine.run("save", "--output", str(path), tag)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both archives."""
    (folder,) = sys.argv[1:] if arguments is None else arguments
    try:
        engine = find_engine()
        for name in TARGETS.values():
            sys.stdout.write(f"{archive(engine, name, Path(folder).absolute())}\n")
    except ImageError as error:
        say(f"error: {error}; build the images first: make image")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
