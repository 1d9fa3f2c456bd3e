"""What several rules share: when to read again, and the first of several that does not wait."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from appcredential.domain.actions import (
    Action,
    ReadApplication,
)
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.memory import READ_SPACING
from appcredential.domain.observed.observation import Observation


def next_spaced_read(facts: Facts) -> datetime:
    """Return when the application may be looked at once more, by another replica if possible."""
    return facts.application.read_time + READ_SPACING


def first_due(found: Iterable[Action | None]) -> Action | None:
    """Return the first that does not merely wait."""
    return next((action for action in found if action is not None), None)


def read_again(facts: Facts, max_age: timedelta) -> Action | None:
    """Read the application, unless the directory asked us to stay away: then just wait."""
    return None if facts.is_paused else ReadApplication(max_age)


def read_to_cure(facts: Facts, problem: Problem) -> Action | None:
    """Return a read where what cannot be trusted yet may have been cured in Entra meanwhile."""
    soon = facts.settings.arrival_grace
    is_old = facts.now - facts.application.read_time >= soon
    if problem.reason is Reason.NOT_MULTI_TENANT and is_old and not facts.is_paused:
        return ReadApplication(soon / 2)
    return None


def cure_time(facts: Facts) -> datetime:
    """Return when to look again for what cannot be trusted yet."""
    return facts.now + facts.settings.arrival_grace


def soonest(observation: Observation, times: list[datetime]) -> datetime:
    """Return the earliest future time; a past one means a rule waits on something unseen."""
    return min(
        (t for t in times if t > observation.now),
        default=observation.now + observation.settings.secret_check,
    )
