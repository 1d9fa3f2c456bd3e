"""Translates the libraries' errors into those of `errors.py`, all in one place.

Text that a server sent goes to the log, cleaned and cut. The messages of the errors are our
own words, because they reach status and Events.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.identity import CredentialUnavailableError
from kiota_abstractions.api_error import APIError

from appcredential.domain.clock_skew import http_date
from appcredential.domain.conditions import Reason
from appcredential.domain.proof import SignInClass, classify
from appcredential.entra.answers import UnreadableAnswerError
from appcredential.entra.tls import is_untrusted
from appcredential.entra.wire import plain
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    IdentityRejectedError,
    NoManagedIdentityError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
    UntrustedServerError,
)

DEFAULT_PAUSE: Final = timedelta(seconds=30)
"""The pause after a 429 without Retry-After, which the identity service may leave out."""

STUMBLES: Final = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What the SDKs raise over answers that they do not expect; too deep ones are a RuntimeError."""

_MAX_PAUSE: Final = timedelta(hours=1)
_MIN_PAUSE: Final = timedelta(seconds=1)
_MAX_TEXT: Final = 500
_CODE: Final = re.compile(r"[A-Za-z0-9_]{1,80}")
_AADSTS: Final = re.compile(r"AADSTS([0-9]{4,9})(?![0-9])")
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_NO_SUCH_CREDENTIAL: Final = ("no password credential found", "no key credential found")
# HTTP 403 although no permission is missing: the object or the tenant is full.
_FULL: Final = frozenset({"Directory_QuotaExceeded", "Directory_ResourceSizeExceeded"})
# When one of these is raised, nothing of the request was sent.
_UNSENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)

_log = logging.getLogger(__name__)


class RedirectRefusedError(httpx.TransportError):
    """Graph does not redirect, and another server must not get the token."""


def retry_after(headers: Mapping[str, str] | None, now: datetime) -> timedelta | None:
    """Read Retry-After as seconds or HTTP date, between 1 s and 1 h; None when unusable."""
    text = "" if headers is None else (headers.get("Retry-After") or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=min(int(text[:9]), 10**6))
    else:
        date = http_date(text)
        if date is None:
            return None
        wait = date - now
    return min(max(wait, _MIN_PAUSE), _MAX_PAUSE)


def graph_error(
    error: APIError, operation: str, now: datetime, *, is_write: bool
) -> AppCredentialError:
    """Return the error that an error answer of Graph means.

    Args:
        error: as kiota raised it; without `.error` when the body was no JSON.
        operation: for log and message.
        now: our time, for a Retry-After given as a date.
        is_write: whether it was a write, which may have been applied before a 5xx or 408.
    """
    status = int(error.response_status_code or 0)
    code, text = _code_and_text(error)
    # Replicas that lag answer 404 and 409 now and then.
    level = logging.DEBUG if status in {404, 409} else logging.WARNING
    _log.log(level, "%s: HTTP %d %s: %s", operation, status, code or "-", text or "-")
    if status >= 500 or status in {0, 408}:
        return _unusable(operation, f"HTTP {status}", is_write=is_write)
    if status == 429:
        wait = retry_after(error.response_headers, now) or DEFAULT_PAUSE
        return ThrottledError(f"{operation}: Graph asks to slow down", retry_after=wait)
    return _refusal(status, code, text, operation)


def graph_code(error: APIError) -> str:
    """Return the code of an error answer of Graph when it is safe to show, else nothing."""
    return _code_and_text(error)[0]


def safe_id(text: str) -> str:
    """Return an id of a request that a server sent when it can be one, else nothing."""
    return text if _ID.fullmatch(text) else ""


def _refusal(status: int, code: str, text: str, operation: str) -> AppCredentialError:
    """Return the error for a 4xx answer after which certainly nothing has changed."""
    if status == 404 or (status == 400 and text.casefold().startswith(_NO_SUCH_CREDENTIAL)):
        return NotFoundError(f"{operation}: Graph does not know it")
    if status in {401, 403} and code not in _FULL:
        return PermissionDeniedError(f"{operation}: Graph refuses the operator (HTTP {status})")
    if status == 409:
        return ConflictError(f"{operation}: another write to the directory was under way")
    return RejectedError(f"{operation}: Graph refuses it ({code or f'HTTP {status}'})", code=code)


def transport_error(
    error: httpx.HTTPError, operation: str, *, is_write: bool
) -> AppCredentialError:
    """Return the error that a request without any answer means."""
    if is_untrusted(error):
        _log.warning("%s: the certificate of Graph is not trusted", operation)
        text = f"{operation}: the certificate of Graph is not trusted"
        return UntrustedServerError(text, is_token_endpoint=False)
    name = type(error).__name__
    _log.warning("%s: %s: %s", operation, name, _cleaned(str(error)) or "-")
    if is_write and not isinstance(error, _UNSENT):
        return _unusable(operation, name, is_write=True)
    return _unusable(operation, name, is_write=False)


def no_answer(operation: str, why: str, *, is_write: bool) -> AppCredentialError:
    """Return the error for a request that was sent and got no usable answer.

    `why` is in our own words, such as `no answer in 20 s`.
    """
    _log.warning("%s: %s", operation, why)
    return _unusable(operation, why, is_write=is_write)


@contextmanager
def usable(operation: str, *, is_write: bool) -> Iterator[None]:
    """Turn an answer that cannot be read into the error of a request without an answer."""
    try:
        yield
    except UnreadableAnswerError as error:
        raise no_answer(operation, str(error), is_write=is_write) from None


def _unusable(operation: str, why: str, *, is_write: bool) -> AppCredentialError:
    if is_write:
        return OutcomeUnknownError(f"{operation}: {why}; it may have been applied")
    return UnavailableError(f"{operation}: {why}")


def token_error(error: AzureError, now: datetime) -> AppCredentialError:
    """Return the error for an operator that got no token; nothing was sent to Graph."""
    if isinstance(error, CredentialUnavailableError):
        _log.warning("token: no managed identity")
        _log.debug("token: %s", _cleaned(str(error.message)))
        return NoManagedIdentityError("token: the node gives no managed identity")
    if is_untrusted(error):
        text = "token: the certificate of the token endpoint is not trusted"
        _log.warning(text)
        return UntrustedServerError(text, is_token_endpoint=True)
    codes = tuple(int(code) for code in _AADSTS.findall(str(error.message)))
    status = _status(error)
    _log.warning("token: HTTP %d, AADSTS %s", status, codes[0] if codes else "-")
    _log.debug("token: %s", _cleaned(str(error.message)))
    wait = retry_after(_headers(error), now)
    judged = classify(status, codes, wait)
    if judged.reason is Reason.THROTTLED:
        text = "token: the token endpoint asks to slow down"
        return ThrottledError(text, retry_after=wait or DEFAULT_PAUSE)
    if judged.kind is SignInClass.TRANSIENT or (not codes and not 400 <= status < 500):
        return UnavailableError("token: the token endpoint gives no usable answer")
    if not isinstance(error, ClientAuthenticationError):
        return UnavailableError("token: the token endpoint gives no usable answer")
    code = judged.code
    shown = f"AADSTS{code}" if code else f"HTTP {status}"
    told = http_date((_headers(error) or {}).get("Date") or "")
    skew = told - now if told is not None else None
    text = f"token: Entra refuses the operator ({shown})"
    return IdentityRejectedError(text, code=code, skew=skew)


def unreadable_token(error: Exception) -> AppCredentialError:
    """Return the error for an answer of the token endpoint that azure-identity stumbles over."""
    _log.warning("token: an answer that cannot be read: %s", type(error).__name__)
    return UnavailableError("token: the token endpoint gives no usable answer")


def _status(error: AzureError) -> int:
    return int(error.status_code or 0) if isinstance(error, HttpResponseError) else 0


def _headers(error: AzureError) -> Mapping[str, str] | None:
    response = error.response if isinstance(error, HttpResponseError) else None
    headers: Mapping[str, str] | None = getattr(response, "headers", None)
    return headers


def _code_and_text(error: APIError) -> tuple[str, str]:
    """Return Graph's code when it is safe to show, and its message for the log."""
    main: Any = getattr(error, "error", None)
    code = str(getattr(main, "code", None) or "")
    text = str(getattr(main, "message", None) or "")
    return code if _CODE.fullmatch(code) else "", _cleaned(text)


def _cleaned(text: str) -> str:
    return plain(text)[:_MAX_TEXT]
