"""Ownership that is taken away is told within a day, by direct reads alone, and so is its end."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from appcredential.controllers.ownership import PERIOD
from appcredential.domain import ownership as rules
from appcredential.domain.inventory import Way
from appcredential.domain.observed.ownership import NOT_LOOKED
from appcredential.domain.ownership import Ownerships
from appcredential.domain.shards import Shard
from appcredential.domain.spec.model import ClientId
from appcredential.domain.write_permission import OF_ALL, OF_OWNED
from appcredential.errors import (
    NotYetError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
)
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS, path_of
from appcredential.runtime.ready import Key
from tests.support.builders import CLIENT_ID, DAY, HOUR, MINUTE, OTHER_OWNER, OWNER, SECOND
from tests.support.watched import KEY
from tests.support.world import RESOURCE, TENANT, World

PRINCIPAL = "aaaaaaaa-0000-4000-8000-000000000009"
OWNERS = frozenset({PRINCIPAL, "aaaaaaaa-0000-4000-8000-00000000000a"})
NOBODY: frozenset[str] = frozenset()
LOGGED = "ownership of applications could not be looked at"


async def published(*roles: str, **spec: Any) -> World:
    """Return a world with a published credential, whose application the operator owns."""
    world = World()
    world.entra.principal_id, world.entra.lists.owned_by = PRINCIPAL, OWNERS
    world.entra.roles = frozenset(roles or (OF_OWNED,))
    await world.publish()
    if spec:
        world.put_resource(OWNER, **spec)
    await world.look()
    world.sync.on_event(TENANTS, "ADDED", world.api.objects[path_of(TENANTS, "", "default")])
    world.entra.calls.clear()
    return world


def take_away(world: World) -> None:
    world.entra.lists.owned, world.entra.lists.owned_by = False, NOBODY


def give_back(world: World) -> None:
    world.entra.lists.owned, world.entra.lists.owned_by = True, OWNERS


async def live(
    world: World, length: timedelta, until: Callable[[], object] = lambda: False
) -> timedelta:
    """Let time pass, with looks at ownership, fewer ones in many hours; who is woken is seen."""
    begun, step = world.clock.now(), PERIOD if length <= HOUR else 10 * MINUTE
    while world.clock.now() - begun < length and not until():
        world.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.objects[RESOURCE])
        await world.ownership.run_once()
        if KEY in world.woken:
            world.woken.clear()
            await world.look()
        world.clock.advance(step)
    await world.look_at_tenant()
    return world.clock.now() - begun


def said(world: World) -> list[tuple[str, str, str]]:
    found = (world.ready, world.tenant_conditions["WritePermitted"])
    return [(c["reason"], c["message"], c["lastTransitionTime"]) for c in found]


def warnings(world: World) -> list[str]:
    return [e["note"] for e in world.events if e["reason"] == "NotOwner"]


def owns(world: World) -> bool | None:
    return world.ownership.ownership("default", CLIENT_ID).is_enough


async def restarted(world: World) -> World:
    """Return the world of a new process, for which the operator is still no owner."""
    again = World(api=world.api, clock=world.clock)
    again.entra.principal_id, again.entra.credentials = PRINCIPAL, world.entra.credentials
    again.entra.roles = world.entra.roles
    take_away(again)
    again.sync.on_event(TENANTS, "ADDED", world.api.objects[path_of(TENANTS, "", "default")])
    await again.look_at_tenant()
    await again.look()
    return again


def asked(world: World) -> int:
    """Return how many requests the looks have cost."""
    lists = world.entra.lists
    return lists.owners_read + sum(way is Way.OWNED for way, _ in lists.asked)


async def test_it_costs_one_page_a_day_while_all_is_owned() -> None:
    world = await published()
    await live(world, 3 * DAY)
    assert (asked(world), world.entra.lists.owners_read) == (3, 0)
    assert world.ready["reason"] == "Published"
    assert world.tenant_conditions["WritePermitted"]["reason"] == "Permitted"


async def test_a_loss_is_told_within_a_day_and_its_end_too() -> None:
    world = await published()
    await live(world, HOUR)
    take_away(world)
    took = await live(world, 2 * DAY, lambda: world.ready["reason"] == "NotOwner")
    assert took <= DAY
    assert world.ready["status"] == "True"
    assert f"--id {CLIENT_ID} --owner-object-id {PRINCIPAL}" in world.ready["message"]
    assert world.conditions.keys() == {"Ready", "Verified", "Expiring"}
    permitted = world.tenant_conditions["WritePermitted"]
    assert (permitted["status"], permitted["reason"]) == ("Unknown", "NotOwner")
    assert "does not own 1 of" in permitted["message"]
    assert world.tenant_conditions["Ready"]["status"] == "True"
    await live(world, 2 * DAY)
    assert len(warnings(world)) == 1
    give_back(world)
    assert await live(world, 2 * DAY, lambda: world.ready["reason"] == "Published") <= DAY
    assert world.tenant_conditions["WritePermitted"]["status"] == "True"
    assert len(warnings(world)) == 1


async def lagging() -> None:
    """See that a list which lacks the application is believed only if direct reads agree."""
    world = await published()
    world.entra.lists.owned = False
    for _ in range(2):
        await live(world, DAY, lambda: owns(world) is False)
        await world.look()
        assert world.ready["reason"] == "Published"
        assert world.tenant_conditions["WritePermitted"]["status"] == "True"
    assert world.entra.lists.owners_read == 2


async def test_a_list_that_lags_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    await lagging()

    def believe(known: Ownerships, wanted: frozenset[ClientId], listed: set[ClientId]) -> None:
        known.is_listed, known.unowned = True, dict.fromkeys(wanted - listed, 0.0)

    monkeypatch.setattr(Ownerships, "see_list", believe)
    with pytest.raises(AssertionError):
        await lagging()


async def test_one_direct_read_of_a_replica_that_lags_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def once() -> None:
        world = await published()
        take_away(world)
        await live(world, HOUR, lambda: world.entra.lists.owners_read)
        world.entra.lists.owned_by = OWNERS
        await live(world, HOUR)
        assert not warnings(world)

    await once()
    monkeypatch.setattr(rules, "REQUIRED_READS", 1)
    with pytest.raises(AssertionError):
        await once()


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("503"),
        PermissionDeniedError("403"),
        ThrottledError("429", retry_after=10 * MINUTE),
    ],
)
@pytest.mark.parametrize("way", [Way.OWNED, None])
async def test_what_cannot_be_read_says_nothing_and_is_asked_once_an_hour(
    way: Way | None, error: Exception
) -> None:
    world = await published()
    take_away(world)
    world.entra.lists.errors[way] = error  # type: ignore[assignment]
    await live(world, 10 * HOUR)
    assert world.ready["reason"] == "Published"
    assert 10 <= asked(world) <= 11
    assert not warnings(world)
    del world.entra.lists.errors[way]
    await live(world, 2 * HOUR)
    assert world.ready["reason"] == "NotOwner"
    world.entra.lists.errors[way] = error  # type: ignore[assignment]
    give_back(world)
    await live(world, 2 * DAY)  # direct reads alone end it
    assert world.ready["reason"] == ("NotOwner" if way is None else "Published")


async def test_owners_that_are_left_out_of_an_answer_say_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = await published()
    take_away(world)
    world.entra.lists.owned_by = None
    await live(world, 5 * HOUR)
    assert world.ready["reason"] == "Published"
    assert 4 <= world.entra.lists.owners_read <= 6
    assert caplog.messages.count(LOGGED) == 1


async def test_one_that_cannot_be_read_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, other = await published(), ClientId("99999999-0000-4000-8000-000000000000")
    document = deepcopy(world.api.objects[RESOURCE])
    document["metadata"] |= {"name": "invoices", "uid": "another"}
    document["spec"]["application"]["clientId"] = other
    document["status"]["application"]["clientId"] = other
    world.sync.on_event(APP_CREDENTIALS, "ADDED", document)
    take_away(world)
    world.entra.lists.unreadable = frozenset({other})
    took = await live(world, HOUR, lambda: world.ready["reason"] == "NotOwner")
    assert took <= HOUR / 2
    give_back(world)
    await live(world, 5 * HOUR)
    assert world.ready["reason"] == "Published"
    assert world.entra.lists.owners_read <= 10
    assert LOGGED not in caplog.messages


async def test_an_application_that_is_gone_is_no_matter_of_owners() -> None:
    world = await published()
    world.entra.is_missing = True
    await live(world, HOUR)
    assert (world.entra.lists.owners_read, warnings(world)) == (1, [])


@pytest.mark.parametrize("roles", [(OF_ALL,), ("Application.Read.All",), None])
async def test_without_that_permission_nobody_looks(roles: tuple[str, ...] | None) -> None:
    world = await published()
    world.entra.roles = frozenset(roles) if roles is not None else None
    take_away(world)
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    await live(world, 2 * DAY)
    assert asked(world) == 0
    assert world.ready["reason"] == "Published"


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        (frozenset({OF_ALL}), "Permitted"),
        (frozenset({"Application.Read.All"}), "PermissionMissing"),
        (None, "PermissionUnknown"),
    ],
)
@pytest.mark.parametrize("is_restarted", [False, True])
async def test_once_the_permission_is_another_one_ownership_is_no_matter(
    roles: frozenset[str] | None, reason: str, *, is_restarted: bool
) -> None:
    world = await published()
    take_away(world)
    await live(world, HOUR)
    assert world.ready["reason"] == "NotOwner"
    if is_restarted:
        world = await restarted(world)
    world.entra.roles = roles
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    await live(world, MINUTE)
    assert world.ready["reason"] == "Published"
    assert world.tenant_conditions["WritePermitted"]["reason"] == reason
    world.entra.roles = frozenset({OF_OWNED})
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    await live(world, MINUTE)
    assert world.ready["reason"] == "Published"
    assert world.tenant_conditions["WritePermitted"]["reason"] == "Permitted"
    await live(world, HOUR)
    assert world.ready["reason"] == "NotOwner"


async def test_before_a_token_is_proven_its_permission_ends_nothing() -> None:
    world = await published()
    take_away(world)
    await live(world, HOUR)
    world = await restarted(world)
    held = world.tenants.held("default")
    assert held is not None
    held.is_proven, held.roles = False, None
    await live(world, HOUR)
    assert world.ready["reason"] == "NotOwner"


@pytest.mark.parametrize("spec", [{"suspend": True}, {"mode": "Observe"}])
async def test_what_is_not_written_to_is_not_looked_at(spec: dict[str, Any]) -> None:
    world = await published(**spec)
    take_away(world)
    await live(world, 2 * DAY)
    assert asked(world) == 0
    assert world.ready["reason"] in {"Suspended", "Observing"}
    assert world.tenant_conditions["WritePermitted"]["status"] == "True"


@pytest.mark.parametrize("key", [KEY, TENANT])
async def test_who_asks_for_a_look_has_it_at_once_and_a_loss_once_no_replica_lags(key: Key) -> None:
    world = await published()
    await live(world, HOUR)
    for change, reason, longest in (
        (take_away, "NotOwner", rules.REPLICAS_LAG + 3 * PERIOD),
        (give_back, "Published", 3 * PERIOD),
    ):
        change(world)
        world.ownership.ask(key)
        took = await live(world, HOUR, lambda r=reason: world.ready["reason"] == r)  # type: ignore[misc]
        assert took <= longest


async def test_replicas_that_lag_for_minutes_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lag(key: Key) -> None:
        world = await published()
        await live(world, HOUR)
        take_away(world)
        for _ in range(9):
            world.ownership.ask(key)
            await live(world, MINUTE)
        give_back(world)
        await live(world, HOUR)
        assert not warnings(world)

    await lag(KEY)
    await lag(TENANT)
    monkeypatch.setattr(rules, "REPLICAS_LAG", 0 * MINUTE)
    with pytest.raises(AssertionError):
        await lag(KEY)


async def test_what_was_told_falsely_or_is_mended_ends_within_the_hour() -> None:
    world = await published()
    take_away(world)
    await live(world, HOUR)
    assert world.ready["reason"] == "NotOwner"
    before = asked(world)
    await live(world, 5 * HOUR)
    assert asked(world) - before == 5
    world.entra.lists.owned_by = OWNERS
    await live(world, HOUR)
    assert world.ready["reason"] == "Published"


async def test_who_was_granted_nothing_has_nothing_looked_at() -> None:
    world = await published()
    await live(world, HOUR)
    world.put_resource(OTHER_OWNER, client_id="99999999-0000-4000-8000-000000000000")
    before = asked(world)
    for _ in range(3):
        world.ownership.ask(Key(APP_CREDENTIALS, OTHER_OWNER.namespace, OTHER_OWNER.name))
        world.ownership.ask(Key(APP_CREDENTIALS, OTHER_OWNER.namespace, "unknown"))
        await live(world, PERIOD)
    assert asked(world) == before


async def test_while_other_work_uses_up_the_pace_it_waits_for_minutes() -> None:
    world = await published()
    world.entra.lists.errors[Way.OWNED] = NotYetError("the pace", retry_after=SECOND)
    await live(world, HOUR)
    assert 11 <= asked(world) <= 12


async def test_a_restart_changes_nothing_until_somebody_has_looked() -> None:
    world = await published()
    take_away(world)
    await live(world, HOUR)
    told = said(world)
    again = await restarted(world)
    again.entra.lists.errors[Way.OWNED] = UnavailableError("503")
    await live(again, HOUR)
    assert said(again) == told
    assert not warnings(again)[1:]
    again.entra.lists.errors.clear()
    give_back(again)
    await live(again, 2 * HOUR)
    assert again.ready["reason"] == "Published"
    assert again.tenant_conditions["WritePermitted"]["status"] == "True"


async def test_a_standby_does_not_look() -> None:
    world = await published()
    take_away(world)
    await live(world, HOUR)
    world.gate.stopping = True
    before = asked(world)
    await world.ownership.run_once()
    world.ownership.ask(KEY)
    await world.ownership.run_once()
    assert asked(world) == before
    assert world.ownership.ownership("default", CLIENT_ID) == NOT_LOOKED


async def test_who_led_before_remembers_what_writes_have_shown_and_nothing_else() -> None:
    """A directory role allows them: a lapse of the Lease tells nothing again."""
    world = await published()
    take_away(world)
    await live(world, HOUR)
    world.ownership.note_written("default", CLIENT_ID)
    await live(world, HOUR)
    assert world.ready["reason"] == "Published"
    before = asked(world)
    world.gate.stopping = True
    await world.ownership.run_once()
    world.gate.stopping = False
    assert owns(world) is None
    await live(world, 2 * DAY)
    assert asked(world) - before == 2
    assert world.ready["reason"] == "Published"
    assert len(warnings(world)) == 1


def sharded(world: World, *, is_first: bool) -> World:
    """Return another shard, to which the resource's namespace does not belong."""
    shards = (Shard(0 if is_first else 1, count) for count in range(2, 9))
    shard = next(one for one in shards if not one.serves(OWNER.namespace))
    other = World(api=world.api, clock=world.clock, shard=shard)
    other.entra.principal_id = PRINCIPAL
    take_away(other)
    other.sync.on_event(TENANTS, "ADDED", world.api.objects[path_of(TENANTS, "", "default")])
    other.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.objects[RESOURCE])
    return other


@pytest.mark.parametrize("is_first", [True, False])
async def test_the_first_shard_counts_for_all_and_wakes_its_own(*, is_first: bool) -> None:
    other = sharded(await published(), is_first=is_first)
    await other.look_at_tenant()
    other.woken.clear()
    for _ in range(40):
        await other.ownership.run_once()
        other.clock.advance(PERIOD)
    await other.look_at_tenant()
    assert KEY not in other.woken
    assert (asked(other) > 0) is is_first
    if is_first:
        assert "does not own 1 of" in other.tenant_conditions["WritePermitted"]["message"]
