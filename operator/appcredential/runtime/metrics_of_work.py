"""The metrics of the work itself: rotations, proofs, the queue, the event loop, the leader."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from appcredential import __version__
from appcredential.domain.urgency import Urgency

Failing: TypeAlias = tuple[str, str, int]
"""Namespace and name of a resource, and how many attempts in a row were in vain."""

_SECONDS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
_LAGS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class RotationMetrics:
    """What became of new credentials."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rotations = Counter(
            "appcredential_rotations_total",
            "New credentials that were published, and attempts that ended without one.",
            ["result", "trigger"],
            registry=registry,
        )
        self.mints = Counter(
            "appcredential_mints_total",
            "Calls that create a credential in Entra, by what came of them: issued, unknown, or "
            "the reason of the refusal.",
            ["type", "outcome"],
            registry=registry,
        )
        self.proofs = Counter(
            "appcredential_proofs_total",
            "Sign-ins that prove a credential, by what is proven and how Entra answered.",
            ["subject", "outcome"],
            registry=registry,
        )
        self.failing = FailingCollector()
        registry.register(self.failing)


class FailingCollector(Collector):
    """The resources whose last attempts were in vain, as the leader knows them.

    Attributes:
        failing: returns them; set once they can be asked.
    """

    def __init__(self) -> None:
        self.failing: Callable[[], Iterable[Failing]] = list

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the family; called by scrapes, in a thread."""
        found = GaugeMetricFamily(
            "appcredential_rotation_failures_consecutive",
            "Attempts in a row that ended without a published credential, since the leader leads.",
            labels=["namespace", "name"],
        )
        for namespace, name, count in self.failing():
            found.add_metric([namespace, name], float(count))
        yield found


class Queue(Protocol):
    """What is shown of the work queue; see `runtime/workqueue.py`."""

    def depths(self) -> Mapping[Urgency, int]:
        """Return the number of keys that wait for a worker, by their class."""
        ...

    def longest(self) -> float:
        """Return for how many seconds the oldest work under way has been going on."""
        ...

    def stuck(self) -> float:
        """Return for how many seconds no work has finished although some waits or goes on."""
        ...

    @property
    def retrying(self) -> int:
        """The number of keys whose last work failed."""
        ...


class QueueMetrics:
    """How the work queue and the event loop do."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.depth = Gauge(
            "appcredential_workqueue_depth",
            "Keys that wait for a worker, by how urgent they are.",
            ["urgency"],
            registry=registry,
        )
        self.longest = Gauge(
            "appcredential_workqueue_longest_running_seconds",
            "For how long the oldest work under way has been going on.",
            registry=registry,
        )
        self.stuck = Gauge(
            "appcredential_workqueue_stuck_seconds",
            "For how long no work has ended although some is under way or waits.",
            registry=registry,
        )
        self.retrying = Gauge(
            "appcredential_workqueue_retrying_keys",
            "Keys whose last work failed, and that are tried again.",
            registry=registry,
        )
        self.lag = Histogram(
            "appcredential_event_loop_lag_seconds",
            "How much later than due the event loop went on with periodic work.",
            registry=registry,
            buckets=_LAGS,
        )

    def show(self, queue: Queue) -> None:
        """Show how the queue does now."""
        for urgency, depth in queue.depths().items():
            self.depth.labels(urgency.name.lower()).set(depth)
        self.longest.set(queue.longest())
        self.stuck.set(queue.stuck())
        self.retrying.set(queue.retrying)


class ReconcileMetrics:
    """How long passes and effects take, and how they end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.passes = Counter(
            "appcredential_reconciles_total", "Passes, by kind.", ["kind"], registry=registry
        )
        self.errors = Counter(
            "appcredential_reconcile_errors_total",
            "Passes that ended with an error and are tried again.",
            ["kind"],
            registry=registry,
        )
        self.seconds = Histogram(
            "appcredential_reconcile_duration_seconds",
            "How long passes took.",
            ["kind"],
            registry=registry,
            buckets=_SECONDS,
        )
        self.effects = Counter(
            "appcredential_effects_total",
            "Effects by action and result.",
            ["action", "result"],
            registry=registry,
        )
        self.effect_seconds = Histogram(
            "appcredential_effect_duration_seconds",
            "How long effects took: the steps of a rotation.",
            ["action"],
            registry=registry,
            buckets=_SECONDS,
        )

    @contextmanager
    def counted(self, kind: str, clock: Callable[[], float]) -> Iterator[None]:
        """Count a pass over one object of a kind, with the time that it takes."""
        began = clock()
        self.passes.labels(kind).inc()
        try:
            yield
        except Exception:
            self.errors.labels(kind).inc()
            raise
        finally:
            self.seconds.labels(kind).observe(clock() - began)


def show_process(registry: CollectorRegistry) -> None:
    """Add the version, and the memory and CPU time of the process."""
    build = Gauge(
        "appcredential_build_info",
        "1 for each process, with its version.",
        ["version", "python_version"],
        registry=registry,
    )
    build.labels(__version__, platform.python_version()).set(1)
    ProcessCollector(registry=registry)
