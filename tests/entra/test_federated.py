"""Federated credentials through msgraph-sdk: what is sent, and what answers mean."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest

from appcredential.domain.spec.model import ObjectId
from appcredential.domain.spec.trusts import Trust
from appcredential.errors import (
    ConflictError,
    NotFoundError,
    NotYetError,
    OutcomeUnknownError,
    RejectedError,
    UnavailableError,
)
from tests.support.graph import OBJECT, Graph, World, answer, failure

TRUST: Final = Trust("https://issuer.example", "job-1", "api://AzureADTokenExchange")
ID: Final = "66666666-0000-0000-0000-000000000006"
BASE: Final = f"/v1.0/applications/{OBJECT}/federatedIdentityCredentials"
DONE: Final = httpx.Response(204)


def entry(**fields: Any) -> dict[str, Any]:
    found = {
        "@odata.id": "https://graph.test/x",
        "id": ID,
        "name": "made",
        "issuer": TRUST.issuer,
        "subject": TRUST.subject,
        "audiences": [TRUST.audience],
        "description": "text",
    }
    return {**found, **fields}


def body_of(world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.graph.requests[-1].content)
    return found


async def test_all_of_an_application_are_read_at_once_and_shared() -> None:
    odd = entry(id=ID[:-1] + "7", name="a\u202eb", subject=None, audiences=None, description=None)
    world = World(Graph(answer(200, {"value": [entry(), odd]})))
    found = await world.directory.federated(OBJECT, timedelta(0))
    first, second = found.credentials
    assert (first.id, first.name, first.pair) == (ID, "made", TRUST.pair)
    assert first.audiences == (TRUST.audience,)
    assert (second.name, second.subject, second.audiences) == ("ab", "", ())
    assert second.description == ""
    assert await world.directory.federated(OBJECT, timedelta(seconds=5)) is found
    assert world.graph.paths() == [f"GET {BASE}"]
    assert world.observed == [("application.federatedIdentityCredentials.list", 200)]


@pytest.mark.parametrize(
    "broken",
    [
        answer(200, {"value": [entry()], "@odata.nextLink": "https://graph.test/next"}),
        answer(200, {"value": "x"}),
        answer(200, {}),
    ],
)
async def test_a_part_of_a_list_is_no_list(broken: httpx.Response) -> None:
    with pytest.raises(UnavailableError):
        await World(Graph(broken)).directory.federated(OBJECT, timedelta(0))


async def test_one_is_created_by_post_and_never_by_upsert() -> None:
    world = World(Graph(answer(201, entry())))
    await world.directory.add_federated(OBJECT, "made", TRUST, "text")
    (request,) = world.graph.requests
    assert world.graph.paths() == [f"POST {BASE}"]
    assert "prefer" not in request.headers
    sent = {k: v for k, v in body_of(world).items() if not k.startswith("@")}
    assert sent == {
        "name": "made",
        "issuer": TRUST.issuer,
        "subject": TRUST.subject,
        "audiences": [TRUST.audience],
        "description": "text",
    }


async def test_one_is_changed_and_deleted_by_its_id() -> None:
    world = World(Graph(DONE))
    await world.directory.update_federated(OBJECT, ID, TRUST, "text")
    assert "name" not in body_of(world)
    with pytest.raises(NotYetError):
        await world.directory.remove_federated(OBJECT, ID)
    world.clock.seconds += 1
    await world.directory.remove_federated(OBJECT, ID)
    assert world.graph.paths() == [f"PATCH {BASE}/{ID}", f"DELETE {BASE}/{ID}"]


async def test_a_write_outdates_what_was_read() -> None:
    listed = answer(200, {"value": []})
    world = World(Graph(listed, DONE, listed))
    await world.directory.federated(OBJECT, timedelta(0))
    await world.directory.remove_federated(OBJECT, ID)
    await world.directory.federated(OBJECT, timedelta(hours=1))
    assert len(world.graph.requests) == 3


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (failure(409, "Request_MultipleObjectsWithSameKeyValue", "exists"), ConflictError),
        (failure(400, "InvalidFederatedIdentityCredentialValue", "must be unique"), RejectedError),
        (failure(403, "Directory_QuotaExceeded", "too many"), RejectedError),
        (failure(404, "Request_ResourceNotFound"), NotFoundError),
        (failure(504, "x"), OutcomeUnknownError),
    ],
)
async def test_refusals_are_told_apart(refusal: httpx.Response, error: type[Exception]) -> None:
    world = World(Graph(refusal))
    with pytest.raises(error):
        await world.directory.add_federated(OBJECT, "made", TRUST, "text")
    assert len(world.graph.requests) == 1, "a write is never repeated blindly"


@pytest.mark.parametrize("wrong", ["", "../x", "a/b", "name='x'"])
async def test_what_is_no_id_becomes_no_address(wrong: str) -> None:
    world = World(Graph(DONE))
    with pytest.raises(RejectedError):
        await world.directory.remove_federated(OBJECT, wrong)
    with pytest.raises(RejectedError):
        await world.directory.federated(ObjectId(wrong), timedelta(0))
    assert world.graph.requests == []


@pytest.mark.parametrize(
    ("found", "is_client"),
    [
        (answer(200, {"id": OBJECT, "appId": ID}), True),
        (failure(404, "Request_ResourceNotFound"), False),
        (failure(403, "Authorization_RequestDenied"), False),
    ],
)
async def test_a_client_id_is_told_from_a_principal_s(
    found: httpx.Response, is_client: bool
) -> None:
    world = World(Graph(found))
    assert await world.directory.is_client_id(ID) is is_client
    assert world.graph.paths() == [f"GET /v1.0/servicePrincipals(appId='{ID}')"]
