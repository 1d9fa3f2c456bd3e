"""`python -m image.archive FOLDER`: write the built images as archives that any node can load."""

from __future__ import annotations

import sys
from pathlib import Path

from appcredential import __version__
from image.each import write_each
from image.engine import Engine


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


if __name__ == "__main__":
    sys.exit(write_each(archive))
