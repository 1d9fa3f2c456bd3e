"""The one place where answers of the API server become errors of ours."""

from __future__ import annotations

import logging
import re
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
    SecretForbiddenError,
    SecretRefusal,
    SecretRefusedError,
    ThrottledError,
    UnavailableError,
)

log = logging.getLogger(__name__)

_DEFAULT_RETRY = 5
_RESTART = re.compile(r"PATCH /apis/(apps|argoproj\.io)/.*")
_OF_A_SECRET = re.compile(r"(?P<method>[A-Z]+) /api/v1/namespaces/[^/]+/secrets(/[^/]+)?")
# A quota's refusal and an admission policy's are a 403 with reason Forbidden, just as a
# missing role's: only the API server's own words tell them apart.
_QUOTA = re.compile(r"(exceeded|failed|status unknown for) quota: ")
_ADMISSION = re.compile(
    r"^admission webhook \S+ denied the request"
    r"|ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request"
)


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
    raise _error(status, document, headers, call)


def _error(
    status: int, document: Mapping[str, Any], headers: Mapping[str, str], call: str
) -> AppCredentialError:
    message = f"{call}: {status} {document.get('reason') or ''}".strip()
    if status == 403 and _is_terminating(document):
        return NamespaceTerminatingError(message)
    of_a_secret = _OF_A_SECRET.fullmatch(call)
    if of_a_secret and 400 <= status < 500 and status not in {401, 404, 409, 429}:
        return _about_a_secret(status, document, message, is_write=of_a_secret["method"] != "GET")
    if status in {401, 403}:
        return _about_a_right(document, message, call)
    if status == 404:
        return NotFoundError(message)
    if status == 409:
        return ConflictError(message)
    if status == 429:
        return ThrottledError(message, retry_after=_retry_after(headers))
    if status >= 500 or status < 300:
        return UnavailableError(message)
    return RejectedError(message, code=str(document.get("reason") or ""))


def _about_a_right(document: Mapping[str, Any], message: str, call: str) -> AppCredentialError:
    """Of a restart, tell a missing right from an admission policy, which no right cures."""
    if _RESTART.fullmatch(call) and _cause(document) is not None:
        return RejectedError(message, code=str(document.get("reason") or ""))
    return PermissionDeniedError(message)


def _about_a_secret(
    status: int, document: Mapping[str, Any], message: str, *, is_write: bool
) -> AppCredentialError:
    cause = _cause(document)
    if is_write and (cause is not None or status != 403):
        return SecretRefusedError(message, cause=cause or SecretRefusal.INVALID)
    if status == 403:
        return SecretForbiddenError(message, is_write=is_write)
    return RejectedError(message, code=str(document.get("reason") or ""))


def _cause(document: Mapping[str, Any]) -> SecretRefusal | None:
    """Tell whether a quota or admission refused it."""
    text = str(document.get("message") or "")
    if _ADMISSION.search(text):
        return SecretRefusal.ADMISSION
    return SecretRefusal.QUOTA if _QUOTA.search(text) else None


def _is_terminating(document: Mapping[str, Any]) -> bool:
    details = document.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return isinstance(causes, list) and any(
        isinstance(cause, dict) and cause.get("reason") == "NamespaceTerminating"
        for cause in causes
    )


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    raw = headers.get("Retry-After", "")
    return timedelta(seconds=int(raw) if re.fullmatch(r"[0-9]{1,4}", raw) else _DEFAULT_RETRY)
