"""How many requests a step cost, from the operator's own metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from demo.stack import Stack

_SAMPLE = re.compile(r"(\w+)\{(.*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Requests so far, without Lease renewals and the operator's periodic lists and looks."""

    kubernetes_writes: int = 0
    kubernetes_reads: int = 0
    events: int = 0
    graph_writes: int = 0
    graph_reads: int = 0
    sign_ins: int = 0

    @classmethod
    def of(cls, stack: Stack) -> Counts:
        """Read the counters of the running operator."""
        found = dict.fromkeys((f.name for f in fields(cls)), 0)
        for name, value in stack.operator.metrics().items():
            field = _field(name)
            if field is not None:
                found[field] += int(value)
            if name.startswith("appcredential_cluster_looks_total{"):
                found["kubernetes_reads"] -= int(value)  # one GET each
        return cls(**found)


def counts_between(before: Counts, after: Counts) -> Counts:
    """Return the requests between two readings."""
    return Counts(
        **{f.name: getattr(after, f.name) - getattr(before, f.name) for f in fields(Counts)}
    )


def _field(sample: str) -> str | None:
    match = _SAMPLE.match(sample)
    if match is None:
        return None
    name, labels = match.group(1), match.group(2)
    if name == "appcredential_kubernetes_requests_total":
        return _kubernetes(labels)
    if name != "appcredential_directory_requests_total":
        return None
    if 'operation="token"' in labels:
        return "sign_ins"
    if "Password" in labels:
        return "graph_writes"
    return "graph_reads" if 'operation="application.get"' in labels else None


def _kubernetes(labels: str) -> str | None:
    if 'purpose="event"' in labels:
        return "events"
    if 'purpose="resource"' not in labels:
        return None
    return "kubernetes_reads" if 'method="GET"' in labels else "kubernetes_writes"
