"""The labels of namespaces: followed only for a grant that selects by them, and never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import pytest

from appcredential.cache.namespaces import UNREADABLE
from appcredential.controllers.application_grant import ApplicationGrantController
from appcredential.controllers.application_search import ApplicationSearch
from appcredential.controllers.grant_ends import GrantEnds
from appcredential.controllers.namespace_watch import NamespaceWatch
from appcredential.domain.marker import Owner
from appcredential.domain.spec.label_selector import Labels
from appcredential.errors import PermissionDeniedError, RejectedError, UnavailableError
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, KubeObjects, path_of
from appcredential.ports.namespaces import SeenNamespace
from appcredential.runtime.ready import Key
from tests.support.builders import CLIENT_ID, MINUTE, NOW, OWNER, SECOND
from tests.support.world import RESOURCE, World

KEY: Final = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
GRANT: Final = Key(GRANTS, "", "shop-apps")
PATH: Final = "/api/v1/namespaces"
PERIOD: Final = timedelta(minutes=5)
LABELS: Final = {"env": "prod"}


class Shown:
    """Namespaces, that are shown as told."""

    def __init__(self) -> None:
        self.there: dict[str, Labels | None] = {OWNER.namespace: {"env": "prod"}, "bank": {}}
        self.events: asyncio.Queue[SeenNamespace | str | Exception | None] = asyncio.Queue()
        self.error: Exception | None = None
        self.lists = 0
        self.since: list[str] = []

    async def listed(self, see: Callable[[SeenNamespace], None]) -> str:
        self.lists += 1
        if self.error is not None:
            raise self.error
        for name, labels in self.there.items():
            see(SeenNamespace(name, "7", labels))
        return "7"

    async def changes(self, since: str, seconds: int) -> AsyncGenerator[SeenNamespace | str, None]:
        assert seconds == 240
        self.since.append(since)
        while (event := await self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    async def read(self, name: str) -> SeenNamespace | None:
        raise AssertionError("a watch reads none alone")

    async def show(self, event: SeenNamespace | str | Exception | None) -> None:
        """Let the watch take an event."""
        await self.events.put(event)
        await _turns()


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Watched:
    """A world whose namespaces are watched; pauses end when the test says so."""

    def __init__(self) -> None:
        self.world = World()
        self.source = Shown()
        self.pauses: list[float] = []
        self._go = asyncio.Event()
        self.watch = NamespaceWatch(
            process=self.world.process,
            store=self.world.store,
            source=self.source,
            period=PERIOD,
            wake=self.world._wake,
            pause=self._pause,
        )
        self.world.taken(APP_CREDENTIALS)
        self.world.taken(GRANTS)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if seconds > 0.2:
            self._go.clear()
            await self._go.wait()

    def select(self) -> None:
        """Have the grant select namespaces, and forget whom that woke."""
        self.world.put_grant("shop-apps", labels=LABELS)
        self.world.taken(APP_CREDENTIALS)
        self.world.taken(GRANTS)

    async def go_on(self) -> None:
        """End the pause."""
        self._go.set()
        await _turns()

    def labels(self, name: str = OWNER.namespace) -> Labels | None:
        return self.world.store.namespaces.labels(name)

    def woken(self) -> list[Key]:
        return self.world.taken(APP_CREDENTIALS)


@contextmanager
def running(watched: Watched) -> Iterator[None]:
    task = asyncio.create_task(watched.watch.run())
    try:
        yield
    finally:
        task.cancel()


async def test_nothing_is_asked_while_no_grant_selects() -> None:
    watched = Watched()
    with running(watched):
        await _turns()
        await watched.go_on()
        assert (watched.source.lists, watched.pauses) == (0, [1.0, 1.0])
    await watched.watch.prepare()
    assert watched.source.lists == 0


async def test_a_first_list_wakes_whom_labels_decide_about() -> None:
    watched = Watched()
    watched.world.put_resource(Owner("bank", "ledger"))  # not served: it learns what it lacks
    watched.world.put_resource(Owner("bank", "abroad"), tenantRef={"name": "other"})
    watched.select()
    with running(watched):
        await _turns()
        assert watched.labels() == {"env": "prod"}
        assert set(watched.woken()) == {KEY, Key(APP_CREDENTIALS, "bank", "ledger")}
        assert watched.source.since == ["7"]


async def test_what_a_watch_shows_wakes_the_namespace() -> None:
    watched = Watched()
    watched.select()
    with running(watched):
        await _turns()
        watched.woken()
        await watched.source.show(SeenNamespace(OWNER.namespace, "8", {}))
        assert (watched.labels(), watched.woken()) == ({}, [KEY])
        await watched.source.show(SeenNamespace(OWNER.namespace, "9", {}))
        await watched.source.show("10")  # a bookmark
        await watched.source.show(SeenNamespace("new", "11", {"env": "prod"}))
        assert (watched.labels("new"), watched.woken()) == ({"env": "prod"}, [])
        await watched.source.show(SeenNamespace(OWNER.namespace, "12", {}, is_gone=True))
        assert (watched.labels(), watched.woken()) == (None, [KEY])
        await watched.source.show(None)
        assert watched.source.since == ["7", "12"]


async def test_a_namespace_with_too_many_labels_is_unknown() -> None:
    watched = Watched()
    watched.source.there[OWNER.namespace] = None
    watched.select()
    await watched.watch.prepare()
    assert watched.labels() is None


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(UnavailableError("503"), 5.0), (RejectedError("410", code="Expired"), 1.0)],
)
async def test_an_error_takes_no_label_away(error: Exception, seconds: float) -> None:
    watched = Watched()
    watched.select()
    with running(watched):
        await _turns()
        watched.woken()
        watched.source.error = error
        await watched.source.show(error)
        await watched.go_on()
        assert watched.pauses[-2:] == [seconds, seconds]
        assert (watched.labels(), watched.woken()) == ({"env": "prod"}, [])
        watched.source.error = None
        del watched.source.there[OWNER.namespace]
        await watched.go_on()
        assert (watched.labels(), watched.woken()) == (None, [KEY])


async def test_without_the_right_the_grant_says_so_and_labels_are_unknown() -> None:
    watched = Watched()
    watched.select()
    watched.source.error = PermissionDeniedError("403")
    with running(watched):
        await _turns()
        assert watched.pauses == [60.0]
        assert watched.world.store.namespaces.problem == UNREADABLE
        assert watched.world.taken(GRANTS) == [GRANT]
        await watched.go_on()
        assert watched.world.taken(GRANTS) == []  # it is said once
        watched.source.error = None
        await watched.go_on()
        assert watched.world.store.namespaces.problem == ""
        assert watched.world.taken(GRANTS) == [GRANT]
        assert watched.woken() == [KEY]


async def test_a_label_that_went_while_none_could_be_read_is_told() -> None:
    """What was forgotten cannot differ: whoever says that such a grant allows it is looked at."""
    watched = Watched()
    world = watched.world
    status = {"grant": "shop-apps", "application": {"clientId": CLIENT_ID}}
    document = world.api.put(RESOURCE, {**world.api.objects[RESOURCE], "status": status})
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", document)
    watched.select()
    await watched.watch.prepare()
    with running(watched):
        watched.source.error = PermissionDeniedError("403")
        await _turns()
        watched.woken()
        watched.source.error = None
        watched.source.there[OWNER.namespace] = {}
        await watched.go_on()
        assert (watched.labels(), watched.woken()) == ({}, [KEY])


async def test_a_right_that_is_taken_away_is_no_label_that_is_taken_away() -> None:
    watched = Watched()
    watched.select()
    await watched.watch.prepare()
    watched.source.error = PermissionDeniedError("403")
    await watched.watch.prepare()
    assert watched.labels() is None
    assert watched.world.grants.asker(OWNER.namespace, None).labels_problem == UNREADABLE


async def test_a_list_is_laid_beside_the_watch_now_and_then() -> None:
    watched = Watched()
    watched.select()
    with running(watched):
        await _turns()
        watched.source.there["bank"] = {"env": "prod"}
        watched.world.clock.advance(PERIOD)
        await watched.source.show(None)
        assert watched.source.lists == 2
        assert watched.labels("bank") == {"env": "prod"}


async def test_a_standby_watches_nothing_and_the_last_grant_ends_the_watch() -> None:
    watched = Watched()
    watched.select()
    watched.world.process.guard.stopping = True
    with running(watched):
        await _turns()
        assert (watched.source.lists, watched.pauses) == (0, [1.0])
        watched.world.process.guard.stopping = False
        await watched.go_on()
        assert watched.source.lists == 1
        watched.world.put_grant("shop-apps")
        await watched.source.show(None)
        assert watched.labels() is None


# --- what a mint rests on ---------------------------------------------------------------------


async def test_before_a_mint_the_namespace_is_read_if_its_labels_count() -> None:
    watched = Watched()
    world = watched.world
    world.put_grant("shop-apps")
    await world.grants.live_asker(OWNER.namespace, None)
    assert world.api.count("GET", PATH) == 0
    watched.select()
    await watched.watch.prepare()
    world.api.put(f"{PATH}/{OWNER.namespace}", {"metadata": {"labels": {"env": "test"}}})
    found = await world.grants.live_asker(OWNER.namespace, None)
    assert found.labels == {"env": "test"}
    await world.grants.live_asker("bank", None)
    assert world.api.count("GET", PATH) == 1


async def test_a_namespace_that_is_gone_or_unreadable_is_unknown_before_a_mint() -> None:
    watched = Watched()
    watched.select()
    await watched.watch.prepare()
    found = await watched.world.grants.live_asker(OWNER.namespace, None)
    assert (found.labels, found.labels_problem) == (None, "")
    await watched.watch.prepare()
    path = f"{PATH}/{OWNER.namespace}"
    watched.world.api.refuse("GET", path, "no")
    found = await watched.world.grants.live_asker(OWNER.namespace, None)
    assert (found.labels, found.labels_problem) == (None, UNREADABLE)


@pytest.mark.parametrize("is_listed", [False, True])
async def test_labels_that_one_mint_has_read_are_still_news_to_the_others(
    *, is_listed: bool
) -> None:
    watched = Watched()
    watched.select()
    with running(watched):
        await _turns()
        watched.woken()
        labels = {"env": "test"}
        watched.world.api.put(f"{PATH}/{OWNER.namespace}", {"metadata": {"labels": labels}})
        await watched.world.grants.live_asker(OWNER.namespace, None)
        assert watched.labels() == labels
        if is_listed:
            watched.source.there[OWNER.namespace] = labels
            watched.world.clock.advance(PERIOD)
            await watched.source.show(None)
        else:
            await watched.source.show(SeenNamespace(OWNER.namespace, "8", labels))
        assert watched.woken() == [KEY]
        await watched.source.show(SeenNamespace(OWNER.namespace, "9", labels))
        assert watched.woken() == []


async def test_a_read_before_a_mint_brings_no_label_back_that_a_watch_took_away() -> None:
    """The answer was on its way when the watch told of the change."""
    watched = Watched()
    world = watched.world
    watched.select()
    await watched.watch.prepare()
    world.api.put(f"{PATH}/{OWNER.namespace}", {"metadata": {"labels": dict(LABELS)}})

    def tell(_method: str, _path: str) -> None:
        world.store.namespaces.note(SeenNamespace(OWNER.namespace, "8", {}))

    world.api.before = tell
    assert (await world.grants.live_asker(OWNER.namespace, None)).labels is None
    assert watched.labels() == {}


# --- ends -------------------------------------------------------------------------------------


async def test_the_end_of_a_grant_wakes_whom_it_was_about_once() -> None:
    world = World()
    ends = GrantEnds(world.clock, world.store, world._wake)
    end = (NOW + MINUTE).isoformat().replace("+00:00", "Z")
    world.put_grant("ending", expires=end)
    world.put_grant("stays", client_ids=(CLIENT_ID,))
    world.taken(GRANTS)
    world.taken(APP_CREDENTIALS)
    await ends.run_once()
    world.clock.advance(MINUTE - SECOND)
    await ends.run_once()
    assert world.taken(APP_CREDENTIALS) == []
    world.clock.advance(SECOND)
    await ends.run_once()
    assert world.taken(APP_CREDENTIALS) == [KEY]
    assert world.taken(GRANTS) == [Key(GRANTS, "", "ending")]
    await ends.run_once()
    assert world.taken(APP_CREDENTIALS) == []
    world.clock.set_wall(-MINUTE)  # it is in force again
    await ends.run_once()
    assert world.taken(APP_CREDENTIALS) == [KEY]


async def test_a_grant_says_that_it_has_ended_or_cannot_be_used() -> None:
    watched = Watched()
    world = watched.world
    controller = ApplicationGrantController(
        clock=world.clock,
        objects=KubeObjects(world.api),
        guard=world.gate,
        namespaces=world.store.namespaces,
        uses=world.store.uses,
        search=ApplicationSearch(world.clock, world.store, world.tenants.access, world.gate),
        period=PERIOD,
        trial=False,
    )
    end = (NOW + MINUTE).isoformat().replace("+00:00", "Z")
    world.put_grant("shop-apps", labels=LABELS, expires=end)

    async def said() -> list[tuple[str, str]]:
        document = world.api.objects[path_of(GRANTS, "", "shop-apps")]
        document["metadata"]["generation"] = 1
        await controller.reconcile(GRANT)
        found = world.api.objects[path_of(GRANTS, "", "shop-apps")]["status"]["conditions"]
        return [(c["status"], c["reason"]) for c in found]

    assert await said() == [("True", "Accepted")]
    watched.source.error = PermissionDeniedError("403")
    await watched.watch.prepare()
    assert await said() == [("False", "NamespacesUnreadable"), ("True", "NamespacesUnreadable")]
    world.clock.advance(MINUTE)
    assert await said() == [("False", "GrantExpired"), ("True", "GrantExpired")]
