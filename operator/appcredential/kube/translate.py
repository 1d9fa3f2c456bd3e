"""The one place where answers of the API server become errors of ours."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NamespaceTerminatingError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
)

log = logging.getLogger(__name__)

_DEFAULT_RETRY = 5


def raise_for_status(
    status: int, document: Mapping[str, Any], headers: Mapping[str, str], call: str
) -> None:
    """Raise the error that an answer stands for; return for success.

    Args:
        status: HTTP status.
        document: decoded body, a `Status` object for errors.
        headers: of the answer.
        call: method and path, for the message.
    """
    if 200 <= status < 300:
        return
    reason = str(document.get("reason") or "")
    # The server's own text may quote what was sent: it goes no further than the DEBUG log's
    # reason, never into an exception.
    log.debug("API server refused", extra={"call": call, "code": status, "cause": reason})
    raise _error(status, document, headers, f"{call}: {status} {reason}".strip())


def _error(
    status: int, document: Mapping[str, Any], headers: Mapping[str, str], message: str
) -> AppCredentialError:
    if status == 403 and _is_terminating(document):
        return NamespaceTerminatingError(message)
    if status in {401, 403}:
        return PermissionDeniedError(message)
    if status == 404:
        return NotFoundError(message)
    if status == 409:
        return ConflictError(message)
    if status == 429:
        return ThrottledError(message, retry_after=_retry_after(headers))
    if status >= 500 or status < 300:
        return UnavailableError(message)
    return RejectedError(message, code=str(document.get("reason") or ""))


def _is_terminating(document: Mapping[str, Any]) -> bool:
    causes = (document.get("details") or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    raw = headers.get("Retry-After", "")
    return timedelta(seconds=int(raw) if raw.isdigit() else _DEFAULT_RETRY)
