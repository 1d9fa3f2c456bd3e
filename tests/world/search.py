"""Finds histories that break a promise: at random, and all of a small world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.world.events import BROUGHT, COMMON, FEDERATED, WITH_SECRET, Event
from tests.world.histories import History, Move, Plan
from tests.world.observer import BrokenPromiseError
from tests.world.scenes import SCENES, Scene

_SOON: Final = 6
_SPREAD: Final = 45


@dataclass(slots=True)
class Count:
    """What a search saw.

    Attributes:
        events: how often each event happened.
        broken: the histories that broke a promise, with what.
    """

    histories: int = 0
    states: int = 0
    events: dict[str, int] = field(default_factory=dict)
    scenes: dict[str, int] = field(default_factory=dict)
    broken: list[tuple[Plan, str, str]] = field(default_factory=list)

    def take(self, other: Count) -> None:
        """Add what another search saw."""
        self.histories += other.histories
        self.states += other.states
        for mine, theirs in ((self.events, other.events), (self.scenes, other.scenes)):
            for name, number in theirs.items():
                mine[name] = mine.get(name, 0) + number
        self.broken += other.broken

    def play(self, plan: Plan) -> History:
        """Play one history, and count it."""
        history = History(SCENES[plan.scene])
        try:
            history.play(plan.moves)
        except BrokenPromiseError as exc:
            self.broken.append((plan, exc.oracle, exc.what))
        self.histories += 1
        self.states += history.world.steps
        self.scenes[plan.scene] = self.scenes.get(plan.scene, 0) + 1
        for move in plan.moves:
            self.events[move.event] = self.events.get(move.event, 0) + 1
        return history


def events_of(scene: Scene) -> tuple[str, ...]:
    """Return the names of the events that mean something in a scene."""
    own: tuple[Event, ...] = FEDERATED if scene.is_federated else WITH_SECRET
    own += BROUGHT * 3 if scene.is_brought else ()
    return tuple(e.__name__.replace("_", "-") for e in (*COMMON, *own))


def at_random(seed: int, scenes: Iterable[str] = SCENES) -> Plan:
    """Return the history of a seed."""
    dice = Random(seed)  # noqa: S311 - repeatable on purpose
    scene = SCENES[dice.choice(sorted(scenes))]
    names = events_of(scene)
    moves = []
    for _ in range(dice.randint(1, 6)):
        steps = dice.randrange(_SOON if dice.random() < 0.5 else _SPREAD)
        moves.append(Move(steps, dice.choice(names), dice.randrange(60)))
    return Plan(scene.name, (Move(dice.randrange(60), "wait", 0), *moves))


def every(scene: str, *, depth: int, first: int, last: int) -> Iterator[Plan]:
    """Yield each history of so many events, each at each step of a stretch."""
    raise NotImplementedError
