"""The pods of a namespace that use a Secret, and what each of them signs in with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from appcredential.domain.observed.pods import PodUser, PodUsers, SeenPods
from appcredential.domain.spec.model import KeyId
from appcredential.domain.status.problems_kube import PODS_FORBIDDEN, PODS_UNAVAILABLE
from tests.support.builders import SECOND

KUBELET_LAG: Final = 30 * SECOND
"""For so long a kubelet gives new pods what the Secret held before."""


@dataclass
class Pod:
    """A pod that read the Secret once, at its start."""

    owner: str
    created: datetime
    key: KeyId


@dataclass
class Pods:
    """Those that have not finished.

    Attributes:
        running: by the time of their start, which is the API server's.
        answer: `forbidden` or `fails`; else a list works.
        seen: what the operator's process saw last.
    """

    running: list[Pod] = field(default_factory=list)
    answer: str = ""
    seen: SeenPods | None = None

    def start(
        self,
        owner: str,
        now: datetime,
        published: KeyId,
        superseded: dict[KeyId, datetime],
    ) -> None:
        """Start a pod: it gets what is published, or for a while what was before that."""
        former = max(superseded, key=lambda key: superseded[key], default=published)
        is_late = former in superseded and now < superseded[former] + KUBELET_LAG
        self.running.append(Pod(owner, now, former if is_late else published))

    def end(self, owner: str) -> None:
        """End all pods of an owner."""
        self.running = [pod for pod in self.running if pod.owner != owner]

    def show(self, secrets: frozenset[str], now: datetime) -> None:
        """Show the pods to the operator, whose clock says `now`."""
        found = sorted(PodUser(pod.created, pod.owner) for pod in self.running)
        self.seen = SeenPods(
            secrets=secrets,
            began=now,
            time=now,
            found={
                "forbidden": PODS_FORBIDDEN,
                "fails": PODS_UNAVAILABLE,
            }.get(self.answer, PodUsers(users=tuple(found))),
        )

    def use(self, key: KeyId) -> bool:
        """Return whether a pod signs in with a credential."""
        return any(pod.key == key for pod in self.running)
