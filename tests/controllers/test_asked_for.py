"""An annotation with a new value asks for a complete look at once, which nothing remembers."""

from __future__ import annotations

import copy
import sys
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.controllers.application_grant import ApplicationGrantController
from appcredential.controllers.application_search import ApplicationSearch
from appcredential.controllers.kinds import Controllers
from appcredential.domain.conditions import Reason
from appcredential.domain.proof import SignInClass, SignInResult
from appcredential.domain.urgency import Urgency
from appcredential.kube.custom_resources import (
    APP_CREDENTIALS,
    KINDS,
    TENANTS,
    KubeObjects,
    path_of,
)
from appcredential.runtime.ready import Key
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import OWNER
from tests.support.unseen import Unseen
from tests.support.world import RESOURCE, TARGET, World

NOT_YET: Final = SignInResult(SignInClass.NOT_YET, Reason.SIGN_IN_REJECTED, 7000215)
CHECK: Final = "appcredential.io/check"
FLUX: Final = "reconcile.fluxcd.io/requestedAt"
ORDERS: Final = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
TENANT: Final = Key(TENANTS, "", "default")
PATHS: Final = {ORDERS: RESOURCE, TENANT: path_of(TENANTS, "", "default")}


class Asked:
    """A world behind the controllers of all kinds, as a worker calls them."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.store.complete.update(KINDS)
        search = ApplicationSearch(world.clock, world.store, world.tenants.access, world.gate)
        self.controllers = Controllers(
            clock=world.clock,
            store=world.store,
            app_credentials=world.reconciler,
            entra_tenants=world.tenant_controller,
            application_grants=ApplicationGrantController(
                clock=world.clock,
                objects=KubeObjects(world.api),
                guard=world.gate,
                uses=world.store.uses,
                search=search,
                namespaces=world.store.namespaces,
                period=timedelta(hours=1),
                trial=False,
            ),
            search=search,
            unowned=Unseen().unowned,  # nobody asks it here
            inventory=world.inventory,
            ownership=world.ownership,
            resumption=world.resumption,
            sign_ins=world.sign_ins,
            tenants=world.tenants,
        )
        for key in PATHS:
            self.show(key)

    def show(self, key: Key) -> None:
        """Let the watch show an object as it is."""
        document = copy.deepcopy(self.world.api.objects[PATHS[key]])
        self.world.sync.on_event(key.kind, "MODIFIED", document)

    def annotate(self, key: Key, **annotations: str) -> None:
        """Write annotations, and let the watch show them."""
        document = copy.deepcopy(self.world.api.objects[PATHS[key]])
        known = document["metadata"].get("annotations") or {}
        document["metadata"]["annotations"] = {**known, **annotations}
        self.world.api.put(PATHS[key], document)
        self.world.woken.clear()
        self.world.urgencies.clear()
        self.show(key)

    async def look(self, key: Key = ORDERS) -> timedelta:
        """Reconcile an object; return for how long it is left alone then."""
        again = await self.controllers.reconcile(key)
        assert again is not None
        return again.when - self.world.clock.now()

    async def costs(self) -> tuple[int, int]:
        """Look at the resource; return how often it read the Secret, and the application."""
        before = self.world.api.count("GET", TARGET), self.reads
        await self.look()
        return self.world.api.count("GET", TARGET) - before[0], self.reads - before[1]

    @property
    def reads(self) -> int:
        """How often the application was read so far."""
        return self.world.entra.calls.count("read")


@pytest.fixture
async def asked() -> Asked:
    world = World()
    await world.publish()
    await world.look()
    return Asked(world)


async def test_a_look_that_nobody_asked_for_reads_nothing_anew(asked: Asked) -> None:
    assert await asked.costs() == (0, 0)


@pytest.mark.parametrize("name", [CHECK, FLUX])
async def test_a_new_value_makes_the_look_immediate_and_complete(asked: Asked, name: str) -> None:
    asked.annotate(ORDERS, **{name: "1"})
    assert (asked.world.woken[0], asked.world.urgencies[0]) == (ORDERS, Urgency.CHANGED)
    secrets, reads = await asked.costs()
    assert secrets >= 1
    assert reads == 1


async def test_the_same_value_asks_for_nothing(asked: Asked) -> None:
    asked.annotate(ORDERS, **{CHECK: "1"})
    await asked.look()
    asked.world.clock.advance(timedelta(seconds=20))
    asked.annotate(ORDERS, **{CHECK: "1", "team": "shop"})
    assert (await asked.costs())[1] == 0


async def test_taking_it_away_asks_for_nothing(asked: Asked) -> None:
    asked.annotate(ORDERS, **{CHECK: "1"})
    await asked.look()
    asked.world.clock.advance(timedelta(seconds=20))
    asked.annotate(ORDERS, **{CHECK: ""})
    assert (await asked.costs())[1] == 0


async def test_nothing_is_asked_for_at_a_start(asked: Asked) -> None:
    asked.annotate(ORDERS, **{CHECK: "1"})
    asked.world.store.drop(ORDERS)
    asked.show(ORDERS)
    assert not asked.world.store.take_check(ORDERS)


async def _watched(asked: Asked, length: timedelta) -> None:
    """Let time pass as a person does who asks every ten seconds."""
    world, end = asked.world, asked.world.clock.now() + length
    while world.clock.now() < end:
        asked.annotate(ORDERS, **{CHECK: world.clock.now().isoformat()})
        await asked.look()
        asked.show(ORDERS)
        world.clock.advance(timedelta(seconds=10))


async def test_a_question_forgets_nothing_that_was_seen(asked: Asked) -> None:
    """An application that was deleted is not said to be fine once more for each question."""
    world = asked.world
    world.entra.is_missing = True
    await _watched(asked, timedelta(minutes=1))
    for _ in range(6):
        assert world.ready["status"] == "False"
        await _watched(asked, timedelta(seconds=10))


async def test_who_asks_all_the_time_keeps_no_missing_credential_from_being_replaced(
    asked: Asked,
) -> None:
    world = asked.world
    world.entra.credentials.clear()
    world.entra.sign_in_result = NOT_YET
    await _watched(asked, timedelta(minutes=5))
    assert world.entra.credentials


async def test_who_asks_all_the_time_keeps_no_successor_from_being_published(asked: Asked) -> None:
    world = asked.world
    before = world.status["credential"]["keyId"]
    world.clock.advance(timedelta(days=61))
    asked.show(ORDERS)
    await _watched(asked, timedelta(minutes=5))
    assert world.status["credential"]["keyId"] != before


async def test_two_at_once_are_one_and_the_next_waits_for_ten_seconds(asked: Asked) -> None:
    for value in ("1", "2"):
        asked.annotate(ORDERS, **{CHECK: value})
    assert (await asked.costs())[1] == 1
    asked.annotate(ORDERS, **{CHECK: "3"})
    before = asked.reads
    assert await asked.look() == timedelta(seconds=10)
    assert asked.reads == before
    asked.world.clock.advance(timedelta(seconds=10))
    assert (await asked.costs())[1] == 1
    assert await asked.look() > timedelta(seconds=10)


async def test_a_standby_keeps_no_question_that_its_leader_answers(asked: Asked) -> None:
    """Else a takeover would look at all that was ever asked for."""
    asked.world.gate.stopping = True
    asked.annotate(ORDERS, **{CHECK: "1"})
    assert (await asked.costs())[1] == 0
    asked.world.gate.stopping = False
    assert (await asked.costs())[1] == 0


async def test_a_warning_that_was_told_is_not_told_again() -> None:
    world = World()
    world.put_resource(OWNER, client_id="no-id")
    await world.look_at_tenant()
    asked = Asked(world)
    await asked.look()
    told = [event["reason"] for event in world.events]
    assert told
    asked.annotate(ORDERS, **{CHECK: "1"})
    await asked.look()
    assert [event["reason"] for event in world.events] == told


async def test_a_tenant_is_probed_now(asked: Asked) -> None:
    await asked.look(TENANT)
    probes = asked.world.entra.probes
    await asked.look(TENANT)
    assert asked.world.entra.probes == probes
    asked.annotate(TENANT, **{CHECK: "1"})
    await asked.look(TENANT)
    assert asked.world.entra.probes == probes + 1
    await asked.look(TENANT)
    assert asked.world.entra.probes == probes + 1


async def test_a_federated_credential_is_read_now() -> None:
    world = Federated()
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True")
    await world.look()
    asked = Asked(world)
    before = world.entra.calls.count("read federated")
    await asked.look()
    assert world.entra.calls.count("read federated") == before
    asked.annotate(ORDERS, **{CHECK: "1"})
    await asked.look()
    assert world.entra.calls.count("read federated") == before + 1


async def test_an_annotation_of_a_quarter_of_a_megabyte_is_not_kept(asked: Asked) -> None:
    asked.annotate(ORDERS, **{CHECK: "x" * 262_000})
    known: Any = asked.world.store.get(ORDERS)
    assert all(sys.getsizeof(getattr(known, name)) < 300 for name in known.__slots__)
    assert (await asked.costs())[1] == 1


async def test_nothing_is_decided_on_what_was_read_of_one_that_is_gone(asked: Asked) -> None:
    """Else a revocation that something scheduled for it would be cancelled."""
    asked.world.sync.on_event(APP_CREDENTIALS, "DELETED", asked.world.api.objects.pop(RESOURCE))
    assert await asked.controllers.reconcile(ORDERS) is None
