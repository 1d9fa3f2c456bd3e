"""The one error of the admin API."""

from __future__ import annotations


class AdminError(Exception):
    """A request of the admin API that cannot be done; the text tells why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def unknown(kind: str, name: str) -> AdminError:
    """Return the error for something that does not exist."""
    return AdminError(404, f"there is no {kind} {name!r}")
