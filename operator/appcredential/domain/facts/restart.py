"""The restart of workloads after a publish: when it begins, and how far it is. Pure.

The target Secret records the publish for which workloads are to be restarted, until they are. The
pod templates record when they were. So whoever comes next goes on where another process ended, and
what two AppCredentials ask for at the same time is one restart.

Times of pod templates are by the API server's clock, as the creation of pods is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.rolled_out import last_time, surely_read
from appcredential.domain.facts.windows import is_doubtful
from appcredential.domain.observed.target import Retiring
from appcredential.domain.observed.workloads import (
    MAX_SELECTED,
    Progress,
    SeenWorkloads,
    Selection,
    Workload,
)
from appcredential.domain.promised import required

_DELAY: Final = timedelta(minutes=3)
"""After the last publish: a minute for kubelets, and publishes within two are one restart."""
_PATIENCE: Final = timedelta(minutes=15)
_PATIENCE_PER_POD: Final = timedelta(minutes=5)
_LONGEST: Final = timedelta(days=1)
"""After so long a rollout counts as failed, however many pods there are."""


class Stop(Enum):
    """Why a restart does not go on by itself."""

    FAILED = auto()
    OVERDUE = auto()
    UNDONE = auto()
    HELD = auto()
    TOO_MANY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How far a restart is by the last look, and what comes next.

    Attributes:
        workloads: how many are selected.
        restarted: how many of them run with pods from after the publish.
        under_way: the one that is waited for.
        stop: why nothing more is restarted; of HELD, why it does not become complete.
        stopped_by: the workloads that this is about.
        next: the one to restart now.
    """

    workloads: int
    restarted: int
    under_way: Workload | None = None
    stop: Stop | None = None
    stopped_by: tuple[Workload, ...] = ()
    next: Workload | None = None

    @property
    def is_complete(self) -> bool:
        """All workloads run with pods from after the publish."""
        return self.stop is None and self.restarted == self.workloads


def is_restart_open(facts: Facts) -> bool:
    """Return whether workloads are still to be restarted for what was published."""
    return _since(facts) is not None and facts.spec.rotation.restart is not None


def may_be_held(facts: Facts, entry: Retiring) -> bool:
    """Return whether workloads that are still to be restarted may hold what an entry is about."""
    since = _since(facts)
    return is_restart_open(facts) and since is not None and entry.since >= since


def selection(facts: Facts) -> Selection:
    """Return which workloads are to be restarted."""
    labels = required(facts.spec.rotation.restart).labels
    return Selection(secret="" if labels else facts.spec.secret.name, labels=labels)


def seen_workloads(facts: Facts) -> SeenWorkloads | None:
    """Return the last look at them."""
    seen = facts.observation.restarts.seen
    return seen if seen is not None and seen.selection == selection(facts) else None


def unreadable_workloads(facts: Facts) -> Problem | None:
    """Return why the last look showed nothing."""
    seen = seen_workloads(facts)
    return seen.found if seen is not None and isinstance(seen.found, Problem) else None


def begin_time(facts: Facts) -> datetime:
    """Return from when on workloads may be restarted, by our clock.

    The settle time is for clocks that differ by seconds: else a restart might seem to be too early.
    """
    by_entra = required(_since(facts)) + _DELAY - (facts.entra_now - facts.now)
    by_cluster = _covering_time(facts) + facts.settings.settle - _cluster_skew(facts)
    return max(by_entra, by_cluster)


def is_restart_safe(facts: Facts) -> bool:
    """Return whether pods that start now surely find a credential that works.

    Anything that speaks against what is published keeps the pods that run.
    """
    if not facts.is_granted or not facts.has_valid_published or facts.now < begin_time(facts):
        return False
    return not is_doubtful(facts, required(facts.published))


def restart_plan(facts: Facts) -> Plan | None:
    """Return how far the restart is; None while that is not known."""
    seen = seen_workloads(facts)
    if seen is None or isinstance(seen.found, Problem):
        return None
    found = seen.found
    if len(found) > MAX_SELECTED:
        return Plan(workloads=len(found), restarted=0, stop=Stop.TOO_MANY)
    covered = [w for w in found if _is_covered(facts, w)]
    left = [w for w in found if w not in covered]
    done, number = sum(w.progress is Progress.COMPLETE for w in covered), len(found)
    under_way = _first([*covered, *_still_rolling(facts, left)], Progress.UNDER_WAY)
    for stop, workload in _stops(facts, covered, left):
        return Plan(workloads=number, restarted=done, stop=stop, stopped_by=(workload,))
    if under_way is not None:
        return Plan(workloads=number, restarted=done, under_way=under_way)
    if (ready := [w for w in left if not w.is_paused]) != []:
        return Plan(workloads=number, restarted=done, next=ready[0])
    held = (*left, *(w for w in covered if w.progress is Progress.HELD))
    if held:
        return Plan(workloads=number, restarted=done, stop=Stop.HELD, stopped_by=held)
    return Plan(workloads=number, restarted=done)


def next_workload_look(facts: Facts) -> datetime | None:
    """Return when to look at the workloads again; None while something else has to come first.

    The longer a rollout takes, the longer the pause.
    """
    seen, plan, policy = seen_workloads(facts), restart_plan(facts), facts.settings
    if seen is None:
        return None
    if plan is None:
        problem = required(unreadable_workloads(facts))
        return seen.time + (policy.secret_check if problem.stalled else policy.settle)
    if plan.under_way is not None:
        waits = seen.time + _cluster_skew(facts) - _restarted_at(facts, plan.under_way)
        return seen.time + min(max(waits / 4, policy.settle / 3), policy.secret_check)
    return None if plan.stop is None else seen.time + policy.secret_check


def _since(facts: Facts) -> datetime | None:
    return facts.target.restart_since if facts.target is not None else None


def _cluster_skew(facts: Facts) -> timedelta:
    return facts.observation.cluster_skew or timedelta(0)


def _covering_time(facts: Facts) -> datetime:
    """Return from when on a pod that is created surely reads what was published.

    It is the time from which on pods hold no replaced credential any more, so that a restart ends
    what a look at pods waits for.
    """
    since = required(_since(facts))
    replaced = (last_time(facts, r) for r in facts.retiring if r.since <= since)
    return max([surely_read(facts, since, timedelta(0)), *replaced])


def _is_covered(facts: Facts, workload: Workload) -> bool:
    """Return whether a workload was restarted for what is published."""
    return any(stamp >= _covering_time(facts) for stamp in _believed(facts, workload))


def _restarted_at(facts: Facts, workload: Workload) -> datetime:
    """Return when a workload was restarted that was."""
    return max(_believed(facts, workload))


def _believed(facts: Facts, workload: Workload) -> Iterator[datetime]:
    """Yield when a workload was restarted. Who writes a time that lies ahead restarts nothing then.

    Two replicas may differ by seconds in what they know of the API server's clock.
    """
    latest = facts.now + _cluster_skew(facts) + facts.settings.settle
    return (stamp for stamp in workload.stamps if stamp <= latest)


def _stops(
    facts: Facts, covered: list[Workload], left: list[Workload]
) -> Iterator[tuple[Stop, Workload]]:
    """Yield what keeps the rest from being restarted."""
    for workload in covered:
        if workload.progress is Progress.FAILED:
            yield Stop.FAILED, workload
        elif workload.progress is Progress.UNDER_WAY and _is_overdue(facts, workload):
            yield Stop.OVERDUE, workload
    patched = facts.observation.restarts.patched
    for workload in left:
        if workload.uid in patched and patched[workload.uid] >= _covering_time(facts):
            yield Stop.UNDONE, workload


def _still_rolling(facts: Facts, left: list[Workload]) -> list[Workload]:
    """Return those that were restarted for an earlier publish, and may still become complete."""
    return [w for w in left if any(_believed(facts, w)) and not _is_overdue(facts, w)]


def _is_overdue(facts: Facts, workload: Workload) -> bool:
    patience = min(_PATIENCE + _PATIENCE_PER_POD * min(workload.pods, 1000), _LONGEST)
    return facts.now + _cluster_skew(facts) >= _restarted_at(facts, workload) + patience


def _first(workloads: list[Workload], progress: Progress) -> Workload | None:
    return next((w for w in workloads if w.progress is progress), None)
