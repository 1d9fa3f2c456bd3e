"""What was measured so far, in a file."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from appcredential import __version__
from bench.figures import Figure, document, figures_of
from bench.fleet import Fleet
from demo.stack import ROOT

RESULTS: Final = ROOT / "build" / "bench.json"


class Results:
    """What was measured, in a file that is written after every fleet's scene."""

    def __init__(self, path: Path, *, keep: bool) -> None:
        self._path = path
        self.figures: list[Figure] = []
        self.profiles: dict[str, dict[str, Any]] = {}
        self.machine: dict[str, Any] = {}
        if keep and path.exists():
            found = json.loads(path.read_text())
            self.figures = figures_of(found)
            self.profiles = found.get("profiles", {})
            self.machine = found.get("machine", {})

    def begin(self, fleet: Fleet) -> None:
        """Forget what was measured of a fleet before."""
        same = str(fleet.kind), fleet.size
        self.figures = [f for f in self.figures if (f.kind, f.size) != same]

    def add(self, figure: Figure) -> None:
        """Keep one figure."""
        self.figures.append(figure)

    def save(self) -> None:
        """Write all."""
        self.machine = {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "version": __version__,
            "date": datetime.now(UTC).date().isoformat(),
        }
        self._path.parent.mkdir(exist_ok=True)
        found = {**document(self.figures, self.machine), "profiles": self.profiles}
        self._path.write_text(json.dumps(found, indent=1) + "\n")
