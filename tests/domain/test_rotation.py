from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.rotation import (
    MAX_JITTER,
    asked_lifetime,
    backoff,
    effective_overlap,
    effective_renew_before,
    is_overdue,
    schedule,
    wanted_lifetime,
)
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.windows import Weekday
from tests.support.builders import DAY, HOUR, ISSUED, MINUTE, SECOND, rotation, spec, window

CAP = 15 * MINUTE
SPANS = st.timedeltas(min_value=SECOND, max_value=731 * DAY)


@pytest.mark.parametrize(
    ("wanted", "ceilings", "expected"),
    [
        (30 * DAY, (), 30 * DAY),
        (30 * DAY, (None, None), 30 * DAY),
        (30 * DAY, (60 * DAY, 7 * DAY), 7 * DAY),
        (90 * DAY, (365 * DAY,), 90 * DAY),
    ],
)
def test_the_least_lifetime_is_asked_for(
    wanted: timedelta, ceilings: tuple[timedelta | None, ...], expected: timedelta
) -> None:
    assert asked_lifetime(wanted, *ceilings) == expected


def test_ninety_days_are_wanted_when_nothing_is_said() -> None:
    assert wanted_lifetime(spec()) == 90 * DAY
    assert wanted_lifetime(spec(lifetime=HOUR)) == HOUR


def test_of_a_brought_certificate_all_it_has_is_wanted() -> None:
    inline = CertificateSpec(source=CertificateSource.INLINE, inline="MII=")
    supplied = replace(spec(), type=CredentialType.CERTIFICATE, certificate=inline)
    assert wanted_lifetime(supplied) == 3650 * DAY
    assert wanted_lifetime(replace(supplied, lifetime=HOUR)) == HOUR


@pytest.mark.parametrize(
    ("asked", "actual", "expected"),
    [
        (None, 90 * DAY, 30 * DAY),
        (20 * DAY, 90 * DAY, 20 * DAY),
        (60 * DAY - SECOND, 90 * DAY, 60 * DAY - SECOND),
        (60 * DAY, 90 * DAY, 30 * DAY),
        (30 * DAY, 6 * DAY, 2 * DAY),
    ],
    ids=[
        "a third by default",
        "the spec's",
        "up to two thirds",
        "not two thirds",
        "Entra gave a shorter one",
    ],
)
def test_renew_before(asked: timedelta | None, actual: timedelta, expected: timedelta) -> None:
    assert effective_renew_before(rotation(renew_before=asked), actual) == expected


@pytest.mark.parametrize(
    ("asked", "renew_before", "expected"),
    [
        (None, 30 * DAY, 15 * DAY),
        (7 * DAY, 30 * DAY, 7 * DAY),
        (15 * DAY, 2 * DAY, 2 * DAY),
    ],
)
def test_overlap(asked: timedelta | None, renew_before: timedelta, expected: timedelta) -> None:
    assert effective_overlap(rotation(overlap=asked), renew_before) == expected


def test_a_shortened_lifetime_brings_the_renewal_near() -> None:
    plan = schedule(rotation(), 30 * DAY, ISSUED, ISSUED + 90 * DAY, "key")
    assert plan.end == ISSUED + 30 * DAY
    assert plan.renewal_time < ISSUED + 20 * DAY + SECOND


def test_a_shorter_end_of_entra_is_the_truth() -> None:
    plan = schedule(rotation(), 90 * DAY, ISSUED, ISSUED + 7 * DAY, "key")
    assert plan.end == ISSUED + 7 * DAY
    assert plan.renew_before == 7 * DAY / 3


def test_an_end_before_the_start_is_due_at_once() -> None:
    plan = schedule(rotation(), 90 * DAY, ISSUED, ISSUED - DAY, "key")
    assert (plan.renewal_time, plan.overlap) == (ISSUED - DAY, timedelta(0))


def test_the_demo_lifetime_works() -> None:
    wanted = rotation(renew_before=30 * SECOND, overlap=15 * SECOND)
    plan = schedule(wanted, MINUTE, ISSUED, ISSUED + MINUTE, "key")
    assert (plan.renew_before, plan.overlap) == (30 * SECOND, 15 * SECOND)
    assert ISSUED + 27 * SECOND <= plan.renewal_time <= ISSUED + 30 * SECOND


@settings(derandomize=True, max_examples=200)
@given(life=SPANS, asked=st.none() | SPANS, overlap=st.none() | SPANS, seed=st.text(max_size=8))
def test_jitter_makes_it_only_earlier_and_by_five_percent_at_most(
    life: timedelta, asked: timedelta | None, overlap: timedelta | None, seed: str
) -> None:
    wanted = rotation(renew_before=asked, overlap=overlap)
    plan = schedule(wanted, life, ISSUED, ISSUED + life, seed)
    earlier = plan.end - plan.renew_before - plan.renewal_time
    # Renewal is cut to a whole second, so that it can stand in status.
    assert timedelta(0) <= earlier < plan.renew_before * MAX_JITTER + SECOND
    assert plan.overlap <= plan.renew_before <= life * 2 / 3
    assert schedule(wanted, life, ISSUED, ISSUED + life, seed) == plan


def test_the_seed_spreads_renewals() -> None:
    times = {
        schedule(rotation(), 90 * DAY, ISSUED, ISSUED + 90 * DAY, f"key-{n}").renewal_time
        for n in range(50)
    }
    assert len(times) == 50


def test_overdue_is_thirty_percent_of_the_window() -> None:
    plan = schedule(rotation(), 90 * DAY, ISSUED, ISSUED + 90 * DAY, "key")
    edge = plan.renewal_time + (plan.end - plan.renewal_time) * 0.3
    assert is_overdue(plan, edge)
    assert not is_overdue(plan, edge - SECOND)


@pytest.mark.parametrize(
    ("attempts", "least"),
    [
        (-1, timedelta(0)),
        (0, timedelta(0)),
        (1, MINUTE),
        (2, 2 * MINUTE),
        (3, 4 * MINUTE),
        (5, CAP),
        (10_000, CAP),
    ],
)
def test_backoff_doubles_up_to_its_cap(attempts: int, least: timedelta) -> None:
    assert least <= backoff(attempts, MINUTE, CAP, "seed") <= least * 1.1


@settings(derandomize=True, max_examples=100)
@given(
    attempts=st.integers(0, 100),
    base=st.timedeltas(min_value=SECOND, max_value=HOUR),
    cap=st.timedeltas(min_value=SECOND, max_value=DAY),
    seed=st.text(max_size=8),
)
def test_backoff_never_falls_and_stays_near_its_cap(
    attempts: int, base: timedelta, cap: timedelta, seed: str
) -> None:
    now, then = (backoff(n, base, cap, seed) for n in (attempts, attempts + 1))
    assert timedelta(0) <= now <= then <= cap * 1.1


# --- windows -----------------------------------------------------------------------------------

WEEKLY = {day: window("22:00", "24:00", days=[day]) for day in Weekday}
BEGUN = datetime(2026, 11, 22, 10, tzinfo=UTC)
"""A Sunday."""


def renewal(
    *days: Weekday,
    lifetime: timedelta = 9 * DAY,
    renew_before: timedelta | None = None,
    overlap: timedelta | None = None,
) -> datetime:
    """Return the renewal time, without jitter, of what was issued on that Sunday."""
    windows = [WEEKLY[day] for day in days]
    wanted = rotation(windows=windows, renew_before=renew_before, overlap=overlap)
    found = schedule(wanted, lifetime, BEGUN, BEGUN + lifetime, "key")
    free = replace(wanted, windows=())
    planned = schedule(free, lifetime, BEGUN, BEGUN + lifetime, "key").renewal_time
    return BEGUN + lifetime - found.renew_before - (planned - found.renewal_time)


@pytest.mark.parametrize(
    ("days", "earlier"),
    [
        ((), timedelta(0)),
        ((Weekday.SAT,), timedelta(0)),  # it opens after the renewal and is over before the overlap
        ((Weekday.SAT, Weekday.TUE), timedelta(0)),
        # The renewal is due on Saturday at 10:00. An hour before it opens on Friday:
        ((Weekday.FRI,), 13 * HOUR),
        ((Weekday.FRI, Weekday.SUN), 13 * HOUR),
        ((Weekday.THU,), timedelta(0)),  # an hour before it opens is in the first half of its life
        ((Weekday.SUN,), timedelta(0)),  # after half of the overlap is over
    ],
)
def test_a_renewal_leaves_room_for_a_window(days: tuple[Weekday, ...], earlier: timedelta) -> None:
    assert renewal() - renewal(*days) == earlier


def test_what_lives_for_hours_is_renewed_as_ever() -> None:
    assert renewal(*Weekday, lifetime=6 * HOUR) == renewal(lifetime=6 * HOUR)


def test_a_renewal_for_a_window_leaves_time_to_prove_it() -> None:
    short = renewal(Weekday.SUN, lifetime=18 * HOUR, renew_before=5 * HOUR, overlap=HOUR)
    assert short == BEGUN + 12 * HOUR - 18 * HOUR / 20


def test_no_jitter_brings_a_renewal_into_the_first_half_for_a_window() -> None:
    """An hour before Thursday's window, exactly half of its life is over."""
    lifetime = 9 * DAY - 2 * HOUR
    assert renewal(Weekday.THU, lifetime=lifetime) == renewal(lifetime=lifetime)


@given(SPANS, st.frozensets(st.sampled_from(list(Weekday))))
def test_windows_renew_earlier_and_never_in_the_first_half(
    lifetime: timedelta, days: frozenset[Weekday]
) -> None:
    free = schedule(rotation(), lifetime, BEGUN, BEGUN + lifetime, "key")
    wanted = rotation(windows=[WEEKLY[day] for day in days])
    found = schedule(wanted, lifetime, BEGUN, BEGUN + lifetime, "key")
    assert found.renewal_time <= free.renewal_time
    assert (found.renew_before, found.overlap, found.end) == (
        free.renew_before,
        free.overlap,
        free.end,
    )
    if found.renewal_time < free.renewal_time:
        assert found.renewal_time >= BEGUN + lifetime / 2 - SECOND
