"""What a person's sign-in reads: pages of the report, what a person owns, waits, and no write."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from appcredential.domain.spec.model import KeyId, ObjectId
from appcredential.entra.clouds import CloudRoute, Endpoints
from appcredential.entra.connection import Call, Connection
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.reader import Reader, ReadOnlyConnection
from appcredential.errors import (
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
    UnusableListError,
)
from tests.support.clock import HandClock
from tests.support.graph import CLIENT, KEY, OBJECT, START, Graph, Tokens, answer, failure, password

OWNER = "66666666-0000-4000-8000-000000000006"
REPORT = "https://graph.test/beta/reports/appCredentialSignInActivities"


class PersonTokens(Tokens):
    """Tokens that act for a person, or for an application."""

    def __init__(self, **claims: str) -> None:
        super().__init__()
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        self.text = f"e30.{payload}.x"

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        await super().get_token(*scopes, **options)
        return AccessToken(self.text, 2**33)


class Opened:
    """A Reader on a scripted Graph."""

    def __init__(
        self,
        graph: Graph,
        tokens: Tokens | None = None,
        kind: type[ReadOnlyConnection] = ReadOnlyConnection,
    ) -> None:
        self.graph, self.clock, self.pauses = graph, HandClock(START), list[timedelta]()
        route = CloudRoute(endpoints=Endpoints("https://login.test", "https://graph.test"))
        source = tokens or PersonTokens(oid=OWNER)
        token = OperatorToken(source.make, route.endpoints.graph_scope, self.clock, 5.0)
        connection = kind(
            token,
            route.endpoints,
            ca_file=None,
            clock=self.clock,
            told=self.pauses.append,
            sleep=self.clock.sleep,
            transport=httpx.MockTransport(graph),
        )
        self.reader = Reader(connection, token, route, self.clock)


def row(key: str = KEY, time: str | None = "2026-01-20T12:00:00.1234567Z") -> dict[str, Any]:
    activity = {"lastSignInDateTime": time} if time is not None else None
    return {"keyId": key.upper(), "signInActivity": activity, "new": 1}


def page(*rows: Any, link: str | None = None) -> httpx.Response:
    return answer(200, {"value": list(rows), **({"@odata.nextLink": link} if link else {})})


async def report(opened: Opened) -> list[Mapping[KeyId, datetime]]:
    return [found async for found in opened.reader.last_sign_ins(None)]


async def test_the_report_is_read_page_by_page() -> None:
    opened = Opened(Graph(page(row(), link=f"{REPORT}?$skiptoken=a"), page(row(time=None))))
    first, second = await report(opened)
    assert first == {KEY: datetime(2026, 1, 20, 12, 0, 0, 123457, tzinfo=UTC)}
    assert second == {}
    assert [str(r.url).partition("?")[0] for r in opened.graph.requests] == [REPORT, REPORT]


async def test_the_report_of_one_application_names_it() -> None:
    opened = Opened(Graph(page(row())))
    assert [found async for found in opened.reader.last_sign_ins(CLIENT)]
    assert opened.graph.requests[0].url.params["$filter"] == f"appId eq '{CLIENT}'"


@pytest.mark.parametrize(
    "link",
    ["https://elsewhere.example/beta/x", f"{REPORT}?$top=999", "https://graph.test/v1.0/reports"],
)
async def test_a_page_of_the_report_elsewhere_is_refused(link: str) -> None:
    opened = Opened(Graph(page(row(), link=link)))
    with pytest.raises(UnusableListError, match="another address"):
        await report(opened)
    assert len(opened.graph.requests) == 1


async def test_a_report_without_end_is_given_up() -> None:
    async def ever(request: httpx.Request) -> httpx.Response:
        place = len(opened.graph.requests)
        return page(row(), link=f"{REPORT}?$skiptoken={place}")

    opened = Opened(Graph(ever))
    with pytest.raises(UnusableListError, match="more than 200 pages"):
        await report(opened)


@pytest.mark.parametrize(
    "body", [{}, {"value": [{"keyId": "x"}]}, {"value": [row(time="soon")]}, {"value": [None]}]
)
async def test_a_report_in_another_form_teaches_nothing(body: Any) -> None:
    with pytest.raises(UnavailableError):
        await report(Opened(Graph(answer(200, body))))


async def test_a_report_without_the_right_is_denied() -> None:
    with pytest.raises(PermissionDeniedError):
        await report(Opened(Graph(failure(403, "Authentication_RequestFromNonPremiumTenant"))))


@pytest.mark.parametrize(
    ("claims", "path"),
    [
        ({"scp": "Directory.Read.All"}, f"/v1.0/users/{OWNER}/ownedObjects/graph.application"),
        ({}, f"/v1.0/servicePrincipals/{OWNER}/ownedObjects/graph.application"),
    ],
)
async def test_what_is_owned_is_asked_of_whoever_signed_in(
    claims: dict[str, str], path: str
) -> None:
    owned = {"id": OBJECT, "appId": CLIENT, "displayName": "a", "passwordCredentials": [password()]}
    opened = Opened(Graph(page(owned)), PersonTokens(oid=OWNER, **claims))
    found = [p async for p in opened.reader.every_application(is_owned=True)]
    assert [list(p.found) for p in found] == [[CLIENT]]
    assert opened.graph.requests[0].url.path == path


async def test_no_write_is_sent() -> None:
    opened = Opened(Graph(answer(204, None)))
    directory = opened.reader.directory
    with pytest.raises(RejectedError, match="only reads"):
        await directory.remove_password(ObjectId(OBJECT), KEY)
    with pytest.raises(RejectedError, match="only reads"):
        await directory.remove_federated(ObjectId(KEY), KEY)
    with pytest.raises(RejectedError, match="only reads"):
        await directory.add_password(ObjectId(OWNER), "x", START)
    assert opened.graph.requests == []


async def test_a_pause_within_a_batch_is_kept_as_well() -> None:
    opened, told = Opened(Graph(page())), [timedelta(seconds=7), timedelta(seconds=3)]

    async def batch() -> int:
        if told:
            raise ThrottledError("batch", retry_after=told.pop(0))
        return 1

    assert await opened.reader.patiently(batch) == 1
    assert opened.clock.slept == [7, 3]


class Writing(ReadOnlyConnection):
    """A connection that does not refuse writes, as if the check had been forgotten."""

    async def send(self, call: Call) -> bytes:
        return await Connection.send(self, call)


async def test_without_the_check_a_write_would_be_sent() -> None:
    opened = Opened(Graph(answer(204, None)), kind=Writing)
    await opened.reader.directory.remove_password(ObjectId(OBJECT), KEY)
    assert opened.graph.paths() == [f"POST /v1.0/applications/{OBJECT}/removePassword"]


async def test_nothing_is_owned_by_nobody() -> None:
    opened = Opened(Graph(page()), Tokens())
    with pytest.raises(RejectedError, match="does not say who signed in"):
        async for _ in opened.reader.every_application(is_owned=True):
            pass
    assert opened.graph.requests == []


async def test_a_read_is_sent_again_after_the_pause_that_graph_asks_for() -> None:
    throttled = failure(429, "TooManyRequests", **{"Retry-After": "1"})
    opened = Opened(Graph(throttled, page(row())))
    assert await report(opened)
    assert opened.pauses == [timedelta(seconds=1)]
    assert opened.clock.slept == [1]
