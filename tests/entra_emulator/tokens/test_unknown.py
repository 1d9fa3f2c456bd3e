"""Requests that the token endpoint's host does not know answer in Entra's form.

The text for a wrong method was seen at Entra (nbarbettini/oidc-debugger, issue 87), the other is
that of Entra's list of errors.
"""

from __future__ import annotations

import httpx
import pytest

from tests.support.emulator import Emulator
from tests.support.graph_user import is_guid


@pytest.mark.parametrize("path", ["t/oauth2/v2.0/token", "t/oauth2/token"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_token_endpoint_takes_only_posts(
    emulator: Emulator, http: httpx.Client, method: str, path: str
) -> None:
    answer = http.request(method, f"{emulator.url}/{path}", headers={"client-request-id": "mine"})
    body = answer.json()
    assert answer.status_code == 400
    assert (body["error"], body["error_codes"]) == ("invalid_request", [900561])
    assert body["error_description"].startswith(
        f"AADSTS900561: The endpoint only accepts POST, OPTIONS requests. Received a {method}"
        " request. Trace ID: "
    )
    assert body["correlation_id"] == "mine"
    assert is_guid(body["trace_id"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "t/oauth2/v2.0/tokens"),
        ("POST", "t/oauth2/v3.0/token"),
        ("GET", "t/oauth2/v2.0/authorize"),
        ("POST", "t/.well-known/openid-configuration"),
        ("POST", "t/discovery/keys"),
        ("POST", "t/discovery/v2.0/keys"),
        ("POST", "t/v2.0/.well-known/openid-configuration"),
    ],
)
def test_unknown_path_answers_in_entras_form(
    emulator: Emulator, http: httpx.Client, method: str, path: str
) -> None:
    answer = http.request(method, f"{emulator.url}/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    body = answer.json()
    assert (body["error"], body["error_codes"]) == ("invalid_request", [90023])
    assert body["error_description"].startswith("AADSTS90023: ")
