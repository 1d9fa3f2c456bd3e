"""What a program that makes one file of each built image does around that."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from image.engine import TARGETS, Engine, ImageError, find_engine, say


def write_each(
    write: Callable[[Engine, str, Path], Path], arguments: Sequence[str] | None = None
) -> int:
    """Write the files into the folder that the command line names, and print their paths.

    Args:
        write: makes the file of an image by its name; returns its path.
        arguments: of the command line; the process's own if left out.

    Returns:
        The exit code.
    """
    (folder,) = sys.argv[1:] if arguments is None else arguments
    try:
        engine = find_engine()
        for name in TARGETS.values():
            sys.stdout.write(f"{write(engine, name, Path(folder).absolute())}\n")
    except ImageError as error:
        say(f"error: {error}; build the images first: make image")
        return 1
    return 0
