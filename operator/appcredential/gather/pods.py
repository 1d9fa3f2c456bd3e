"""Looks at the pods of a namespace for all who ask."""

from __future__ import annotations

from collections.abc import Callable

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.pods import SeenPods
from appcredential.domain.status.problems_kube import PODS_TOO_SLOW, pods_problem
from appcredential.gather.namespace_lists import NamespaceLists
from appcredential.ports.kube import Pods
from appcredential.ports.local import Clock

_Secrets = frozenset[str]


class PodLooks(NamespaceLists[_Secrets, SeenPods]):
    """Says which pods of a resource's namespace use one of some Secrets, or why that is unknown.

    Args:
        wake: told of each resource whose answer has come.
    """

    def __init__(self, pods: Pods, clock: Clock, wake: Callable[[Owner], None]) -> None:
        super().__init__(clock, wake)
        self._pods = pods

    async def _read(self, namespace: str, asked: frozenset[_Secrets]) -> dict[_Secrets, SeenPods]:
        began = self._clock.now()
        found = await self._in_time(
            namespace,
            self._pods.users(namespace, asked),
            pods_problem,
            PODS_TOO_SLOW,
            what="pods",
        )
        ended = self._clock.now()
        return {
            secrets: SeenPods(
                secrets=secrets,
                began=began,
                time=ended,
                found=found if isinstance(found, Problem) else found[secrets],
            )
            for secrets in asked
        }
