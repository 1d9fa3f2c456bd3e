"""The series of each ApplicationGrant, made at scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appcredential.runtime.samples import GrantSample, Sample


class GrantCollector(Collector):
    """What status says of the ApplicationGrants."""

    def __init__(self, samples: Callable[[], Iterable[Sample]]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        """Yield the families; called by scrapes, in a thread."""
        used = GaugeMetricFamily(
            "appcredential_grant_used",
            "AppCredentials that an ApplicationGrant allows.",
            labels=["grant"],
        )
        missing = GaugeMetricFamily(
            "appcredential_grant_missing_applications",
            "Client ids of an ApplicationGrant that no application of the tenant has.",
            labels=["grant"],
        )
        for sample in self._samples():
            if isinstance(sample, GrantSample):
                used.add_metric([sample.name], float(sample.used))
                if sample.missing is not None:
                    missing.add_metric([sample.name], float(sample.missing))
        yield from (used, missing)
