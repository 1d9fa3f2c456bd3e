"""What docs/troubleshooting.md quotes of pods that may use a replaced credential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.pods import PodUser, SeenPods
from appcredential.domain.promised import required
from appcredential.domain.spec.restart import RestartSpec
from appcredential.domain.status.problems_kube import PODS_FORBIDDEN, PODS_UNAVAILABLE
from appcredential.domain.status.retiring import failing_pods
from tests.domain.rules.test_rolled_out import due, seen, unread
from tests.support.builders import NOW, OLD, facts

_PODS: Final = seen(*[PodUser(NOW - timedelta(days=41), "Deployment/orders")] * 2)


def _shown(message: str) -> Problem:
    return Problem(reason=Reason.PODS_UNREADABLE, message=message)


def _waiting_for(pods: SeenPods) -> Callable[[], Problem]:
    return lambda: _shown(decide(due(pods)).status["retiring"][0]["waitingFor"])


def _held_by_a_restart() -> Problem:
    o = due(None)
    target, spec = required(o.target), o.usable_spec
    asks = replace(spec, rotation=replace(spec.rotation, restart=RestartSpec()))
    o = replace(o, target=replace(target, restart_since=NOW - timedelta(hours=1)))
    o = replace(o, resource=replace(o.resource, spec=asks))
    return _shown(decide(o).status["retiring"][0]["waitingFor"])


OF_PODS: Final[dict[str, Callable[[], Problem]]] = {
    "Deployment/orders: 2 pods, oldest 41d": _waiting_for(_PODS),
    "its own end: pods cannot be read": _waiting_for(unread(PODS_FORBIDDEN)),
    "a list of the pods": _waiting_for(unread(PODS_UNAVAILABLE)),
    "the restart of workloads": _held_by_a_restart,
    "PodsUnreadable": lambda: PODS_FORBIDDEN,
    "Pods from before the publish can no longer sign in": lambda: _shown(
        failing_pods(facts(due(None)), OLD, _PODS)
    ),
}
