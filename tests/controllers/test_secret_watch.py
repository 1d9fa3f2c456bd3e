"""A watch of published Secrets: a change is noticed at once, and our own echo costs nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.controllers.looks import ClusterLooks
from appcredential.controllers.secret_watch import WATCHES_FAIL, WATCHES_SUCCEED, SecretWatch
from appcredential.domain.looks import LookBudget
from appcredential.domain.marker import Owner
from appcredential.errors import PermissionDeniedError, RejectedError, UnavailableError
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.kube.versions import KubeVersions
from appcredential.ports.versions import SeenSecret
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again, WorkQueue
from tests.controllers.test_cluster_looks import edit_the_value, rest, settled
from tests.support.builders import MINUTE, OWNER
from tests.support.world import SECRETS, TARGET, World

KEY: Final = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
UNKNOWN: Final = "99999999-9999-4999-8999-999999999999"
"""The client id of an application that no grant allows."""
PERIOD: Final = timedelta(minutes=10)


class Shown:
    """A SecretVersions that lists what the world's API server holds, and shows what it is told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.events: asyncio.Queue[SeenSecret | str | Exception | None] = asyncio.Queue()
        self.lists = 0
        self.since: list[str] = []
        self.list_error: Exception | None = None
        self.on_list: Callable[[], None] = lambda: None

    async def listed(self, namespace: str, see: Callable[[SeenSecret], None]) -> str:
        assert namespace == ""
        self.lists += 1
        self.on_list()
        if self.list_error is not None:
            raise self.list_error
        for path, found in list(self.world.api.objects.items()):
            if path.startswith(f"{SECRETS}/"):
                see(seen(found))
        return str(self.world.api.version)

    async def changes(
        self, namespace: str, since: str, seconds: int
    ) -> AsyncGenerator[SeenSecret | str, None]:
        assert (namespace, seconds) == ("", 240)
        self.since.append(since)
        while (event := await self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def show(self, event: SeenSecret | str | Exception | None) -> None:
        """Let the watch take an event."""
        await self.events.put(event)
        await turns()


def seen(document: dict[str, Any], *, is_gone: bool = False) -> SeenSecret:
    metadata = document["metadata"]
    version = metadata["resourceVersion"]
    return SeenSecret(OWNER.namespace, metadata["name"], version, is_gone)


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Watched:
    """A world with a watch, and looks that leave out what it follows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.source = Shown(world)
        self.pauses: list[float] = []
        self.pausing = asyncio.Event()
        self.watch = SecretWatch(
            process=world.process,
            store=world.store,
            states=world.states,
            source=self.source,
            scopes=("",),
            period=PERIOD,
            wake=world._wake,
            pause=self._pause,
        )
        world.looks = ClusterLooks(
            process=world.process,
            states=world.states,
            versions=KubeVersions(world.api),
            budget=LookBudget(per_second=20, ceiling=PERIOD),
            metrics=world.metrics,
            wake=world.woken.append,
            look_whole=world.woken.append,
            is_watched=self.watch.follows,
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if seconds >= 1:
            self.pausing.clear()
            await self.pausing.wait()
        await asyncio.sleep(0)

    async def go_on(self) -> None:
        """End the pause after a failure."""
        self.pausing.set()
        await turns()

    def woken(self) -> list[Key]:
        return self.world.taken(APP_CREDENTIALS)


@asynccontextmanager
async def watched(world: World) -> AsyncGenerator[Watched, None]:
    found = Watched(world)
    task = asyncio.create_task(found.watch.run())
    await turns()
    found.woken()
    world.needless.clear()
    world.api.requests.clear()
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_edit_is_said_by_the_pass_that_its_event_wakes() -> None:
    async with watched(await settled(World())) as found:
        world = found.world
        edit_the_value(world)
        await found.source.show(seen(world.api.objects[TARGET]))
        assert found.woken() == [KEY]
        assert world.ready["reason"] == "Published", "an event concludes nothing"
        await world.look()
        assert world.ready["reason"] == "SecretEdited"


async def test_a_deletion_is_said() -> None:
    async with watched(await settled(World())) as found:
        world = found.world
        world.api.version += 1
        gone = world.api.objects.pop(TARGET)
        gone["metadata"]["resourceVersion"] = str(world.api.version)
        await found.source.show(seen(gone, is_gone=True))
        assert found.woken() == [KEY]
        await world.look()
        assert world.ready["reason"] == "SecretMissing"


async def test_it_costs_no_request_and_an_unchanged_secret_no_pass() -> None:
    async with watched(await settled(World())) as found:
        await found.source.show(seen(found.world.api.objects[TARGET]))
        assert await found.world.look_around(5 * MINUTE) == []
        assert found.world.api.requests == []
        assert found.source.lists == 1


async def test_what_bears_no_label_of_ours_is_looked_at() -> None:
    async with watched(await settled(World())) as found:
        world = found.world
        live = world.api.objects[TARGET]
        metadata = {**live["metadata"], "labels": {}}
        world.api.put(TARGET, {**live, "metadata": metadata})
        world.states.of(OWNER).target.value = await world.secrets.target("shop", "orders-entra")
        world.api.requests.clear()
        assert await world.look_around(MINUTE) == []
        assert world.api.count("GET", TARGET) > 1


async def test_from_nothing_to_ready_no_echo_wakes_the_resource() -> None:
    """The event of a write may come before its answer, while a worker has the resource."""
    async with watched(World()) as found:
        world, put = found.world, found.world.api.put
        shown: list[Any] = []

        def show_at_once(path: str, document: Any) -> dict[str, Any]:
            written = put(path, document)
            if path == TARGET:
                shown.append(written)
                found.watch._note(seen(written))
            return written

        world.api.put = show_at_once  # type: ignore[method-assign]
        await world.look_at_tenant()
        await world.until(lambda: world.ready["status"] == "True", 120)
        await rest(world)
        assert shown
        assert len(world.needless) == len(shown), "each is asked about after the work"
        assert all(is_needless() for is_needless in world.needless)
        found.woken()
        for written in shown:
            await found.source.show(seen(written))
        assert found.woken() == []


async def test_a_read_that_is_older_than_an_event_is_read_again() -> None:
    async with watched(await settled(World())) as found:
        world = found.world
        before = world.api.objects[TARGET]
        passes: list[str] = []
        queue = WorkQueue(world.clock)
        found.watch._wake = queue.add

        async def work(_: Key) -> Again | None:
            passes.append(world.ready["reason"])
            if len(passes) == 1:
                # The event of a change comes after this pass has read the former version.
                world.api.put(TARGET, {**before, "data": {}})
                found.watch._note(seen(world.api.objects[TARGET]))
                return Again(world.clock.now() + MINUTE)
            stop.set()
            return await world.reconciler.reconcile(OWNER, "")

        stop = asyncio.Event()
        queue.add(KEY)
        await asyncio.wait_for(queue.run(work, stop), 5)
        assert len(passes) == 2
        assert world.ready["reason"] == "SecretEdited"


async def test_a_list_shows_what_the_watch_missed() -> None:
    async with watched(await settled(World())) as found:
        world = found.world
        edit_the_value(world)
        world.clock.advance(PERIOD)
        await found.source.show(None)
        assert found.source.lists == 2
        assert found.woken() == [KEY]
        await rest(world)
        del world.api.objects[TARGET]
        world.api.version += 1
        world.clock.advance(PERIOD)
        await found.source.show(None)
        assert found.woken() == [KEY]
        await world.look()
        assert world.ready["reason"] == "SecretMissing"


async def test_while_it_lists_as_planned_nothing_is_looked_at() -> None:
    async with watched(await settled(World())) as found:
        counts: list[int] = []
        found.source.on_list = lambda: counts.append(found.watch.count)
        found.world.clock.advance(PERIOD)
        await found.source.show(None)
        assert (counts, found.watch.count) == ([1], 1)
        found.source.list_error = UnavailableError("503")
        found.world.clock.advance(PERIOD)
        await found.source.show(None)
        assert (counts, found.watch.count) == ([1, 1], 0), "only a list tells what was missed"


async def test_it_goes_on_from_the_last_version_that_was_shown() -> None:
    async with watched(await settled(World())) as found:
        await found.source.show("900")
        await found.source.show(None)
        await found.source.show(SeenSecret("shop", "another", "950"))
        await found.source.show(None)
        assert found.source.since[1:] == ["900", "950"]
        assert found.source.lists == 1


async def test_after_410_it_lists_anew() -> None:
    async with watched(await settled(World())) as found:
        edit_the_value(found.world)
        await found.source.show(RejectedError("410", code="Expired"))
        assert found.watch.count == 0
        await found.go_on()
        assert (found.watch.count, found.source.lists) == (1, 2)
        assert found.woken() == [KEY]


async def test_a_broken_watch_leaves_it_to_the_looks_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with watched(await settled(World())) as found:
        found.source.list_error = UnavailableError("503")
        with caplog.at_level(logging.WARNING):
            await found.source.show(UnavailableError("the connection broke"))
            await found.go_on()
            assert found.watch.count == 0
            edit_the_value(found.world)
            assert await found.world.look_around(MINUTE) == [KEY]
            found.source.list_error = None
            await found.go_on()
        assert found.watch.count == 1
        told = [r.getMessage() for r in caplog.records if "watches" in r.getMessage()]
        assert told == [WATCHES_FAIL, WATCHES_SUCCEED]


async def test_without_the_right_it_says_once_what_is_missing_and_looks_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = await settled(World())
    found = Watched(world)
    found.source.list_error = PermissionDeniedError("GET /api/v1/secrets: 403 Forbidden")
    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(found.watch.run())
        await turns()
        await found.go_on()
    assert found.source.lists == 2
    (told,) = [r for r in caplog.records if r.getMessage() == "Secrets are not watched"]
    problem = str(vars(told)["problem"])
    assert "rbac.watchSecrets" in problem
    assert "APPCREDENTIAL_WATCH_SECRETS" in problem
    assert "in all namespaces" in problem
    found.woken()
    edit_the_value(world)
    assert await world.look_around(MINUTE) == [KEY]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_edit_wakes_none_of_those_who_name_the_secret_without_a_grant() -> None:
    """Who may create one decides which Secret it names: one edit would be as many passes."""
    async with watched(await settled(World())) as found:
        world, path = found.world, f"{SECRETS}/mine"
        owners = [Owner("shop", f"user-{n}") for n in range(20)]
        labels = {"app.kubernetes.io/managed-by": "appcredential"}
        mine = {"type": "Opaque", "metadata": {"name": "mine", "namespace": "shop"}, "data": {}}
        mine["metadata"]["labels"] = labels  # type: ignore[index]
        world.api.put(path, mine)
        for owner in owners:
            world.put_resource(owner, client_id=UNKNOWN, secret={"name": "mine"})
            await world.reconciler.reconcile(owner, "")
        found.woken()
        world.api.requests.clear()
        for _ in range(3):
            await found.source.show(seen(world.api.put(path, mine)))
        assert found.woken() == []
        world.clock.advance(PERIOD)
        await found.source.show(None)
        assert found.woken() == [], "nor does a list"
        edit_the_value(world)
        await found.source.show(seen(world.api.objects[TARGET]))
        assert found.woken() == [KEY], "a granted one is woken as ever"


async def test_an_event_during_a_pass_that_ends_before_a_gate_begins_no_other() -> None:
    async with watched(await settled(World())) as found:
        world = found.world
        world.put_resource(OWNER, client_id=UNKNOWN)
        await world.look()
        world.states.of(OWNER).resource.drop()
        shown: list[str] = []

        def show(_method: str, path: str) -> None:
            if path == TARGET:
                found.watch._note(SeenSecret("shop", "orders-entra", "900"))
                shown.append(path)

        world.api.before = show
        await world.look()
        assert shown
        assert world.needless, "the read under way may be older"
        assert all(is_needless() for is_needless in world.needless)


async def test_once_it_is_granted_an_edit_wakes_it() -> None:
    async with watched(await settled(World())) as found:
        world = found.world
        world.put_resource(OWNER, client_id=UNKNOWN)
        await world.look()
        found.woken()
        edit_the_value(world)
        await found.source.show(seen(world.api.objects[TARGET]))
        assert KEY not in found.woken()
        world.put_resource(OWNER)
        await rest(world)
        found.woken()
        edit_the_value(world)
        await found.source.show(seen(world.api.objects[TARGET]))
        assert found.woken() == [KEY]


async def test_a_standby_watches_nothing() -> None:
    world = await settled(World())
    world.gate.stopping = True
    async with watched(world) as found:
        await found.go_on()
        assert (found.source.lists, found.watch.count) == (0, 0)
        world.gate.stopping = False
        await found.go_on()
        assert (found.source.lists, found.watch.count) == (1, 1)
