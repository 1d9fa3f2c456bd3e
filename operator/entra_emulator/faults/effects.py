"""The effect of each fault on the answer of Graph and of the token endpoint."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TypeAlias, assert_never

import msgspec

from entra_emulator.errors.graph import GraphError, denied, not_found, unauthenticated
from entra_emulator.errors.tokens import TokenError
from entra_emulator.faults import documents as ft
from entra_emulator.faults.engine import ActiveRule
from entra_emulator.faults.quotas import Verdict, throttle_headers

_Plain: TypeAlias = (
    ft.Conflict
    | ft.Unavailable
    | ft.Hang
    | ft.TimeoutAfterCommit
    | ft.ExpiredToken
    | ft.Forbidden
    | ft.ServerError
    | ft.RemoveAfterAdd
    | ft.Latency
)
"""Rules whose answer does not depend on the request."""
HTML_503 = (
    "<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head>"
    "<body><h1>Service Unavailable</h1><p>The service is unavailable.</p></body></html>"
)


class HtmlFault(Exception):  # noqa: N818 - an answer, not an error of ours
    """An answer of a gateway in front of the service."""

    def __init__(self, status: int, html: str, retry_after: int | None = None) -> None:
        super().__init__(f"{status} in HTML")
        self.status = status
        self.html = html
        self.retry_after = retry_after


class Silence(Exception):  # noqa: N818 - the absence of an answer
    """No answer: hold the connection for real seconds, then close it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"silence of {seconds} s")
        self.seconds = seconds


def commits_first(active: ActiveRule) -> bool:
    """Return whether the operation is done before the fault occurs."""
    rule = active.rule
    return isinstance(rule, ft.TimeoutAfterCommit) or (isinstance(rule, ft.Hang) and rule.commit)


def graph_effect(active: ActiveRule, tenant: str, app: str) -> Exception:
    """Return the exception that a rule raises for a Graph request."""
    match active.rule:
        case ft.Throttle() as rule:
            return throttled(rule, tenant, app)
        case ft.ClaimsChallenge():
            return _challenge(int(active.since.timestamp()))
        case ft.GraphErrorFault(status=status, code=code, message=message):
            return GraphError(status, code, message)
        case ft.NotFound():
            return not_found(app)
        case ft.TokenErrorFault(code=code):
            # Only a rule that explicitly names a Graph operation arrives here.
            return GraphError(401, "InvalidAuthenticationToken", f"AADSTS{code}")
        case (
            ft.Conflict()
            | ft.Unavailable()
            | ft.Hang()
            | ft.TimeoutAfterCommit()
            | ft.ExpiredToken()
            | ft.Forbidden()
            | ft.ServerError()
            | ft.RemoveAfterAdd()
            | ft.Latency() as rule
        ):
            return _plain_effect(rule)
        case _:
            assert_never(active.rule)


def _plain_effect(rule: _Plain) -> Exception:
    match rule:
        case ft.Conflict():
            return GraphError(
                409,
                "Directory_ConcurrencyViolation",
                "Error due to concurrent requests being made to the tenant. Please wait briefly"
                " and retry.",
            )
        case ft.Unavailable(retry_after=retry_after):
            return HtmlFault(503, HTML_503, retry_after)
        case ft.Hang(seconds=seconds):
            return Silence(seconds)
        case ft.TimeoutAfterCommit():
            return GraphError(504, "UnknownError", "")
        case ft.ExpiredToken():
            return unauthenticated("Lifetime validation failed, the token is expired.")
        case ft.Forbidden():
            return denied()
        case ft.ServerError() | ft.RemoveAfterAdd() | ft.Latency():
            return GraphError(
                500, "Service_InternalServerError", "Encountered an internal server error."
            )
        case _:
            assert_never(rule)


def token_effect(
    active: ActiveRule, app: str, tenant: str, presented: Mapping[str, str] = {}
) -> Exception:
    """Return the exception that a rule raises for a token request.

    Args:
        active: the rule.
        app: the appId of the client.
        tenant: the tenant as the path names it.
        presented: issuer, subject and audience of the client assertion, if there is one.
    """
    match active.rule:
        case ft.TokenErrorFault(code=code):
            return TokenError(code, app=app, tenant=tenant, parts=presented)
        case ft.Throttle(retry_after=retry_after):
            return TokenError(90055, retry_after=retry_after)
        case ft.Unavailable(retry_after=retry_after):
            return HtmlFault(503, HTML_503, retry_after)
        case ft.Hang(seconds=seconds):
            return Silence(seconds)
        case (
            ft.Conflict()
            | ft.RemoveAfterAdd()
            | ft.ServerError()
            | ft.TimeoutAfterCommit()
            | ft.ExpiredToken()
            | ft.ClaimsChallenge()
            | ft.Forbidden()
            | ft.NotFound()
            | ft.GraphErrorFault()
            | ft.Latency()
        ):
            return TokenError(50000)
        case _:
            assert_never(active.rule)


def throttled(rule: ft.Throttle, tenant: str, app: str) -> GraphError:
    """Return the 429 of a rule."""
    headers = {
        "x-ms-throttle-scope": f"Tenant_Application/ReadWrite/{app}/{tenant}",
        "x-ms-throttle-information": rule.information,
        "x-ms-throttle-limit-percentage": "1.20",
    }
    if rule.retry_after is not None:
        headers["Retry-After"] = str(rule.retry_after)
    return GraphError(429, "TooManyRequests", "Too many requests.", headers=headers)


def over_quota(verdict: Verdict) -> GraphError:
    """Return the 429 of a quota."""
    headers = throttle_headers(verdict)
    return GraphError(429, "TooManyRequests", "Too many requests.", headers=headers)


def _challenge(since: int) -> GraphError:
    claims = {"access_token": {"nbf": {"essential": True, "value": str(since)}}}
    encoded = base64.b64encode(msgspec.json.encode(claims)).decode()
    return unauthenticated(
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and"
        " code: TokenIssuedBeforeRevocationTimestamp",
        f', error="insufficient_claims", claims="{encoded}"',
    )
