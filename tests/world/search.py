"""Finds histories that break a promise: at random, and all of a small world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.world.events import BROUGHT, COMMON, FEDERATED, WITH_SECRET, Event
from tests.world.histories import History, Move, Plan
from tests.world.observer import BrokenPromiseError
from tests.world.scenes import SCENES, WALKED, Scene

_SOON: Final = 6
_SPREAD: Final = 45


@dataclass(slots=True)
class Count:
    """What a search saw.

    Attributes:
        judged: of each event, how often each oracle judged a history in which it happened.
        events: in how many histories each event happened.
        broken: the histories that broke a promise, with what.
    """

    histories: int = 0
    states: int = 0
    judged: dict[str, dict[str, int]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    scenes: dict[str, int] = field(default_factory=dict)
    broken: list[tuple[Plan, str, str]] = field(default_factory=list)

    def take(self, other: Count) -> None:
        """Add what another search saw."""
        self.histories += other.histories
        self.states += other.states
        _add(self.events, other.events)
        _add(self.scenes, other.scenes)
        for event, asked in other.judged.items():
            _add(self.judged.setdefault(event, {}), asked)
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
        for event in {move.event for move in plan.moves}:
            _add(self.events, {event: 1})
            _add(self.judged.setdefault(event, {}), history.world.asked)
        return history


def _add(mine: dict[str, int], theirs: Mapping[str, int]) -> None:
    for name, number in theirs.items():
        mine[name] = mine.get(name, 0) + number


def events_of(scene: Scene) -> tuple[str, ...]:
    """Return the names of the events that mean something in a scene."""
    own: tuple[Event, ...] = FEDERATED if scene.is_federated else WITH_SECRET
    own += BROUGHT * 3 if scene.is_brought else ()
    return tuple(e.__name__.replace("_", "-") for e in (*COMMON, *own))


def at_random(seed: int, scenes: Iterable[str] = WALKED) -> Plan:
    """Return the history of a seed."""
    dice = Random(seed)  # noqa: S311 - repeatable on purpose
    scene = SCENES[dice.choice(sorted(scenes))]
    names = events_of(scene)
    moves = []
    for _ in range(dice.randint(1, 6)):
        steps = dice.randrange(_SOON if dice.random() < 0.5 else _SPREAD)
        moves.append(Move(steps, dice.choice(names), dice.randrange(60)))
    return Plan(scene.name, (Move(dice.randrange(60), "wait", 0), *moves))


def around(
    base: Plan, events: Iterable[tuple[str, int]], steps: range, after: tuple[Move, ...] = ()
) -> Iterator[Plan]:
    """Yield a history with each of these events at each of these steps, breadth first."""
    for event, number in events:
        for step in steps:
            yield Plan(base.scene, (*base.moves, Move(step, event, number), *after))


def breadth_first(scene: str, *, depth: int, most: int, count: Count) -> int:
    """Play all short histories of a small world, each event at each step, those before first.

    Two histories that led to the same state of Entra, the cluster and the operator's own
    knowledge go on alike, so only the first is extended.

    Args:
        scene: where they begin.
        depth: how many events they have.
        most: how many histories are played.
        count: takes up what was seen.

    Returns:
        How many were not extended because their state was known.
    """
    known: set[int] = set()
    front, skipped = [Plan(scene)], 0
    for _ in range(depth):
        following: list[Plan] = []
        for plan in front:
            for move in small_moves(SCENES[scene], is_first=not plan.moves):
                if count.histories >= most:
                    return skipped
                longer = Plan(scene, (*plan.moves, move))
                state = state_after(longer)
                if state in known:
                    skipped += 1
                    continue
                known.add(state)
                count.play(longer)
                following.append(longer)
        front = following
    return skipped


def small_moves(scene: Scene, *, is_first: bool) -> Iterator[Move]:
    """Yield the moves of a small world: each event that changes something, soon or later."""
    stretch = range(_FIRST) if is_first else range(0, _NEXT, 2)
    for steps in stretch:
        for event in _SMALL if not scene.is_federated else _SMALL_FEDERATED:
            yield Move(steps, event, 2)


def state_after(plan: Plan) -> int:
    """Return a digest of the state right after the last event of a history."""
    history = History(SCENES[plan.scene])
    try:
        history.go_through(plan.moves)
        return history.digest()
    finally:
        history.world.close()


_FIRST: Final = 52
_NEXT: Final = 24
_SMALL: Final = (
    "kill",
    "pause-and-follow",
    "lose-answer",
    "lose-call",
    "remove-in-portal",
    "delete-target",
    "delete-pending",
    "damage-target",
    "delete",
)
_SMALL_FEDERATED: Final = (
    "kill",
    "pause-and-follow",
    "lose-answer",
    "lose-call",
    "remove-in-portal",
    "edit-account",
    "edit-trust",
    "delete",
)
