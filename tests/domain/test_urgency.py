"""How urgent an AppCredential is, by its status and the time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.times import format_time
from appcredential.domain.urgency import IDLE, Stages, Urgency, stages
from tests.support.builders import NOW

DAY = timedelta(days=1)


def at(days: float) -> str:
    return format_time(NOW + days * DAY)


def published(*, end: float, renewal: float, **more: Any) -> dict[str, Any]:
    return {"credential": {"expirationTime": at(end)}, "renewalTime": at(renewal), **more}


def condition(kind: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": "True"}]


def urgency(status: dict[str, Any], *, days: float = 0, **more: bool) -> Urgency:
    found = stages(status, is_leaving=more.pop("is_leaving", False), **more)
    return found.at((NOW + days * DAY).timestamp())


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ({}, Urgency.ISSUE),
        ({"pending": {"keyId": "1"}}, Urgency.IN_FLIGHT),
        ({"conditions": condition("Reconciling")}, Urgency.ISSUE),
        ({"conditions": condition("Stalled")}, Urgency.LOOK),
        (published(end=90, renewal=60), Urgency.LOOK),
        (published(end=90, renewal=60, pending={"keyId": "2"}), Urgency.IN_FLIGHT),
        (published(end=90, renewal=60, conditions=condition("Reconciling")), Urgency.IN_FLIGHT),
        (published(end=90, renewal=60, conditions=condition("Ready")), Urgency.LOOK),
        (published(end=90, renewal=60, retiring=[{"retireTime": at(1)}]), Urgency.LOOK),
        (published(end=90, renewal=60, retiring=[{"retireTime": at(0)}]), Urgency.IN_FLIGHT),
        (published(end=90, renewal=60, retiring=[{"waitingFor": "it"}]), Urgency.IN_FLIGHT),
        (published(end=20, renewal=0), Urgency.ISSUE),
        (published(end=20, renewal=-1, pending={"keyId": "2"}), Urgency.IN_FLIGHT),
        (published(end=14, renewal=-6, pending={"keyId": "2"}), Urgency.EXPIRING),
        (published(end=-1, renewal=-31), Urgency.EXPIRING),
        (published(end=-1, renewal=-31, conditions=condition("Stalled")), Urgency.LOOK),
        ({"credential": {"expirationTime": "soon"}, "renewalTime": 3}, Urgency.LOOK),
        ({"federatedIdentities": [{"id": "1"}]}, Urgency.LOOK),
        (
            {"federatedIdentities": [{"id": "1"}], "conditions": condition("Reconciling")},
            Urgency.IN_FLIGHT,
        ),
    ],
)
def test_status_says_how_urgent_it_is(status: dict[str, Any], found: Urgency) -> None:
    assert urgency(status) is found


def test_time_makes_it_more_urgent() -> None:
    status = published(end=90, renewal=60)
    found = [urgency(status, days=days) for days in (59, 60, 68.9, 69, 100)]
    renewed, overdue = Urgency.ISSUE, Urgency.EXPIRING
    assert found == [Urgency.LOOK, renewed, renewed, overdue, overdue]


def test_a_deletion_is_in_flight_whatever_status_says() -> None:
    for status in ({}, published(end=-1, renewal=-31), {"conditions": condition("Stalled")}):
        assert urgency(status, is_leaving=True) is Urgency.IN_FLIGHT


def test_what_began_and_is_not_in_status_yet_is_in_flight() -> None:
    assert urgency({}, is_begun=True) is Urgency.IN_FLIGHT
    assert urgency(published(end=90, renewal=60), is_begun=True) is Urgency.IN_FLIGHT


def test_nothing_known_is_a_look_for_ever() -> None:
    assert Stages() == IDLE
    assert IDLE.at(1e18) is Urgency.LOOK
