"""A resource that went without its finalizer: what it left is scheduled to be revoked, or not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.marker import Owner
from appcredential.domain.spec.model import ClientId, TenantId
from appcredential.errors import ConflictError, UnavailableError
from appcredential.gather.revocation import RevocationObserver
from appcredential.kube.custom_resources import APP_CREDENTIALS, path_of
from tests.support.builders import (
    CLIENT_ID,
    DAY,
    HOUR,
    IDENTITY,
    MINUTE,
    NOW,
    OWNER,
    SECOND,
    TENANT_ID,
)
from tests.support.revocation_documents import REVOCATIONS, revocation_document
from tests.support.unseen import CRD, SERVED, Unseen
from tests.support.world import RESOURCE, SECRETS, TARGET

ANOTHER = ClientId("99999999-9999-9999-9999-999999999999")


async def left(**spec: Any) -> Unseen:
    """Return a world in which a published resource has gone without its finalizer."""
    world = Unseen()
    world.put_resource(OWNER, CLIENT_ID, **spec)
    await world.issue()
    world.clock.advance(HOUR)
    world.vanish()
    return world


async def test_it_is_scheduled_and_said_as_a_deletion_that_was_seen() -> None:
    world = await left(deletionGracePeriod="3h")
    await world.unowned.run_once()
    (ticket,) = world.tickets
    data = world.api.objects[ticket]["data"]
    assert world.kept == []
    assert data["secretUid"] == world.api.objects[TARGET]["metadata"]["uid"]
    (found,) = [r for _, r in world.open_revocations.items()]
    assert found.due == world.clock.now() + 3 * HOUR
    annotations = world.api.objects[TARGET]["metadata"]["annotations"]
    assert annotations["appcredential.io/revocation-time"] == data["due"]
    (event,) = [e for e in world.events if e["reason"] == "RevocationScheduled"]
    assert f"its credentials and its Secret are removed at {data['due']}" in event["note"]


async def test_another_process_finds_it_too() -> None:
    world = await left()
    world.start_looking()
    world.records.known._known.clear()
    await world.unowned.run_once()
    assert len(world.tickets) == 1


async def test_one_whose_resource_is_there_costs_no_request() -> None:
    world = Unseen()
    await world.issue()
    await world.unowned.refresh()
    world.api.requests.clear()
    for _ in range(119):
        await world.unowned.run_once()
        world.clock.advance(30 * SECOND)
    assert world.api.requests == []
    # Once an hour they are listed, for what people do to them.
    world.clock.advance(30 * SECOND)
    await world.unowned.run_once()
    assert [(r.method, r.path) for r in world.api.requests] == [("GET", REVOCATIONS)]
    assert len(world.kept) == 1


async def test_five_thousand_cost_no_request_either() -> None:
    world = Unseen()
    await world.issue()
    await world.unowned.refresh()
    (path,) = world.kept
    record = await world.records.read(path.rsplit("/", 1)[1])
    assert record is not None
    for number in range(5_000):
        owner = Owner("flood", f"app-{number}")
        world.put_resource(owner, secret={"name": owner.name})
        world.records.known.note(
            str(number), replace(record, left=replace(record.left, owner=owner))
        )
    world.api.requests.clear()
    await world.unowned.run_once()
    assert world.api.requests == []
    assert world.records.known.unowned() == {}


# --- what is no evidence --------------------------------------------------------------------


async def look(world: Unseen) -> None:
    """Look for an hour."""
    for _ in range(12):
        await looks(world)
        world.clock.advance(6 * MINUTE)


async def looks(world: Unseen) -> None:
    try:
        await world.unowned.run_once()
    except Exception as exc:
        logging.getLogger(__name__).info("a round ended", exc_info=exc)


@pytest.mark.parametrize(
    ("methods", "part", "status"),
    [
        ("GET", "appcredentials/orders", 403),
        ("GET", "appcredentials/orders", 500),
        ("GET", "customresourcedefinitions", 403),
        ("GET", "customresourcedefinitions", 503),
        ("GET", f"{SECRETS}/orders-entra", 403),
        ("GET", f"{SECRETS}/orders-entra", 500),
        ("GET", "appcredential-issued-", 403),
        ("POST", "configmaps", 403),
        ("POST", "configmaps", 500),
    ],
)
async def test_an_error_while_looking_is_no_evidence(methods: str, part: str, status: int) -> None:
    world = await left()
    world.api.put(f"/api/v1/namespaces/{OWNER.namespace}", {})
    refusal = world.api.refuse(methods, part, "no", status=status)
    await look(world)
    assert (len(world.tickets), len(world.kept)) == (0, 1)
    world.api.refusals.remove(refusal)
    await look(world)
    assert (len(world.tickets), len(world.kept)) == (1, 0)


async def test_secrets_of_a_namespace_that_is_gone_are_not_waited_for() -> None:
    world = await left()
    world.api.refuse("GET", SECRETS, "no role")
    await world.unowned.run_once()
    assert world.api.objects[world.tickets[0]]["data"]["secretUid"] == ""


def trusts_what_it_knows(world: Unseen, m: pytest.MonkeyPatch) -> None:
    """Broken on purpose: what is not known of does not exist."""

    async def absent(_self: object, _revocation: object, state: Any) -> None:
        state.absent_since = world.clock.now()

    m.setattr(RevocationObserver, "look_for_owner", absent)


@pytest.mark.parametrize("is_broken", [False, True])
async def test_what_a_watch_missed_is_looked_at_live(
    *, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await left()
    kept = dict(world.api.objects)
    world.put_resource(OWNER)
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects[RESOURCE])
    assert RESOURCE not in kept
    if is_broken:
        trusts_what_it_knows(world, monkeypatch)
    await look(world)
    assert len(world.tickets) == (1 if is_broken else 0)


CRDS: list[dict[str, Any]] = [
    {**SERVED, "metadata": {"deletionTimestamp": "2026-11-22T10:00:00Z"}},
    {**SERVED, "spec": {"versions": [{"name": "v1alpha1", "served": False}]}},
    {**SERVED, "spec": {"versions": [{"name": "v2", "served": True}]}},
    {**SERVED, "status": {"conditions": [{"type": "Established", "status": "False"}]}},
    {**SERVED, "status": {}},
]


@pytest.mark.parametrize("crd", [None, *CRDS], ids=range(6))
async def test_without_its_crd_an_absence_means_nothing(crd: dict[str, Any] | None) -> None:
    world = await left()
    del world.api.objects[CRD]
    if crd is not None:
        world.api.put(CRD, crd)
    await look(world)
    assert (len(world.tickets), len(world.kept)) == (0, 1)


async def test_a_crd_that_was_made_anew_took_its_resources_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody decided to delete them."""
    world = await left()
    del world.api.objects[CRD]
    made = (NOW + MINUTE).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.api.put(CRD, {**SERVED, "metadata": {"creationTimestamp": made}})
    with caplog.at_level(logging.INFO):
        await world.unowned.run_once()
    assert (world.tickets, world.kept) == ([], [])
    (line,) = [r for r in caplog.records if r.message == "a resource went without its finalizer"]
    assert "CRD" in vars(line)["outcome"]


async def test_a_resource_of_the_new_crd_is_its_own() -> None:
    world = await left()
    del world.api.objects[CRD]
    made = (NOW + MINUTE).strftime("%Y-%m-%dT%H:%M:%SZ")
    later = (NOW + 2 * MINUTE).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.api.put(CRD, {**SERVED, "metadata": {"creationTimestamp": made}})
    world.put_resource(OWNER)
    found = world.api.objects[RESOURCE]
    world.api.put(
        RESOURCE, {**found, "metadata": {**found["metadata"], "creationTimestamp": later}}
    )
    await world.until(lambda: world.ready["status"] == "True")
    world.vanish()
    await world.unowned.run_once()
    assert len(world.tickets) == 1


async def test_only_the_leader_with_right_clocks_writes() -> None:
    world = await left()
    world.gate.stopping = True
    await look(world)
    world.gate.stopping = False
    world.skewed = lambda: 6 * MINUTE
    await look(world)
    assert (len(world.tickets), len(world.kept)) == (0, 1)

    def lose(method: str, path: str) -> None:
        world.gate.stopping = path.startswith(SECRETS)

    world.skewed = lambda: None
    world.api.before = lose
    await world.unowned.run_once()
    assert world.tickets == []
    world.api.before = lambda _method, _path: None
    world.gate.stopping = False
    await look(world)
    assert len(world.tickets) == 1


async def test_a_namespace_that_is_not_served_is_left_alone() -> None:
    world = await left()
    world.records.known._namespaces = ("another",)
    await look(world)
    assert (len(world.tickets), len(world.kept)) == (0, 1)
    assert world.records.known.needing("default", TENANT_ID) == []


# --- what becomes of it ---------------------------------------------------------------------


async def test_one_that_is_back_has_nothing_scheduled() -> None:
    world = await left()
    world.put_resource(OWNER)
    await world.unowned.run_once()
    assert world.tickets == []
    await world.until(lambda: world.ready["status"] == "True")
    (path,) = world.kept
    assert (
        world.api.objects[path]["data"]["resourceUid"]
        == world.api.objects[RESOURCE]["metadata"]["uid"]
    )


async def test_one_that_is_back_for_another_application_stops_nothing() -> None:
    world = await left()
    world.put_grant("more", client_ids=(ANOTHER,))
    world.put_resource(OWNER, ANOTHER)
    await world.unowned.run_once()
    (ticket,) = world.tickets
    assert world.api.objects[ticket]["data"]["clientId"] == CLIENT_ID


async def test_what_the_former_one_left_is_revoked_also_after_one_that_never_began() -> None:
    world = await left()
    world.process.terms.begin(NOW - DAY)
    found = world.api.objects.pop(path_of("applicationgrants", "", "shop-apps"))
    world.sync.on_event("applicationgrants", "DELETED", found)
    del world.api.objects[TARGET]
    world.put_resource(OWNER)
    await world.until(lambda: world.ready["reason"] == "NotGranted")
    time = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    resource = world.api.objects[RESOURCE]
    metadata = {**resource["metadata"], "deletionTimestamp": time}
    world.api.put(RESOURCE, {**resource, "metadata": metadata})
    world.clock.advance(MINUTE)
    await world.look()
    (ticket,) = world.tickets
    assert world.api.objects[ticket]["data"]["objectId"]
    assert world.kept == []
    assert not world.api.objects[RESOURCE]["metadata"]["finalizers"]


async def _gone(**spec: Any) -> Unseen:
    """Return a world in which a published resource was changed, and then went."""
    world = Unseen()
    await world.issue()
    world.put_resource(OWNER, **spec)
    world.states.invalidate(OWNER)
    await world.look()
    world.vanish()
    await world.unowned.run_once()
    return world


async def test_of_what_was_only_observed_nothing_is_scheduled() -> None:
    world = await _gone(mode="Observe")
    assert (world.tickets, world.kept) == ([], [])


async def test_what_is_to_stay_stays() -> None:
    """Retain schedules what a seen deletion does: it removes an unpublished attempt at most."""
    world = await _gone(deletionPolicy="Retain")
    (ticket,) = world.tickets
    found = world.api.objects[ticket]["data"]
    assert (found["policy"], found["pendingAttempt"]) == ("Retain", "")
    assert world.kept == []
    assert not any(e["reason"] == "RevocationScheduled" for e in world.events)
    assert "appcredential.io/revocation-time" not in _annotations(world)


async def test_an_unpublished_attempt_under_retain_is_not_forgotten() -> None:
    world = Unseen()
    await world.unowned.refresh()
    world.put_resource(OWNER, CLIENT_ID, deletionPolicy="Retain")

    def stop_at_the_publish(method: str, path: str) -> None:
        if (
            method == "POST"
            and path == SECRETS
            and any("appcredential-pending" in p for p in world.api.objects)
        ):
            raise UnavailableError("not now")

    world.api.before = stop_at_the_publish
    with pytest.raises(UnavailableError):
        await world.publish()
    world.api.before = lambda _method, _path: None
    world.vanish()
    await world.unowned.run_once()
    (ticket,) = world.tickets
    assert world.api.objects[ticket]["data"]["pendingAttempt"]


def _annotations(world: Unseen) -> dict[str, str]:
    found: dict[str, str] = world.api.objects[TARGET]["metadata"]["annotations"]
    return found


async def test_a_secret_that_somebody_else_publishes_to_is_not_marked() -> None:
    world = await left()
    document = world.api.objects[TARGET]
    annotations = {**_annotations(world), "appcredential.io/owner": "shop/somebody-else"}
    world.api.put(
        TARGET, {**document, "metadata": {**document["metadata"], "annotations": annotations}}
    )
    await world.unowned.run_once()
    (ticket,) = world.tickets
    assert world.api.objects[ticket]["data"]["secretUid"] == ""
    assert _annotations(world) == annotations


async def test_a_secret_that_a_successor_publishes_to_is_not_said_to_go() -> None:
    world = await left()
    world.put_grant("more", client_ids=(ANOTHER,))
    world.put_resource(OWNER, ANOTHER)
    await world.unowned.run_once()
    (event,) = [e for e in world.events if e["reason"] == "RevocationScheduled"]
    assert "its credentials are removed" in event["note"]
    assert "appcredential.io/revocation-time" not in _annotations(world)


async def test_a_record_of_another_cluster_is_left_alone() -> None:
    """A backup may bring it here, without its resource, and the Secret that workloads mount."""
    world = await left()
    world.change_record(lambda found: found["data"].update(cluster="elsewhere1.else"))
    await world.unowned.refresh()
    await look(world)
    assert (len(world.tickets), len(world.kept)) == (0, 1)
    world.put_resource(OWNER)
    await world.until(lambda: world.ready["status"] == "True")
    assert world.api.objects[world.kept[0]]["data"]["cluster"] == IDENTITY.whole


async def test_a_record_that_changed_since_it_was_judged_stays() -> None:
    world = await _observed_and_gone()
    judged = await world.records.read(world.kept[0].rsplit("/", 1)[1])
    assert judged is not None
    await world.records.keep(replace(judged, observes=False, grace=3 * HOUR))
    with pytest.raises(ConflictError):
        await world.records.drop(world.kept[0].rsplit("/", 1)[1], judged)
    assert len(world.kept) == 1


async def _observed_and_gone() -> Unseen:
    world = Unseen()
    await world.issue()
    world.put_resource(OWNER, mode="Observe")
    world.states.invalidate(OWNER)
    await world.look()
    world.vanish()
    return world


# --- what somebody else's refusals and errors do ---------------------------------------------


async def test_a_refused_record_keeps_no_other_from_being_written() -> None:
    """A quota refuses new ones alone, and one of them is enough to meet it."""
    world = Unseen()
    await world.issue()
    world.api.refuse("POST", REVOCATIONS, "exceeded quota", status=403)
    newcomer = Owner(OWNER.namespace, "newcomer")
    world.put_resource(newcomer, CLIENT_ID, secret={"name": "newcomer"})
    for _ in range(8):
        await world.reconciler.reconcile(newcomer, "")
        world.clock.advance(SECOND)
    world.put_resource(OWNER, deletionPolicy="Retain")
    world.states.invalidate(OWNER)
    await world.look()
    assert [world.api.objects[k]["data"]["policy"] for k in world.kept] == ["Retain"]


async def test_a_refused_record_does_not_hide_what_a_former_one_left() -> None:
    world = await left()
    found = world.api.objects.pop(path_of("applicationgrants", "", "shop-apps"))
    world.sync.on_event("applicationgrants", "DELETED", found)
    del world.api.objects[TARGET]
    world.put_resource(OWNER)
    await world.until(lambda: world.ready["reason"] == "NotGranted")
    name = world.kept[0].rsplit("/", 1)[1]
    world.records.known.note_refusal(name, world.clock.monotonic())
    await delete(world)
    assert len(world.tickets) == 1


async def test_who_comes_back_suspended_is_recorded_before_its_revocation_is_cancelled() -> None:
    world = Unseen()
    await world.issue()
    await delete(world)
    world.vanish()
    del world.api.objects[TARGET]
    world.put_resource(OWNER, suspend=True)
    for _ in range(10):
        await world.look()
        world.clock.advance(MINUTE)
    assert (len(world.tickets), len(world.kept)) == (0, 1)


async def test_a_namespace_whose_objects_cannot_be_read_holds_up_no_other() -> None:
    world = await left()
    mine = world.kept[0].rsplit("/", 1)[1]
    await many(world, 40, "aaa")
    known = world.records.known._known
    known[mine] = known.pop(mine)  # the last, as after a list by name
    world.api.refuse("GET", "/namespaces/aaa/secrets", "unable to transform key", status=500)
    await looks(world)
    assert len(world.tickets) == 1


async def test_a_ticket_that_is_there_is_left_as_it_is() -> None:
    world = await left()
    name, document = revocation_document()
    world.api.put(f"{REVOCATIONS}/{name}", document)
    await world.open_revocations.refresh()
    before = world.api.objects[f"{REVOCATIONS}/{name}"]
    await world.unowned.run_once()
    assert world.api.objects[f"{REVOCATIONS}/{name}"] == before
    assert world.kept == []


async def test_a_crash_between_ticket_and_record_repeats_nothing() -> None:
    world = await left()
    refusal = world.api.refuse("DELETE", "appcredential-issued-", "down", status=500)
    await looks(world)
    (ticket,), before = world.tickets, world.api.objects[world.tickets[0]]
    world.api.refusals.remove(refusal)
    await look(world)
    assert world.api.objects[ticket] == before
    assert world.kept == []


async def test_another_name_of_the_same_tenant_keeps_what_its_own_record_says() -> None:
    world = await left()
    (name,) = [path.rsplit("/", 1)[1] for path in world.kept]
    record = await world.records.read(name)
    assert record is not None
    other = replace(record, left=replace(record.left, tenant="former"))
    await world.records.keep(other)
    world.put_resource(OWNER)
    await look(world)
    assert world.tickets == []
    assert [path.rsplit("/", 1)[1] for path in world.kept] == [name]


async def test_of_another_tenant_of_which_nothing_is_known_the_record_stays() -> None:
    world = await left()
    (name,) = [path.rsplit("/", 1)[1] for path in world.kept]
    record = await world.records.read(name)
    assert record is not None
    unknown = replace(record.left, tenant="former", tenant_id=TenantId(""))
    await world.records.keep(replace(record, left=unknown))
    world.put_resource(OWNER)
    await look(world)
    assert (len(world.tickets), len(world.kept)) == (0, 2)


async def test_a_record_that_somebody_deletes_is_no_more() -> None:
    world = await left()
    del world.api.objects[world.kept[0]]
    await world.unowned.run_once()
    assert world.tickets == []
    assert world.records.known.unowned() == {}


async def test_a_record_that_changes_meanwhile_is_read_again_in_the_next_round() -> None:
    world = await left()

    def change(method: str, path: str) -> None:
        if method == "DELETE":
            world.api.before = lambda _method, _path: None
            world.change_record(lambda found: found["data"].update(deletionGracePeriod="1h"))

    world.api.before = change
    await world.unowned.run_once()
    assert len(world.kept) == 1
    await world.unowned.run_once()
    assert (len(world.tickets), len(world.kept)) == (1, 0)


# --- damage ---------------------------------------------------------------------------------

DAMAGES: list[Callable[[dict[str, Any]], object]] = [
    lambda found: found.update(data={}),
    lambda found: found["data"].update(created="soon"),
    lambda found: found["data"].update(deletionGracePeriod="-1d"),
    lambda found: found["data"].update(deletionGracePeriod=""),
    lambda found: found["data"].update(name="../../kube-system"),
    lambda found: found["data"].update(clientId=ANOTHER),
    lambda found: found["data"].update(policy="Keep"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=range(len(DAMAGES)))
async def test_a_damaged_record_revokes_nothing_and_is_named(
    damage: Callable[[dict[str, Any]], object], caplog: pytest.LogCaptureFixture
) -> None:
    world = await left()
    world.change_record(damage)
    await look(world)
    world.clock.advance(HOUR)
    await look(world)
    assert (len(world.tickets), len(world.kept)) == (0, 1)
    (line,) = [r for r in caplog.records if "cannot be read" in r.message]
    assert vars(line)["configmap"] == world.kept[0].rsplit("/", 1)[1]


@pytest.mark.parametrize("damage", DAMAGES, ids=range(len(DAMAGES)))
async def test_a_resource_that_is_there_mends_its_record(
    damage: Callable[[dict[str, Any]], object],
) -> None:
    world = Unseen()
    await world.issue()
    before = world.api.objects[world.kept[0]]["data"].copy()
    world.change_record(damage)
    await world.unowned.refresh()
    await world.look()
    assert world.api.objects[world.kept[0]]["data"] == before


# --- bounds ---------------------------------------------------------------------------------


async def many(world: Unseen, count: int, namespace: str = "flood") -> None:
    """Have as many records without a resource."""
    (path,) = world.kept
    record = await world.records.read(path.rsplit("/", 1)[1])
    assert record is not None
    for number in range(count):
        owner = Owner(namespace, f"app-{number}")
        await world.records.keep(replace(record, left=replace(record.left, owner=owner)))


async def test_one_namespace_with_many_delays_no_other() -> None:
    world = await left()
    await many(world, 300)
    await world.unowned.run_once()
    owners = {r.owner for _, r in world.open_revocations.items()}
    assert OWNER in owners
    assert len(owners) == 100


async def test_at_the_limit_of_the_namespace_it_waits_for_room() -> None:
    world = await left()
    for number in range(world.process.settings.max_open_revocations):
        name, document = revocation_document({"name": f"orders-{number}"})
        world.api.put(f"{REVOCATIONS}/{name}", document)
    await world.open_revocations.refresh()
    await look(world)
    assert len(world.kept) == 1
    name, _ = next(iter(world.open_revocations.items()))
    world.open_revocations.note(name, None)
    await look(world)
    assert world.kept == []


async def test_a_namespace_with_too_many_of_them_gets_no_new_ones() -> None:
    """Else a loop that creates resources and takes them away would fill the cluster."""
    world = await left()
    await many(world, world.process.settings.max_open_revocations, OWNER.namespace)
    world.records.known.unowned()
    count, asked = len(world.kept), len(world.entra.calls)
    name = world.kept[0].rsplit("/", 1)[1]
    await world.records.drop(name)
    del world.api.objects[TARGET]
    world.put_resource(OWNER)
    await world.until(lambda: world.ready["reason"] == "RevocationLimit")
    assert (len(world.kept), len(world.entra.calls)) == (count - 1, asked)
    # There is room again.
    world.vanish(OWNER, is_noticed=False)
    world.put_resource(OWNER)
    await world.records.drop(world.kept[0].rsplit("/", 1)[1])
    world.records.known.unowned()
    world.states.invalidate(OWNER)
    await world.until(lambda: world.ready["status"] == "True")


# --- writing the record ---------------------------------------------------------------------


async def test_it_is_there_before_anything_is_issued_and_costs_one_write() -> None:
    world = Unseen()
    await world.unowned.refresh()
    seen: list[int] = []

    def note(method: str, path: str) -> None:
        if method == "POST" and path == SECRETS:
            seen.append(len(world.kept))

    world.api.before = note
    await world.publish()
    assert seen == [1, 1], "the pending Secret, then the target Secret"
    assert world.api.count("POST PUT DELETE PATCH", REVOCATIONS) == 1
    assert world.api.count("GET", f"{REVOCATIONS}/") == 0


async def test_it_follows_the_spec_and_is_not_written_without_a_change() -> None:
    world = Unseen()
    await world.issue()
    world.put_resource(OWNER, deletionGracePeriod="2h")
    world.states.invalidate(OWNER)
    await world.look()
    assert world.api.objects[world.kept[0]]["data"]["deletionGracePeriod"] == "2h"
    world.api.requests.clear()
    for _ in range(10):
        world.clock.advance(10 * MINUTE)
        await world.look()
    assert world.api.count("POST PUT DELETE GET", REVOCATIONS) == 0


async def test_a_resource_of_an_earlier_release_is_recorded_at_the_next_pass() -> None:
    world = Unseen()
    await world.issue()
    del world.api.objects[world.kept[0]]
    await world.unowned.refresh()
    await world.look()
    assert len(world.kept) == 1


@pytest.mark.parametrize(("status", "message"), [(403, "policy"), (422, "invalid")])
async def test_where_records_are_refused_issuing_goes_on(
    status: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As by the admission policies of an earlier chart."""
    world = Unseen()
    refusal = world.api.refuse("POST PUT", REVOCATIONS, message, status=status)
    await world.issue()
    assert world.kept == []
    told = [r for r in caplog.records if "are refused" in r.message]
    assert len(told) == 1
    world.api.refusals.remove(refusal)
    world.clock.advance(11 * MINUTE)
    await world.look()
    assert len(world.kept) == 1


async def test_a_record_that_another_process_wrote_counts() -> None:
    world = Unseen()
    await world.issue()
    (name,) = [path.rsplit("/", 1)[1] for path in world.kept]
    world.records.known.note(name, None)
    await world.look()
    await world.look()
    assert world.records.known.find(name) is not None
    assert world.api.count("PUT", name) == 0


async def delete(world: Unseen) -> None:
    found = world.api.objects[RESOURCE]
    time = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.api.put(RESOURCE, {**found, "metadata": {**found["metadata"], "deletionTimestamp": time}})
    world.states.invalidate(OWNER)
    world.clock.advance(MINUTE)
    await world.look()


async def test_a_deletion_that_is_seen_takes_it_along_before_the_finalizer() -> None:
    world = Unseen()
    await world.issue()
    world.api.requests.clear()
    await delete(world)
    written = [
        (r.method, r.path.rsplit("/", 1)[1][:20])
        for r in world.api.requests
        if r.method in {"POST", "DELETE", "PATCH"} and "events" not in r.path
    ]
    assert written == [
        ("POST", "configmaps"),
        ("DELETE", "appcredential-issued"),
        ("PATCH", "orders"),
    ]
    assert len(world.tickets) == 1


async def test_a_deletion_does_not_wait_for_the_right_to_delete_it() -> None:
    world = Unseen()
    await world.issue()
    world.api.refuse("DELETE", REVOCATIONS, "no")
    await delete(world)
    assert not world.api.objects[RESOURCE]["metadata"]["finalizers"]


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.api.put(CRD, CRDS[0]),
        lambda world: world.put_resource(OWNER, mode="Observe"),
    ],
    ids=["with its CRD", "observed"],
)
async def test_it_goes_also_where_nothing_is_to_be_revoked(
    change: Callable[[Unseen], object],
) -> None:
    world = Unseen()
    await world.issue()
    change(world)
    await delete(world)
    assert not world.api.objects[RESOURCE]["metadata"]["finalizers"]
    assert (world.tickets, world.kept) == ([], [])


async def test_an_entra_tenant_stays_for_it() -> None:
    world = await left()
    known = world.records.known
    assert known.needing("default", TENANT_ID) == [OWNER]
    assert known.needing("default", "another") == []
    assert known.needing("another", TENANT_ID) == []
    await world.unowned.run_once()
    assert known.needing("default", TENANT_ID) == []
    assert world.open_revocations.needing("default", TENANT_ID) == [OWNER]
