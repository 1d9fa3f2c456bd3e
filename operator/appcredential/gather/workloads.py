"""Looks at the workloads of a namespace that are to be restarted, for all who ask."""

from __future__ import annotations

from collections.abc import Callable

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.workloads import SeenWorkloads, Selection
from appcredential.domain.status.problems_restart import (
    WORKLOADS_TOO_SLOW,
    workloads_problem,
)
from appcredential.errors import UnusableListError
from appcredential.gather.namespace_lists import NamespaceLists
from appcredential.ports.local import Clock
from appcredential.ports.workloads import Workloads


class WorkloadLooks(NamespaceLists[Selection, SeenWorkloads]):
    """Says which workloads of a resource's namespace are to be restarted, or why that is unknown.

    Args:
        wake: told of each resource whose answer has come.
    """

    def __init__(self, workloads: Workloads, clock: Clock, wake: Callable[[Owner], None]) -> None:
        super().__init__(clock, wake)
        self.workloads = workloads

    async def _read(
        self, namespace: str, asked: frozenset[Selection]
    ) -> dict[Selection, SeenWorkloads]:
        found = await self._in_time(
            namespace,
            self.workloads.selected(namespace, asked),
            workloads_problem,
            WORKLOADS_TOO_SLOW,
            what="workloads",
        )
        time = self._clock.now()
        seen = {}
        for selection in asked:
            answer = found if isinstance(found, Problem) else found[selection]
            if isinstance(answer, UnusableListError):
                answer = workloads_problem(answer)
            seen[selection] = SeenWorkloads(selection=selection, time=time, found=answer)
        return seen
