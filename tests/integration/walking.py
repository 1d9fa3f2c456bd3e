"""A page of docs/ as a reader goes through it: its commands are typed, block after block."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from demo.seed import CLIENT_ID
from localcluster.helm import locate_helm
from tests.chart.documented import Shell
from tests.docs.reading import ROOT, blocks
from tests.integration.installation import Installation, Team

_SECONDS: Final = 240.0
"""Most waits of a page are over within seconds; many pages are walked at the same time."""


class Walk:
    """One page, in a team's own namespace and for its own application.

    Args:
        page: its path in docs/.
        excused: by how a block begins, why it is not typed here.
        variables: what else the page writes in capitals, and what stands for it.
    """

    def __init__(
        self,
        team: Team,
        page: str,
        excused: Mapping[str, str] = MappingProxyType({}),
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.team = team
        found = blocks((ROOT / "docs" / page).read_text(), "sh")
        self.left = [b for b in found if not b.startswith(tuple(excused))]
        assert len(found) - len(self.left) == len(excused), "an excuse that excuses nothing"
        self._variables = {"shop": team.namespace, CLIENT_ID: team.client_id, **variables}
        self._shell = _shell(team.i)

    def step(self, words: str, *, instead: Mapping[str, str] = MappingProxyType({})) -> str:
        """Type the next block, which contains the words; return what it prints.

        Args:
            words: by which a reader of the story finds the block.
            instead: what is typed for parts of it, such as nothing for a watch that never ends.
        """
        block = self.left.pop(0)
        assert words in block, block
        for told, typed in instead.items():
            assert told in block, block
            block = block.replace(told, typed)
        return self._shell.run(block, self._variables)

    def type(self, text: str, *, fails: bool = False) -> str:
        """Type something that the page tells in its prose, or that must fail."""
        return self._shell.run(text, self._variables, fails=fails)

    def finish(self) -> None:
        """See that nothing is left of the page."""
        assert self.left == []


def _shell(i: Installation) -> Shell:
    """Return a shell in which `kubectl appcredential` is that of these sources."""
    folder = Path(tempfile.mkdtemp(dir=i.folder))
    plugin = folder / "kubectl-appcredential"
    command = f"{shlex.quote(sys.executable)} -m appcredential ctl"
    path = shlex.quote(str(ROOT / "operator"))
    plugin.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {command} "$@"\n')
    plugin.chmod(0o755)
    return Shell(i.cluster, locate_helm(lambda _: None), folder, seconds=_SECONDS)
