"""Runs the lines of a program that docs/emulator.md shows, as a person would type them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.support.clients_table import DOCUMENT

#: Where the document's emulator listens.
EMULATOR: Final = "https://127.0.0.1:8443"
#: Seconds; azure-cli compiles thousands of modules at its first start.
MAXIMUM: Final = 180
#: Settings of this machine that would send a program elsewhere.
_FOREIGN: Final = ("AZURE_", "ARM_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def documented_lines(heading: str) -> list[str]:
    """Return what follows each `$ ` in the console block of a section, with its further lines."""
    section = DOCUMENT.read_text().partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    block = re.search(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block is not None, f"no console block under {heading}"
    return [line.strip() for line in re.split(r"^\$ ", block.group(1), flags=re.MULTILINE)[1:]]


class Person:
    """Somebody at a shell in a folder, who has the document before him.

    Args:
        folder: where he types; also his home.
        name: the program's name in the lines.
        command: what it is really.
        variables: the environment variables that the lines use.
        instead: what stands in the lines, and what he types for it.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        command: Sequence[str],
        variables: Mapping[str, str],
        instead: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._instead = instead
        programs = folder / "bin"
        programs.mkdir()
        wrapper = programs / name
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        wrapper.chmod(0o700)
        own = {n: v for n, v in os.environ.items() if not n.upper().startswith(_FOREIGN)}
        path = {"PATH": f"{programs}:{own['PATH']}", "HOME": str(folder)}
        self._environment = {**own, **path, **variables}
        self._exports: list[str] = []

    def knows(self, **variables: str) -> None:
        """Set variables that an answer told."""
        self._environment |= variables

    def types(self, *lines: str) -> None:
        """Run lines, each to its end; an `export` is there for all that follow.

        Raises:
            AssertionError: one failed; the message shows the end of its errors.
        """
        for line in lines:
            typed = line
            for shown, meant in self._instead.items():
                typed = typed.replace(shown, meant)
            if typed.startswith("export "):
                self._exports.append(typed)
                continue
            done = subprocess.run(
                ["bash", "-euc", "\n".join([*self._exports, typed])],
                cwd=self._folder,
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=MAXIMUM,
                check=False,
            )
            assert done.returncode == 0, f"{line}: {done.stderr[-500:]}"
