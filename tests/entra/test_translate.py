"""What each failure becomes, and that no server text gets into a message."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
)
from kiota_abstractions.api_error import APIError

from appcredential.domain.clock_skew import http_date
from appcredential.entra.translate import (
    graph_error,
    retry_after,
    token_error,
    transport_error,
)
from appcredential.errors import (
    ConflictError,
    IdentityRejectedError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
)
from tests.support.graph import START

SERVER_TEXT = "text of the server\x1b[31m"


def api_error(status: int, code: str = "", message: str = SERVER_TEXT, **headers: str) -> APIError:
    error = APIError("ours", status, httpx.Headers(headers))  # type: ignore[arg-type]
    if code:
        error.error = SimpleNamespace(code=code, message=message)  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("status", "code", "read", "write"),
    [
        (400, "Request_BadRequest", RejectedError, RejectedError),
        (401, "InvalidAuthenticationToken", PermissionDeniedError, PermissionDeniedError),
        (403, "Authorization_RequestDenied", PermissionDeniedError, PermissionDeniedError),
        (403, "Directory_QuotaExceeded", RejectedError, RejectedError),
        (404, "Request_ResourceNotFound", NotFoundError, NotFoundError),
        (405, "Request_BadRequest", RejectedError, RejectedError),
        (408, "", UnavailableError, OutcomeUnknownError),
        (409, "Directory_ConcurrencyViolation", ConflictError, ConflictError),
        (429, "TooManyRequests", ThrottledError, ThrottledError),
        (500, "InternalServerError", UnavailableError, OutcomeUnknownError),
        (503, "", UnavailableError, OutcomeUnknownError),
        (504, "UnknownError", UnavailableError, OutcomeUnknownError),
        (0, "", UnavailableError, OutcomeUnknownError),
    ],
)
def test_statuses_of_graph(status: int, code: str, read: type, write: type) -> None:
    for is_write, wanted in ((False, read), (True, write)):
        found = graph_error(api_error(status, code), "op", START, is_write=is_write)
        assert type(found) is wanted
        assert "server" not in str(found)


def test_a_password_that_graph_does_not_know_is_not_found() -> None:
    text = "No password credential found with keyId 'x'."
    error = api_error(400, "Request_BadRequest", text)
    assert type(graph_error(error, "op", START, is_write=True)) is NotFoundError


@pytest.mark.parametrize("code", ["with space", "a" * 81, "line\nbreak", "é", "<b>"])
def test_only_a_harmless_code_is_shown(code: str) -> None:
    found = graph_error(api_error(400, code), "op", START, is_write=False)
    assert isinstance(found, RejectedError)
    assert found.code == ""
    assert code not in str(found)


def test_the_code_is_carried() -> None:
    error = api_error(400, "CredentialInvalidLifetimeAsPerAppPolicy")
    found = graph_error(error, "op", START, is_write=True)
    assert isinstance(found, RejectedError)
    assert found.code == "CredentialInvalidLifetimeAsPerAppPolicy"


def test_server_text_is_logged_without_control_characters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    graph_error(api_error(400, "Code", SERVER_TEXT + "x" * 2000), "op", START, is_write=False)
    assert "text of the server[31m" in caplog.text
    assert "\x1b" not in caplog.text
    assert len(caplog.messages[0]) < 600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("999999999999", 3600),
        ("Wed, 21 Jan 2026 12:00:45 GMT", 45),
        ("Wed, 21 Jan 2026 11:00:00 GMT", 1),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after(text: str, seconds: int | None) -> None:
    wanted = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after({"Retry-After": text}, START) == wanted


def test_a_429_without_a_time_pauses_for_30_seconds() -> None:
    plain = graph_error(api_error(429), "op", START, is_write=False)
    timed = graph_error(api_error(429, **{"retry-after": "9"}), "op", START, is_write=False)
    assert isinstance(plain, ThrottledError)
    assert isinstance(timed, ThrottledError)
    assert (plain.retry_after, timed.retry_after) == (timedelta(seconds=30), timedelta(seconds=9))


@pytest.mark.parametrize("text", ["", "nonsense", "Wed, 99 Jan 2026 12:00:45 GMT"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert http_date(text) is None


@pytest.mark.parametrize(
    ("error", "write"),
    [
        (httpx.ConnectError("x"), UnavailableError),
        (httpx.ConnectTimeout("x"), UnavailableError),
        (httpx.PoolTimeout("x"), UnavailableError),
        (httpx.ReadTimeout("x"), OutcomeUnknownError),
        (httpx.WriteTimeout("x"), OutcomeUnknownError),
        (httpx.ReadError("x"), OutcomeUnknownError),
        (httpx.WriteError("x"), OutcomeUnknownError),
        (httpx.RemoteProtocolError("x"), OutcomeUnknownError),
        (httpx.DecodingError("x"), OutcomeUnknownError),
    ],
)
def test_only_what_never_left_is_certainly_not_done(error: httpx.HTTPError, write: type) -> None:
    assert type(transport_error(error, "op", is_write=False)) is UnavailableError
    assert type(transport_error(error, "op", is_write=True)) is write


def authentication(status: int | None, text: str, **headers: str) -> AzureError:
    response: Any = None
    if status is not None:
        response = SimpleNamespace(
            status_code=status, reason="r", headers=httpx.Headers(headers), text=lambda: text
        )
    return ClientAuthenticationError(message=text, response=response)


@pytest.mark.parametrize(
    ("error", "wanted", "code"),
    [
        (
            authentication(401, "(invalid_client) AADSTS7000215: Invalid"),
            IdentityRejectedError,
            7000215,
        ),
        (authentication(400, "AADSTS90002: Tenant"), IdentityRejectedError, 90002),
        (authentication(401, "AADSTS4294967: new"), IdentityRejectedError, 4294967),
        (authentication(400, "no code"), IdentityRejectedError, 0),
        (authentication(400, "AADSTS1234567890: too long"), IdentityRejectedError, 0),
        (authentication(400, "AADSTS٧٠٠٠٢١٥: other digits"), IdentityRejectedError, 0),
        (authentication(400, "AADSTS90033: transient"), UnavailableError, None),
        (authentication(503, "AADSTS7000215"), IdentityRejectedError, 7000215),
        (authentication(503, "broken"), UnavailableError, None),
        (authentication(None, "Unexpected response: <html>"), UnavailableError, None),
        (authentication(429, "slow"), ThrottledError, None),
        (authentication(400, "AADSTS50196: loop"), ThrottledError, None),
        (ServiceRequestError("no route"), UnavailableError, None),
        (HttpResponseError("cannot decode"), UnavailableError, None),
    ],
)
def test_failures_to_get_the_operators_token(
    error: AzureError, wanted: type, code: int | None
) -> None:
    found = token_error(error, START)
    assert type(found) is wanted
    if isinstance(found, IdentityRejectedError):
        assert found.code == code
    assert "Invalid" not in str(found)


def test_a_throttled_token_endpoint_says_how_long() -> None:
    found = token_error(authentication(429, "slow", **{"Retry-After": "77"}), START)
    assert isinstance(found, ThrottledError)
    assert found.retry_after == timedelta(seconds=77)
