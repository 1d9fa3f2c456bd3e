"""Variables that libraries know, and that must not change whom the operator asks or trusts.

`Settings` refuses those that they obey; see tests/runtime/test_settings.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.proof import PROVEN, UNTRUSTED
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientSecretIdentity,
    Cloud,
    EntraTenantSpec,
    VerificationScope,
)
from appcredential.entra.clouds import Endpoints
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.signin import TokenEndpoint
from appcredential.entra.token_sources import token_source
from appcredential.errors import UnavailableError
from tests.support.clock import HandClock
from tests.support.graph import CANARY, CLIENT, OPERATOR, TENANT
from tests.support.tokenserver import TokenServer, token_server

ELSEWHERE: Final = {
    "AZURE_AUTHORITY_HOST": "https://127.0.0.1:1",
    "AZURE_REGIONAL_AUTHORITY_NAME": "westeurope",
    "AZURE_TENANT_ID": "99999999-0000-0000-0000-000000000009",
    "AZURE_CLIENT_ID": "99999999-0000-0000-0000-000000000009",
    "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH": "true",
    "AZURE_KUBERNETES_TOKEN_PROXY": "https://127.0.0.1:1",
    "REQUESTS_CA_BUNDLE": "/nonexistent",
    "CURL_CA_BUNDLE": "/nonexistent",
    "PYTHONHTTPSVERIFY": "0",
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TokenServer]:
    async with token_server(tmp_path) as running:
        yield running


def operator_token(server: TokenServer, ca_file: str | None) -> OperatorToken:
    identity = ClientSecretIdentity(client_id=OPERATOR, secret_name="s", secret_key="k")
    spec = EntraTenantSpec(tenant_id=TENANT, cloud=Cloud.CUSTOM, identity=identity)
    endpoints = Endpoints(server.url, "https://graph.test")
    own = OperatorCredential(value=SecretValue(CANARY))
    make = token_source(spec, own, endpoints, ca_file, ProjectedToken("", ""))
    return OperatorToken(make, endpoints.graph_scope, HandClock(), 5.0)


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_whom_it_asks_is_not_changed(
    server: TokenServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, ELSEWHERE[name])
    async with operator_token(server, server.ca_file) as token:
        await token.warm()
    endpoints = Endpoints(server.url, "https://graph.test")
    target = TokenEndpoint(TENANT, endpoints, ca_file=server.ca_file, clock=HandClock())
    secret = SecretValue(CANARY)
    assert await target.with_secret(CLIENT, secret, VerificationScope.GRAPH, "id") == PROVEN
    assert {seen.path for seen in server.seen} == {f"/{TENANT}/oauth2/v2.0/token"}


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_whom_it_trusts_is_not_changed(
    server: TokenServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Without the server's own authority, none of them makes it trusted."""
    monkeypatch.setenv(name, ELSEWHERE[name])
    async with operator_token(server, None) as token:
        with pytest.raises(UnavailableError):
            await token.warm()
    endpoints = Endpoints(server.url, "https://graph.test")
    target = TokenEndpoint(TENANT, endpoints, ca_file=None, clock=HandClock())
    secret = SecretValue(CANARY)
    assert await target.with_secret(CLIENT, secret, VerificationScope.GRAPH, "id") == UNTRUSTED
    assert server.seen == []
