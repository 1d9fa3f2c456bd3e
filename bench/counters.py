"""What the operator asked of Graph and of the API server, from its own metrics. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

_SAMPLE = re.compile(r"(\w+)\{(.*)\}")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_KUBERNETES = "appcredential_kubernetes_requests_total"
_GRAPH = "appcredential_directory_requests_total"
_WRITES = ("add", "remove", "update", "create", "delete")


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests so far, or between two moments.

    Attributes:
        graph: by operation; sign-ins are `token`.
        answers: of Graph by HTTP status.
        kubernetes: by verb; what is no `lease` and no `event` of its purpose.
        events: Kubernetes Events that were written.
        cluster_answers: of the API server by HTTP status, to what `kubernetes` counts.
    """

    graph: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    kubernetes: Counter[str] = field(default_factory=Counter)
    events: int = 0
    cluster_answers: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, metrics: Mapping[str, float]) -> Requests:
        """Read a scrape."""
        found, events = cls(), 0
        for sample, value in metrics.items():
            match = _SAMPLE.match(sample)
            labels = dict(_LABEL.findall(match[2])) if match is not None else {}
            if match is not None and match[1] == _GRAPH:
                found.graph[labels["operation"]] += int(value)
                found.answers[labels["code"]] += int(value)
            elif match is not None and match[1] == _KUBERNETES:
                if labels["purpose"] == "event":
                    events += int(value)
                elif labels["purpose"] != "lease":
                    found.kubernetes[labels["method"]] += int(value)
                    found.cluster_answers[labels["code"]] += int(value)
        return replace(found, events=events)

    def since(self, before: Requests) -> Requests:
        """Return what came after an earlier moment."""
        return Requests(
            self.graph - before.graph,
            self.answers - before.answers,
            self.kubernetes - before.kubernetes,
            self.events - before.events,
            self.cluster_answers - before.cluster_answers,
        )

    @property
    def graph_reads(self) -> int:
        """Reads of Graph."""
        return sum(n for name, n in self.graph.items() if name != "token" and not _writes(name))

    @property
    def graph_writes(self) -> int:
        """Writes to Graph."""
        return sum(n for name, n in self.graph.items() if _writes(name))

    @property
    def reads(self) -> int:
        """Reads of the API server, lists included."""
        return self.kubernetes["GET"]

    @property
    def writes(self) -> int:
        """Writes to the API server, Events and the Lease excepted."""
        return self.kubernetes.total() - self.kubernetes["GET"]


def _writes(operation: str) -> bool:
    return operation.rpartition(".")[2].startswith(_WRITES)
