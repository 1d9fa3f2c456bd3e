"""A pytest plugin: runs the tests of entra/ with no more of the SDKs than the image has.

With MSGRAPH_RECORD it lets everything be imported and writes down what was.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from image.prune import MODULES, PRUNED, is_pruned, kept

RECORD: Final = os.environ.get("MSGRAPH_RECORD", "")
OPERATIONS: Final = os.environ.get("MSGRAPH_OPERATIONS", "")
_sent: set[str] = set()


class Missing(MetaPathFinder):
    """Refuses the modules that the image lacks."""

    def __init__(self) -> None:
        self._kept = kept(MODULES.read_text())

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `MetaPathFinder`."""
        if is_pruned(fullname, self._kept):
            raise ModuleNotFoundError(f"{fullname} is not in the image", name=fullname)
        return None


def pytest_configure(config: pytest.Config) -> None:
    """Refuse from now on, and note each operation that is sent."""
    if not RECORD:
        sys.meta_path.insert(0, Missing())
    from appcredential.entra.connection import Connection

    send = Connection.send

    async def noting(self: Connection, call: Any) -> bytes:
        _sent.add(call.operation)
        return await send(self, call)

    Connection.send = noting  # type: ignore[method-assign]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down what was seen."""
    if RECORD:
        importlib.import_module("appcredential.composition")
        used = sorted(name for name in sys.modules if PRUNED.match(name))
        Path(RECORD).write_text("\n".join(used) + "\n")
    if OPERATIONS:
        Path(OPERATIONS).write_text(json.dumps(sorted(_sent)))
