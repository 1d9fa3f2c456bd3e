"""Many resources of one namespace are created and deleted; others notice nothing of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import Owner
from appcredential.domain.secret.records import pending_name
from appcredential.errors import UnavailableError
from appcredential.kube.custom_resources import GRANTS, KINDS, path_of
from tests.support.builders import DAY, HOUR, MINUTE, NOW, OBJECT_ID, OWNER, SECOND
from tests.support.deletions import DUE, Deletion
from tests.support.revocation_documents import REVOCATIONS, revocation_document
from tests.support.world import RESOURCE, SECRETS, TARGET, World

PENDING = f"{SECRETS}/{pending_name(OWNER.hash)}"
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/appcredentials.appcredential.io"
FLOOD = [Owner("flood", f"orders-{number}") for number in range(60)]


def flood(world: Deletion, tenant: str = "default") -> None:
    """Have many revocations of another namespace due as well, all older than the world's own."""
    for owner in FLOOD:
        name, document = revocation_document(
            {
                "namespace": owner.namespace,
                "name": owner.name,
                "due": "2026-11-21T10:00:00Z",
                "tenant": tenant,
            }
        )
        world.kube.put(f"{REVOCATIONS}/{name}", document)


def looked_for(world: Deletion) -> list[str]:
    """Return the owners that were looked for, in order."""
    paths = [path for _, path, _ in world.kube.requests if "/appcredentials/" in path]
    return [path.rsplit("/", 1)[1] for path in paths]


async def test_a_namespace_with_one_deletion_is_not_behind_one_with_many() -> None:
    world = Deletion()
    flood(world)
    await world.revocation_controller.run_once()
    assert looked_for(world).index(OWNER.name) < 8
    assert set(looked_for(world)) == {OWNER.name, *(owner.name for owner in FLOOD)}


async def test_a_server_that_does_not_answer_for_one_namespace_delays_no_other() -> None:
    world = Deletion()
    flood(world)

    def hang(method: str, path: str) -> None:
        if "/namespaces/flood/" in path:
            raise UnavailableError("no answer in 20 s")

    world.kube.before = hang
    await world.revocation_controller.run_once()
    # After the first ones without an answer it would be vain to ask for all the others.
    assert len([name for name in looked_for(world) if name != OWNER.name]) <= 4
    await world.pass_(12 * MINUTE)
    assert not world.is_open


async def test_revocations_that_wait_for_their_turn_come_again_within_the_round() -> None:
    world = Deletion()
    await world.pass_(9 * MINUTE + 30 * SECOND)
    world.directory.waits = [2 * SECOND, 3 * SECOND]
    world.clock.advance(MINUTE)
    before = world.clock.now()
    await world.revocation_controller.run_once()
    assert world.clock.now() == before + 5 * SECOND
    assert len(world.directory.removed) == 1


async def test_a_turn_that_comes_after_the_next_round_ends_this_one() -> None:
    world = Deletion()
    await world.pass_(9 * MINUTE + 30 * SECOND)
    world.directory.waits = [HOUR]
    world.clock.advance(MINUTE)
    before = world.clock.now()
    await world.revocation_controller.run_once()
    assert world.clock.now() == before
    assert not world.directory.removed


# --- what is scheduled at all ---------------------------------------------------------------


class Deleting(World):
    """A resource that is deleted; this process leads since an hour."""

    def __init__(self, since: timedelta | None = HOUR) -> None:
        super().__init__()
        self.api.put(CRD, {})
        if since is not None:
            self.process.terms.begin(NOW - since)

    def delete(self) -> None:
        found = self.api.objects[RESOURCE]
        time = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.api.put(
            RESOURCE, {**found, "metadata": {**found["metadata"], "deletionTimestamp": time}}
        )

    async def finish(self) -> None:
        """Delete it, and look until its finalizer is gone or five minutes are over."""
        self.delete()
        end = self.clock.now() + 5 * MINUTE
        while self.has_finalizer and self.clock.now() < end:
            await self.look()
            self.clock.advance(20 * SECOND)

    @property
    def has_finalizer(self) -> bool:
        return bool(self.api.objects.get(RESOURCE, {"metadata": {}})["metadata"].get("finalizers"))

    @property
    def tickets(self) -> list[str]:
        return [p for p in self.api.objects if p.startswith(f"{REVOCATIONS}/appcredential-ticket-")]


async def created_and_deleted(world: Deleting) -> Deleting:
    """Delete a resource while it waits for its turn."""
    await world.look_at_tenant()
    world.entra.waits = [HOUR] * 100
    await world.look()
    assert world.status["application"]
    await world.finish()
    return world


async def test_a_deletion_costs_four_reads_and_the_last_look_none() -> None:
    world = Deleting()
    world.store.complete.update(KINDS)
    await world.publish()
    world.clock.advance(HOUR)
    world.api.requests.clear()
    world.delete()
    await world.look()
    assert [r.path for r in world.api.requests] == [
        RESOURCE
    ]  # nothing else is read before its time
    world.clock.advance(world.process.settings.deletion_settle)
    await world.look()
    assert not world.has_finalizer
    read = [r.path for r in world.api.requests if r.method == "GET"]
    assert read.count(CRD) == 1  # which all deletions of a second share
    read.remove(CRD)
    assert read == [RESOURCE, RESOURCE, TARGET, PENDING]
    assert len(world.tickets) == 1
    assert not world.reconciler.holds(OWNER)  # so that the event of its end costs no look


async def test_a_revocation_that_nobody_knew_of_is_completed_and_not_written_over() -> None:
    """As another process leaves that died before it took the finalizer away."""
    before = Deleting()
    await before.publish()
    await before.finish()
    (name,) = before.tickets
    data = {**before.api.objects[name]["data"], "resourceUid": "former", "secretUid": "former"}
    world = Deleting()
    await world.publish()
    take_the_secrets(world)
    world.api.put(name, {**before.api.objects[name], "data": data})
    world.clock.advance(HOUR)
    await world.finish()
    assert not world.has_finalizer
    assert world.tickets == [name]
    assert world.api.objects[name]["data"]["secretUid"] == "former"
    assert world.api.count("PUT", "appcredential-ticket-") == 1


async def test_a_revocation_without_its_label_is_found_and_labelled_again() -> None:
    """No list shows it, so that it would never be carried out."""
    world = Deleting()
    await world.publish()
    before = Deleting()
    await before.publish()
    await before.finish()
    (name,) = before.tickets
    lost = before.api.objects[name]
    world.api.put(name, {**lost, "metadata": {**lost["metadata"], "labels": {}}})
    world.clock.advance(HOUR)
    await world.finish()
    assert not world.has_finalizer
    assert world.api.objects[name]["metadata"]["labels"]


async def test_what_was_never_begun_leaves_nothing_to_revoke() -> None:
    world = await created_and_deleted(Deleting())
    assert not world.has_finalizer
    assert world.tickets == []


@pytest.mark.parametrize("since", [None, timedelta(0)], ids=["unknown", "after its creation"])
async def test_a_process_that_cannot_know_schedules_a_revocation(since: timedelta | None) -> None:
    world = await created_and_deleted(Deleting(since))
    assert not world.has_finalizer
    assert len(world.tickets) == 1


def take_the_secrets(world: Deleting) -> None:
    """Take both Secrets, as the deletion of a namespace does at once."""
    for path in [p for p in world.api.objects if "/namespaces/shop/secrets/" in p]:
        del world.api.objects[path]


def lose_status(world: Deleting) -> None:
    """Have status say only that nothing was granted."""
    refused = [{"type": "Ready", "status": "False", "reason": "NotGranted"}]
    world.api.put(RESOURCE, {**world.api.objects[RESOURCE], "status": {"conditions": refused}})
    world.states.of(OWNER).drop()


@pytest.mark.parametrize("loses_status", [False, True], ids=["with status", "without"])
@pytest.mark.parametrize("step", [timedelta(0), 40 * SECOND, -400 * DAY], ids=str)
async def test_what_was_begun_is_revoked_also_when_both_secrets_are_gone(
    step: timedelta, loses_status: bool
) -> None:
    world = Deleting()
    await world.publish()
    world.clock.set_wall(step)
    await world.look()
    take_the_secrets(world)
    if loses_status:
        lose_status(world)
    await world.finish()
    assert len(world.tickets) == 1


@pytest.mark.parametrize("names", ["all", "the application"])
async def test_a_clock_that_was_behind_denies_nothing_that_an_earlier_leader_began(
    names: str,
) -> None:
    world = Deleting()
    await world.publish()
    if names == "the application":
        found = world.api.objects[RESOURCE]
        kept = {k: found["status"][k] for k in ("conditions", "application")}
        world.api.put(RESOURCE, {**found, "status": kept})
    take_the_secrets(world)
    # Another process leads since a day before the resource was created, by its own clock.
    world.process.terms.begin(NOW - DAY)
    world.states.forget(OWNER)
    await world.finish()
    assert len(world.tickets) == 1


async def test_a_process_that_dies_while_it_issues_has_said_where() -> None:
    world = Deleting()
    await world.look_at_tenant()
    told: list[bool] = []

    def note(method: str, path: str) -> None:
        if method == "POST" and path == SECRETS:
            told.append("application" in world.status)

    world.api.before = note
    await world.publish()
    assert told == [True, True], "the pending Secret, then the target Secret"


async def test_what_an_earlier_life_left_is_revoked_after_one_without_a_grant() -> None:
    world = Deleting()
    await world.publish()
    take_the_secrets(world)
    await world.finish()
    (left,) = world.tickets
    before = world.api.objects[left]["data"]
    # The namespace and the resource are made again, but nothing grants it.
    world.sync.on_event(GRANTS, "DELETED", world.api.objects.pop(path_of(GRANTS, "", "shop-apps")))
    del world.api.objects[RESOURCE]
    await world.look()
    world.put_resource(OWNER)
    await world.until(lambda: world.ready["reason"] == "NotGranted")
    assert world.tickets == [left]
    await world.finish()
    assert not world.has_finalizer
    now = world.api.objects[left]["data"]
    assert now["resourceUid"] != before["resourceUid"]
    assert {now["objectId"], before["objectId"]} == {OBJECT_ID}


async def test_an_earlier_term_knows_nothing_of_what_others_began_since() -> None:
    world = Deleting()
    await world.look_at_tenant()
    world.entra.waits = [HOUR] * 100
    await world.look()
    world.process.terms.begin(NOW - DAY)
    await world.finish()
    assert len(world.tickets) == 1


async def test_a_deletion_waits_while_too_many_of_its_namespace_do() -> None:
    world = Deleting()
    await world.publish()
    most = LifecycleSettings().max_open_revocations
    for number in range(most):
        name, document = revocation_document({"name": f"orders-{number}", "due": DUE})
        world.api.put(f"{REVOCATIONS}/{name}", document)
    await world.open_revocations.refresh()
    await world.finish()
    assert world.has_finalizer
    assert len(world.tickets) == most
    assert world.conditions["Stalled"]["reason"] == "RevocationLimit"
    assert [e for e in world.events if e["reason"] == "RevocationLimit"]
    # As soon as one has been revoked, the next one goes.
    del world.api.objects[world.tickets[0]]
    await world.open_revocations.refresh()
    await world.finish()
    assert not world.has_finalizer
    assert len(world.tickets) == most


@pytest.mark.parametrize(
    "changes", [{"namespace": "flood"}, {"tenant": "broken"}], ids=["another", "no tenant"]
)
async def test_others_do_not_count_and_those_without_an_end_little(changes: dict[str, Any]) -> None:
    world = Deleting()
    await world.publish()
    for number in range(LifecycleSettings().max_open_revocations):
        name, document = revocation_document({"name": f"orders-{number}", **changes})
        world.api.put(f"{REVOCATIONS}/{name}", document)
    await world.open_revocations.refresh()
    await world.finish()
    assert not world.has_finalizer


async def test_those_without_an_end_have_a_bound_too() -> None:
    """Anybody can have many: a tenant that is nowhere, and a Secret that claims to be issued."""
    world = Deleting()
    await world.publish()
    for number in range(4 * LifecycleSettings().max_open_revocations):
        name, document = revocation_document({"name": f"orders-{number}", "tenant": "broken"})
        world.api.put(f"{REVOCATIONS}/{name}", document)
    await world.open_revocations.refresh()
    await world.finish()
    assert world.has_finalizer
