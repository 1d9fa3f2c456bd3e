"""Prometheus metrics. The series of a resource are made at scrape, so none outlives it.

`docs/monitoring.md` names each one; `python -m charts.generate` writes its tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from appcredential.runtime.metrics_of_grants import GrantCollector
from appcredential.runtime.metrics_of_resources import Learnt, written
from appcredential.runtime.metrics_of_rounds import InventoryMetrics, LookMetrics, SignInMetrics
from appcredential.runtime.metrics_of_tenants import SessionCollector, TenantCollector
from appcredential.runtime.metrics_of_work import (
    Failing,
    QueueMetrics,
    ReconcileMetrics,
    RotationMetrics,
    show_process,
)
from appcredential.runtime.samples import Sample


class LeaderNotes(Protocol):
    """What a process knows besides status while it leads; see `gather/leader_notes.py`."""

    def failing(self) -> Iterable[Failing]:
        """Return the resources whose last attempts were in vain; nothing unless it leads."""
        ...

    def counts(self) -> Learnt | None:
        """Return what it has read of applications; None unless it leads."""
        ...


class Metrics:
    """All collectors of one process, in a registry of their own; `text` adds the resources."""

    def __init__(self, samples: Callable[[], Iterable[Sample]]) -> None:
        self._samples = samples
        self._learnt: Callable[[], Learnt | None] = dict
        self.registry = registry = CollectorRegistry()
        registry.register(TenantCollector(samples))
        registry.register(GrantCollector(samples))
        self.sessions = SessionCollector()
        registry.register(self.sessions)
        self.rotation = RotationMetrics(registry)
        self.reconcile = ReconcileMetrics(registry)
        self.queue = QueueMetrics(registry)
        self._count_requests(registry)
        self.loop_failures = Counter(
            "appcredential_loop_failures_total",
            "Turns of periodic work that ended with an unexpected error.",
            ["loop", "error"],
            registry=registry,
        )
        self.certificate_losses = Counter(
            "appcredential_certificate_losses_total",
            "Certificates that went missing around a write of ours, and what became of them.",
            ["outcome"],
            registry=registry,
        )
        self.leader = Gauge(
            "appcredential_leader", "1 while this process may act.", registry=registry
        )
        self.revocations = Gauge(
            "appcredential_tickets", "Deleted resources not finished.", registry=registry
        )
        self.overdue = Gauge(
            "appcredential_ticket_overdue_seconds",
            "For how long the oldest revocation of a deleted resource should have been done.",
            ["tenant"],
            registry=registry,
        )
        self.looks = LookMetrics(registry)
        self.inventory = InventoryMetrics(registry)
        self.sign_ins = SignInMetrics(registry)
        show_process(registry)

    def _count_requests(self, registry: CollectorRegistry) -> None:
        self.directory = Counter(
            "appcredential_directory_requests_total",
            "Requests to Graph and the token endpoint; code 0 is no answer.",
            ["operation", "code"],
            registry=registry,
        )
        self.directory_seconds = Histogram(
            "appcredential_directory_request_duration_seconds",
            "How long requests to Graph and the token endpoint took.",
            ["operation"],
            registry=registry,
        )
        self.cluster = Counter(
            "appcredential_kubernetes_requests_total",
            "Requests to the API server, the watches excepted.",
            ["purpose", "method", "code"],
            registry=registry,
        )

    def text(self) -> bytes:
        """Return what a scrape reads; for any thread."""
        resources = written(self._samples(), self._learnt())
        return generate_latest(self.registry) + resources.encode()

    def show_leader(self, notes: LeaderNotes) -> None:
        """Show what is known while this process leads, and nothing of it otherwise."""
        self.rotation.failing.failing, self._learnt = notes.failing, notes.counts

    def show_overdue(self, ages: Mapping[str, float]) -> None:
        """Show by EntraTenant for how many seconds a revocation is overdue, and only these."""
        self.overdue.clear()
        for tenant, age in ages.items():
            self.overdue.labels(tenant).set(age)

    def observe_directory(self, operation: str, status: int, seconds: float) -> None:
        """Count one request to Entra."""
        self.directory.labels(operation, str(status)).inc()
        self.directory_seconds.labels(operation).observe(seconds)

    def count_certificate_loss(self, outcome: str) -> None:
        """Count one certificate that went missing when another writer and we changed a list."""
        self.certificate_losses.labels(outcome).inc()

    def observe_cluster(self, purpose: str, method: str, status: int, _seconds: float) -> None:
        """Count one request to the API server."""
        self.cluster.labels(purpose, method, str(status)).inc()
