"""The status of ApplicationGrants."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.cache.granted import GrantedUse
from appcredential.cache.namespaces import KnownNamespaces
from appcredential.cache.store import Store
from appcredential.controllers.application_grant import ApplicationGrantController
from appcredential.controllers.application_search import ApplicationSearch
from appcredential.domain.conditions import Problem, Reason
from appcredential.errors import ConflictError
from appcredential.kube.custom_resources import GRANTS, KubeObjects, path_of
from appcredential.runtime.ready import Key
from tests.support.api_server import ApiServer
from tests.support.builders import CLIENT_ID
from tests.support.clock import HandClock
from tests.support.guard import open_guard

KEY: Final = Key(GRANTS, "", "shop")
PATH: Final = path_of(GRANTS, "", "shop")
SPEC: Final = {
    "applications": {"clientIds": [CLIENT_ID]},
    "namespaces": {"names": ["shop"]},
}
PERIOD: Final = timedelta(minutes=5)


class World:
    """One grant and its controller."""

    def __init__(self, *, trial: bool = False) -> None:
        self.clock = HandClock()
        self.api = ApiServer()
        self.guard = open_guard()
        self.store = Store()
        unusable = Problem(reason=Reason.TENANT_NOT_READY, message="")
        self.namespaces = KnownNamespaces()
        self.controller = ApplicationGrantController(
            clock=self.clock,
            objects=KubeObjects(self.api),
            guard=self.guard,
            uses=self.store.uses,
            search=ApplicationSearch(self.clock, self.store, lambda _: unusable, self.guard),
            namespaces=self.namespaces,
            period=PERIOD,
            trial=trial,
        )

    async def reconcile(self) -> timedelta | None:
        """Reconcile the grant; return for how long it is left alone then."""
        again = await self.controller.reconcile(KEY)
        return None if again is None else again - self.clock.now()

    @property
    def status(self) -> dict[str, Any]:
        """The whole status."""
        found: dict[str, Any] = self.api.objects[PATH]["status"]
        return found

    @property
    def ready(self) -> dict[str, Any]:
        """The condition Ready."""
        conditions = self.api.objects[PATH]["status"]["conditions"]
        return next(dict(c) for c in conditions if c["type"] == "Ready")


async def test_a_valid_grant_is_in_force_and_written_once() -> None:
    world = World()
    world.api.put(PATH, {"spec": SPEC})
    assert await world.reconcile() == PERIOD
    assert (world.ready["status"], world.ready["reason"]) == ("True", "Accepted")
    world.clock.advance(PERIOD)
    assert await world.reconcile() == PERIOD
    assert world.api.count("PATCH", "/status") == 1


async def test_an_unusable_grant_says_why() -> None:
    world = World()
    world.api.put(PATH, {"spec": {"applications": {}}})
    assert await world.reconcile() == PERIOD
    assert (world.ready["status"], world.ready["reason"]) == ("False", "InvalidSpec")


async def test_status_says_who_uses_it_and_does_so_seldom() -> None:
    world = World()
    world.api.put(PATH, {"spec": SPEC})
    await world.reconcile()
    assert world.status["usage"]["appCredentials"] == 0
    assert world.status["applications"]["unknown"] == 1
    for _ in range(100):
        world.store.uses.enter(GrantedUse("shop", "shop", ("default", CLIENT_ID), exists=True))
        world.clock.advance(timedelta(seconds=6))
        await world.reconcile()
    assert world.api.count("PATCH", "/status") == 3, "at once, and after each five minutes"
    assert world.status["usage"]["byNamespace"] == [{"namespace": "shop", "appCredentials": 100}]
    assert (world.status["applications"]["found"], world.status["applications"]["unknown"]) == (
        1,
        0,
    )


async def test_in_a_trial_the_status_says_so() -> None:
    world = World(trial=True)
    world.api.put(PATH, {"spec": SPEC})
    await world.reconcile()
    assert world.ready["message"] == "TRIAL: The grant is in force."


async def test_a_grant_that_is_gone_is_left() -> None:
    assert await World().reconcile() is None


async def test_a_process_that_may_not_act_writes_nothing() -> None:
    world = World()
    world.api.put(PATH, {"spec": SPEC})
    world.guard.stopping = True
    assert await world.reconcile() == PERIOD
    assert world.api.count("PATCH", "/status") == 0


async def test_a_grant_that_changed_meanwhile_is_read_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.api.put(PATH, {"spec": SPEC})

    async def conflict(*_: Any) -> None:
        raise ConflictError("changed")

    with monkeypatch.context() as patch:
        patch.setattr(KubeObjects, "apply_status", conflict)
        assert await world.reconcile() == timedelta(seconds=1)
    assert await world.reconcile() == PERIOD
    assert world.ready["status"] == "True"
