"""The series of each AppCredential, written at scrape, so that none outlives its resource.

Ten thousand resources have about a hundred thousand series. The library's writer needs many times
as long for them as the plain one here, and holds up the event loop meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, TypeAlias

from prometheus_client.utils import floatToGoString

from appcredential.runtime.samples import Counts, ResourceSample, Sample

Point: TypeAlias = tuple[tuple[str, ...], float]
"""The values of the labels besides namespace and name, and the number."""
Learnt: TypeAlias = Mapping[tuple[str, str], Counts]
"""What the leader has read of applications, by namespace and name of the resource."""

_shown: Final[Callable[[float], Any]] = floatToGoString
_STATUSES: Final = ("True", "False", "Unknown")


@dataclass(frozen=True, slots=True)
class ResourceSeries:
    """One metric of the resources.

    Attributes:
        labels: besides `namespace` and `name`.
        points: returns what a resource shows.
        is_counted: it is of `Counts`, which only the leader knows as they are now.
    """

    name: str
    help: str
    points: Callable[[ResourceSample], Iterable[Point]]
    labels: tuple[str, ...] = ()
    is_counted: bool = False

    def write(self, samples: Iterable[ResourceSample]) -> Iterator[str]:
        """Yield the lines of the text format; labels are in the order of the alphabet."""
        yield f"# HELP {self.name} {self.help}\n# TYPE {self.name} gauge\n"
        form = self._line().format
        for sample in samples:
            for values, number in self.points(sample):
                shown = map(_escaped, values)
                yield form(sample.namespace, sample.name, *shown, number=_shown(number))

    def _line(self) -> str:
        places = sorted((label, n) for n, label in enumerate(("namespace", "name", *self.labels)))
        labels = ",".join(f'{label}="{{{n}}}"' for label, n in places)
        return f"{self.name}{{{{{labels}}}}} {{number}}\n"


@lru_cache(maxsize=4096)
def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _time(moment: float | None) -> Iterable[Point]:
    return () if moment is None else (((), moment),)


def _if_any(count: int) -> Iterable[Point]:
    return (((), float(count)),) if count else ()


def _owned(sample: ResourceSample) -> Iterable[Point]:
    return () if sample.counts is None else (((), float(sample.counts.owned)),)


def _foreign(sample: ResourceSample) -> Iterable[Point]:
    return () if sample.counts is None else (((), float(sample.counts.foreign)),)


def _orphaned(sample: ResourceSample) -> Iterable[Point]:
    return () if sample.counts is None else _if_any(sample.counts.orphaned)


def _ready(sample: ResourceSample) -> Iterable[Point]:
    return [((status,), float(sample.ready == status)) for status in _STATUSES]


def _stalled(sample: ResourceSample) -> Iterable[Point]:
    return (((sample.stalled,), 1.0),) if sample.stalled else ()


def _conditions(sample: ResourceSample) -> Iterable[Point]:
    return [(shown, 1.0) for shown in sample.conditions]


SERIES: Final = (
    ResourceSeries(
        "appcredential_info",
        "1 for each AppCredential, with its EntraTenant and its type.",
        lambda s: (((s.tenant, s.type), 1.0),),
        ("tenant", "type"),
    ),
    ResourceSeries(
        "appcredential_expiration_timestamp_seconds",
        "When the published credential expires.",
        lambda s: _time(s.expiration),
    ),
    ResourceSeries(
        "appcredential_renewal_timestamp_seconds",
        "When a successor of the published credential is due.",
        lambda s: _time(s.renewal),
    ),
    ResourceSeries(
        "appcredential_pending_publish_timestamp_seconds",
        "When the window opens in which a proven successor is published, while one waits for it.",
        lambda s: _time(s.publish),
    ),
    ResourceSeries(
        "appcredential_last_verified_timestamp_seconds",
        "When the published credential signed in last, by the hour, as of the last change of "
        "status.",
        lambda s: _time(s.verified),
    ),
    ResourceSeries(
        "appcredential_ready_status",
        "One-hot Ready condition of an AppCredential.",
        _ready,
        ("condition",),
    ),
    ResourceSeries(
        "appcredential_condition",
        "1 for each condition that is not as it should be; a well one is left out.",
        _conditions,
        ("condition", "status", "reason"),
    ),
    ResourceSeries(
        "appcredential_stalled", "1 while a person must act, by reason.", _stalled, ("reason",)
    ),
    ResourceSeries(
        "appcredential_suspended",
        "1 while spec.suspend is true.",
        lambda s: _if_any(s.is_suspended),
    ),
    ResourceSeries(
        "appcredential_owned_credentials",
        "Credentials of the application that are this AppCredential's, as the leader read it last.",
        _owned,
        is_counted=True,
    ),
    ResourceSeries(
        "appcredential_orphaned_credentials",
        "Those of them that are neither published, pending nor retiring, if there are any.",
        _orphaned,
        is_counted=True,
    ),
    ResourceSeries(
        "appcredential_foreign_credentials",
        "Credentials of the application that are not this AppCredential's, as the leader read it "
        "last.",
        _foreign,
        is_counted=True,
    ),
    ResourceSeries(
        "appcredential_retiring_credentials",
        "Replaced credentials that are still valid, if there are any.",
        lambda s: _if_any(s.retiring),
    ),
    ResourceSeries(
        "appcredential_retirements_waiting",
        "Those of them that wait for something, such as pods from before the publish.",
        lambda s: _if_any(s.waiting),
    ),
    ResourceSeries(
        "appcredential_retire_timestamp_seconds",
        "When the first replaced credential goes; the latest time for it while it waits for pods.",
        lambda s: _time(s.retire),
    ),
)


def written(samples: Iterable[Sample], learnt: Learnt | None) -> str:
    """Return what a scrape shows of the AppCredentials among the samples.

    Args:
        samples: of all objects.
        learnt: what counts in place of the counts in status, which are as old as its last write;
            None if this process does not lead, and so shows none.
    """
    resources = [sample for sample in samples if isinstance(sample, ResourceSample)]
    if learnt:
        resources = [_brought_up_to_date(sample, learnt) for sample in resources]
    shown = [series for series in SERIES if learnt is not None or not series.is_counted]
    return "".join(line for series in shown for line in series.write(resources))


def _brought_up_to_date(sample: ResourceSample, learnt: Learnt) -> ResourceSample:
    counts = learnt.get((sample.namespace, sample.name))
    if counts is None or counts == sample.counts:
        return sample
    return replace(sample, counts=counts)
