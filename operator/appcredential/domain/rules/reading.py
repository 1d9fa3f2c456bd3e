"""What several rules share: when to read again, and which of several actions is due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from appcredential.domain.actions import Action, ReadApplication
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.memory import READ_SPACING
from appcredential.domain.observed.observation import Observation


def next_spaced_read(facts: Facts) -> datetime:
    """Return when the application may be read again; another replica may answer by then."""
    return facts.application.read_time + READ_SPACING


def first_due(found: Iterable[Action | None]) -> Action | None:
    """Return the first action that is due; None when all of them wait."""
    return next((action for action in found if action is not None), None)


def read_again(facts: Facts, max_age: timedelta) -> Action | None:
    """Return a read of the application; None while calls to Graph have to wait."""
    return None if facts.is_paused else ReadApplication(max_age)


def read_to_cure(facts: Facts, problem: Problem) -> Action | None:
    """Return a read if somebody may have cured the problem in Entra meanwhile."""
    soon = facts.settings.arrival_grace
    is_old = facts.now - facts.application.read_time >= soon
    if problem.reason is Reason.NOT_MULTI_TENANT and is_old and not facts.is_paused:
        return ReadApplication(soon / 2)
    return None


def cure_time(facts: Facts) -> datetime:
    """Return when to look again at a trust that is not possible yet."""
    return facts.now + facts.settings.arrival_grace


def next_check(facts: Facts, *, is_well: bool) -> datetime:
    """Return when to check a resource for which nothing is due.

    Looks tell of each change of what the cluster holds. Only where something is in the way of what
    the spec asks for, time alone may change what is true.
    """
    is_quiet = is_well and facts.is_granted and facts.refusal is None
    policy = facts.settings
    return facts.now + (policy.full_check if is_quiet else policy.secret_check)


def soonest(observation: Observation, times: list[datetime]) -> datetime:
    """Return the earliest future time: a rule with a past one waits for something else."""
    return min(
        (t for t in times if t > observation.now),
        default=observation.now + observation.settings.secret_check,
    )
