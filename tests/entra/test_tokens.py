"""Signing in over real TLS: the proving sign-in, and the operator's own token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from appcredential import __version__
from appcredential.domain.conditions import Reason
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.proof import PROVEN, UNREACHABLE, UNTRUSTED, SignInClass, SignInResult
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientSecretIdentity,
    Cloud,
    EntraTenantSpec,
    VerificationScope,
)
from appcredential.entra.clouds import Endpoints
from appcredential.entra.operator_token import OperatorToken, TokenSource
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.signin import TokenEndpoint
from appcredential.entra.token_sources import token_source
from appcredential.errors import IdentityRejectedError, ThrottledError, UnavailableError
from tests.support.clock import HandClock
from tests.support.graph import CANARY, CLIENT, OPERATOR, OPERATOR_SECRET, TENANT
from tests.support.tokenserver import Answer, TokenServer, token_server

GRAPH = "https://graph.test"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TokenServer]:
    async with token_server(tmp_path) as running:
        yield running


def refusal(*codes: int) -> dict[str, object]:
    text = f"AADSTS{codes[0]}: words of the server" if codes else "words of the server"
    return {"error": "invalid_client", "error_description": text, "error_codes": list(codes)}


def endpoint(server: TokenServer, **options: object) -> TokenEndpoint:
    settings: dict[str, object] = {"ca_file": server.ca_file, "clock": HandClock(), **options}
    return TokenEndpoint(TENANT, Endpoints(server.url, GRAPH), **settings)  # type: ignore[arg-type]


async def sign_in(
    target: TokenEndpoint, scope: VerificationScope = VerificationScope.GRAPH, name: str = "try-1"
) -> SignInResult:
    return await target.with_secret(CLIENT, SecretValue(CANARY), scope, name)


async def test_a_sign_in_is_one_plain_client_credentials_request(server: TokenServer) -> None:
    observed: list[tuple[str, int]] = []
    target = endpoint(server, observe=lambda name, status, _: observed.append((name, status)))
    assert await sign_in(target) == PROVEN
    (seen,) = server.seen
    assert seen.path == f"/{TENANT}/oauth2/v2.0/token"
    assert seen.form == {
        "client_id": CLIENT,
        "client_secret": CANARY,
        "grant_type": "client_credentials",
        "scope": f"{GRAPH}/.default",
    }
    assert seen.headers["User-Agent"] == f"appcredential/{__version__}"
    assert seen.headers["client-request-id"] == "try-1"
    assert observed == [("token", 200)]


async def test_the_scope_may_be_the_application_itself(server: TokenServer) -> None:
    await sign_in(endpoint(server), VerificationScope.SELF)
    assert server.seen[0].form["scope"] == f"{CLIENT}/.default"


async def test_every_sign_in_has_a_connection_of_its_own(server: TokenServer) -> None:
    target = endpoint(server)
    for _ in range(5):
        await sign_in(target)
    assert len({seen.port for seen in server.seen}) == 5


@pytest.mark.parametrize(
    ("answer", "kind", "reason", "code"),
    [
        (Answer(401, refusal(7000215)), SignInClass.NOT_YET, Reason.SIGN_IN_REJECTED, 7000215),
        (
            Answer(400, refusal(53003)),
            SignInClass.BLOCKED,
            Reason.BLOCKED_BY_CONDITIONAL_ACCESS,
            53003,
        ),
        (Answer(400, refusal(1)), SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED, 1),
        (Answer(400, refusal(10**9)), SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED, 0),
        (Answer(400, refusal(-7000215)), SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED, 0),
        (Answer(400, refusal(*[53003] * 17)), SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED, 0),
        (Answer(400, []), SignInClass.UNCLASSIFIED, Reason.UNCLASSIFIED, 0),
        (Answer(429, {}), SignInClass.TRANSIENT, Reason.THROTTLED, 0),
        (Answer(503, text="<html>"), *(UNREACHABLE.kind, UNREACHABLE.reason), 0),
        (Answer(200, {}), *(UNREACHABLE.kind, UNREACHABLE.reason), 0),
        (Answer(200, {"access_token": ""}), *(UNREACHABLE.kind, UNREACHABLE.reason), 0),
        (Answer(200, text="<html>"), *(UNREACHABLE.kind, UNREACHABLE.reason), 0),
        (Answer(200, text="x" * 200_000), *(UNREACHABLE.kind, UNREACHABLE.reason), 0),
    ],
)
async def test_answers(
    server: TokenServer, answer: Answer, kind: SignInClass, reason: Reason, code: int
) -> None:
    server.answers = [answer]
    result = await sign_in(endpoint(server))
    assert (result.kind, result.reason, result.code) == (kind, reason, code)


async def test_throttling_says_how_long(server: TokenServer) -> None:
    server.answers = [Answer(429, {}, {"Retry-After": "400"})]
    assert (await sign_in(endpoint(server))).retry_after == timedelta(seconds=400)


async def test_a_redirect_is_refused(server: TokenServer) -> None:
    for status in (301, 302, 307, 308):
        server.answers = [Answer(status, {}, {"Location": f"{server.url}/elsewhere"})]
        assert await sign_in(endpoint(server)) == UNREACHABLE
    assert [seen.path for seen in server.seen] == [f"/{TENANT}/oauth2/v2.0/token"] * 4


async def test_an_authority_not_vouched_for_gets_no_secret(server: TokenServer) -> None:
    assert await sign_in(endpoint(server, ca_file=None)) == UNTRUSTED
    assert server.seen == []


async def test_nobody_there_and_odd_correlations_are_results_too(server: TokenServer) -> None:
    assert await sign_in(endpoint(server), name="a\r\nX-Evil: 1") == PROVEN
    assert "X-Evil" not in server.seen[0].headers
    gone = TokenEndpoint(
        TENANT, Endpoints("https://127.0.0.1:1", GRAPH), ca_file=None, clock=HandClock()
    )
    assert await sign_in(gone) == UNREACHABLE


async def test_silence_ends(server: TokenServer) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    endpoints = Endpoints(f"https://127.0.0.1:{port}", GRAPH)
    target = TokenEndpoint(
        TENANT, endpoints, ca_file=server.ca_file, clock=HandClock(), timeout=0.1
    )
    assert await sign_in(target) == UNREACHABLE
    silent.close()
    await silent.wait_closed()


async def test_neither_secret_nor_token_nor_body_is_logged(
    server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [Answer(), Answer(401, refusal(7000215))]
    target = endpoint(server)
    results = [await sign_in(target), await sign_in(target)]
    for text in (caplog.text, repr(results), repr(vars(target))):
        assert CANARY not in text
        assert "eyJ-token" not in text
        assert "words of the server" not in text
    assert "7000215" in caplog.text


def client_secret_source(endpoints: Endpoints, ca_file: str | None) -> Callable[[], TokenSource]:
    identity = ClientSecretIdentity(client_id=OPERATOR, secret_name="operator", secret_key="value")
    spec = EntraTenantSpec(tenant_id=TENANT, cloud=Cloud.CUSTOM, identity=identity)
    own = OperatorCredential(value=SecretValue(OPERATOR_SECRET))
    return token_source(spec, own, endpoints, ca_file, ProjectedToken("/nowhere", ""))


def operator_token(server: TokenServer, clock: HandClock) -> OperatorToken:
    endpoints = Endpoints(server.url, GRAPH)
    make = client_secret_source(endpoints, server.ca_file)
    return OperatorToken(make, endpoints.graph_scope, clock, 5.0)


async def test_twenty_callers_get_one_token(server: TokenServer) -> None:
    async with operator_token(server, HandClock()) as token:
        await asyncio.gather(*(token.warm() for _ in range(20)))
        assert len(server.seen) == 1
        assert server.seen[0].form["scope"] == f"{GRAPH}/.default"


async def test_a_forgotten_token_is_asked_for_once_more(server: TokenServer) -> None:
    async with operator_token(server, HandClock()) as token:
        await token.warm()
        await asyncio.gather(*(token.forget(0) for _ in range(5)))
        await token.warm()
        assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(401, refusal(7000215)), IdentityRejectedError),
        (Answer(429, refusal(90055), {"Retry-After": "9"}), ThrottledError),
        (Answer(503, text="<html>"), UnavailableError),
        (Answer(500, {}), UnavailableError),
        (Answer(200, {"nothing": 1}), UnavailableError),
        (Answer(200, text="<html>"), UnavailableError),
    ],
)
async def test_a_failure_is_one_request(server: TokenServer, answer: Answer, error: type) -> None:
    server.answers = [answer]
    async with operator_token(server, HandClock()) as token:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - its type is compared next
            await token.warm()
    assert type(caught.value) is error
    assert len(server.seen) == 1
    assert "words" not in str(caught.value)


async def test_a_refusal_is_repeated_for_a_while_without_asking(
    server: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [Answer(401, refusal(7000222)), Answer()]
    clock = HandClock()
    async with operator_token(server, clock) as token:
        for _ in range(20):
            with pytest.raises(IdentityRejectedError) as caught:
                await token.warm()
            assert caught.value.code == 7000222
        assert len(server.seen) == 1
        clock.seconds += 10
        await token.warm()
    assert len(server.seen) == 2
    assert OPERATOR_SECRET not in caplog.text
    assert "eyJ-token" not in caplog.text


async def test_an_authority_not_vouched_for_gets_no_operator_secret(server: TokenServer) -> None:
    endpoints = Endpoints(server.url, GRAPH)
    make = client_secret_source(endpoints, None)
    async with OperatorToken(make, endpoints.graph_scope, HandClock(), 0.5) as token:
        with pytest.raises(UnavailableError):
            await token.warm()
    assert server.seen == []
