"""Lists and batches through the real SDK: pages that end, and links that lead nowhere else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from appcredential.domain.inventory import MOST_PAGES, Way
from appcredential.domain.spec.model import ClientId, ObjectId
from appcredential.entra.pages import decode_page, is_next_page
from appcredential.errors import (
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
    UnusableListError,
)
from appcredential.ports.lists import Page
from tests.support.graph import CLIENT, KEY, OBJECT, START, Graph, World, answer, failure, password

OWNER = "66666666-0000-4000-8000-000000000006"
OTHER = ClientId("77777777-0000-4000-8000-000000000007")
ROOT = "https://graph.test/v1.0"


def row(client_id: str = CLIENT, **members: Any) -> dict[str, Any]:
    return {
        "id": OBJECT,
        "appId": client_id,
        "displayName": "Orders",
        "passwordCredentials": [password()],
        **members,
    }


def page(*rows: Any, link: str | None = None) -> httpx.Response:
    body: dict[str, Any] = {"value": list(rows)}
    if link is not None:
        body["@odata.nextLink"] = link
    return answer(200, body)


async def read(
    world: World, way: Way = Way.ALL, wanted: tuple[ClientId, ...] = (CLIENT,), most: int = 5
) -> list[Page]:
    return [p async for p in world.directory.lists.pages(way, wanted, most, OWNER)]


async def test_a_filter_names_fifteen_and_selects_nothing() -> None:
    world = World(Graph(page(row())))
    many = tuple(ClientId(f"00000000-0000-4000-8000-{n:012d}") for n in range(20))
    (found,) = await read(world, Way.FILTER, (*many, CLIENT))
    (request,) = world.graph.requests
    assert request.url.path == "/v1.0/applications"
    assert list(request.url.params) == ["$filter"]
    assert request.url.params["$filter"].count("'") == 30
    assert found.left == START
    assert found.rows == 1


@pytest.mark.parametrize(
    ("way", "path"),
    [
        (Way.ALL, "/v1.0/applications"),
        (Way.OWNED, f"/v1.0/servicePrincipals/{OWNER}/ownedObjects/graph.application"),
    ],
)
async def test_pages_are_followed_and_the_unwanted_dropped(way: Way, path: str) -> None:
    link = f"https://graph.test{path}?%24top=999&$skiptoken=abc%2Bdef"
    world = World(Graph(page(row(OTHER), link=link), page(row())))
    pages = await read(world, way)
    assert [([*p.found], p.rows) for p in pages] == [([], 1), ([CLIENT], 1)]
    application = pages[1].found[CLIENT]
    assert application.object_id == OBJECT
    assert [c.key_id for c in application.credentials] == [KEY]
    first, second = world.graph.requests
    assert first.url.path == path
    assert dict(first.url.params) == {"$top": "999"}
    assert second.url.params["$skiptoken"] == "abc+def"
    assert second.headers["Authorization"].startswith("Bearer ")


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.test.elsewhere.example/v1.0/applications?$skiptoken=a",
        "https://elsewhere.example/v1.0/applications?$skiptoken=a",
        "http://graph.test/v1.0/applications?$skiptoken=a",
        "https://graph.test:8443/v1.0/applications?$skiptoken=a",
        "https://user@graph.test/v1.0/applications?$skiptoken=a",
        "https://graph.test/v1.0/99999999-0000-0000-0000-000000000009/applications",
        "https://graph.test/v1.0/applications/../users?$skiptoken=a",
        "https://graph.test/beta/applications?$skiptoken=a",
        "https://graph.test/v1.0/applications?$skiptoken=a#b",
        "https://[graph.test/v1.0/applications",
        "https://graph.test:x/v1.0/applications",
        "/v1.0/applications?$skiptoken=a",
        "",
    ],
)
async def test_a_link_elsewhere_is_refused_before_a_token_is_sent(link: str) -> None:
    world = World(Graph(page(row(), link=link)))
    with pytest.raises(UnusableListError, match="another address"):
        await read(world)
    assert len(world.graph.requests) == 1


async def test_a_link_to_the_same_page_is_refused() -> None:
    link = f"{ROOT}/applications?$skiptoken=a"
    world = World(Graph(page(row(), link=link)))
    with pytest.raises(UnusableListError, match="another address"):
        await read(world)
    assert len(world.graph.requests) == 2


async def test_pages_that_never_end_are_given_up() -> None:
    async def endless(_: httpx.Request) -> httpx.Response:
        return page(row(), link=f"{ROOT}/applications?$skiptoken={len(world.graph.requests)}")

    world = World(Graph(endless))
    with pytest.raises(UnusableListError, match=f"more than {MOST_PAGES} pages"):
        await read(world, most=MOST_PAGES)
    assert len(world.graph.requests) == MOST_PAGES


async def test_a_row_that_cannot_be_read_hides_no_other() -> None:
    broken = (row(id="no id"), {"appId": 5}, row(passwordCredentials="none"), "text", None)
    world = World(Graph(page(*broken, row())))
    (found,) = await read(world)
    assert list(found.found) == [CLIENT]
    assert found.rows == len(broken) + 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"value": 5}',
        b'{"value": [],"@odata.nextLink": 5}',
        b"[" * 100_000,
        b'{"value": [' + b"0," * 1_000 + b"0]}",
        b'{"value": [' + b"0," * 600_000 + b"0]}",
    ],
)
async def test_what_is_no_page_is_no_answer(body: bytes) -> None:
    world = World(Graph(httpx.Response(200, content=body)))
    with pytest.raises(UnavailableError):
        await read(world)


async def test_a_large_page_is_decoded_in_a_thread() -> None:
    text = "x" * 1_000
    rows = [row(f"00000000-0000-4000-8000-{n:012d}", description=text) for n in range(998)]
    body = json.dumps({"value": [*rows, row()]}).encode()
    found = await decode_page(body, {CLIENT}, START)
    assert (list(found.found), found.count, found.next_link) == ([CLIENT], 999, None)


async def test_refusals_are_told_apart() -> None:
    with pytest.raises(PermissionDeniedError):
        await read(World(Graph(failure(403, "Authorization_RequestDenied"))))
    with pytest.raises(RejectedError):
        await read(World(Graph(failure(400, "Request_UnsupportedQuery"))))
    throttled = World(Graph(failure(429, "TooManyRequests", Retry_After="7")))
    for _ in range(2):
        with pytest.raises(ThrottledError):
            await read(throttled)
    assert len(throttled.graph.requests) == 1


async def test_a_principal_that_is_not_known_is_never_part_of_an_address() -> None:
    world = World(Graph(page()))
    with pytest.raises(RejectedError):
        [p async for p in world.directory.lists.pages(Way.OWNED, (CLIENT,), 1, "")]
    assert not world.graph.requests


def test_only_the_query_of_a_next_page_differs() -> None:
    cast = f"{ROOT}/servicePrincipals/{OWNER}/ownedObjects"
    assert is_next_page(
        f"{cast}/microsoft.graph.application?$skiptoken=a", f"{cast}/graph.application"
    )
    assert not is_next_page(f"{cast}?$skiptoken=a", f"{cast}/graph.application")
    assert is_next_page(f"{ROOT}/Applications?$skiptoken=a", f"{ROOT}/applications?$top=999")
    assert not is_next_page(f"{ROOT}/applications/x", f"{ROOT}/applications")


# --- batches --------------------------------------------------------------------------------


def ids(count: int) -> list[ObjectId]:
    return [ObjectId(f"88888888-0000-4000-8000-{n:012d}") for n in range(count)]


def trust(number: int) -> dict[str, Any]:
    return {
        "id": f"99999999-0000-4000-8000-{number:012d}",
        "name": f"name-{number}",
        "issuer": "https://issuer.example",
        "subject": "system:serviceaccount:shop:orders",
        "audiences": ["api://AzureADTokenExchange"],
    }


async def answered(request: httpx.Request) -> httpx.Response:
    """Answer in another order: every third one is unknown, every fourth one fails."""
    asked = json.loads(request.content)["requests"]
    rows = []
    for entry in reversed(asked):
        number = int(entry["id"])
        status = 404 if number % 3 == 1 else 503 if number % 4 == 2 else 200
        body = {"value": [trust(number)]} if status == 200 else {"error": {"code": "x"}}
        rows.append({"id": entry["id"], "status": status, "headers": {}, "body": body})
    return answer(200, {"responses": rows})


async def test_a_batch_is_matched_by_id_and_says_only_what_it_read() -> None:
    world = World(Graph(answered))
    asked = ids(5)
    found = await world.directory.lists.federated(asked)
    (request,) = world.graph.requests
    assert (request.method, request.url.path) == ("POST", "/v1.0/$batch")
    first = json.loads(request.content)["requests"][0]
    assert first["method"] == "GET"
    assert first["url"] == f"/applications/{asked[0]}/federatedIdentityCredentials"
    assert set(found) == {asked[0], asked[1], asked[3], asked[4]}
    assert found[asked[1]] is None
    listed = found[asked[3]]
    assert listed is not None
    assert [c.name for c in listed.credentials] == ["name-3"]
    assert listed.read_time == START


async def test_one_throttled_read_of_a_batch_pauses_the_tenant() -> None:
    rows = [{"id": "0", "status": 429, "headers": {"Retry-After": "30"}, "body": {}}]
    world = World(Graph(answer(200, {"responses": rows})))
    with pytest.raises(ThrottledError) as caught:
        await world.directory.lists.federated(ids(1))
    assert caught.value.retry_after == timedelta(seconds=30)
    with pytest.raises(ThrottledError):
        await world.directory.application(CLIENT, timedelta(0))
    assert len(world.graph.requests) == 1


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": "7", "status": 200, "body": {"value": []}}],
        [{"id": "0", "status": 200}],
        [{"id": "0", "status": 200, "body": None}],
        [{"id": "0", "status": 200, "body": {"value": [{}]}}],
        [{"id": "0", "status": 200, "body": {"value": [], "@odata.nextLink": f"{ROOT}/x"}}],
        [],
    ],
)
async def test_what_a_batch_does_not_show_is_not_said_to_be_missing(rows: list[Any]) -> None:
    world = World(Graph(answer(200, {"responses": rows})))
    assert not await world.directory.lists.federated(ids(1))


async def test_an_answer_that_is_no_batch_is_no_answer() -> None:
    with pytest.raises(UnavailableError):
        await World(Graph(answer(200, {"value": []}))).directory.lists.federated(ids(1))
