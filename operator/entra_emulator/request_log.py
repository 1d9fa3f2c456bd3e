"""The log of requests: the latest entries, and a count per operation."""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime
from typing import Any

import msgspec

_KEPT = 20_000


class LogEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One request, without body, query or token."""

    time: datetime
    operation: str
    method: str
    path: str
    status: int
    tenant: str = ""
    app_id: str = ""
    caller_app_id: str = ""
    client_request_id: str = ""
    error: str = ""
    fault: str = ""


class RequestLog:
    """Keeps the latest entries, and the counts of all requests since the last reset."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=_KEPT)
        self._counts: Counter[str] = Counter()

    def add(self, entry: LogEntry) -> None:
        """Record one request."""
        self._entries.append(entry)
        self._counts[entry.operation] += 1

    def entries(self, operation: str | None = None, app_id: str | None = None) -> list[LogEntry]:
        """Return the entries of an operation and an application, oldest first; None means any."""
        return [
            entry
            for entry in self._entries
            if operation in {None, entry.operation} and app_id in {None, entry.app_id}
        ]

    def counts(self) -> dict[str, int]:
        """Return the number of requests per operation, whatever their answers were."""
        return dict(self._counts)

    def reset(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._counts.clear()


def as_json(entries: list[LogEntry]) -> list[dict[str, Any]]:
    """Return entries as plain JSON values."""
    plain: list[dict[str, Any]] = msgspec.to_builtins(entries)
    return plain
