"""Servers whose certificate is not trusted, as behind a proxy that re-signs TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.proof import PROVEN, UNTRUSTED
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientSecretIdentity,
    Cloud,
    EntraTenantSpec,
    VerificationScope,
)
from appcredential.domain.status.problems_tenant import tenant_unreachable
from appcredential.entra.clouds import Endpoints, ca_faults
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.session_opener import CustomCloud, SessionOpener
from appcredential.entra.tenant_session import TenantSession
from appcredential.entra.tls import issuer_of, tls_context
from appcredential.errors import UntrustedServerError
from tests.support.clock import HandClock
from tests.support.graph import CANARY, CLIENT, OPERATOR, TENANT
from tests.support.tokenserver import TokenServer, token_server

ISSUER = "Test CA"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TokenServer]:
    async with token_server(tmp_path) as running:
        yield running


def opened(
    authority: TokenServer,
    graph: TokenServer,
    *,
    ca_file: str | None = None,
    extra_ca_file: str | None = None,
) -> TenantSession:
    identity = ClientSecretIdentity(client_id=OPERATOR, secret_name="s", secret_key="k")
    spec = EntraTenantSpec(tenant_id=TENANT, cloud=Cloud.CUSTOM, identity=identity)
    custom = CustomCloud(endpoints=Endpoints(authority.url, graph.url), ca_file=ca_file)
    opener = SessionOpener(
        clock=HandClock(),
        token=ProjectedToken("", ""),
        custom=custom,
        extra_ca_file=extra_ca_file,
    )
    session = opener(spec, OperatorCredential(value=SecretValue(CANARY)), lambda: True)
    assert session is not None
    return session


def _joined(folder: Path) -> Path:
    """Return a file with the authorities of both servers."""
    more = folder / "more.pem"
    more.write_text("".join((folder / n / "ca.pem").read_text() for n in ("tokens", "graph")))
    return more


async def test_a_token_endpoint_that_is_not_trusted_is_named_with_its_issuer(
    server: TokenServer,
) -> None:
    session = opened(server, server)
    with pytest.raises(UntrustedServerError) as caught:
        await session.probe()
    problem = tenant_unreachable(caught.value)
    assert problem.reason is Reason.TLS_NOT_TRUSTED
    assert f'The certificate of the token endpoint, issued by "{ISSUER}", is' in problem.message
    assert problem.stalled
    assert server.seen == []
    await session.close()


async def test_so_is_graph(tmp_path: Path) -> None:
    for name in ("tokens", "graph"):
        (tmp_path / name).mkdir()
    async with token_server(tmp_path / "tokens") as one, token_server(tmp_path / "graph") as other:
        session = opened(one, other, ca_file=one.ca_file)
        with pytest.raises(UntrustedServerError) as caught:
            await session.probe()
        assert not caught.value.is_token_endpoint
        assert caught.value.issuer == ISSUER
        assert other.seen == []
        await session.close()


@pytest.mark.parametrize("is_only", [True, False])
async def test_the_setting_adds_an_authority_to_those_that_are_trusted(
    tmp_path: Path, *, is_only: bool
) -> None:
    """Also for `cloud: Custom`, whose own file replaces the public ones."""
    for name in ("tokens", "graph"):
        (tmp_path / name).mkdir()
    async with token_server(tmp_path / "tokens") as one, token_server(tmp_path / "graph") as other:
        more = _joined(tmp_path)
        ca_file = one.ca_file if is_only else None
        session = opened(one, other, ca_file=ca_file, extra_ca_file=str(more))
        for server in (one, other):
            server.answers[0].body = {**server.answers[0].body, "value": []}  # type: ignore[dict-item]
        await session.probe()
        assert one.seen
        assert other.seen
        secret = SecretValue(CANARY)
        target = session.sign_in
        assert await target.with_secret(CLIENT, secret, VerificationScope.GRAPH, "id") == PROVEN
        await session.close()


async def test_a_proving_sign_in_says_so_too(server: TokenServer) -> None:
    session = opened(server, server)
    target, secret = session.sign_in, SecretValue(CANARY)
    assert await target.with_secret(CLIENT, secret, VerificationScope.GRAPH, "id") == UNTRUSTED
    assert server.seen == []
    await session.close()


def test_public_authorities_stay_trusted(server: TokenServer) -> None:
    alone = tls_context(None).cert_store_stats()["x509_ca"]
    both = tls_context(None, server.ca_file).cert_store_stats()["x509_ca"]
    assert alone > 50
    assert both == alone + 1


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "https://", "word"])
async def test_nobody_there_has_no_issuer(url: str) -> None:
    assert await issuer_of(url) == ""


async def test_what_is_no_tls_has_no_issuer() -> None:
    async def swallow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with plain:
        assert await issuer_of(f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}") == ""


def test_a_file_without_an_authority_is_a_fault(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for path in (str(empty), str(tmp_path / "missing"), str(tmp_path)):
        assert ca_faults(path) == ["must be a readable PEM file with at least one certificate"]
    assert ca_faults(None) == []
