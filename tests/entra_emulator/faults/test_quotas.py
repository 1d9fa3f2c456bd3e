"""The published quotas: resource units, writes, and the limits of special requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from entra_emulator.faults.documents import Quotas
from entra_emulator.faults.quotas import Charge, QuotaBook, throttle_headers
from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def book(size: Literal["S", "M", "L"] = "L") -> QuotaBook:
    return QuotaBook(Quotas(enabled=True, tenant_size=size))


def charge(units: int = 1, *, tenant: str = "t", app: str = "a", **kinds: int) -> Charge:
    return Charge(
        tenant_id=tenant,
        app_id=app,
        units=units,
        writes=kinds.get("writes", 0),
        personal_write=bool(kinds.get("personal", 0)),
        key_credentials=bool(kinds.get("keys", 0)),
    )


def passed(quotas: QuotaBook, one: Charge, times: int, now: datetime = NOW) -> int:
    """Return how many of several equal requests pass."""
    verdicts = [quotas.charge(one, now) for _ in range(times)]
    return sum(verdict is not None and not verdict.refused for verdict in verdicts)


@pytest.mark.parametrize(("size", "units"), [("S", 3500), ("M", 5000), ("L", 8000)])
def test_units_of_an_application_in_a_tenant(size: Literal["S", "M", "L"], units: int) -> None:
    """F5: per 10 seconds, by the size of the tenant."""
    quotas = book(size)
    assert passed(quotas, charge(100), 100) == units // 100
    assert passed(quotas, charge(100, tenant="other"), 1) == 1
    assert passed(quotas, charge(100, app="other"), 1) == 1


def test_units_come_back_with_time() -> None:
    """F5."""
    quotas = book()
    assert passed(quotas, charge(8000), 1) == 1
    assert passed(quotas, charge(800), 1, NOW + timedelta(seconds=0.9)) == 0
    assert passed(quotas, charge(800), 1, NOW + timedelta(seconds=3)) == 1


def test_writes_of_an_application_in_a_tenant() -> None:
    """F5: 3,000 in 2 minutes and 30 seconds."""
    quotas = book()
    verdicts = [quotas.charge(charge(writes=1), NOW) for _ in range(3001)]
    last, refused = verdicts[-2:]
    assert last is not None
    assert refused is not None
    assert (last.refused, refused.refused) == (False, True)
    assert refused.information == "WriteLimitExceeded"
    assert refused.scope == "Tenant_Application/ReadWrite/a/t"


def test_writes_of_a_whole_tenant() -> None:
    """F5: 18,000 in 5 minutes, for all applications together."""
    quotas = book()
    counts = [passed(quotas, charge(writes=1, app=str(app)), 2900) for app in range(7)]
    assert sum(counts) == 18_000


def test_writes_to_applications_for_personal_accounts() -> None:
    """F5: 60 a minute."""
    assert passed(book(), charge(writes=1, personal=1), 70) == 60


def test_reads_of_key_credentials() -> None:
    """F5: 150 a minute for the whole tenant."""
    quotas = book()
    assert passed(quotas, charge(keys=1), 100) == 100
    assert passed(quotas, charge(keys=1, app="other"), 100) == 50


def test_refused_requests_are_charged_too() -> None:
    """F5: a client that keeps asking waits longer."""
    quotas = book()
    waits = []
    for _ in range(4):
        verdict = quotas.charge(charge(4000), NOW)
        assert verdict is not None
        waits.append(verdict.retry_after)
    assert waits[:2] == [0, 0]
    assert 0 < waits[2] < waits[3]


def test_retry_after_is_enough() -> None:
    quotas = book()
    for _ in range(3):
        verdict = quotas.charge(charge(3000), NOW)
    assert verdict is not None
    assert verdict.refused
    later = NOW + timedelta(seconds=verdict.retry_after)
    assert passed(quotas, charge(3000), 1, later) == 1


def test_percentage_is_told_from_eight_tenths_on() -> None:
    """F5."""
    quotas = book()
    below, above = (quotas.charge(charge(units), NOW) for units in (6400, 100))
    assert below is not None
    assert above is not None
    assert throttle_headers(below) == {}
    assert throttle_headers(above) == {"x-ms-throttle-limit-percentage": "0.81"}


def test_quotas_are_off_unless_asked_for() -> None:
    assert QuotaBook().charge(charge(1_000_000), NOW) is None


def test_quota_over_http_is_429_and_nothing_happens(user: GraphUser, emulator: Emulator) -> None:
    """F4, F5, tested with the smallest quota, which is for personal accounts."""
    app = emulator.create_application(
        user.tenant, owner=user.client_id, signInAudience="PersonalMicrosoftAccount"
    )
    user.sign_in()
    emulator.stop_clock()
    emulator.set_faults(quotas={"enabled": True})
    path = f"applications/{app.id}"
    answers = [user.call("PATCH", path, {"notes": str(number)}) for number in range(61)]
    refused = answers[-1]
    assert [one.status_code for one in answers[:60]] == [204] * 60
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "TooManyRequests"
    assert refused.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert int(refused.headers["Retry-After"]) >= 1
    assert answers[50].headers["x-ms-throttle-limit-percentage"] == "0.85"
    assert emulator.application(app.id)["notes"] == "59"
    emulator.move_clock(int(refused.headers["Retry-After"]))
    assert user.call("PATCH", path, {"notes": "again"}).status_code == 204
