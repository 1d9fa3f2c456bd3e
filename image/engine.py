"""The program that builds images: docker, or buildah if no docker daemon answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
OPERATOR: Final = "appcredential"
EMULATOR: Final = "appcredential-entra-emulator"
TARGETS: Final = {"operator": OPERATOR, "emulator": EMULATOR}
BUILDAH_ENV: Final = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}


class ImageError(Exception):
    """The images could not be built; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that builds images."""

    name: str
    env: dict[str, str]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command; its progress goes to standard error.

        Raises:
            ImageError: the command failed and `check` is set.
        """
        command = [self.name, *words]
        done = subprocess.run(
            command, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
        )
        if check and done.returncode != 0:
            raise ImageError(f"{' '.join(command[:3])} ended with status {done.returncode}")
        return done

    @property
    def is_buildah(self) -> bool:
        """Whether the program is buildah, which has some other options."""
        return self.name.endswith("buildah")


def find_engine() -> Engine:
    """Return docker if its daemon answers, else buildah.

    Raises:
        ImageError: there is neither of them.
    """
    docker, buildah = shutil.which("docker"), shutil.which("buildah")
    if docker and _answers(docker):
        return Engine(docker, {**os.environ, "DOCKER_BUILDKIT": "1"})
    if buildah:
        return Engine(buildah, {**BUILDAH_ENV, **os.environ})
    raise ImageError(
        "no docker daemon answers and there is no buildah; install one of them, on Debian: "
        "apt-get install --no-install-recommends buildah debootstrap"
    )


def _answers(docker: str) -> bool:
    try:
        done = subprocess.run([docker, "info"], capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def say(line: str) -> None:
    """Print a line for a person on standard error."""
    sys.stderr.write(f"==> {line}\n")
    sys.stderr.flush()
