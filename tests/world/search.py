"""Finds histories that break a promise: at random, and all of a small world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.world.events import (
    BROUGHT,
    COMMON,
    FEDERATED,
    MOVED,
    WITH_PODS,
    WITH_SECRET,
    WITH_WINDOWS,
    WITH_WORKLOADS,
    Event,
)
from tests.world.histories import History, Move, Plan
from tests.world.observer import BrokenPromiseError
from tests.world.scenes import SCENES, WALKED, Scene

_SOON: Final = 6
_SPREAD: Final = 45


@dataclass(slots=True)
class Count:
    """What a search saw.

    Attributes:
        known: how many were left because another one had led to the same state.
        judged: of each event, how often each oracle judged a history in which it happened.
        events: in how many histories each event happened.
        broken: the histories that broke a promise, with what.
    """

    histories: int = 0
    states: int = 0
    known: int = 0
    judged: dict[str, dict[str, int]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    scenes: dict[str, int] = field(default_factory=dict)
    broken: list[tuple[Plan, str, str]] = field(default_factory=list)

    def take(self, other: Count) -> None:
        """Add what another search saw."""
        self.histories += other.histories
        self.known += other.known
        self.states += other.states
        _add(self.events, other.events)
        _add(self.scenes, other.scenes)
        for event, asked in other.judged.items():
            _add(self.judged.setdefault(event, {}), asked)
        self.broken += other.broken

    def play(self, plan: Plan, known: set[int] | None = None) -> bool:
        """Play one history, and count it.

        Args:
            plan: the history.
            known: digests of states; one that is reached again is not played any further, and
                does not count. New ones are added.

        Returns:
            Whether it counts.
        """
        history = History(SCENES[plan.scene])

        def is_new(state: int) -> bool:
            if known is None:
                return True
            found = state not in known
            known.add(state)
            return found

        try:
            if not history.play(plan.moves, is_new):
                self.known += 1
                return False
        except BrokenPromiseError as exc:
            self.broken.append((plan, exc.oracle, exc.what))
        self.histories += 1
        self.states += history.world.steps
        self.scenes[plan.scene] = self.scenes.get(plan.scene, 0) + 1
        for event in {move.event for move in plan.moves}:
            _add(self.events, {event: 1})
            _add(self.judged.setdefault(event, {}), history.world.asked)
        return True


def _add(mine: dict[str, int], theirs: Mapping[str, int]) -> None:
    for name, number in theirs.items():
        mine[name] = mine.get(name, 0) + number


def events_of(scene: Scene) -> tuple[str, ...]:
    """Return the names of the events that mean something in a scene."""
    own: tuple[Event, ...] = FEDERATED if scene.is_federated else WITH_SECRET
    own += BROUGHT * 3 if scene.is_brought else ()
    own += WITH_WORKLOADS * 2 if scene.has_restarts else WITH_PODS * 2 if scene.has_pods else ()
    own += MOVED * 15 if scene.is_adopting else ()
    own += WITH_WINDOWS * 3 if scene.has_windows else ()
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


def breadth_first(scene: str, *, depth: int, most: int, count: Count) -> None:
    """Play all short histories of a small world, each event at each step, those before first.

    Args:
        scene: where they begin.
        depth: how many events they have.
        most: how many histories are played.
        count: takes up what was seen.
    """
    front, known = [Plan(scene)], set[int]()
    for _ in range(depth):
        longer: list[Plan] = []
        for plan in front:
            left = most - count.histories
            longer += extended(plan, count, known=known, most=left)
        front = longer


def extended(
    plan: Plan, count: Count, *, known: set[int], most: int, part: slice = slice(None)
) -> list[Plan]:
    """Play a history of a small world with each event that it may go on with, at each step.

    Two histories that led to the same state of Entra, the cluster and the operator's own
    knowledge go on alike, so only the first counts.

    Args:
        plan: the history.
        count: takes up what was seen.
        known: digests of the states that were reached before; takes up the new ones.
        most: how many histories are played.
        part: which of the moves.

    Returns:
        The longer histories that were played.
    """
    played: list[Plan] = []
    for move in list(small_moves(SCENES[plan.scene], is_first=not plan.moves))[part]:
        if len(played) >= most:
            break
        longer = Plan(plan.scene, (*plan.moves, move))
        if count.play(longer, known):
            played.append(longer)
    return played


def small_moves(scene: Scene, *, is_first: bool) -> Iterator[Move]:
    """Yield the moves of a small world: each event that changes something, soon or later."""
    stretch = range(_FIRST) if is_first else range(0, _NEXT, 2)
    events = _SMALL_FEDERATED if scene.is_federated else _SMALL
    events += ("renew-source",) if scene.is_brought else ()
    events += ("move-here",) if scene.is_adopting else ()
    events += ("roll-out", "hide-pods") if scene.has_pods else ()
    events += ("break-rollouts", "replace-workload") if scene.has_restarts else ()
    for steps in stretch:
        for event in events:
            yield Move(steps, event, 2)


_FIRST: Final = 52
_NEXT: Final = 24
_SMALL: Final[tuple[str, ...]] = (
    "kill",
    "pause-and-follow",
    "lose-answer",
    "lose-call",
    "remove-in-portal",
    "delete-target",
    "delete-pending",
    "damage-target",
    "delete",
    "rotate",
)
_SMALL_FEDERATED: Final[tuple[str, ...]] = (
    "kill",
    "pause-and-follow",
    "lose-answer",
    "lose-call",
    "remove-in-portal",
    "edit-account",
    "edit-trust",
    "delete",
)
