"""Each change of a credential is recorded once, in the log and by an Event, and names its attempt.

What happened is judged by what the directory in memory did, not by the operator's own words.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.audit import ANNOTATION, Change, Result
from appcredential.domain.marker import Owner
from appcredential.domain.secret.records import pending_name
from appcredential.domain.spec.model import KeyId
from appcredential.effects import audit
from appcredential.errors import NotFoundError, OutcomeUnknownError
from appcredential.graph_call import GraphCall, note_write
from appcredential.kube.events import KubeEvents
from appcredential.ports.entra import CertificateLoss
from tests.controllers.test_certificate import Certified
from tests.controllers.test_federated_identity import Federated
from tests.controllers.test_restart_workloads import Restarting
from tests.support.builders import CLIENT_ID, DAY, HOUR, KEY, OBJECT_ID, OWNER, SECOND, TENANT_ID
from tests.support.deletions import Deletion
from tests.support.directory import Failure
from tests.support.world import RESOURCE, SECRETS, TARGET, World

LOST = OutcomeUnknownError("cut off")
LOST.graph = GraphCall("application.addPassword", "ours", "", 504)
ROTATION = {"renewBefore": "24h", "overlap": "2h", "retireWhen": "OverlapElapsed"}
Told = tuple[str, str, str]


@pytest.fixture(autouse=True)
def all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "appcredential")


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(r)["audit"] for r in caplog.records if r.name == "appcredential.audit"]


def in_events(world: World) -> list[dict[str, Any]]:
    found = [e["metadata"].get("annotations", {}).get(ANNOTATION) for e in world.events]
    return [json.loads(text) for text in found if text is not None]


def short(records: list[dict[str, Any]]) -> list[Told]:
    return [(r["change"], r["result"], r["credential"].get("keyId", "")) for r in records]


async def pass_(world: World, length: timedelta) -> None:
    end = world.clock.now() + length
    while world.clock.now() < end:
        wait = await world.look() or SECOND
        world.clock.advance(min(max(wait, SECOND), end - world.clock.now()))


# --- client secrets -----------------------------------------------------------------------


async def test_the_life_of_a_client_secret(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.put_resource(OWNER, lifetime="2d", rotation=ROTATION)
    await world.publish()
    await pass_(world, 2 * DAY)
    records = logged(caplog)
    told = Counter(short(records))
    for key in world.entra.removed:
        for change in (Change.ISSUED, Change.PUBLISHED, Change.RETIRED, Change.GONE):
            assert told[(change, Result.DONE, key)] == 1, change
    assert world.entra.removed
    everything = {*world.entra.removed, *world.entra.credentials}
    assert {key for change, _, key in told if change == Change.ISSUED} == everything
    # What only a read shows has no Event.
    assert in_events(world) == [r for r in records if r["change"] != Change.GONE]
    attempts = {
        (r["credential"]["keyId"], r["credential"]["attempt"])
        for r in records
        if r["change"] != Change.GONE
    }
    assert len(attempts) == len(everything), "one attempt for each key"


@pytest.mark.parametrize(
    ("annotations", "spec", "change"),
    [
        ({"appcredential.io/adopt": str(OWNER)}, {}, Change.ADOPTED),
        (
            {"appcredential.io/owner": f"{OWNER.namespace}/billing"},
            {"secret": {"name": "orders-entra", "takeOverFrom": "billing"}},
            Change.TAKEN_OVER,
        ),
    ],
)
async def test_a_secret_of_another_owner_is_told_apart(
    annotations: dict[str, str],
    spec: dict[str, Any],
    change: Change,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.put_resource(Owner(OWNER.namespace, "billing"))
    world.put_resource(OWNER, **spec)
    metadata = {"annotations": annotations}
    world.api.put(TARGET, {"type": "Opaque", "metadata": metadata, "data": {}})
    await world.publish()
    found = [r["change"] for r in logged(caplog)]
    assert found == [Change.ISSUED, change]


async def test_issuing_costs_two_events(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.publish()
    assert [e["reason"] for e in world.events] == ["Issued", "Published"]
    assert len(logged(caplog)) == 2


async def test_a_record_says_for_whom_and_where(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    resource = world.api.objects[RESOURCE]
    writer = {"manager": "argocd", "operation": "Apply", "time": "2026-11-22T09:00:00Z"}
    fields = [{**writer, "fieldsV1": {"f:spec": {}}}]
    world.api.put(
        RESOURCE, {**resource, "metadata": {**resource["metadata"], "managedFields": fields}}
    )
    await world.publish()
    for record in logged(caplog):
        assert record["resource"] == {
            "namespace": OWNER.namespace,
            "name": OWNER.name,
            "uid": world.api.objects[RESOURCE]["metadata"]["uid"],
            "generation": 1,
        }
        assert record["actors"] == [writer]
        application = record["application"]
        assert (application["clientId"], application["objectId"]) == (CLIENT_ID, OBJECT_ID)
        assert (application["tenant"], application["tenantId"]) == ("default", TENANT_ID)
    published = next(e for e in world.events if e["reason"] == "Published")
    assert published["related"] == {
        "apiVersion": "v1",
        "kind": "Secret",
        "namespace": OWNER.namespace,
        "name": "orders-entra",
    }


async def test_the_call_is_named_and_only_where_one_was_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.entra.after_add = lambda: note_write(GraphCall("add", "ours", "theirs", 200))
    await world.publish()
    issued, published = logged(caplog)
    assert issued["graph"] == {
        "operation": "add",
        "requestId": "theirs",
        "clientRequestId": "ours",
    }
    assert "graph" not in published


async def test_a_lost_answer_is_unknown_and_then_found_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()

    def lose() -> None:
        world.entra.after_add = lambda: None
        raise LOST

    world.entra.after_add = lose
    await world.publish()
    await pass_(world, HOUR)
    records = logged(caplog)
    unknown = records[0]
    assert short([unknown]) == [("Issued", "Unknown", "")]
    assert unknown["graph"]["clientRequestId"] == "ours"
    attempt = unknown["credential"]["attempt"]
    of_it = [r for r in records if r["credential"].get("attempt") == attempt]
    (orphan,) = world.entra.removed
    assert short(of_it) == [
        ("Issued", "Unknown", ""),
        ("Fenced", "Done", ""),
        ("OrphanRemoved", "Done", orphan),
    ]
    assert [e["type"] for e in world.events if e["reason"] == "OutcomeUnknown"] == ["Warning"]


async def test_an_outage_is_told_by_one_event(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.add_errors = [OutcomeUnknownError("503")] * 5
    await world.until(lambda: not world.entra.add_errors)
    assert short(logged(caplog)).count(("Issued", "Unknown", "")) == 5
    reasons = Counter(e["reason"] for e in world.events)
    assert reasons["OutcomeUnknown"] == 1


@pytest.mark.parametrize("of", [World, Certified, Federated])
async def test_an_event_that_hangs_hides_no_failure(
    of: type[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the effect may be over while the API server takes the Event."""
    world = of()
    await world.look_at_tenant()
    if of is World:
        world.entra.add_errors = [LOST]
    else:
        world.entra.failures = [Failure("add", LOST)]

    async def hang(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(KubeEvents, "emit", hang)
    with pytest.raises(TimeoutError):
        await world.until(lambda: False)
    memory = world.states.of(OWNER).memory
    assert memory.directory_problem is not None
    assert memory.retry_time is not None


async def test_what_could_not_be_kept_is_discarded(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    path = f"{SECRETS}/{pending_name(OWNER.hash)}"

    def lose() -> None:
        world.api.objects.pop(path, None)

    world.entra.after_add = lose
    await world.look_at_tenant()
    await world.until(lambda: world.entra.removed)
    (key,) = world.entra.removed
    assert short(logged(caplog)) == [("Discarded", "Done", key)]


@pytest.mark.parametrize(
    ("error", "result"), [(LOST, Result.UNKNOWN), (NotFoundError("404"), Result.ABSENT)]
)
async def test_a_removal_says_what_is_known(
    error: Exception, result: Result, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.put_resource(OWNER, lifetime="2d", rotation=ROTATION)
    await world.publish()
    remove, errors = world.entra.remove_password, [error]

    async def fail_once(object_id: Any, key_id: Any) -> None:
        if errors:
            await remove(object_id, key_id)  # it is done, and the answer says otherwise
            raise errors.pop()
        await remove(object_id, key_id)

    world.entra.remove_password = fail_once  # type: ignore[method-assign]
    await pass_(world, 2 * DAY)
    first = world.entra.removed[0]
    of_it = [r for r in short(logged(caplog)) if r[2] == first]
    assert of_it[2] == ("Retired", str(result), first)
    assert of_it[-1] == ("Gone", "Done", first), "a read finds out"


async def test_a_restart_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    world = Restarting()
    await world.start("one")
    await world.rotate()
    await world.pass_(5 * timedelta(minutes=1))
    (found,) = [r for r in logged(caplog) if r["change"] == Change.RESTARTED]
    assert found["object"] == "Deployment/one"
    assert found["credential"]["keyId"] == world.status["credential"]["keyId"]


# --- the other types ----------------------------------------------------------------------


async def test_a_certificate_has_one_key_id_whatever_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Certified()
    world.entra.failures = [Failure("add", LOST, is_committed=True)]
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    key = world.status["credential"]["keyId"]
    assert short(logged(caplog)) == [
        ("Issued", "Unknown", key),
        ("Issued", "Done", key),
        ("Published", "Done", key),
    ]


@pytest.mark.parametrize("is_committed", [True, False])
async def test_a_lost_answer_about_a_trust_is_found_out_by_a_read(
    is_committed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    world = Federated()
    world.entra.failures = [Failure("add", LOST, is_committed=is_committed)]
    await world.settle()
    (made,) = world.entra.trusts.values()
    results = [(r["change"], r["result"]) for r in logged(caplog) if r["change"] == "Issued"]
    assert results == [("Issued", "Unknown"), ("Issued", "Found" if is_committed else "Done")]
    issued = [r for r in logged(caplog) if r["change"] == "Issued"]
    assert {r["credential"]["name"] for r in issued} == {made.name}
    assert in_events(world) == logged(caplog)


async def test_the_removal_of_a_trust_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    world = Federated()
    await world.settle()
    (old,) = world.entra.trusts
    world.api.put(f"/api/v1/namespaces/{OWNER.namespace}/serviceaccounts/billing", {})
    world.ask(account="billing")
    world.entra.failures = [Failure("remove", LOST, is_committed=True)]
    await pass_(world, 3 * DAY)
    assert old not in world.entra.trusts
    told = [t for t in short(logged(caplog)) if t[2] == old and t[0] == "Retired"]
    assert told == [("Retired", "Unknown", old), ("Retired", "Found", old)]


async def test_what_a_deleted_resource_left_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    world = Deletion()
    await world.pass_(HOUR)
    assert world.directory.removed == [KEY]
    (record,) = logged(caplog)
    assert short([record]) == [("Revoked", "Done", KEY)]
    assert record["cause"] == "AppCredentialDeleted"
    assert record["resource"]["name"] == OWNER.name


async def test_a_lost_certificate_of_others_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    world = Certified()
    await world.look_at_tenant()
    world.entra.losses = [CertificateLoss(KeyId("theirs"), is_restored=True)]
    await world.until(lambda: world.ready["status"] == "True", 120)
    assert ("Restored", "Done", "theirs") in short(logged(caplog))
    assert in_events(world) == logged(caplog)


# --- no value, and no second writer ----------------------------------------------------------


async def test_no_value_is_in_a_record(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await world.publish()
    texts = [json.dumps(found) for found in (*logged(caplog), *world.events)]
    assert texts
    assert "canary" not in "".join(texts)


async def test_a_record_that_is_forgotten_is_noticed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The broken variant: without the one place that writes them, the promise above fails."""
    nothing: Callable[[object], None] = lambda _found: None  # noqa: E731
    monkeypatch.setattr(audit, "write", nothing)
    with pytest.raises(AssertionError):
        await test_the_life_of_a_client_secret(caplog)
