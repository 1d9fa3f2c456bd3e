"""Where the operator meets the world: each call waits until the world lets it happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    OutcomeUnknownError,
    ThrottledError,
    UnavailableError,
)
from tests.support.builders import SECOND

if TYPE_CHECKING:
    from tests.world.process import Process


CALL_SECONDS: Final = 20.0
"""After so long a client gives a call up."""


class Server(Enum):
    """Whom the operator calls."""

    KUBE = "Kubernetes"
    GRAPH = "Graph"
    TOKEN = "the token endpoint"


class Fate(Enum):
    """What becomes of one call."""

    DONE = auto()
    UNSENT = auto()
    """It never arrives."""
    LOST = auto()
    """It takes effect, and its answer does not arrive."""
    REFUSED = auto()
    """The server asks for a pause."""
    CONFLICT = auto()
    """Another write came first, says the server."""


@dataclass(slots=True, eq=False)
class Call:
    """One call that waits to happen."""

    process: Process
    server: Server
    name: str
    is_write: bool
    is_upkeep: bool
    go: asyncio.Future[Fate]

    def give_up(self) -> None:
        """Wait no longer, as the clients of both servers do after a while."""
        if not self.go.done():
            self.go.set_result(Fate.UNSENT)


def error_of(call: Call, fate: Fate) -> AppCredentialError:
    """Return what the operator is told of a call that did not go well."""
    if fate is Fate.REFUSED:
        return ThrottledError("asked for a pause", retry_after=5 * SECOND)
    if fate is Fate.CONFLICT:
        return ConflictError("another write came first")
    if fate is Fate.LOST and call.is_write and call.server is not Server.KUBE:
        return OutcomeUnknownError("the answer was lost")
    return UnavailableError("no answer")


@dataclass(slots=True)
class Gate:
    """The way of one process to the world."""

    process: Process
    wait: Callable[[Call], None]

    async def pass_(self, server: Server, name: str, *, is_write: bool = False) -> Passage:
        """Wait for the turn of a call.

        Raises:
            AppCredentialError: the call did not arrive.
        """
        if self.process.is_dead:
            raise UnavailableError("no answer")  # it only ends what it had begun
        loop = asyncio.get_running_loop()
        call = Call(
            self.process, server, name, is_write, self.process.is_upkeep, loop.create_future()
        )
        self.wait(call)
        patience = loop.call_later(CALL_SECONDS, call.give_up)
        try:
            fate = await call.go
        finally:
            patience.cancel()
        if fate is Fate.DONE or fate is Fate.LOST:
            return Passage(call, fate)
        raise error_of(call, fate)


@dataclass(frozen=True, slots=True)
class Passage:
    """A call that arrived."""

    call: Call
    fate: Fate

    def answer(self, found: Any) -> Any:
        """Return the answer.

        Raises:
            AppCredentialError: it was lost on its way.
        """
        if self.fate is Fate.LOST:
            raise error_of(self.call, self.fate)
        return found
