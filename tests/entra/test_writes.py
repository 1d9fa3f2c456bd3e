"""Adding and removing passwords: never twice, never too fast, never shown."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta

import httpx
import pytest

from appcredential.domain.spec.model import ClientId, KeyId, ObjectId
from appcredential.entra.connection import Timeouts
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.pacing import Pacing
from appcredential.entra.rate_limit import RateLimiter
from appcredential.errors import (
    ConflictError,
    NotFoundError,
    NotYetError,
    OutcomeUnknownError,
    RejectedError,
    TooLateError,
    UnavailableError,
)
from tests.support.clock import HandClock
from tests.support.graph import (
    CANARY,
    END,
    KEY,
    OBJECT,
    OPERATOR_SECRET,
    Graph,
    World,
    answer,
    failure,
    html,
    password,
)

ADDED = answer(200, password(value=CANARY))
CONFLICT = failure(409, "Directory_ConcurrencyViolation")
OTHER = ObjectId("66666666-0000-0000-0000-000000000006")


async def test_a_password_is_added_with_name_and_end() -> None:
    world = World(Graph(ADDED))
    made = await world.directory.add_password(OBJECT, "marker", END)
    assert world.graph.paths() == [f"POST /v1.0/applications/{OBJECT}/addPassword"]
    body = json.loads(world.graph.requests[0].content)
    sent = body["passwordCredential"]
    assert sent["displayName"] == "marker"
    assert sent["endDateTime"] == "2026-04-21T12:00:00+00:00"
    assert set(sent) <= {"displayName", "endDateTime", "@odata.type"}
    assert made.value.reveal() == CANARY
    assert (made.credential.key_id, made.credential.end) == (KEY, END)
    assert world.observed == [("application.addPassword", 200)]


async def test_a_password_is_removed() -> None:
    world = World(Graph(httpx.Response(204)))
    await world.directory.remove_password(OBJECT, KEY)
    assert world.graph.paths() == [f"POST /v1.0/applications/{OBJECT}/removePassword"]
    assert json.loads(world.graph.requests[0].content) == {"keyId": KEY}


@pytest.mark.parametrize(
    "response",
    [
        failure(504, "UnknownError"),
        failure(503, "ServiceUnavailable", Retry_After="1"),
        failure(500, "InternalServerError"),
        html(503),
        html(200),
        answer(200, password(value=None)),
        answer(200, password(value="")),
        httpx.Response(204),
        httpx.Response(307, headers={"Location": "https://elsewhere.test/"}),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
    ],
)
async def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(
    response: httpx.Response | httpx.HTTPError,
) -> None:
    world = World(Graph(response))
    with pytest.raises(OutcomeUnknownError):
        await world.directory.add_password(OBJECT, "marker", END)
    assert len(world.graph.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_neither_followed_nor_a_success(status: int) -> None:
    world = World(Graph(httpx.Response(status, headers={"Location": "https://elsewhere.test/"})))
    with pytest.raises(OutcomeUnknownError):
        await world.directory.remove_password(OBJECT, KEY)
    assert [request.url.host for request in world.graph.requests] == ["graph.test"]


async def test_silence_is_unknown() -> None:
    async def silent(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    world = World(Graph(silent), timeouts=Timeouts(request=0.05))
    with pytest.raises(OutcomeUnknownError):
        await world.directory.add_password(OBJECT, "marker", END)
    assert len(world.graph.requests) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x")])
async def test_what_never_left_is_known_not_to_be(error: httpx.HTTPError) -> None:
    world = World(Graph(error))
    with pytest.raises(UnavailableError) as caught:
        await world.directory.add_password(OBJECT, "marker", END)
    assert type(caught.value) is UnavailableError


async def test_an_expired_token_does_not_stop_a_write() -> None:
    """A 401 turned the write away before anything was done, so it may go again."""
    world = World(Graph(failure(401, "InvalidAuthenticationToken"), ADDED))
    assert (await world.directory.add_password(OBJECT, "marker", END)).credential.key_id == KEY


async def test_removing_what_graph_does_not_know_is_not_found() -> None:
    text = f"No password credential found with keyId '{KEY}'."
    world = World(Graph(failure(400, "Request_BadRequest", text)))
    with pytest.raises(NotFoundError):
        await world.directory.remove_password(OBJECT, KEY)


async def test_ids_of_another_shape_never_reach_the_address() -> None:
    world = World(Graph(ADDED))
    with pytest.raises(RejectedError):
        await world.directory.add_password(ObjectId("../users"), "marker", END)
    with pytest.raises(RejectedError):
        await world.directory.remove_password(OBJECT, KeyId("x"))
    assert world.graph.requests == []


async def test_writes_to_one_application_are_a_second_apart_and_ten_after_a_409() -> None:
    world = World(Graph(ADDED, CONFLICT, ADDED, ADDED))
    await world.directory.add_password(OBJECT, "marker", END)
    assert await refused(world.directory) == timedelta(seconds=1)
    world.clock.seconds += 1
    with pytest.raises(ConflictError):
        await world.directory.add_password(OBJECT, "marker", END)
    assert await refused(world.directory) == timedelta(seconds=10)
    await world.directory.add_password(OTHER, "marker", END)
    world.clock.seconds += 10
    await world.directory.add_password(OBJECT, "marker", END)
    assert world.clock.slept == []


async def refused(directory: GraphDirectory) -> timedelta:
    """Ask for a turn; return when to come again."""
    with pytest.raises(NotYetError) as caught:
        await directory.add_password(OBJECT, "marker", END)
    return caught.value.retry_after


async def test_writes_to_one_application_are_never_parallel() -> None:
    running, most = 0, 0

    async def count(_: httpx.Request) -> httpx.Response:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0)
        running -= 1
        return ADDED

    world = World(Graph(count))
    adds = [world.directory.add_password(OBJECT, "marker", END) for _ in range(5)]
    answers = await asyncio.gather(*adds, return_exceptions=True)
    assert most == 1
    assert len(world.graph.requests) == 1
    # The others were sent away at once: nobody waits while it holds a worker.
    assert [type(answer) for answer in answers[1:]] == [NotYetError] * 4
    assert world.clock.slept == []


async def test_two_writes_in_one_turn_are_apart_too() -> None:
    world = World(Graph(ADDED, httpx.Response(204)))
    with world.directory.turn(OBJECT, "orders"):
        await world.directory.add_password(OBJECT, "marker", END)
        await world.directory.remove_password(OBJECT, KEY)
    assert world.clock.slept == [1.0]


async def test_a_mint_that_comes_too_late_costs_no_turn() -> None:
    world = World(Graph(ADDED))
    with pytest.raises(TooLateError):
        await world.directory.add_password(OBJECT, "marker", END, deadline=world.clock.seconds - 1)
    await world.directory.add_password(OBJECT, "marker", END)
    assert len(world.graph.requests) == 1


async def test_writes_of_a_tenant_stay_below_its_quota() -> None:
    pacing = Pacing(writes_per_second=2, write_burst=3)
    world = World(Graph(ADDED), pacing=pacing)
    for number in range(3):
        await world.directory.add_password(ObjectId(f"id-{number}"), "marker", END)
    waits = []
    for _ in range(3):
        with pytest.raises(NotYetError) as caught:
            await world.directory.add_password(OTHER, "marker", END)
        waits.append(caught.value.retry_after.total_seconds())
    # Each is told another time, so that they do not all come at once.
    assert waits == [0.5, 1.0, 1.5]
    world.clock.seconds += 0.5
    await world.directory.add_password(OTHER, "marker", END)
    assert world.clock.slept == []


async def test_reads_of_a_tenant_stay_below_its_quota() -> None:
    pacing = Pacing(units_per_second=1, unit_burst=1)
    world = World(Graph(failure(404, "Request_ResourceNotFound")), pacing=pacing)
    for number, error in enumerate([NotFoundError, NotYetError, NotYetError]):
        with pytest.raises(error):
            await world.directory.application(ClientId(f"app-{number}"), timedelta(0))
    assert len(world.graph.requests) == 1
    world.clock.seconds += 1
    # The own pace is no pause of the whole tenant.
    with pytest.raises(NotFoundError):
        await world.directory.application(ClientId("app-1"), timedelta(0))
    assert world.clock.slept == []


async def test_who_has_its_turn_waits_for_a_read_only_for_a_moment() -> None:
    clock = HandClock()
    gate = RateLimiter(Pacing(units_per_second=2, unit_burst=1, max_wait=1), clock, clock.sleep)
    for _ in range(3):
        await gate.await_read()
    assert clock.slept == [0.5, 0.5]
    clock.seconds -= 1
    gate = RateLimiter(Pacing(units_per_second=0.5, unit_burst=1, max_wait=1), clock, clock.sleep)
    await gate.await_read()
    with pytest.raises(NotYetError):
        await gate.await_read()


async def test_no_secret_is_ever_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    broken = answer(200, password(value=CANARY, endDateTime="never"))
    denied = failure(400, "Request_BadRequest", "no")
    world = World(Graph(ADDED, broken, denied))
    made = await world.directory.add_password(OBJECT, "marker", END)
    world.clock.seconds += 1
    with pytest.raises(OutcomeUnknownError) as unreadable:
        await world.directory.add_password(OBJECT, "marker", END)
    world.clock.seconds += 1
    with pytest.raises(RejectedError) as rejected:
        await world.directory.add_password(OBJECT, "marker", END)
    shown = [caplog.text, repr(made), str(made), repr(world.session), repr(vars(world.session))]
    shown += [repr(e.value) + repr(e.value.__cause__) for e in (unreadable, rejected)]
    for text in shown:
        assert CANARY not in text
        assert OPERATOR_SECRET not in text
        assert "token-1" not in text
