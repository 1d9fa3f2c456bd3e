"""One call to Graph, by what Entra's own logs and Microsoft's support find it.

The adapter notes each write that Graph answered; whoever made it asks for the last one. A failed
call is carried by the error that it raised. Nothing here comes from a body: no text of Graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GraphCall:
    """One call.

    Attributes:
        operation: its name, as the metrics have it.
        client_request_id: made by us, before the call was sent.
        request_id: Graph's; empty when no answer came, or none with such an id.
        status: HTTP status; 0 without an answer.
        code: of an error, already known to be safe to show; empty without one.
    """

    operation: str
    client_request_id: str
    request_id: str = ""
    status: int = 0
    code: str = ""


class _Noted:
    """The last write of one piece of work."""

    def __init__(self) -> None:
        self.last: GraphCall | None = None


_NOTED: ContextVar[_Noted | None] = ContextVar("graph_calls", default=None)


@contextmanager
def noting_writes() -> Iterator[None]:
    """Keep the last write that is answered inside, also far below."""
    token = _NOTED.set(_Noted())
    try:
        yield
    finally:
        _NOTED.reset(token)


def note_write(call: GraphCall | None) -> None:
    """Note a write that Graph answered with a success."""
    noted = _NOTED.get()
    if noted is not None and call is not None:
        noted.last = call


def last_write() -> GraphCall | None:
    """Return the last write that was noted within the surrounding `noting_writes`."""
    noted = _NOTED.get()
    return noted.last if noted is not None else None
