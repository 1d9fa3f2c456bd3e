"""What `decide` can ask for to restart workloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from appcredential.domain.observed.workloads import Selection, Workload


@dataclass(frozen=True, slots=True)
class ReadWorkloads:
    """List the namespace's workloads that are to be restarted."""

    selection: Selection


@dataclass(frozen=True, slots=True)
class RestartWorkload:
    """Have a workload replace its pods, in its own rolling way."""

    workload: Workload


RestartAction: TypeAlias = ReadWorkloads | RestartWorkload
