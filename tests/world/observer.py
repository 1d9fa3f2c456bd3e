"""What is told to those who watch the world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.observed.entra import Application

if TYPE_CHECKING:
    from tests.world.ports import Call, Fate
    from tests.world.process import Process
    from tests.world.world import World

Document = Mapping[str, Any]
GAP: Final = 2
"""Steps between the last look at a Secret and what follows: nobody can look any later."""
FRESH: Final = 20.0
"""For so many seconds, what was read may be relied on."""


class BrokenPromiseError(AssertionError):
    """Something that must never happen."""

    def __init__(self, oracle: str, what: str) -> None:
        super().__init__(f"{oracle}: {what}")
        self.oracle = oracle
        self.what = what


class Observer:
    """Watches one world; what it does not override tells it nothing."""

    def __init__(self, world: World) -> None:
        self.world = world

    def promise(self, kept: object, what: str) -> None:
        """Raise BrokenPromiseError unless a promise is kept."""
        name = type(self).__name__
        self.world.asked[name] = self.world.asked.get(name, 0) + 1
        if not kept:
            raise BrokenPromiseError(name, what)

    def happens(self, call: Call, fate: Fate) -> None:
        """Be told of a call that happens now."""

    def sees(self, process: Process, path: str, found: Document) -> None:
        """Be told of an answer of the API server."""

    def reads(self, process: Process, found: Application) -> None:
        """Be told of a read of the application."""

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        """Be told of an object that a process wrote."""

    def changes(self, path: str, event: str, found: Document) -> None:
        """Be told of an object that anybody changed."""

    def made(self, process: Process, id_: str) -> None:
        """Be told of a credential that a process made."""

    def patches(self, process: Process, id_: str) -> None:
        """Be told of a federated credential that a process is about to change."""

    def removes(self, process: Process, id_: str) -> None:
        """Be told of a credential that a process is about to remove."""

    def stepped(self) -> None:
        """Be told that a step is over."""
