"""What is kept of a look at pods: those that may hold a replaced credential. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.rolled_out import laggards
from appcredential.domain.observed.pods import PodUsers, SeenPods

_MARGIN: Final = timedelta(hours=1)
"""By so much the API server's clock may yet turn out to be ahead: such pods may count later."""
_NONE: Final = timedelta(0)


def only_laggards(facts: Facts, seen: SeenPods) -> SeenPods:
    """Return a look without the pods that hold none of the credentials that were replaced."""
    if isinstance(seen.found, Problem):
        return seen
    ahead = (facts.observation.cluster_skew or _NONE) + _MARGIN
    widely = replace(facts, observation=replace(facts.observation, pods=seen, cluster_skew=ahead))
    held = {pod for entry in facts.retiring for pod in laggards(widely, entry)}
    users = tuple(pod for pod in seen.found.users if pod in held)
    # Those that were not kept of a long list are younger than all that were.
    more = seen.found.more if len(users) == len(seen.found.users) else 0
    return replace(seen, found=PodUsers(users=users, more=more))
