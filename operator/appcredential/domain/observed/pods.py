"""The pods of a namespace that use certain Secrets, as they were listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appcredential.domain.conditions import Problem

MAX_USERS: Final = 100
"""So many pods are kept of a list, the oldest: whether one is old, the oldest tells."""


@dataclass(frozen=True, slots=True, order=True)
class PodUser:
    """A pod that uses one of the Secrets and has not finished.

    Attributes:
        created: by the API server's clock.
        owner: kind and name of what it belongs to, such as `Deployment/orders`.
    """

    created: datetime
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodUsers:
    """What a whole list showed.

    Attributes:
        users: the oldest of them, oldest first.
        more: how many others there are.
    """

    users: tuple[PodUser, ...]
    more: int = 0


UsersBySecrets = Mapping[frozenset[str], PodUsers]
"""What one list showed of each set of Secrets that somebody asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPods:
    """The outcome of a look at the pods of a namespace.

    Attributes:
        secrets: names of the Secrets that were asked for.
        began: when the look began: it shows every pod that existed then.
        time: when it ended.
        found: what it showed, or why it showed nothing. Stalled: a person must act.
    """

    secrets: frozenset[str]
    began: datetime
    time: datetime
    found: PodUsers | Problem
