"""The series of each EntraTenant and of the sessions with them, made at scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appcredential.runtime.samples import Sample, SessionSample, TenantSample

_STATUSES: Final = ("True", "False", "Unknown")


class TenantCollector(Collector):
    """What status says of the EntraTenants."""

    def __init__(self, samples: Callable[[], Iterable[Sample]]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        """Yield the families; called by scrapes, in a thread."""
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
        conditions = GaugeMetricFamily(
            "appcredential_tenant_condition",
            "1 for each condition of an EntraTenant that is not as it should be.",
            labels=["tenant", "condition", "status", "reason"],
        )
        expiration = GaugeMetricFamily(
            "appcredential_tenant_identity_expiration_timestamp_seconds",
            "When the operator's own credential for an EntraTenant expires, where that is known.",
            labels=["tenant"],
        )
        renewal = GaugeMetricFamily(
            "appcredential_tenant_identity_renewal_timestamp_seconds",
            "When the operator renews its own credential for an EntraTenant, where it does so.",
            labels=["tenant"],
        )
        for sample in self._samples():
            if not isinstance(sample, TenantSample):
                continue
            for value in _STATUSES:
                ready.add_metric([sample.name, value], float(sample.ready == value))
            if sample.stalled:
                stalled.add_metric([sample.name, sample.stalled], 1.0)
            for shown in sample.conditions:
                conditions.add_metric([sample.name, *shown], 1.0)
            if sample.expiration is not None:
                expiration.add_metric([sample.name], sample.expiration)
            if sample.renewal is not None:
                renewal.add_metric([sample.name], sample.renewal)
        yield from (ready, stalled, conditions, expiration, renewal)


class SessionCollector(Collector):
    """What this process knows of Graph and of clocks.

    Attributes:
        sessions: returns the open sessions; set once they can be asked.
        cluster_skew: returns the API server's clock minus ours; set likewise.
    """

    def __init__(self) -> None:
        self.sessions: Callable[[], Iterable[SessionSample]] = list
        self.cluster_skew: Callable[[], timedelta | None] = _unknown

    def collect(self) -> Iterator[Metric]:
        """Yield the families; called by scrapes, in a thread."""
        used = GaugeMetricFamily(
            "appcredential_directory_quota_used_ratio",
            "The share in use of what the operator allows itself of Graph's quota; 1 is all of it.",
            labels=["tenant", "quota"],
        )
        pause = GaugeMetricFamily(
            "appcredential_directory_retry_after_seconds",
            "For how long Graph or the token endpoint asked to send nothing, from now on.",
            labels=["tenant"],
        )
        pauses = CounterMetricFamily(
            "appcredential_directory_pauses",
            "How often Graph or the token endpoint asked for a pause.",
            labels=["tenant"],
        )
        skew = GaugeMetricFamily(
            "appcredential_clock_skew_seconds",
            "The clock of the API server or of Entra minus the operator's.",
            labels=["server", "tenant"],
        )
        cluster = self.cluster_skew()
        if cluster is not None:
            skew.add_metric(["kubernetes", ""], cluster.total_seconds())
        for sample in self.sessions():
            used.add_metric([sample.tenant, "units"], sample.units)
            used.add_metric([sample.tenant, "writes"], sample.writes)
            pause.add_metric([sample.tenant], sample.pause)
            pauses.add_metric([sample.tenant], float(sample.pauses))
            if sample.skew is not None:
                skew.add_metric(["entra", sample.tenant], sample.skew)
        yield from (used, pause, pauses, skew)


def _unknown() -> None:
    return None
