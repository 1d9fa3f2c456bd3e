"""What a small fleet costs in requests, and in which order it is served; never in seconds.

The bounds are what it costs today, and what a loaded machine repeats: 4.1 to 4.8 reads and 9.1 to
9.5 writes were seen for a first issue. A change that costs more is noticed; one that costs less
lowers them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import pytest

from bench.fleet import Fleet, Kind, Member
from bench.installation import SETTINGS, Installation, ObservedOperator, Patience, condition
from bench.scenes.issuing import apply
from bench.scenes.lives import come_back, delete
from bench.scenes.scene import Value
from demo.stack import Stack
from localcluster import Binaries
from tests.conftest import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.process]

SIZE: Final = 20
SHARING: Final = 6
"""Resources of one application, whose writes are a second apart."""

ISSUED: Final[Mapping[str, float]] = {
    "Graph writes each": 1.0,
    "Graph reads each": 1.2,
    "sign-ins each": 3.1,
    "429 and 409 of Graph": 0,
    "Kubernetes reads each": 5.0,
    "Kubernetes writes each": 10.0,
    "Events each": 2.0,
}
RESTARTED: Final[Mapping[str, float]] = {
    "Graph calls until then": 3,
    "Kubernetes calls until then": 18,
    "Kubernetes writes until then": 0,
}
DELETED: Final[Mapping[str, float]] = {  # with some of the looks that follow a restart
    "Graph calls each": 0.5,
    "Kubernetes reads each": 5.5,
    "Kubernetes writes each": 4.1,
}


@pytest.fixture
def site(binaries: Binaries) -> Iterator[Installation]:
    """An installation of its own: requests for others would be counted, too."""
    fleet = Fleet(Kind.SECRET, SIZE)
    with Stack(fleet.seed(), SETTINGS, process=ObservedOperator) as stack:
        yield Installation(stack, fleet, Patience(steady=0.0, quiet=3.0))


def test_a_fleet_costs_no_more_requests_than_before_and_what_began_is_finished_first(
    site: Installation, record_property: Callable[[str, object], None]
) -> None:
    for scene, play, bounds in (
        ("issued", apply, ISSUED),
        ("restarted", lambda site, _: come_back(site), RESTARTED),
        ("deleted", delete, DELETED),
    ):
        found = _by_name(play(site, _quietly))
        record_property(scene, found)
        over = {what: found[what] for what, most in bounds.items() if not found[what] <= most}
        assert not over, scene

    members = [_sharing(site, number) for number in range(SHARING)]
    site.apply(members)
    wait_until(lambda: all(map(_ready_at, map(site.state, members))), "all Ready", 60)
    ended = list(map(site.state, members))
    first = min(filter(None, map(_ready_at, ended)))
    begun = [datetime.fromisoformat(one["status"]["credential"]["startTime"]) for one in ended]
    assert first < max(begun), "all had begun before the first was Ready"


def _sharing(site: Installation, number: int) -> Member:
    """Return one of many for one application; a namespace may have five."""
    namespaces = site.fleet.namespaces
    name, application = f"sharing-{number}", site.fleet.applications[0]
    return Member(namespaces[number % len(namespaces)], name, application, Kind.SECRET)


def _by_name(values: list[Value]) -> dict[str, float]:
    return {what: value for what, value, _ in values}


def _ready_at(document: Mapping[str, Any]) -> datetime | None:
    ready = condition(document, "Ready")
    is_ready = ready.get("status") == "True"
    return datetime.fromisoformat(ready["lastTransitionTime"]) if is_ready else None


def _quietly(_line: str) -> None:
    """Tell nobody."""
