"""What scenes share: waiting in bounds, and counting what was asked of others."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, TypeAlias

from bench.counters import Requests
from bench.fleet import Member
from bench.installation import Installation

Value: TypeAlias = tuple[str, float, float | None]
"""What, the value, the most that is wanted."""
Say: TypeAlias = Callable[[str], None]
Play: TypeAlias = Callable[[Installation, Say], list[Value]]

WRITES_A_SECOND: Final = 20.0
"""Of Graph, for one application and tenant: Microsoft's published quota."""
_TOLD: Final = 15.0


def patience(size: int) -> float:
    """Return the seconds after which a scene is given up: far more than the quota asks for."""
    return 300.0 + size / 4


def until(
    holds: Callable[[], bool],
    began: float,
    seconds: float,
    *,
    step: float = 0.05,
    tell: Callable[[float], None] | None = None,
) -> float:
    """Return after how many seconds something held; nan if it did not in time.

    Args:
        holds: is asked every `step` seconds.
        began: on the monotonic clock; the seconds count from here.
        seconds: is waited at most.
        step: between two questions.
        tell: gets the seconds that passed, now and then.
    """
    told = time.monotonic()
    while (now := time.monotonic()) - began < seconds:
        if holds():
            return time.monotonic() - began
        if tell is not None and now - told > _TOLD:
            told = now
            tell(now - began)
        time.sleep(step)
    return math.nan


def settle(site: Installation, say: Say) -> None:
    """Wait until no more is written for a while; at most two minutes."""
    say("waiting until it is quiet")
    quiet, last = time.monotonic(), Requests.of(site.metrics()).writes
    end = quiet + 120
    while time.monotonic() < min(quiet + site.patience.quiet, end):
        time.sleep(1)
        now = Requests.of(site.metrics()).writes
        if now != last:
            quiet, last = time.monotonic(), now


def observes(site: Installation, member: Member) -> bool:
    """Whether a resource's status is about its present generation."""
    document = site.state(member)
    generation = document["metadata"]["generation"]
    return bool((document.get("status") or {}).get("observedGeneration") == generation)


def asked(requests: Requests, per: int = 1) -> list[Value]:
    """Return the requests by operation and by verb.

    Args:
        requests: of one scene.
        per: they are divided by this, such as the size of a fleet.
    """
    each = " each" if per > 1 else ""
    graph: list[Value] = [
        (f"Graph: {name}{each}", n / per, None) for name, n in sorted(requests.graph.items())
    ]
    verbs = sorted(requests.kubernetes.items())
    cluster: list[Value] = [(f"Kubernetes: {verb}{each}", n / per, None) for verb, n in verbs]
    graph += [(f"Graph: answers {code}", requests.answers[code], None) for code in ("409", "429")]
    return [*graph, *cluster, ("Kubernetes: answers 409", requests.cluster_answers["409"], None)]
