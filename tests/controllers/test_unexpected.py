from __future__ import annotations

import logging
from typing import Any

import pytest

from appcredential.errors import (
    AppCredentialError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
)
from tests.support.builders import DAY, MINUTE, OWNER, SECOND
from tests.support.kstatus import kstatus
from tests.support.world import RESOURCE, World

BOOM = RuntimeError("canary-of-a-fault")


def _break(monkeypatch: pytest.MonkeyPatch, world: World, error: BaseException = BOOM) -> None:
    """Have every look at a Secret that exists, and at the pending one, fail."""

    async def fails(*_arguments: Any) -> Any:
        raise error

    for name in ("version", "pending"):
        monkeypatch.setattr(world.secrets, name, fails)


async def _fail(world: World) -> None:
    with pytest.raises(RuntimeError):
        await world.look()


async def test_an_unexpected_error_is_told_and_a_published_credential_stays_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    await world.publish()
    before, ready = world.status, world.ready
    world.clock.advance(11 * MINUTE)
    with monkeypatch.context() as broken:
        _break(broken, world)
        await _fail(world)
        assert world.ready == ready
        assert world.conditions["Stalled"]["reason"] == "InternalError"
        assert "log" in world.conditions["Stalled"]["message"]
        assert "canary" not in str(world.status)
        assert world.status["credential"] == before["credential"]
        version = world.api.objects[RESOURCE]["metadata"]["resourceVersion"]
        for _ in range(3):
            world.clock.advance(MINUTE)
            await _fail(world)
        assert world.api.objects[RESOURCE]["metadata"]["resourceVersion"] == version
        assert [e["reason"] for e in world.events].count("InternalError") == 1
    await world.until(lambda: "Stalled" not in world.conditions)
    assert world.ready["status"] == "True"


async def test_a_new_resource_that_fails_is_not_said_to_be_ready_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    await world.look_at_tenant()
    with monkeypatch.context() as broken:
        _break(broken, world)
        await _fail(world)
    assert world.ready["status"] == "Unknown"
    assert world.conditions["Stalled"]["reason"] == "InternalError"
    assert "Reconciling" not in world.conditions
    assert kstatus(world.api.objects[RESOURCE]) == "Failed"
    await world.until(lambda: world.ready["status"] == "True")


async def test_ready_keeps_the_generation_it_was_told_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    await world.publish()
    world.put_resource(OWNER, lifetime="60d")
    world.clock.advance(MINUTE)
    _break(monkeypatch, world)
    await _fail(world)
    assert world.status["observedGeneration"] == 2
    assert world.conditions["Stalled"]["observedGeneration"] == 2
    assert world.ready["observedGeneration"] == 1


async def test_a_refusal_that_is_not_about_a_secret_is_not_blamed_on_secrets() -> None:
    world = World()
    await world.look_at_tenant()
    world.api.refuse("GET", "/applicationgrants", "applicationgrants is forbidden")
    with pytest.raises(PermissionDeniedError):
        await world.look()
    assert world.conditions["Stalled"]["reason"] == "InternalError"


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("GET failed"),
        ThrottledError("429", retry_after=5 * SECOND),
        TimeoutError(),
    ],
)
async def test_an_api_server_that_is_not_there_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, error: AppCredentialError | TimeoutError
) -> None:
    world = World()
    await world.publish()
    before = world.status
    world.clock.advance(11 * MINUTE)
    _break(monkeypatch, world, error)
    with pytest.raises(type(error)):
        await world.look()
    assert world.status == before


async def test_what_went_between_read_and_write_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    await world.publish()
    before = world.status
    world.clock.advance(11 * MINUTE)
    _break(monkeypatch, world, NotFoundError("PUT: 404"))
    assert await world.look() == SECOND
    assert world.status == before


async def test_a_status_that_cannot_be_written_hides_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    await world.publish()
    world.clock.advance(DAY)
    world.api.refuse("PATCH", "/status", "no")
    _break(monkeypatch, world)
    with caplog.at_level(logging.ERROR):
        await _fail(world)
    assert "not told in status" in caplog.text
