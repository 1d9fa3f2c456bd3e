"""The workloads of a namespace that are to be restarted, as they were listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from appcredential.domain.conditions import Problem

MAX_SELECTED: Final = 100
"""So many workloads are restarted for one resource at most: a wrong selector has a bound."""
MAX_LISTED: Final = 2000
"""So many workloads of a namespace are looked at."""


class WorkloadKind(StrEnum):
    """Kinds that replace their pods in a way of their own when the pod template changes."""

    DAEMON_SET = "DaemonSet"
    DEPLOYMENT = "Deployment"
    ROLLOUT = "Rollout"
    STATEFUL_SET = "StatefulSet"


class Progress(StrEnum):
    """How far a workload is with the pods of its present template."""

    COMPLETE = "Complete"
    UNDER_WAY = "UnderWay"
    FAILED = "Failed"
    HELD = "Held"
    """It leaves some pods to a person: `OnDelete`, or a partition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A workload that is to be restarted.

    Attributes:
        stamps: when its pod template says that it was restarted, by this operator or by
            `kubectl rollout restart`.
        pods: how many it shall have.
        is_paused: whether it replaces no pods for now.
    """

    kind: WorkloadKind
    name: str
    uid: str
    resource_version: str
    stamps: tuple[datetime, ...]
    progress: Progress
    pods: int
    is_paused: bool = False

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which workloads are asked for: those with all labels, or without any those that use a Secret.

    Attributes:
        secret: its name.
        labels: in order.
    """

    secret: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenWorkloads:
    """The outcome of a look at the workloads of a namespace.

    Attributes:
        time: when the look ended.
        found: all that are selected, by kind and name; or why nothing is known. Stalled: a person
            must act.
    """

    selection: Selection
    time: datetime
    found: tuple[Workload, ...] | Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarts:
    """What this process knows of the restart of a resource's workloads.

    Attributes:
        seen: the last look at them; None before the first one.
        is_awaited: a look was asked for, and its answer is to come.
        patched: when this process restarted them, by uid and by the API server's clock.
    """

    seen: SeenWorkloads | None = None
    is_awaited: bool = False
    patched: Mapping[str, datetime] = field(default_factory=dict)
