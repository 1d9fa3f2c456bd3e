"""Prometheus metrics. The series of a resource are made at scrape, so none outlives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from appcredential.runtime.metrics_of_rounds import InventoryMetrics, SignInMetrics


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """The series of one AppCredential. Times are Unix seconds; None leaves the series out."""

    namespace: str
    name: str
    ready: str
    expiration: float | None
    renewal: float | None
    foreign: int
    stalled: str = ""
    """Reason of the condition Stalled; empty without it."""


@dataclass(frozen=True, slots=True)
class TenantSample:
    """The series of one EntraTenant."""

    name: str
    ready: str
    stalled: str = ""
    """Reason of the condition Stalled; empty without it."""


Sample: TypeAlias = ResourceSample | TenantSample
_STATUSES: Final = ("True", "False", "Unknown")


class _TenantCollector(Collector):
    def __init__(self, samples: Callable[[], Iterable[Sample]]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[GaugeMetricFamily]:
        ready = GaugeMetricFamily(
            "appcredential_tenant_ready_status",
            "One-hot Ready condition of an EntraTenant.",
            labels=["tenant", "condition"],
        )
        stalled = GaugeMetricFamily(
            "appcredential_tenant_stalled",
            "1 while a person must act, for all that use this EntraTenant.",
            labels=["tenant", "reason"],
        )
        for sample in self._samples():
            if not isinstance(sample, TenantSample):
                continue
            for value in _STATUSES:
                ready.add_metric([sample.name, value], float(sample.ready == value))
            if sample.stalled:
                stalled.add_metric([sample.name, sample.stalled], 1.0)
        yield from (ready, stalled)


class _ResourceCollector(Collector):
    def __init__(self, samples: Callable[[], Iterable[Sample]]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ["namespace", "name"]
        expiration = GaugeMetricFamily(
            "appcredential_expiration_timestamp_seconds", "End of the published one.", labels=labels
        )
        renewal = GaugeMetricFamily(
            "appcredential_renewal_timestamp_seconds", "When it is renewed.", labels=labels
        )
        foreign = GaugeMetricFamily(
            "appcredential_foreign_credentials", "Others' credentials.", labels=labels
        )
        ready = GaugeMetricFamily(
            "appcredential_ready_status", "One-hot Ready condition.", labels=[*labels, "condition"]
        )
        stalled = GaugeMetricFamily(
            "appcredential_stalled", "1 while a person must act.", labels=[*labels, "reason"]
        )
        for sample in self._samples():
            if not isinstance(sample, ResourceSample):
                continue
            key = [sample.namespace, sample.name]
            if sample.expiration is not None:
                expiration.add_metric(key, sample.expiration)
            if sample.renewal is not None:
                renewal.add_metric(key, sample.renewal)
            foreign.add_metric(key, sample.foreign)
            for value in _STATUSES:
                ready.add_metric([*key, value], float(sample.ready == value))
            if sample.stalled:
                stalled.add_metric([*key, sample.stalled], 1.0)
        yield from (expiration, renewal, foreign, ready, stalled)


class Metrics:
    """All collectors of one process, in a registry of their own."""

    def __init__(self, samples: Callable[[], Iterable[Sample]]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_ResourceCollector(samples))
        self.registry.register(_TenantCollector(samples))
        self.effects = Counter(
            "appcredential_effects_total",
            "Effects by action and result.",
            ["action", "result"],
            registry=self.registry,
        )
        self.reconciles = Counter(
            "appcredential_reconciles_total", "Passes.", ["kind"], registry=self.registry
        )
        self.directory = Counter(
            "appcredential_directory_requests_total",
            "Requests to Graph and the token endpoint; code 0 is no answer.",
            ["operation", "code"],
            registry=self.registry,
        )
        self.directory_seconds = Histogram(
            "appcredential_directory_request_duration_seconds",
            "How long they took.",
            ["operation"],
            registry=self.registry,
        )
        self.cluster = Counter(
            "appcredential_kubernetes_requests_total",
            "Requests to the API server, the watches excepted.",
            ["purpose", "method", "code"],
            registry=self.registry,
        )
        self.loop_failures = Counter(
            "appcredential_loop_failures_total",
            "Turns of periodic work that ended with an unexpected error.",
            ["loop", "error"],
            registry=self.registry,
        )
        self.certificate_losses = _of_losses(self.registry)
        self.queue = _of_queue(self.registry)
        self.leader = Gauge(
            "appcredential_leader", "1 while this process may act.", registry=self.registry
        )
        self.revocations, self.overdue = _of_tickets(self.registry)
        self.looks, self.look_period, self.secret_watches, self.resumed = _of_looks(self.registry)
        self.inventory = InventoryMetrics(self.registry)
        self.sign_ins = SignInMetrics(self.registry)

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


def _of_looks(registry: CollectorRegistry) -> tuple[Counter, Gauge, Gauge, Gauge]:
    looks = Counter(
        "appcredential_cluster_looks_total",
        "Looks at what was written to the cluster or is made a certificate of.",
        ["outcome"],
        registry=registry,
    )
    period = Gauge(
        "appcredential_cluster_look_period_seconds",
        "How long it takes now until each of these objects was looked at once.",
        registry=registry,
    )
    watches = Gauge(
        "appcredential_secret_watches",
        "Watches that show changes of published Secrets now.",
        registry=registry,
    )
    resumed = Gauge(
        "appcredential_resumed_resources",
        "AppCredentials of which this leader knows the status alone, until its first look.",
        registry=registry,
    )
    return looks, period, watches, resumed


def _of_losses(registry: CollectorRegistry) -> Counter:
    return Counter(
        "appcredential_certificate_losses_total",
        "Certificates that went missing around a write of ours, and what became of them.",
        ["outcome"],
        registry=registry,
    )


def _of_queue(registry: CollectorRegistry) -> Gauge:
    return Gauge(
        "appcredential_workqueue_depth",
        "Keys that wait for a worker, by how urgent they are.",
        ["urgency"],
        registry=registry,
    )


def _of_tickets(registry: CollectorRegistry) -> tuple[Gauge, Gauge]:
    return Gauge(
        "appcredential_tickets", "Deleted resources not finished.", registry=registry
    ), Gauge(
        "appcredential_ticket_overdue_seconds",
        "For how long the oldest revocation of a deleted resource should have been done.",
        ["tenant"],
        registry=registry,
    )
