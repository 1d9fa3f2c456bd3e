"""After a restart nothing is passed that its status shows to be settled, and nothing is missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.inventory import Way
from appcredential.domain.looks import FLOOR
from appcredential.domain.resumption import LastKnown
from appcredential.domain.secret.records import pending_name
from appcredential.domain.spec.model import KeyId
from appcredential.errors import UnavailableError
from appcredential.kube.client import JSON, METADATA_ONLY
from appcredential.kube.custom_resources import GRANTS, TENANTS, path_of
from tests.controllers.test_certificate import Certified
from tests.controllers.test_federated_identity import ACCOUNTS, OUTPUT, Federated
from tests.support.builders import DAY, HOUR, MINUTE, NOT_YET, OWNER
from tests.support.restarted import KEY, Restarted
from tests.support.watched import live
from tests.support.world import RESOURCE, SECRETS, TARGET, World

CHECK: Final = "appcredential.io/check"
PENDING: Final = f"{SECRETS}/{pending_name(OWNER.hash)}"
KINDS: Final = (World, Certified, Federated)
WITH_SECRET: Final = (World, Certified)


Harm = Callable[[World], None]


async def settled(kind: type[World] = World) -> World:
    """Return the world of a process that has nothing to do."""
    world = kind()
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    await live(world, 3 * MINUTE)
    assert world.ready["status"] == "True"
    return world


async def stopped(kind: type[World] = World) -> Restarted:
    """Return the world of a process that begins while nothing is due."""
    return Restarted(await settled(kind))


def reads(world: World) -> int:
    return world.entra.calls.count("read") + world.entra.calls.count("read federated")


def change(world: World, path: str, **metadata: Any) -> None:
    found = world.api.objects[path]
    world.api.put(path, {**found, "metadata": {**found["metadata"], **metadata}})


def say(world: World, part: str, **told: Any) -> None:
    """Edit a part of status behind the operator's back."""
    found = world.api.objects[RESOURCE]
    status = {**found["status"], part: {**found["status"][part], **told}}
    world.api.put(RESOURCE, {**found, "status": status})


# --- what nothing is due for costs one look ---------------------------------------------------


@pytest.mark.parametrize("kind", WITH_SECRET)
async def test_a_settled_resource_costs_one_read_of_its_secret(kind: type[World]) -> None:
    world = await stopped(kind)
    assert await world.begin()
    assert world.passes == 0
    assert world.api.count("GET", SECRETS) == 0
    took = await world.live(HOUR, lambda: world.passes)
    assert took <= MINUTE
    assert world.states.of(OWNER).resumed is None
    assert world.states.of(OWNER).is_well
    assert world.api.count("GET", TARGET, JSON) == 1
    assert world.api.count("GET", SECRETS, JSON) == 1
    assert world.api.count("GET", RESOURCE) == 0
    assert reads(world) == 0
    await world.live(HOUR / 2)
    assert world.api.count("GET", TARGET, METADATA_ONLY) >= 50
    assert reads(world) == 0
    assert world.api.count("POST PUT PATCH DELETE", "") == 0


async def test_a_settled_trust_is_not_read_directly() -> None:
    world = await stopped(Federated)
    assert await world.begin()
    assert await world.live(HOUR, lambda: world.passes) <= MINUTE
    await world.live(HOUR / 2)
    assert reads(world) == 0
    assert world.api.count("GET", RESOURCE) <= 1
    assert world.api.count("POST PUT PATCH DELETE", "") == 0


def scraped(world: World, metric: str, /, **labels: str) -> float | None:
    """Return a number as a scrape reads it."""
    families = text_string_to_metric_families(world.metrics.text().decode())
    found = (s.value for f in families for s in f.samples if (s.name, s.labels) == (metric, labels))
    return next(found, None)


async def test_metrics_are_those_of_status_at_once() -> None:
    world = await stopped()
    assert await world.begin()
    labels = {"namespace": OWNER.namespace, "name": OWNER.name}
    assert scraped(world, "appcredential_expiration_timestamp_seconds", **labels)
    assert scraped(world, "appcredential_ready_status", **labels, condition="True") == 1.0
    assert scraped(world, "appcredential_resumed_resources") == 1
    await world.live(MINUTE)
    assert scraped(world, "appcredential_resumed_resources") == 0


async def test_a_renewal_is_due_also_before_the_first_look() -> None:
    world = await stopped()
    assert await world.begin()
    renewal = world.states.of(OWNER).resumed
    assert isinstance(renewal, LastKnown)
    assert renewal.due is not None
    world.clock.advance(renewal.due - world.clock.now())
    assert world.scheduled.depth == 0
    world.scheduled._move_due()
    assert world.scheduled.depth == 1


async def test_without_lists_the_first_look_reads_directly() -> None:
    world = await stopped()
    world.entra.lists.errors[Way.FILTER] = UnavailableError("503")
    assert await world.begin()
    assert await world.live(HOUR, lambda: world.passes) <= 2 * MINUTE
    assert reads(world) == 1
    assert world.ready["reason"] == "Published"


async def test_a_new_term_lists_anew() -> None:
    world = await stopped()
    assert await world.begin()
    await world.live(5 * MINUTE)
    passes = world.passes
    assert await world.begin()
    assert world.passes == passes
    await world.live(MINUTE)
    assert world.passes == passes + 1


# --- what changed while no operator ran is noticed as soon as ever ----------------------------


def remove_in_portal(world: World) -> None:
    world.entra.credentials.clear()
    world.entra.sign_in_result = NOT_YET


def delete_application(world: World) -> None:
    world.entra.is_missing = True


def delete_secret(world: World) -> None:
    del world.api.objects[TARGET]


def edit_secret(world: World) -> None:
    found = world.api.objects[TARGET]
    world.api.put(TARGET, {**found, "data": dict.fromkeys(found["data"], "ZWRpdGVk")})


def withdraw_grant(world: World) -> None:
    del world.api.objects[path_of(GRANTS, "", "shop-apps")]


def edit_spec(world: World) -> None:
    found = world.api.objects[RESOURCE]
    generation = found["metadata"]["generation"] + 1
    world.api.put(RESOURCE, {**found, "spec": {**found["spec"], "suspend": True}})
    change(world, RESOURCE, generation=generation)


async def restarted_after(kind: type[World], harm: Harm) -> Restarted:
    former = await stopped(kind)
    harm(former)
    return Restarted(former)


@pytest.mark.parametrize("kind", WITH_SECRET)
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (remove_in_portal, "CredentialMissing"),
        (delete_secret, "SecretMissing"),
        (edit_secret, "SecretEdited"),
        (delete_application, "ApplicationNotFound"),
    ],
)
async def test_what_changed_meanwhile_is_said_within_a_minute(
    kind: type[World], harm: Harm, reason: str
) -> None:
    world = await restarted_after(kind, harm)
    await world.begin()
    await world.live(MINUTE, lambda: world.ready["reason"] == reason)
    assert (world.ready["status"], world.ready["reason"]) == ("False", reason)


def edit_trust(world: World) -> None:
    (trust,) = world.entra.trusts.values()
    world.entra.put(replace(trust, issuer="https://elsewhere.example"))


def remove_trust(world: World) -> None:
    world.entra.trusts.clear()


def unwire_account(world: World) -> None:
    world.api.put(f"{ACCOUNTS}/orders", {})


def delete_output(world: World) -> None:
    del world.api.objects[OUTPUT]


def edit_output(world: World) -> None:
    world.api.put(OUTPUT, {**world.api.objects[OUTPUT], "data": {}})


@pytest.mark.parametrize(
    "harm", [edit_trust, remove_trust, unwire_account, delete_output, edit_output]
)
async def test_what_a_trust_lost_meanwhile_is_made_anew_within_minutes(harm: Harm) -> None:
    former = await stopped(Federated)
    trusts = {c.pair for c in former.entra.trusts.values()}
    account = former.api.objects[f"{ACCOUNTS}/orders"]["metadata"]["annotations"]
    output = former.api.objects[OUTPUT]["data"]
    harm(former)
    world = Restarted(former)
    await world.begin()

    def is_mended() -> bool:
        found = world.api.objects.get(OUTPUT, {}).get("data")
        wired = world.api.objects[f"{ACCOUNTS}/orders"]["metadata"].get("annotations")
        live_trusts = {c.pair for c in world.entra.trusts.values()}
        return (live_trusts, wired, found) == (trusts, account, output)

    await world.live(3 * MINUTE, is_mended)
    assert is_mended()
    await world.live(3 * MINUTE)
    assert world.ready["status"] == "True"


async def test_a_deleted_application_with_a_trust_is_said_within_a_minute() -> None:
    world = await restarted_after(Federated, delete_application)
    await world.begin()
    await world.live(MINUTE, lambda: world.ready["status"] == "False")
    assert world.ready["reason"] == "ApplicationNotFound"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "harm",
    [
        withdraw_grant,
        edit_spec,
        lambda world: change(world, RESOURCE, annotations={CHECK: "1"}),
        lambda world: change(world, RESOURCE, finalizers=[]),
        lambda world: change(world, RESOURCE, deletionTimestamp="2026-11-22T10:00:00Z"),
    ],
    ids=["grant", "spec", "annotation", "finalizer", "deletion"],
)
async def test_what_somebody_asked_for_meanwhile_is_passed_at_once(
    kind: type[World], harm: Harm
) -> None:
    world = await restarted_after(kind, harm)
    assert not await world.begin()


@pytest.mark.parametrize("kind", WITH_SECRET)
async def test_what_expired_meanwhile_is_passed_at_once(kind: type[World]) -> None:
    former = await stopped(kind)
    former.clock.advance(400 * DAY)
    assert not await Restarted(former).begin()


async def test_a_resource_without_a_record_is_passed_at_once() -> None:
    former = await stopped()
    for path in [p for p in former.api.objects if "appcredential-issued-" in p]:
        del former.api.objects[path]
    assert not await Restarted(former).begin()


async def test_a_resource_whose_tenant_is_gone_is_passed_at_once() -> None:
    former = await stopped()
    del former.api.objects[path_of(TENANTS, "", "default")]
    world = Restarted(former)
    await world.find()
    assert not await world.resumption.begin()


async def test_a_tenant_that_cannot_be_used_has_its_users_passed() -> None:
    world = await stopped()
    assert await world.begin()
    refused = Problem(reason=Reason.TENANT_NOT_READY, message="no")
    world.tenants.note("default", refused)
    assert KEY in world.woken


@pytest.mark.parametrize("reason", [Reason.TENANT_NOT_READY, Reason.THROTTLED])
async def test_a_network_that_comes_up_late_wakes_nobody_who_waits_for_a_look(
    reason: Reason,
) -> None:
    world = await stopped()
    assert await world.begin()
    world.woken.clear()
    world.tenants.note("default", Problem(reason=reason, message="no", stalled=False))
    world.tenants.note("default", None)
    assert KEY not in world.woken


async def test_a_clock_that_was_set_back_between_two_terms_hides_no_removal() -> None:
    world = await stopped()
    world.clock.set_wall(4 * MINUTE)
    await world.find()
    await world.look_at_tenant()
    await world.look()
    world.clock.set_wall(-4 * MINUTE)
    for _, state in world.states.settled():
        state.is_well = False  # the term ends
    world.clock.advance(MINUTE)
    assert await world.begin()
    remove_in_portal(world)
    await world.live(MINUTE, lambda: world.ready["reason"] == "CredentialMissing")
    assert world.ready["reason"] == "CredentialMissing"


async def test_a_pending_secret_that_nobody_read_is_read_before_an_effect() -> None:
    world = await stopped()
    assert await world.begin()
    await world.inventory.run_once()
    await world.inventory.finish()
    await world.look()  # soon, as after the end of a neighbour
    assert world.states.of(OWNER).resumed is None
    world.clock.advance(timedelta(seconds=5))
    edit_secret(world)
    world.states.of(OWNER).target.drop()
    world.api.requests.clear()
    await world.look()
    asked = [(r.method, r.path) for r in world.api.requests]
    effect = next(n for n, (method, _) in enumerate(asked) if method != "GET")
    assert ("GET", PENDING) in asked[:effect]


async def test_lists_that_come_during_a_round_have_the_first_looks_take_part_in_it() -> None:
    """Else thousands of another tenant would come first, and all of these a round later."""
    former = await settled()
    world = Restarted(former)
    assert await world.begin()
    world.states._states[replace(OWNER, name="other")] = former.states.of(OWNER)
    world.woken.clear()
    await world.looks.run_once()  # a round over the other one begins
    assert KEY not in world.woken
    await world.inventory.run_once()
    await world.inventory.finish()
    for _ in range(2 * int(FLOOR.total_seconds()) + 2):
        world.clock.advance(timedelta(seconds=0.5))
        await world.looks.run_once()
    assert KEY in world.woken, "it waits for the next round"


async def test_a_first_look_that_fails_is_not_repeated_by_the_rounds() -> None:
    world = await stopped()
    assert await world.begin()
    world.api.refuse("GET", SECRETS, "no")
    await world.look()
    assert world.states.of(OWNER).resumed is None


async def test_a_secret_that_another_resource_wants_too_is_passed_at_once() -> None:
    former = await stopped()
    former.put_resource(replace(OWNER, name="other"))
    assert not await Restarted(former).begin()


async def test_a_resource_that_was_passed_meanwhile_goes_on_as_that_pass_says() -> None:
    world = await stopped()
    await world.find()
    await world.look_at_tenant()
    await world.look()
    assert KEY not in await world.resumption.begin()
    assert world.states.of(OWNER).is_settled


async def test_a_resource_that_is_being_passed_is_passed_once_more() -> None:
    world = await stopped()
    await world.find()
    world.scheduled._working[KEY] = 0.0
    assert not await world.resumption.begin()


async def test_a_resource_that_changed_since_the_list_is_passed_at_once() -> None:
    world = await stopped()
    await world.find()
    change(world, RESOURCE, annotations={"team": "shop"})
    world.sync.on_event("appcredentials", "MODIFIED", world.api.objects[RESOURCE])
    assert KEY not in await world.resumption.begin()


async def test_a_list_that_fails_has_all_passed_at_once() -> None:
    world = await stopped()
    world.api.refuse("GET", "/appcredentials", "no")
    await world.find()
    assert not await world.resumption.begin()


# --- status is never a reason to do anything --------------------------------------------------


async def test_a_status_from_a_backup_removes_nothing() -> None:
    """It names a credential that is listed, but the Secret holds another one."""
    former = await stopped()
    key = former.status["credential"]["keyId"]
    say(former, "credential", keyId="another")
    world = Restarted(former)
    assert await world.begin()
    await world.live(2 * MINUTE)
    assert world.status["credential"]["keyId"] == key
    await world.live(HOUR / 2)
    assert world.ready["reason"] == "Published"
    assert {"add", "remove", "sign-in"}.isdisjoint(world.entra.calls)


@pytest.mark.parametrize("kind", KINDS)
async def test_no_status_is_written_by_what_lists_alone_have_shown(kind: type[World]) -> None:
    former = await stopped(kind)
    say(former, "application", displayName="As it was called once")
    world = Restarted(former)
    assert await world.begin()
    await world.live(2 * MINUTE, lambda: world.api.count("PATCH", RESOURCE))
    assert world.status["application"]["displayName"] == "Orders"
    assert reads(world) >= 1


@pytest.mark.parametrize("kind", KINDS)
async def test_lists_that_lag_after_a_restart_have_no_consequence(kind: type[World]) -> None:
    world = await stopped(kind)
    world.entra.lists.lacks_all = True
    assert await world.begin()
    await world.live(HOUR / 4)
    assert world.ready["status"] == "True"
    assert reads(world) >= 1
    assert world.api.count("POST PUT PATCH DELETE", "") == 0
    assert {"add", "remove", "sign-in"}.isdisjoint(world.entra.calls)
    assert not world.entra.writes


async def test_a_credential_of_ours_that_no_status_names_is_read_directly_first() -> None:
    """A successor was issued, and the process ended before its status was written."""
    former = await stopped()
    await former.live(timedelta(seconds=1))
    found = next(iter(former.entra.credentials.values()))
    marked = replace(found, key_id=KeyId("left"), display_name=found.display_name[:-4] + "zzzz")
    former.entra.credentials[marked.key_id] = marked
    world = Restarted(former)
    assert await world.begin()
    await world.live(5 * MINUTE)
    assert world.ready["reason"] == "Published"
    assert reads(world) >= 1
    assert found.key_id in world.entra.credentials


# --- the tests see what they are to see -------------------------------------------------------


@pytest.mark.parametrize("harm", [delete_secret, remove_in_portal])
async def test_a_restart_that_takes_status_for_the_first_look_is_caught(
    monkeypatch: pytest.MonkeyPatch, harm: Harm
) -> None:
    """Broken on purpose: what is settled by status is never compared with anything."""
    monkeypatch.setattr(LastKnown, "agrees_with", lambda *_: True)
    monkeypatch.setattr("appcredential.controllers.looks.is_awaited", lambda *_: False)
    world = await restarted_after(World, harm)
    await world.begin()
    await world.live(10 * MINUTE)
    assert world.ready["reason"] == "Published"  # a lie, which the tests above would show
