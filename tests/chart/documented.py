"""Commands as the documents give them, run by bash against the local cluster."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from localcluster import Cluster
from tests.chart.helming import ROOT
from tests.docs.reading import blocks

_SECONDS: Final = 60.0


def block(page: str, words: str) -> str:
    """Return the first block of shell commands of a page in docs/ that contains the words."""
    return next(b for b in blocks((ROOT / "docs" / page).read_text(), "sh") if words in b)


def lines(text: str, *beginnings: str) -> str:
    """Return the lines that begin so, which must be there; for what has to be left out."""
    kept = [line for line in text.splitlines() if line.startswith(beginnings)]
    assert len(kept) >= len(beginnings), beginnings
    return "\n".join(kept)


class Shell:
    """Runs commands in the repository's folder, with kubectl and helm of the local cluster.

    Args:
        folder: of its own, for the links to both and for what helm keeps.
        seconds: how long commands may take that are typed together.
    """

    def __init__(
        self, cluster: Cluster, helm: Path, folder: Path, *, seconds: float = _SECONDS
    ) -> None:
        self.folder = folder
        self._seconds = seconds
        found = {"helm": helm, "kubectl": cluster.binaries.kubectl}
        for name, binary in found.items():
            (folder / name).symlink_to(binary)
        own = {f"HELM_{kind}_HOME": str(folder / kind) for kind in ("CACHE", "CONFIG", "DATA")}
        env = cluster.env()
        self._env = {**env, **own, "PATH": f"{folder}:{env['PATH']}"}

    def run(
        self, text: str, variables: Mapping[str, str] = MappingProxyType({}), *, fails: bool = False
    ) -> str:
        """Return what the commands print, errors included; the first that fails ends them.

        Args:
            text: the commands.
            variables: what the documents write as `NAME` or `$NAME`.
            fails: whether they must fail.
        """
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", _filled(text, variables)],
            cwd=ROOT,
            env={**self._env, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self._seconds,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout
        return done.stdout


def _filled(text: str, variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        text = re.sub(rf"(?<![$\w]){name}(?!\w)", value, text)
    return text
