from __future__ import annotations

import importlib
import warnings

import httpx
import pytest

from appcredential.errors import TooLateError

with warnings.catch_warnings():
    # The SDK's own builders import classes that it declares deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("appcredential.entra.tenant_session")

from tests.support.graph import CANARY, END, OBJECT, Graph, World, answer, password

ADDED = answer(200, password(value=CANARY))
pytestmark = pytest.mark.filterwarnings(
    r"ignore:.*is deprecated\..*:DeprecationWarning:(msgraph|kiota_abstractions)\..*"
)


async def test_the_directory_looks_at_the_deadline_when_only_sending_is_left() -> None:
    world = World(Graph(ADDED))
    deadline = world.clock.monotonic() + 10
    await world.directory.add_password(OBJECT, "marker", END, deadline=deadline)
    assert len(world.graph.requests) == 1
    world.clock.seconds += 11
    with pytest.raises(TooLateError):
        await world.directory.add_password(OBJECT, "marker", END, deadline=deadline)
    assert len(world.graph.requests) == 1


async def test_a_token_that_came_late_sends_nothing() -> None:
    world = World(Graph(ADDED))
    warm = world.session._token.warm

    async def slow() -> None:
        await warm()
        world.clock.seconds += 9

    world.session._token.warm = slow  # type: ignore[method-assign]
    deadline = world.clock.monotonic() + 8
    with pytest.raises(TooLateError):
        await world.directory.add_password(OBJECT, "marker", END, deadline=deadline)
    assert world.graph.requests == []


async def test_an_expired_token_sends_nothing_again_after_the_deadline() -> None:
    world: World

    async def refuse(_: httpx.Request) -> httpx.Response:
        world.clock.seconds += 11
        return httpx.Response(401, json={"error": {"code": "InvalidAuthenticationToken"}})

    world = World(Graph(refuse, ADDED))
    deadline = world.clock.monotonic() + 10
    with pytest.raises(TooLateError):
        await world.directory.add_password(OBJECT, "marker", END, deadline=deadline)
    assert len(world.graph.requests) == 1
