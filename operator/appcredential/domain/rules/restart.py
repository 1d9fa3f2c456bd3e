"""The rule that restarts workloads once they surely read what was published."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.actions import Action, SignInPublished
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.restart import (
    begin_time,
    is_restart_open,
    is_restart_safe,
    next_workload_look,
    restart_plan,
    seen_workloads,
    selection,
)
from appcredential.domain.facts.restart_window import restart_opening
from appcredential.domain.observed.workloads import Workload
from appcredential.domain.restart_actions import ReadWorkloads, RestartWorkload
from appcredential.domain.rules.survivor import may_sign_in, signs_in
from appcredential.domain.rules.target import write_target


def workloads_are_to_be_restarted(facts: Facts) -> Action | None:
    """21a: restart workloads for the last publish, one after the other, and note that it is done.

    Nothing is due while a list of them is to come: it has the resource looked at again.
    """
    if not is_restart_open(facts) or not is_restart_safe(facts):
        return None
    if facts.observation.restarts.is_awaited:
        return None
    look, again = ReadWorkloads(selection(facts)), next_workload_look(facts)
    if seen_workloads(facts) is None or (again is not None and facts.now >= again):
        return look
    plan = restart_plan(facts)
    if plan is None:
        return None
    if plan.is_complete:
        return write_target(facts, "workloads restarted", is_restarted=True)
    return None if plan.next is None else _restart(facts, plan.next)


def _restart(facts: Facts, workload: Workload) -> Action | None:
    """Restart a workload in a window, by a fresh look, and after a sign-in with what it will read.

    No sign-in is possible with a certificate whose private key is elsewhere.
    """
    if restart_opening(facts) is not None:
        return None
    if facts.can_published_sign_in and not signs_in(facts, facts.settings.proof_max_age):
        return SignInPublished() if may_sign_in(facts) else None
    seen = seen_workloads(facts)
    if seen is None or facts.now - seen.time > facts.settings.freshness:
        return ReadWorkloads(selection(facts))
    return RestartWorkload(workload)


def restart_times(facts: Facts) -> list[datetime]:
    """Return when this rule may match that does not match now."""
    if not is_restart_open(facts):
        return []
    times, opening = [begin_time(facts)], restart_opening(facts)
    if opening is not None:
        times.append(opening.opens - (facts.entra_now - facts.now))
    look, plan = next_workload_look(facts), restart_plan(facts)
    if look is not None:
        times.append(look)
    if plan is not None and plan.next is not None and opening is None:
        times.append(facts.now + facts.settings.settle)  # a sign-in failed, and is tried again
    return times
