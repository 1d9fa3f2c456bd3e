"""Which discovery documents are read, how much of them, and what counts."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from appcredential.domain.observed.federated import IssuerDocument
from appcredential.entra.issuer_documents import IssuerDocuments
from tests.support.clock import HandClock
from tests.support.tokenserver import Answer as Scripted
from tests.support.tokenserver import token_server

ISSUER = "https://issuer.example/tenant/"
DOCUMENT = "https://issuer.example/tenant/.well-known/openid-configuration"
Answer = Callable[[], tuple[int, bytes]]


class Issuers:
    """Servers of issuers: one answer for all, and a log of what was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        status, body = self.answer()
        headers = {"Location": "http://10.0.0.1/"} if status == 302 else {}
        if body.startswith(b"\x1f\x8b"):
            headers["Content-Encoding"] = "gzip"
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    def documents(self, *issuers: str, clock: HandClock | None = None) -> IssuerDocuments:
        return IssuerDocuments(issuers, clock or HandClock(), transport=httpx.MockTransport(self))


def named(issuer: str) -> tuple[int, bytes]:
    document = {"issuer": issuer, "jwks_uri": "https://else.example/keys"}
    return 200, json.dumps(document).encode()


async def settle(documents: IssuerDocuments) -> None:
    """Wait for the look that is under way."""
    assert documents._looking is not None
    await documents._looking


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda: named(ISSUER), IssuerDocument(status=200, issuer=ISSUER)),
        (
            lambda: named("https://b.example"),
            IssuerDocument(status=200, issuer="https://b.example"),
        ),
        (lambda: (403, b"no"), IssuerDocument(status=403)),
        (lambda: (503, b""), IssuerDocument(status=503)),
        (lambda: (302, b""), IssuerDocument(status=302)),
        (lambda: (200, b"<html>"), IssuerDocument(status=200)),
        (lambda: (200, b'{"issuer": 1}'), IssuerDocument(status=200)),
        (lambda: (200, b'{"issuer": "\xff"}'), IssuerDocument(status=200)),
        (lambda: (200, named(ISSUER)[1] + b" " * 70000), IssuerDocument(status=200)),
        (lambda: (200, gzip.compress(named(ISSUER)[1])), IssuerDocument(status=200)),
    ],
)
async def test_an_answer_counts_when_two_looks_agree(answer: Answer, found: IssuerDocument) -> None:
    """No redirect is followed, nothing is decompressed, nothing long is read."""
    servers = Issuers(answer)
    documents = servers.documents(ISSUER)
    await documents.refresh()
    assert documents.known() == {}
    await settle(documents)
    assert documents.known() == {ISSUER: found}
    assert servers.asked == [DOCUMENT] * 2


async def test_nobody_is_asked_whom_the_settings_do_not_list() -> None:
    servers = Issuers(lambda: named(ISSUER))
    documents = servers.documents()
    assert documents.known() == {}
    assert documents._looking is None
    assert servers.asked == []


async def test_asking_costs_a_look_in_ten_minutes() -> None:
    servers, clock = Issuers(lambda: named(ISSUER)), HandClock()
    documents = servers.documents(ISSUER, clock=clock)
    for _ in range(3):
        documents.known()
        await settle(documents)
    assert len(servers.asked) == 1
    clock.advance(timedelta(minutes=10))
    documents.known()
    await settle(documents)
    assert len(servers.asked) == 2


def _down() -> tuple[int, bytes]:
    raise httpx.ConnectError("no route")


async def test_no_answer_says_nothing_and_a_moments_trouble_neither() -> None:
    servers = Issuers(_down)
    documents = servers.documents(ISSUER)
    for _ in range(3):
        await documents.refresh()
    assert documents._known == {}
    servers.answer = lambda: named(ISSUER)
    await documents.refresh()
    await documents.refresh()
    good = {ISSUER: IssuerDocument(status=200, issuer=ISSUER)}
    assert documents._known == good
    for moment in (lambda: (503, b""), lambda: named(ISSUER), _down):
        servers.answer = moment
        await documents.refresh()
        assert documents._known == good
    await documents.refresh()
    assert documents._known == {}


async def test_the_administrator_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    documents = Issuers(lambda: (403, b"")).documents(ISSUER)
    for _ in range(4):
        await documents.refresh()
    (record,) = caplog.records
    assert (vars(record)["issuer"], vars(record)["status"]) == (ISSUER, 403)


@pytest.mark.parametrize("error", [RecursionError("deep"), ValueError("odd")])
async def test_an_issuer_that_cannot_be_looked_at_leaves_the_others_alone(error: Exception) -> None:
    other = "https://other.example"

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host != "other.example":
            raise error
        return httpx.Response(200, stream=httpx.ByteStream(named(other)[1]))

    documents = IssuerDocuments((ISSUER, other), HandClock(), transport=httpx.MockTransport(answer))
    await documents.refresh()
    await documents.refresh()
    assert documents.known() == {other: IssuerDocument(status=200, issuer=other)}


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_the_authority_of_a_proxy_is_trusted_here_as_well(
    tmp_path: Path, is_trusted: bool
) -> None:
    async with token_server(tmp_path) as server:
        issuer = server.url
        server.answers = [Scripted(body={"issuer": issuer})]
        ca_file = server.ca_file if is_trusted else None
        documents = IssuerDocuments((issuer,), HandClock(), ca_file)
        for _ in range(2):
            await documents.refresh()
    found = {issuer: IssuerDocument(status=200, issuer=issuer)} if is_trusted else {}
    assert documents.known() == found
