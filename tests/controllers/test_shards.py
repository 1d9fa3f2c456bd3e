"""A process of one of several shards leaves what is another's alone, and knows of it all the same.

The resource of these worlds, in the namespace shop, is the first shard's of two.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from appcredential.domain.shards import Shard, shard_of
from appcredential.entra.pacing import PACING
from appcredential.kube.custom_resources import APP_CREDENTIALS, FINALIZER, GRANTS, TENANTS, path_of
from appcredential.ports.session import Access
from appcredential.runtime.deferred_work import DeferredWork
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again, WorkQueue
from tests.controllers.test_application_grant import PATH as GRANT_PATH
from tests.controllers.test_application_grant import SPEC as GRANT
from tests.controllers.test_application_grant import World as GrantWorld
from tests.controllers.test_resumption import settled
from tests.support.builders import DAY, HOUR, MINUTE, NOW, OWNER, SECOND, TENANT_ID
from tests.support.clock import HandClock
from tests.support.deletions import Deletion
from tests.support.guard import open_guard
from tests.support.restarted import KEY, Restarted
from tests.support.revocation_documents import REVOCATIONS, revocation_document
from tests.support.unseen import Unseen
from tests.support.world import World

FIRST: Final = Shard(0, 2)
SECOND_OF_TWO: Final = Shard(1, 2)
ELSEWHERE: Final = "billing"
TENANT_PATH: Final = path_of(TENANTS, "", "default")
WRITES: Final = "POST PUT PATCH DELETE"


def test_the_world_of_these_tests() -> None:
    assert (shard_of(OWNER.namespace, 2), shard_of(ELSEWHERE, 2)) == (0, 1)


async def after_restart(shard: Shard) -> Restarted:
    """Return another process, of a shard, beside a resource that is settled."""
    return Restarted(await settled(), shard)


# --- what is another's ------------------------------------------------------------------------


async def test_the_resources_of_another_shard_are_neither_read_nor_written() -> None:
    world = await after_restart(SECOND_OF_TWO)
    assert not await world.begin()
    await world.live(HOUR)
    assert world.states.known(OWNER) is None
    assert world.entra.lists.asked == []
    assert (world.entra.calls.count("read"), world.entra.writes) == (0, [])
    assert world.api.count(WRITES, "/") == 0
    assert world.api.count("GET", f"/namespaces/{OWNER.namespace}/") == 0


async def test_those_of_the_own_one_are() -> None:
    world = await after_restart(FIRST)
    assert await world.begin()
    await world.live(5 * MINUTE)
    state = world.states.known(OWNER)
    assert state is not None
    assert state.is_settled
    assert world.entra.lists.asked


async def test_only_own_namespaces_are_listed_at_the_start_of_a_term() -> None:
    world = await after_restart(SECOND_OF_TWO)
    for namespaces, listed in (((OWNER.namespace,), 0), ((OWNER.namespace, ELSEWHERE), 1)):
        world.resumption.namespaces = namespaces
        world.api.requests.clear()
        await world.resumption.find()
        assert world.api.count("GET", "/appcredentials") == listed


@pytest.mark.parametrize(("shard", "sign_ins"), [(FIRST, 1), (SECOND_OF_TWO, 0)])
async def test_each_published_credential_signs_in_by_its_own_shard(
    shard: Shard, sign_ins: int
) -> None:
    world = await after_restart(shard)
    await world.begin()
    for _ in range(int(2 * HOUR / MINUTE)):
        await world.sign_ins.run_once()
        await world.sign_ins.finish()
        world.clock.advance(MINUTE)
    assert min(world.entra.calls.count("sign-in"), 1) == sign_ins


async def test_the_guard_is_the_last_line() -> None:
    """Whatever would hand over a foreign namespace: nothing is done there."""
    world = await after_restart(SECOND_OF_TWO)
    await world.look_at_tenant()
    world.api.requests.clear()
    world.entra.calls.clear()
    await world.look()
    assert (world.api.requests, world.entra.calls) == ([], [])


def test_a_namespace_of_another_shard_is_no_refusal_that_is_made_up_for() -> None:
    """It would be queued anew with every renewal of the Lease."""
    guard = open_guard(SECOND_OF_TWO)
    assert guard.problem(OWNER.namespace) is not None
    assert guard.problem("") is not None
    assert guard.problem(ELSEWHERE) is None
    assert guard.problem() is None
    assert guard.refusals == 0


async def test_keys_of_another_shard_are_never_queued() -> None:
    world = World(shard=SECOND_OF_TWO)
    queue = WorkQueue(HandClock(), is_ours=world.store.is_worked_on)
    for key in (KEY, Key(GRANTS, "", "shop-apps"), Key(APP_CREDENTIALS, ELSEWHERE, "orders")):
        queue.add(key)
    queue.add(Key(TENANTS, "", "default"))
    assert queue.depth == 2
    deferred = DeferredWork(queue, _closed(), _never)
    await deferred.reconcile(KEY)
    deferred.resume()
    assert queue.depth == 2


def _closed() -> EffectGuard:
    return open_guard(SECOND_OF_TWO)


async def _never(_key: Key) -> Again | None:
    return None


async def test_a_scrape_shows_each_resource_and_tenant_once() -> None:
    world = await settled()
    names: list[list[str]] = []
    for shard in (FIRST, SECOND_OF_TWO):
        other = Restarted(world, shard)
        names.append(sorted(type(sample).__name__ for sample in other.store.samples()))
    assert names == [["ResourceSample", "TenantSample"], []]


# --- what is cluster-scoped -------------------------------------------------------------------


@pytest.mark.parametrize(("shard", "writes"), [(FIRST, True), (SECOND_OF_TWO, False)])
async def test_every_shard_signs_in_to_a_tenant_and_the_first_alone_writes_of_it(
    shard: Shard, *, writes: bool
) -> None:
    world = World(shard=shard)
    found = world.api.objects[TENANT_PATH]
    world.api.put(TENANT_PATH, {**found, "metadata": {}})
    for _ in range(3):
        await world.look_at_tenant()
    assert isinstance(world.tenants.access("default"), Access) is writes
    assert bool(world.api.objects[TENANT_PATH]["metadata"].get("finalizers")) is writes
    world.api.put(TENANT_PATH, {**found, "metadata": {"finalizers": [FINALIZER]}})
    await world.look_at_tenant()
    assert isinstance(world.tenants.access("default"), Access)
    assert bool(world.tenant_status) is writes
    assert bool(world.api.count(WRITES, "/")) is writes


async def test_nothing_is_issued_through_a_tenant_that_could_be_gone_at_once() -> None:
    """The first shard has not seen it yet; the status says what is waited for."""
    world = World(shard=Shard(shard_of(OWNER.namespace, 3), 3))
    found = world.api.objects[TENANT_PATH]
    world.api.put(TENANT_PATH, {**found, "metadata": {}})
    await world.look_at_tenant()
    await world.look()
    assert world.entra.calls.count("add") == 0
    assert "finalizer yet, which the first shard" in world.ready["message"]
    world.api.put(TENANT_PATH, {**found, "metadata": {"finalizers": [FINALIZER]}})
    await world.look_at_tenant()
    await world.publish()
    assert world.entra.calls.count("add") == 1


@pytest.mark.parametrize(("shard", "writes"), [(FIRST, True), (SECOND_OF_TWO, False)])
async def test_the_first_alone_writes_of_a_grant(shard: Shard, *, writes: bool) -> None:
    world = GrantWorld()
    world.guard.shard = shard
    world.api.put(GRANT_PATH, {"spec": GRANT})
    await world.reconcile()
    assert bool(world.api.count(WRITES, "/")) is writes


async def test_a_tenant_waits_for_what_another_shard_is_to_revoke() -> None:
    """That one tells nobody: what it scheduled is listed before the tenant goes."""
    world = World(shard=FIRST)
    await world.publish()
    found = world.api.objects[TENANT_PATH]
    leaving = {**found["metadata"], "deletionTimestamp": NOW.isoformat()}
    world.api.put(TENANT_PATH, {**found, "metadata": leaving})
    world.api.put(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/entratenants.appcredential.io", {}
    )
    resource = path_of(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
    name, ticket = revocation_document({"namespace": ELSEWHERE})
    world.api.put(f"{REVOCATIONS}/{name}", ticket)
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects.pop(resource))
    await world.look_at_tenant()
    assert world.api.objects[TENANT_PATH]["metadata"]["finalizers"]
    assert f"{ELSEWHERE}/{OWNER.name}" in world.tenant_conditions["Reconciling"]["message"]
    del world.api.objects[f"{REVOCATIONS}/{name}"]
    world.clock.advance(30 * SECOND)
    await world.look_at_tenant()
    left: dict[str, Any] = world.api.objects.get(TENANT_PATH, {"metadata": {}})
    assert not left["metadata"].get("finalizers")


# --- what deleted resources left --------------------------------------------------------------


@pytest.mark.parametrize(("shard", "is_done"), [(FIRST, True), (SECOND_OF_TWO, False)])
async def test_a_revocation_is_done_by_the_shard_of_its_namespace(
    shard: Shard, *, is_done: bool
) -> None:
    world = Deletion(shard=shard)
    world.clock.advance(2 * DAY)
    await world.pass_(HOUR)
    assert world.is_open is not is_done
    assert (world.directory.calls != []) is is_done
    assert world.open_revocations.count == 0
    if not is_done:
        assert world.events == [], "it is not overdue: another one does it"
        assert world.open_revocations.needing("default", TENANT_ID) == [OWNER]


@pytest.mark.parametrize(("shard", "is_seen"), [(FIRST, True), (SECOND_OF_TWO, False)])
async def test_what_went_unseen_is_found_by_the_shard_of_its_namespace(
    shard: Shard, *, is_seen: bool
) -> None:
    former = Unseen()
    await former.issue()
    world = Unseen(shard)
    for path, found in former.api.objects.items():
        world.api.objects[path] = found
    await world.look_at_tenant()
    world.clock.advance(HOUR)
    world.vanish()
    await world.unowned.refresh()
    for _ in range(3):
        await world.unowned.run_once()
        world.clock.advance(MINUTE)
    assert bool(world.tickets) is is_seen
    if not is_seen:
        assert world.records.known.needing("default", TENANT_ID) == [OWNER]


# --- what the directory allows ----------------------------------------------------------------


def test_shards_share_the_quotas_of_a_tenant() -> None:
    assert PACING.share(1) == PACING
    for count in (2, 16):
        share = PACING.share(count)
        assert share.writes_per_second * count == pytest.approx(PACING.writes_per_second)
        assert share.write_burst * count == pytest.approx(PACING.write_burst)
        assert share.units_per_second * count == pytest.approx(PACING.units_per_second)
        assert share.unit_burst * count == pytest.approx(PACING.unit_burst)
        assert share.spacing == PACING.spacing
