"""Killed at any effect, the operator ends where an undisturbed one does, and nobody notices."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, TypeAlias

import pytest

from tests.process.conftest import NewSite
from tests.process.installation import SETTINGS, Site
from tests.process.operators import Operator
from tests.process.waiting import wait_for
from tests.process.watching import Watcher
from tests.process.workloads import Workload

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.cluster, pytest.mark.process]

AT_ONCE: Final = 8
PATIENCE: Final = 60.0
IN_FLIGHT: Final = frozenset(
    {
        "finalizer",
        "intent",
        "addPassword",
        "minted",
        "target",
        "removePassword",
        "delete pending",
        "ticket",
        "release finalizer",
        "delete target",
        "delete ticket",
    }
)
"""Effects at which the process also dies before it has the answer."""


@dataclass(frozen=True)
class Point:
    """Where the process dies: at the n-th such effect of a story."""

    effect: str
    occurrence: int
    how: str

    @property
    def costs(self) -> int:
        """How many credentials may be made in vain: only a value that nobody has is lost.

        A process that is asked to end stores what it is about to get.
        """
        return int(self.effect == "addPassword" and self.how != "terminate")

    def __str__(self) -> str:
        return f"{self.how} at {self.effect} {self.occurrence}"


Act: TypeAlias = Callable[[Workload], None]


def _delete_with_a_successor_on_its_way(workload: Workload) -> None:
    """Delete in the middle of a rotation, so that there are two credentials and P to remove."""
    workload.rule("token-error", "token", code=7000215)
    workload.rotate()
    wait_for(lambda: workload.pending().get("data"), "a stored successor", 20, workload.describe)
    workload.delete()


STORIES: Final[dict[str, tuple[Act, Callable[[Workload], bool]]]] = {
    "issue": (Workload.create, Workload.is_settled),
    "rotation": (Workload.rotate, Workload.is_settled),
    "deletion": (_delete_with_a_successor_on_its_way, Workload.is_gone),
}
MINTS: Final = {"issue": 1, "rotation": 2, "deletion": 3}


@dataclass(frozen=True)
class Undisturbed:
    """What an operator does, and where it ends, when nobody kills it."""

    points: dict[str, list[Point]]
    shapes: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def undisturbed(new_site: NewSite) -> Undisturbed:
    """Live through all stories once without a crash."""
    points: dict[str, list[Point]] = {}
    shapes: dict[str, dict[str, Any]] = {}
    site = new_site()
    with site.operator() as operator:
        workload = Workload(site, "orders")
        for story in STORIES:
            begun = time.monotonic()
            _tell(operator, workload, story, None)
            points[story] = _points_of(story, operator, begun)
            shapes[story] = workload.shape()
        assert workload.asked_for() == MINTS["deletion"]
    return Undisturbed(points, shapes)


def _points_of(story: str, operator: Operator, since: float) -> list[Point]:
    """Return where the story can be interrupted, by the record of an operator that told it."""
    done = [one.effect for one in operator.effects(since) if one.phase == "done"]
    if story == "deletion":
        done = done[done.index("ticket") :]
    seen: Counter[str] = Counter()
    found: list[Point] = []
    for effect in done:
        seen[effect] += 1
        hows = ("kill", "kill in flight") if effect in IN_FLIGHT else ("kill",)
        found += [Point(effect, seen[effect], how) for how in hows]
    return found


def _tell(operator: Operator, workload: Workload, story: str, point: Point | None) -> bool:
    """Let a story happen, with a crash at a point, until its end and quiet.

    Returns:
        Whether it crashed. A story takes a sign-in or a write more or less each time it is
        told, so the last of many may not come; the caller sees to it that each kind did.
    """
    act, is_over = STORIES[story]
    if point is not None:
        operator.arm(point.effect, point.occurrence, point.how)
    act(workload)

    def is_past() -> bool:
        return not operator.is_alive() or (is_over(workload) and operator.is_quiet(3))

    has_crashed = False
    if point is not None:
        wait_for(is_past, "the crash", PATIENCE, workload.describe)
        has_crashed = _has_ended(operator, point)
        operator.disarm()
        if has_crashed:
            operator.restart()
    wait_for(lambda: is_over(workload), f"the end of {story}", PATIENCE, workload.describe)
    wait_for(lambda: operator.is_quiet(1), "quiet", PATIENCE, operator.child.tail)
    return has_crashed


def _has_ended(operator: Operator, point: Point) -> bool:
    """Tell whether the process has ended; one that was asked to finishes what it does first."""
    if point.how == "terminate" and operator.is_ending():
        wait_for(lambda: not operator.is_alive(), "an orderly end", PATIENCE, operator.child.tail)
    return not operator.is_alive()


class Life:
    """A workload that lives through all stories, with one crash in each."""

    def __init__(self, site: Site, expected: Undisturbed, crashes: dict[str, Point | None]) -> None:
        self._site = site
        self._expected = expected
        self._crashes = crashes
        self._allowed = 0
        self.met: set[tuple[str, str, str]] = set()
        """Story, effect and way of each crash that came."""

    def run(self) -> list[str]:
        """Return what went wrong."""
        with self._site.operator() as operator:
            workload = Workload(self._site, "orders")
            return [
                f"{story}, {point}: {text}"
                for story, point in self._crashes.items()
                for text in self._chapter(operator, workload, story, point)
            ]

    def _chapter(
        self, operator: Operator, workload: Workload, story: str, point: Point | None
    ) -> Iterator[str]:
        with ExitStack() as stack:
            watcher = Watcher(workload) if story == "rotation" else None
            if watcher is not None:
                stack.enter_context(watcher)
            if _tell(operator, workload, story, point) and point is not None:
                self.met.add((story, point.effect, point.how))
        yield from _watched(watcher) if watcher is not None else ()
        yield from self._compare(workload, story)
        self._allowed += 1 + (point.costs if point is not None else 0)
        if workload.asked_for() > self._allowed:
            yield f"{workload.asked_for()} credentials were made"

    def _compare(self, workload: Workload, story: str) -> Iterator[str]:
        seen, expected = workload.shape(), self._expected.shapes[story]
        if seen != expected:
            yield f"{seen} instead of {expected}"
        if story != "deletion":
            with workload.sign_ins() as sign_ins:
                refusal = sign_ins.refusal(workload.value())
            if refusal:
                yield f"the published value is refused: {refusal}"


def _watched(watcher: Watcher) -> list[str]:
    is_watched = watcher.tries > 10
    return watcher.clashes if is_watched else ["hardly a sign-in was tried", *watcher.clashes]


def test_killed_at_any_effect_nothing_is_lost(new_site: NewSite, undisturbed: Undisturbed) -> None:
    """Issue, rotation and deletion: each life dies once in each of them."""
    points = undisturbed.points
    assert {"finalizer", "intent", "addPassword", "minted", "target"} <= _effects(points["issue"])
    assert {"intent", "addPassword", "minted", "removePassword"} <= _effects(points["rotation"])
    assert {"ticket", "release finalizer", "delete target"} <= _effects(points["deletion"])
    _live(new_site, undisturbed, points)


def test_asked_to_end_at_any_effect_nothing_is_lost(
    new_site: NewSite, undisturbed: Undisturbed
) -> None:
    """The same with SIGTERM in the middle of each kind of effect, as in a rollout or a drain."""
    points = {
        story: [Point(effect, 1, "terminate") for effect in sorted(_effects(found))]
        for story, found in undisturbed.points.items()
    }
    _live(new_site, undisturbed, points)


def _live(new_site: NewSite, undisturbed: Undisturbed, points: dict[str, list[Point]]) -> None:
    """Live lives until each point of each story was met."""
    rows = zip_longest(*(points[story] for story in STORIES))
    lives = [Life(new_site(), undisturbed, dict(zip(STORIES, row, strict=True))) for row in rows]
    log.info("%d points in %d lives", sum(map(len, points.values())), len(lives))
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        results = list(pool.map(Life.run, lives))
    wrong = [text for found in results for text in found]
    assert not wrong, "\n".join(wrong)
    wanted = {(story, one.effect, one.how) for story in STORIES for one in points[story]}
    assert not wanted - {one for life in lives for one in life.met}, "a kind of crash never came"


def _effects(points: list[Point]) -> set[str]:
    return {point.effect for point in points}


def test_an_operator_without_an_overlap_is_caught(site: Site) -> None:
    """The watching workload of the test above does notice a credential that goes too early."""
    with site.operator(settings={**SETTINGS, "INSTRUMENTED_BREAK": "hasty"}):
        workload = Workload(site, "orders")
        workload.issue()
        with Watcher(workload) as watcher:
            workload.rotate()
            wait_for(lambda: watcher.clashes, "a refused sign-in", PATIENCE, workload.describe)
        assert watcher.clashes[0].startswith("the loaded value was refused")
