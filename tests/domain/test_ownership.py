"""What a list lacks is a doubt; two direct reads settle it."""

from __future__ import annotations

import pytest

from appcredential.domain.ownership import (
    READ_AGAIN,
    REPLICAS_LAG,
    REQUIRED_READS,
    Doubt,
    Ownerships,
)
from appcredential.domain.spec.model import ClientId

A, B, C = (ClientId(f"{n}{n}{n}{n}0000-0000-4000-8000-000000000000") for n in (1, 2, 3))
ALL = frozenset({A, B, C})
LAG, HOUR = REPLICAS_LAG.total_seconds(), READ_AGAIN.total_seconds()
MISSED = Doubt(1, LAG)


def read(known: Ownerships, client_id: ClientId, *, is_owner: bool, times: int = 1) -> list[bool]:
    return [known.see_owners(client_id, is_owner=is_owner, now=n) for n in range(times)]


def lost(*client_ids: ClientId) -> Ownerships:
    """Return what is known after the ownership of some applications went."""
    known = Ownerships()
    known.see_list(ALL, ALL - set(client_ids))
    for client_id in client_ids:
        read(known, client_id, is_owner=False, times=REQUIRED_READS)
    return known


def test_nothing_is_known_before_the_first_list() -> None:
    assert Ownerships().owns(A) is None


def test_what_a_list_shows_is_owned_and_what_it_lacks_is_not_known() -> None:
    known = Ownerships()
    known.see_list(ALL, {A, C})
    assert [known.owns(one) for one in (A, B, C)] == [True, None, True]
    assert list(known.doubts) == [B]


def test_two_direct_reads_in_a_row_have_to_agree() -> None:
    known = Ownerships()
    known.see_list(ALL, {A, C})
    assert read(known, B, is_owner=False) == [False]
    assert known.owns(B) is None
    assert read(known, B, is_owner=True) == [False]
    assert known.owns(B) is True
    assert not known.doubts
    known.see_list(ALL, {A, C})
    assert read(known, B, is_owner=False, times=2) == [False, True]
    assert known.owns(B) is False


def test_a_list_alone_ends_nothing_and_a_direct_read_does() -> None:
    known = lost(B)
    known.see_list(ALL, ALL)
    assert known.owns(B) is False
    assert list(known.doubts) == [B]
    assert read(known, B, is_owner=True) == [False]
    assert known.owns(B) is True


def test_a_direct_read_that_contradicts_the_list_leaves_it_as_it_is() -> None:
    known = lost(B)
    known.see_list(ALL, ALL)
    assert known.see_owners(B, is_owner=False, now=9) is False
    assert (known.owns(B), known.unowned[B], known.doubts) == (False, 9, {})


def test_once_an_hour_some_of_the_unowned_are_read_again_the_oldest_first() -> None:
    many = [ClientId(f"{n:08d}-0000-4000-8000-000000000000") for n in range(30)]
    known = Ownerships(is_listed=True, unowned={c: float(-n) for n, c in enumerate(many)})
    known.see_list(frozenset({*many, A}), ())
    assert list(known.doubts) == [A]
    assert known.next_reads(30, 0) == [A, *reversed(many[10:])]
    for client_id in (A, *many[10:]):
        known.see_owners(client_id, is_owner=client_id == A, now=1)
    assert known.next_reads(30, HOUR - 1) == []
    assert known.next_reads(30, HOUR) == [*reversed(many[:10]), *many[10:20]]


def test_one_that_is_shown_again_counts_within_the_hour() -> None:
    known = lost(B)
    known.see_owners(*known.next_reads(20, 0), is_owner=False, now=0)
    assert known.next_reads(20, HOUR - 1) == []
    known.see_owners(*known.next_reads(20, HOUR), is_owner=True, now=HOUR)
    assert known.owns(B) is True


def test_two_reads_without_the_operator_are_farther_apart_than_replicas_lag() -> None:
    known = Ownerships(is_listed=True)
    known.ask(A)
    read(known, A, is_owner=False)
    for ask in (False, True):
        if ask:
            known.ask(A)
        assert known.next_reads(20, LAG - 1) == []
    assert known.next_reads(20, LAG) == [A]


def test_what_cannot_be_read_is_tried_again_in_an_hour_or_when_somebody_asks() -> None:
    known = Ownerships()
    known.see_list(ALL, {B})
    assert known.see_unreadable(A, 5) is True
    read(known, C, is_owner=False)
    assert (known.next_reads(20, HOUR + 4), known.next_reads(20, HOUR + 5)) == ([C], [A, C])
    assert known.see_unreadable(A, HOUR) is False
    known.ask(A)
    assert known.next_reads(20, HOUR) == [A, C]
    assert known.see_unreadable(A, HOUR) is False
    assert known.owns(A) is None


def test_what_writes_have_shown_outlasts_a_time_without_looks() -> None:
    known = lost(A, C)
    known.see_write(A)
    known = known.anew()
    assert [known.owns(one) for one in (A, C)] == [None, None]
    known.see_list(ALL, {B})
    assert (known.owns(A), list(known.doubts)) == (True, [C])


def test_what_nobody_uses_any_more_is_forgotten() -> None:
    known = lost(A, B)
    known.see_write(A)
    known.see_list(frozenset({C}), {C})
    assert (known.unowned, known.written, known.doubts) == ({}, set(), {})


def test_who_asks_comes_first() -> None:
    known = Ownerships()
    known.see_list(ALL, ())
    read(known, A, is_owner=False)
    known.ask(C)
    assert known.next_reads(2, 0) == [C, B]
    read(known, C, is_owner=False)
    assert known.next_reads(3, LAG) == [C, B, A]
    known.ask(A)
    assert known.next_reads(2, LAG) == [C, B]
    known.see_unreadable(C, -HOUR)
    assert known.next_reads(2, LAG) == [A, B]
    assert known.doubts == {B: Doubt(), A: MISSED, C: Doubt(1, LAG, 0.0)}
    read(known, A, is_owner=False)
    read(known, C, is_owner=True)
    assert (list(known.doubts), known.asked) == ([B], {})


def test_who_asks_again_and_again_keeps_nothing_from_being_concluded() -> None:
    known = Ownerships(is_listed=True)
    for expected in (False, True):
        known.ask(A)
        assert read(known, A, is_owner=False) == [expected]


def test_those_that_are_asked_for_take_half_of_the_reads() -> None:
    many = [ClientId(f"{n:08d}-0000-4000-8000-000000000000") for n in range(30)]
    known = Ownerships()
    known.see_list(frozenset({*many, *ALL}), many)
    for client_id in many:
        known.ask(client_id)
    assert known.next_reads(6, 0) == [*many[:3], A, B, C]


def test_what_waits_for_a_direct_read_waits_through_a_list() -> None:
    known = lost(A)
    known.ask(C)
    known.see_list(ALL, {B, C})
    assert (known.doubts, known.asked) == ({C: Doubt()}, {C: None})
    read(known, C, is_owner=False)
    known.see_list(ALL, {A, B, C})
    assert (known.doubts, known.asked) == ({A: Doubt(), C: MISSED}, {C: None})
    known.see_list(frozenset({A}), {A})
    assert (known.doubts, known.asked) == ({A: Doubt()}, {})


def test_what_cannot_be_found_is_nobody_s_fault() -> None:
    known = lost(A)
    known.forget(A)
    assert known.owns(A) is True


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_write_that_succeeds_is_looked_into(*, is_listed: bool) -> None:
    """It was made an owner meanwhile: then a later loss counts again."""
    known = lost(A)
    known.see_write(A)
    assert (known.owns(A), list(known.doubts)) == (None, [A])
    if is_listed:
        known.see_list(ALL, ALL)
    else:
        read(known, A, is_owner=True)
    assert not known.written
    known.see_list(ALL, {B, C})
    assert read(known, A, is_owner=False, times=2) == [False, True]


def test_who_may_write_without_being_an_owner_is_not_told_again() -> None:
    """A directory role allows it, and no token names one."""
    known = lost(A)
    known.see_write(A)
    assert read(known, A, is_owner=False) == [False]
    assert (known.owns(A), known.doubts) == (True, {})
    known.see_list(ALL, {B, C})
    assert (known.owns(A), known.doubts) == (True, {})


def test_a_write_to_what_it_owns_tells_nothing() -> None:
    known = lost(A)
    known.see_write(B)
    assert (known.written, known.doubts) == (set(), {})
