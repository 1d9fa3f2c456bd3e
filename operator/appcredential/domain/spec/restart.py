"""`spec.rotation.restart`: which workloads are restarted after a publish."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_LABELS: Final = 10


class RestartWorkloads(StrEnum):
    """`spec.rotation.restart.workloads`."""

    USING_SECRET = "UsingSecret"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartSpec:
    """Which workloads of the namespace are restarted.

    Attributes:
        labels: that the workloads have, in order; empty for those whose pods use the Secret.
    """

    labels: tuple[tuple[str, str], ...] = ()
