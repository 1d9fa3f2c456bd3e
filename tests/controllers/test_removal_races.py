"""What happens between the decision to remove a credential and the removal itself.

Graph knows no resourceVersion, so each of these must keep the removal from being done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appcredential.controllers import app_credential
from appcredential.domain import actions as act
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.observed.observation import Observation
from appcredential.domain.secret.records import pending_name
from tests.controllers.test_federated_identity import OTHER_SUBJECT, Federated, replaced
from tests.support.builders import DAY, HOUR, MINUTE, OWNER
from tests.support.federated import SUBJECT
from tests.support.world import RESOURCE, SECRETS, TARGET, World

PENDING = f"{SECRETS}/{pending_name(OWNER.hash)}"


class Race:
    """Does something right after the first decision of one kind."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, kind: type[act.Action], happen: Callable[[], object]
    ) -> None:
        self.decisions = 0
        self._kind = kind
        self._happen = happen
        monkeypatch.setattr(app_credential, "decide", self._decide)

    def _decide(self, observation: Observation) -> Decision:
        decision = decide(observation)
        if isinstance(decision.action, self._kind):
            self.decisions += 1
            if self.decisions == 1:
                self._happen()
        return decision


async def until_first(world: World, race: Race, longest: timedelta) -> None:
    """Reconcile until the first decision of the race's kind, and to the end of that pass."""
    end = world.clock.now() + longest
    while not race.decisions:
        assert world.clock.now() < end, "it was never decided"
        world.clock.advance(max(await world.look() or timedelta(0), timedelta(seconds=1)))


# --- client secrets --------------------------------------------------------------------------


class Rotated(World):
    """A resource whose first credential is about to be removed after its end."""

    def ask(self, **spec: Any) -> None:
        rotation = {"retireWhen": "Expired"}
        self.put_resource(OWNER, **{"lifetime": "2d", "rotation": rotation, **spec})

    async def start(self) -> None:
        self.ask()
        await self.publish()

    def edit_target(self) -> None:
        found = self.api.objects[TARGET]
        labels = {**(found["metadata"].get("labels") or {}), "edited": "yes"}
        self.api.put(TARGET, {**found, "metadata": {**found["metadata"], "labels": labels}})

    def put_pending(self) -> None:
        self.api.put(PENDING, {"type": "appcredential.io/pending", "data": {}})

    def mark_deleted(self) -> None:
        found = self.api.objects[RESOURCE]
        deleted = {**found["metadata"], "deletionTimestamp": "2026-11-25T00:00:00Z"}
        self.api.put(RESOURCE, {**found, "metadata": deleted})


@pytest.mark.parametrize(
    ("happen", "decisions"),
    [
        # What was read a moment before is not read again before the effect reads it live.
        (lambda w: w.ask(lifetime="3d"), 3),
        (lambda w: w.edit_target(), 3),
        (lambda w: w.put_pending(), 2),
        (lambda w: w.clock.advance(2 * MINUTE), 2),
    ],
    ids=["the spec changes", "the target changes", "a pending one appears", "the process pauses"],
)
async def test_a_change_has_it_decided_again(
    monkeypatch: pytest.MonkeyPatch, happen: Callable[[Rotated], object], decisions: int
) -> None:
    world = Rotated()
    await world.start()
    race = Race(monkeypatch, act.Remove, lambda: happen(world))
    seen: list[int] = []
    remove = world.entra.remove_password

    async def removing(*args: Any) -> None:
        seen.append(race.decisions)
        await remove(*args)

    monkeypatch.setattr(world.entra, "remove_password", removing)
    await until_first(world, race, 3 * DAY)
    for _ in range(200):
        world.clock.advance(max(await world.look() or timedelta(0), timedelta(seconds=1)))
        if seen:
            break
    assert seen == [decisions]


@pytest.mark.parametrize(
    "happen",
    [
        lambda w: w.mark_deleted(),
        lambda w: w.api.objects.pop(RESOURCE),
        lambda w: setattr(w.gate, "stopping", True),
    ],
    ids=["it is being deleted", "it is gone", "the process may not act any more"],
)
async def test_nothing_is_removed_any_more(
    monkeypatch: pytest.MonkeyPatch, happen: Callable[[Rotated], object]
) -> None:
    world = Rotated()
    await world.start()
    race = Race(monkeypatch, act.Remove, lambda: happen(world))
    await until_first(world, race, 3 * DAY)
    for _ in range(5):
        world.clock.advance(await world.look() or MINUTE)
    assert world.entra.removed == []


# --- federated credentials -------------------------------------------------------------------


def edit(world: Federated) -> None:
    """Have the old trust say something else, which may be wanted again."""
    (old,) = (c for c in world.entra.trusts.values() if c.subject == SUBJECT)
    world.entra.put(replace(old, subject="edited"))


def go_back(world: Federated) -> None:
    """Ask for the old trust again."""
    world.ask("orders")


@pytest.mark.parametrize(
    "happen",
    [go_back, lambda w: w.api.objects.pop(RESOURCE), lambda w: setattr(w.gate, "stopping", True)],
    ids=["it is wanted again", "the resource is gone", "the process may not act any more"],
)
async def test_a_trust_stays_that_was_decided_to_go(
    monkeypatch: pytest.MonkeyPatch, happen: Callable[[Federated], object]
) -> None:
    world = await replaced()
    race = Race(monkeypatch, act.DeleteFederated, lambda: happen(world))
    await until_first(world, race, 2 * DAY)
    assert not any(w.startswith("remove") for w in world.entra.writes)
    assert OTHER_SUBJECT in world.subjects


async def test_an_edited_trust_has_it_decided_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await replaced()
    race = Race(monkeypatch, act.DeleteFederated, lambda: edit(world))
    seen: list[int] = []
    remove = world.entra.remove_federated

    async def removing(*args: Any) -> None:
        seen.append(race.decisions)
        await remove(*args)

    monkeypatch.setattr(world.entra, "remove_federated", removing)
    await until_first(world, race, 2 * DAY)
    assert seen == [2]


async def test_a_trust_that_is_wanted_again_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await replaced()
    race = Race(monkeypatch, act.DeleteFederated, lambda: go_back(world))
    await until_first(world, race, 2 * DAY)
    await world.pass_(HOUR)
    assert SUBJECT in world.subjects
    assert world.ready["status"] == "True"
