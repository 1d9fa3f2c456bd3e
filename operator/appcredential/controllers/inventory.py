"""When the next round over each tenant's applications begins, and what became of the last one.

Few applications are looked at often: how soon a round follows another comes from a budget and
from how many there are (`domain/inventory.py`). What a round shows only raises doubts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from appcredential.cache.store import Store
from appcredential.controllers.doubts import Doubts
from appcredential.controllers.inventory_round import Rounds
from appcredential.domain.conditions import Problem
from appcredential.domain.inventory import FLOOR, Budget
from appcredential.errors import AppCredentialError, ThrottledError
from appcredential.kube.custom_resources import TENANTS
from appcredential.ports.local import Clock
from appcredential.ports.session import Access
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.metrics import Metrics

log = logging.getLogger(__name__)

_LONGEST_PAUSE: Final = timedelta(hours=1)


class Subject(StrEnum):
    """What a round goes over."""

    APPLICATIONS = "applications"
    TRUSTS = "trusts"


@dataclass(slots=True)
class _Schedule:
    """The rounds over one subject of one tenant, by the monotonic clock.

    Attributes:
        due: when the next one begins.
        ended: when the last one ended well; before that, when they were begun.
        failing: the kind of error that ended the last one; empty when it ended well.
    """

    rounds: Rounds
    due: float
    ended: float
    failing: str = ""
    period: timedelta = FLOOR
    task: asyncio.Task[None] | None = None

    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()


@dataclass(slots=True, kw_only=True)
class Inventory:
    """Keeps rounds going for every tenant that can be used, each on its own.

    Attributes:
        access: returns a tenant that the operator can sign in to, or why there is none.
        guard: only the process that may act looks.
    """

    clock: Clock
    store: Store
    access: Callable[[str], Access | Problem]
    doubts: Doubts
    guard: EffectGuard
    budget: Budget
    metrics: Metrics
    _schedules: dict[tuple[str, Subject], _Schedule] = field(default_factory=dict)

    async def run_once(self) -> None:
        """Begin the rounds that are due; they go on by themselves."""
        if self.guard.problem() is not None:
            return
        names = {key.name for key in self.store.keys(TENANTS)}
        for name, subject in [one for one in self._schedules if one[0] not in names]:
            self._drop(name, subject)
        for name in names:
            access = self.access(name)
            if isinstance(access, Access):
                for subject in Subject:
                    self._begin(name, subject, access)
        self._show()

    async def close(self) -> None:
        """End all rounds."""
        running = [s.task for s in self._schedules.values() if s.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def finish(self) -> None:
        """Wait for the rounds that are under way."""
        running = [s.task for s in self._schedules.values() if s.task is not None]
        await asyncio.gather(*running)

    def _begin(self, name: str, subject: Subject, access: Access) -> None:
        now = self.clock.monotonic()
        schedule = self._schedules.get((name, subject))
        if schedule is None:
            rounds = Rounds(tenant=name, doubts=self.doubts, clock=self.clock)
            schedule = self._schedules[name, subject] = _Schedule(rounds, due=now, ended=now)
        if now >= schedule.due and not schedule.is_running():
            schedule.task = asyncio.create_task(
                self._round(subject, schedule, access), name=f"inventory of {name}: {subject}"
            )

    async def _round(self, subject: Subject, schedule: _Schedule, access: Access) -> None:
        begun, rounds = self.clock.monotonic(), schedule.rounds
        pause, kind = timedelta(0), ""
        try:
            async with asyncio.timeout((self.budget.ceiling + FLOOR).total_seconds()):
                if subject is Subject.APPLICATIONS:
                    rows = await rounds.applications(access.session)
                else:
                    rows = await rounds.trusts(access.session)
            schedule.period = self.budget.period(rows)
        except ThrottledError as exc:
            pause, kind = exc.retry_after, type(exc).__name__
            self._say(schedule, subject, exc)
        except (AppCredentialError, TimeoutError) as exc:
            kind = type(exc).__name__
            self._say(schedule, subject, exc)
        except Exception as exc:  # an outer guard: the next round may succeed
            kind = type(exc).__name__
            log.exception("a round broke", extra={"tenant": rounds.tenant, "subject": subject})
        schedule.failing = kind
        if not kind:
            schedule.ended = self.clock.monotonic()
        wait = max(schedule.period, min(pause, _LONGEST_PAUSE))
        schedule.due = begun + wait.total_seconds()

    def _say(self, schedule: _Schedule, subject: Subject, error: Exception) -> None:
        """Log why a round ended early, once until that changes."""
        if schedule.failing != type(error).__name__:
            told = {"tenant": schedule.rounds.tenant, "subject": str(subject), "error": str(error)}
            log.warning("a round over the tenant's applications ended early", extra=told)

    def _drop(self, name: str, subject: Subject) -> None:
        schedule = self._schedules.pop((name, subject))
        if schedule.task is not None:
            schedule.task.cancel()

    def _show(self) -> None:
        """Show how old each inventory is."""
        now, metrics = self.clock.monotonic(), self.metrics.inventory
        metrics.age.clear()
        metrics.applications.clear()
        for (name, subject), schedule in self._schedules.items():
            metrics.age.labels(name, str(subject)).set(now - schedule.ended)
            if subject is Subject.APPLICATIONS:
                way, count = schedule.rounds.way, schedule.rounds.count
                metrics.applications.labels(name, str(way)).set(count)
