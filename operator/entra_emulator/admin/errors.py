"""The one error of the admin API."""

from __future__ import annotations


class AdminError(Exception):
    """The admin API cannot do a request; the text says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def unknown(kind: str, name: str) -> AdminError:
    """Return the 404 error for an object that does not exist."""
    return AdminError(404, f"there is no {kind} {name!r}")
