"""Answers that were made to hurt, over real TLS: each ends with a bounded error of ours.

Whatever Graph or the token endpoint sends, or a proxy in their place, is read up to a bound and
means that nothing was learned.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.proof import UNREACHABLE
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientSecretIdentity,
    Cloud,
    EntraTenantSpec,
    ManagedIdentity,
    VerificationScope,
)
from appcredential.domain.spec.trusts import Trust
from appcredential.entra import token_sources
from appcredential.entra.clouds import Endpoints
from appcredential.entra.connection import Connection, Timeouts
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.signin import TokenEndpoint
from appcredential.entra.token_sources import token_source
from appcredential.entra.token_transport import TokenTransport
from appcredential.errors import OutcomeUnknownError, UnavailableError
from tests.support.clock import HandClock
from tests.support.graph import CANARY, CLIENT, END, KEY, OBJECT, OPERATOR, TENANT, Tokens
from tests.support.hostile import BODIES, MIB, HostileServer, hostile_server

HOSTILE: Final = ["gzip", "endless", "slow", *BODIES]
TOKENS: Final = {"huge number", "deep"}
"""Those with a token that can be read: what is odd about them is beside it."""
OWN: Final = OperatorCredential(value=SecretValue(CANARY))
TRUST: Final = Trust("https://issuer.test", "subject", "audience")

Use = Callable[[GraphDirectory], Awaitable[Any]]
READS: Final[dict[str, Use]] = {
    "application": lambda graph: graph.application(CLIENT, timedelta(0)),
    "federated": lambda graph: graph.federated(OBJECT, timedelta(0)),
    "probe": lambda graph: graph.probe(OPERATOR, OWN),
    "policy": lambda graph: graph.default_policy(),
    "principal": lambda graph: graph.is_client_id(str(CLIENT)),
}
WRITES: Final[dict[str, Use]] = {
    "addPassword": lambda graph: graph.add_password(OBJECT, "marker", END),
    "removePassword": lambda graph: graph.remove_password(OBJECT, KEY),
    "add trust": lambda graph: graph.add_federated(OBJECT, "name", TRUST, "text"),
    "change trust": lambda graph: graph.update_federated(OBJECT, KEY, TRUST, "text"),
    "remove trust": lambda graph: graph.remove_federated(OBJECT, KEY),
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[HostileServer]:
    async with hostile_server(tmp_path) as running:
        yield running


@pytest.fixture
async def graph(server: HostileServer) -> AsyncIterator[GraphDirectory]:
    endpoints = Endpoints("https://login.test", server.url)
    clock = HandClock()
    connection = Connection(
        OperatorToken(Tokens().make, endpoints.graph_scope, clock, 5.0),
        endpoints,
        ca_file=server.ca_file,
        clock=clock,
        timeouts=Timeouts(request=3.0),
    )
    yield GraphDirectory(connection, clock=clock, sleep=clock.sleep)
    await connection.close()


async def ends(server: HostileServer, how: str, used: Awaitable[Any]) -> Exception:
    """Return the error with which it ends."""
    server.how = how
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its type is compared next
        await used
    return caught.value


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("read", READS)
async def test_a_read_of_graph(
    server: HostileServer, graph: GraphDirectory, how: str, read: str
) -> None:
    if how == "slow" and read != "probe":
        pytest.skip("one is enough to see that the time is bounded")
    assert type(await ends(server, how, READS[read](graph))) is UnavailableError
    assert server.sent < 48 * MIB
    assert server.encodings == ["identity"]


@pytest.mark.parametrize("how", ["gzip", "endless", "deep", "HTML", "many values", "a list"])
@pytest.mark.parametrize("write", WRITES)
async def test_a_write_to_graph_may_have_been_applied(
    server: HostileServer, graph: GraphDirectory, how: str, write: str
) -> None:
    assert type(await ends(server, how, WRITES[write](graph))) is OutcomeUnknownError
    assert server.sent < 48 * MIB


@pytest.mark.parametrize("status", [400, 404, 500, 503])
@pytest.mark.parametrize("how", ["gzip", "endless"])
async def test_an_error_of_graph_is_read_up_to_a_smaller_bound(
    server: HostileServer, graph: GraphDirectory, how: str, status: int
) -> None:
    server.status = status
    found = await ends(server, how, READS["application"](graph))
    assert type(found) is UnavailableError, "what it refuses cannot be known"
    assert server.sent < 8 * MIB


@pytest.mark.parametrize("how", BODIES)
async def test_an_error_that_is_not_graph_s_is_known_by_its_status(
    server: HostileServer, graph: GraphDirectory, how: str
) -> None:
    server.status = 500
    assert type(await ends(server, how, READS["application"](graph))) is UnavailableError


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("kind", ["application/json", "text/xml"])
async def test_a_token_of_the_operator_s_own(server: HostileServer, how: str, kind: str) -> None:
    server.kind = kind
    identity = ClientSecretIdentity(client_id=OPERATOR, secret_name="s", secret_key="k")
    spec = EntraTenantSpec(tenant_id=TENANT, cloud=Cloud.CUSTOM, identity=identity)
    endpoints = Endpoints(server.url, "https://graph.test")
    make = token_source(spec, OWN, endpoints, server.ca_file, ProjectedToken("", ""))
    async with OperatorToken(make, endpoints.graph_scope, HandClock(), 3.0) as token:
        if how in TOKENS and kind == "application/json":
            return
        assert type(await ends(server, how, token.warm())) is UnavailableError
    assert server.sent < 24 * MIB, "a connection that broke is tried twice more"
    assert set(server.encodings) == {"identity"}


@pytest.mark.parametrize("how", HOSTILE)
async def test_a_sign_in(server: HostileServer, how: str) -> None:
    server.how = how
    target = TokenEndpoint(
        TENANT,
        Endpoints(server.url, "https://graph.test"),
        ca_file=server.ca_file,
        clock=HandClock(),
        timeout=3.0,
    )
    found = await target.with_secret(
        CLIENT, SecretValue(CANARY), VerificationScope.GRAPH, "correlation"
    )
    assert found == UNREACHABLE or how in TOKENS | {"number in text"}
    assert server.sent < 8 * MIB
    assert server.encodings == ["identity"]


async def test_what_comes_in_time_of_an_endless_answer_is_not_kept(
    server: HostileServer, graph: GraphDirectory
) -> None:
    """Many at once hold a bound each, and none of them afterwards."""
    server.how = "endless"
    found = await asyncio.gather(
        *(graph.is_client_id(str(CLIENT)) for _ in range(3)), return_exceptions=True
    )
    assert [type(one) for one in found] == [UnavailableError] * 3


def test_a_managed_identity_s_token_comes_by_the_same_transport(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(
        token_sources, "ManagedIdentityCredential", lambda **options: made.append(options)
    )
    identity = ManagedIdentity(client_id=None)
    spec = EntraTenantSpec(tenant_id=TENANT, cloud=Cloud.PUBLIC, identity=identity)
    endpoints = Endpoints("https://login.test", "https://graph.test")
    token_source(spec, OWN, endpoints, None, ProjectedToken("", ""))()
    (options,) = made
    assert isinstance(options["transport"], TokenTransport)
