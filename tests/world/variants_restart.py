"""Operators that restart workloads wrongly, each by one small change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.facts import publication, restart
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.target import PendingState, Target
from appcredential.domain.observed.workloads import Progress
from appcredential.domain.rules import removal as removal_rules
from appcredential.domain.rules import restart as rule
from appcredential.kube import workloads as kube_workloads

Patch = pytest.MonkeyPatch


def before_publish(m: Patch) -> None:
    """Restart workloads as soon as a successor is issued, which nobody can read yet."""

    def target(facts: Facts) -> Target | None:
        found, pending = facts.observation.target, facts.observation.pending
        if found is None or pending is None or pending.state is not PendingState.MINTED:
            return found
        return replace(found, restart_since=facts.entra_now - timedelta(hours=1))

    m.setattr(Facts, "target", property(target))


def right_after_publish(m: Patch) -> None:
    """Wait for no kubelet."""
    m.setattr(restart, "_DELAY", timedelta(0))
    m.setattr(restart, "surely_read", lambda _f, since, _a: since)
    m.setattr(restart, "last_time", lambda _f, entry: entry.since)


def for_first_issue(m: Patch) -> None:
    """Restart workloads for a publish that replaced nothing."""
    m.setattr(publication, "_restart_since", lambda _f, _s, now: now)


def two_at_once(m: Patch) -> None:
    """Wait for no rollout."""
    m.setattr(restart, "_first", lambda _w, _p: None)


def failure_is_ignored(m: Patch) -> None:
    """Go on whatever fails."""
    m.setattr(restart, "_stops", lambda _f, _c, _l: iter(()))
    first = restart._first
    m.setattr(
        restart,
        "_first",
        lambda w, p: first([x for x in w if x.progress is not Progress.FAILED], p),
    )


def removal_does_not_wait(m: Patch) -> None:
    """Take a restart that is open for no reason to keep what was replaced."""
    m.setattr(removal_rules, "is_restart_open", lambda _facts: False)


def begun_is_complete(m: Patch) -> None:
    """Call a restart complete once each workload has begun its own."""
    plan_of = restart.restart_plan

    def plan(facts: Any) -> Any:
        found = plan_of(facts)
        if found is None or found.next is not None:
            return found
        return restart.Plan(workloads=found.workloads, restarted=found.workloads)

    m.setattr(rule, "restart_plan", plan)


def fought_over(m: Patch) -> None:
    """Restart again and again what somebody takes back."""
    stops = restart._stops
    m.setattr(
        restart,
        "_stops",
        lambda f, c, left: (s for s in stops(f, c, left) if s[0] is not restart.Stop.UNDONE),
    )


def time_ahead_counts(m: Patch) -> None:
    """Believe whatever time a pod template names."""
    m.setattr(restart, "_believed", lambda _facts, workload: iter(workload.stamps))


def without_sign_in(m: Patch) -> None:
    """Restart workloads without a sign-in with what they will read."""
    m.setattr(rule, "signs_in", lambda _facts, _age: True)


def anothers_annotation(m: Patch) -> None:
    """Write the annotation of `kubectl rollout restart`, which is not the operator's."""
    m.setattr(kube_workloads, "RESTARTED_AT", "kubectl.kubernetes.io/restartedAt")
