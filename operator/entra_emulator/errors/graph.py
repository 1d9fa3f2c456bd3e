"""Graph's errors as exceptions: status, code, message, headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WWW_AUTHENTICATE = (
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize",'
    ' client_id="00000003-0000-0000-c000-000000000000"'
)


class GraphError(Exception):
    """An error answer of Graph."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.details = details


def bad_request(message: str, code: str = "Request_BadRequest") -> GraphError:
    """Return the error for bad input."""
    return GraphError(400, code, message)


def unsupported_query(message: str) -> GraphError:
    """Return the error for a query that the directory cannot answer."""
    return bad_request(message, "Request_UnsupportedQuery")


def not_found(name: str) -> GraphError:
    """Return the error for an object that does not exist, or is not on this replica yet."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects"
        " are not present.",
    )


def denied() -> GraphError:
    """Return the error for a missing permission or ownership."""
    return GraphError(
        403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
    )


def unauthenticated(message: str, challenge: str = "") -> GraphError:
    """Return the error for an access token that cannot be used."""
    headers = {"WWW-Authenticate": WWW_AUTHENTICATE + challenge}
    return GraphError(401, "InvalidAuthenticationToken", message, headers=headers)


def wrong_method() -> GraphError:
    """Return the error for a method that a path does not support."""
    return GraphError(
        405,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )


def unknown_property(name: str, type_name: str) -> GraphError:
    """Return the error for a property that the type does not have."""
    return bad_request(
        f"The property '{name}' does not exist on type 'microsoft.graph.{type_name}'. Make sure"
        " to only use property names that are defined by the type."
    )
