"""When something new has to come, when it may, and when the old one may go."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from appcredential.domain.facts.published import is_gone, seems_gone
from appcredential.domain.facts.retirement import retire_time
from appcredential.domain.facts.successor import (
    is_at_limit,
    mint_time,
    needs_successor,
    unproven_publish_time,
)
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState, Retiring
from appcredential.domain.promised import required
from appcredential.domain.proof import UNREACHABLE, Proof
from appcredential.domain.spec.model import KeyId, RetireWhen
from tests.support.builders import (
    ATTEMPT,
    DAY,
    HOUR,
    ISSUED,
    MINUTE,
    NEXT_ATTEMPT,
    NOT_YET,
    NOW,
    OLD,
    SECOND,
    application,
    attempt,
    credential,
    facts,
    minted,
    observation,
    old_credential,
    pending,
    proof,
    proven,
    resource,
    retiring,
    rotation,
    spec,
    target,
)

EMPTY = observation(target=None, application=application())


def wanting(before: datetime, *, published: datetime = ISSUED) -> Observation:
    """Return one that asks for a rotation of what was issued before that time."""
    wanted = spec(rotation=rotation(rotate_issued_before=before))
    return observation(resource=resource(wanted), target=target(published_time=published))


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (observation(), False),
        (EMPTY, True),
        (observation(target=target(damaged=True)), True),
        (observation(target=replace(target(), published=None, value=None)), True),
        (observation(target=target(minted(expires=NOW))), True),
        (observation(target=target(minted(expires=NOW + MINUTE)), directory_skew=MINUTE), True),
        (replace(observation(), now=ISSUED + 55 * DAY), False),
        (replace(observation(), now=ISSUED + 60 * DAY), True),
        (wanting(ISSUED), False),
        (wanting(ISSUED + SECOND), True),
        (wanting(NOW), True),
        (wanting(NOW + SECOND), False),
        (wanting(NOW, published=NOW - 9 * MINUTE), False),
        (wanting(NOW, published=NOW - 10 * MINUTE), True),
    ],
    ids=[
        "all is well",
        "nothing published",
        "its value is damaged",
        "its records are damaged",
        "it has expired",
        "it has expired by Entra's clock",
        "the renewal is not due",
        "the renewal is due",
        "issued at the very time that rotateIssuedBefore names",
        "issued before it",
        "it names this moment",
        "it lies ahead",
        "the last publish was nine minutes ago",
        "ten minutes ago",
    ],
)
def test_a_successor_is_needed(o: Observation, expected: bool) -> None:
    assert needs_successor(facts(o)) is expected


def unlisted(*, read: int = 60, run: Proof | None = None) -> Observation:
    """Return one whose published key is missing in a read made so long after its publish."""
    return observation(
        target=target(published_time=NOW - read * SECOND),
        application=application(),
        memory=Memory(published_proof=run),
    )


REFUSED = proof(ATTEMPT, NOT_YET, NOT_YET, NOT_YET, every=15)


@pytest.mark.parametrize(
    ("o", "seems", "is_so"),
    [
        (observation(), False, False),
        (observation(memory=Memory(published_proof=REFUSED)), False, False),
        (unlisted(), True, False),
        (unlisted(read=30), False, False),
        (unlisted(read=30, run=REFUSED), False, False),
        (unlisted(run=REFUSED), True, True),
        (unlisted(run=proof(ATTEMPT, NOT_YET, NOT_YET, every=30)), True, False),
        (unlisted(run=proof(ATTEMPT, NOT_YET, NOT_YET, NOT_YET, every=14)), True, False),
        (unlisted(run=proof(NEXT_ATTEMPT, NOT_YET, NOT_YET, NOT_YET, every=15)), True, False),
        (unlisted(run=proof(ATTEMPT, *[UNREACHABLE] * 9, every=15)), True, False),
        (unlisted(run=proven(ATTEMPT)), True, False),
    ],
    ids=[
        "listed",
        "listed, and refused",
        "not listed",
        "not listed right after the publish",
        "the same, and refused",
        "not listed, and refused thrice over thirty seconds",
        "refused twice only",
        "refused thrice in less",
        "another one was refused",
        "not listed while the network is down",
        "not listed, but it signs in",
    ],
)
def test_only_reads_and_sign_ins_together_say_that_it_is_gone(
    o: Observation, seems: bool, is_so: bool
) -> None:
    assert (seems_gone(facts(o)), is_gone(facts(o))) == (seems, is_so)


def fruitless(count: int, *, last: datetime = NOW, listed: bool = True) -> Observation:
    """Return one with as many of ours that never came to be published."""
    lost = [
        credential(KeyId(f"key-{n}"), attempt=attempt("lost-uid", n), start=last)
        for n in range(count)
    ]
    if not listed:
        return replace(EMPTY, application=application(*lost))
    return observation(application=application(credential(), *lost))


@pytest.mark.parametrize(
    ("o", "low", "high"),
    [
        (EMPTY, 0, 0),
        (observation(), 0, 0),
        (fruitless(1), 60, 66),
        (fruitless(2), 120, 132),
        (fruitless(1, listed=False), 60, 66),
        (fruitless(4, listed=False), 480, 528),
        (replace(EMPTY, pending=pending(PendingState.ABANDONED, intent_time=NOW)), 60, 66),
        (
            replace(EMPTY, pending=pending(PendingState.ABANDONED, number=9, intent_time=NOW)),
            900,
            990,
        ),
        (
            observation(pending=pending(PendingState.ABANDONED, number=12, intent_time=NOW)),
            6 * 3600,
            6 * 3960,
        ),
        (replace(EMPTY, memory=Memory(retry_time=NOW + 10 * SECOND)), 10, 10),
    ],
    ids=[
        "the first at once",
        "nothing failed",
        "one failed",
        "two failed",
        "one failed, both Secrets lost",
        "four failed, both Secrets lost",
        "an attempt was given up",
        "many were, and nothing is published: a quarter of an hour",
        "many were, and something is: six hours",
        "Entra asked to wait",
    ],
)
def test_minting_waits_longer_after_each_failure(o: Observation, low: int, high: int) -> None:
    wait = (mint_time(facts(o)) - NOW).total_seconds()
    assert low <= wait <= high


def test_a_replaced_one_is_no_failure() -> None:
    o = observation(
        target=target(retiring=(retiring(),)),
        application=application(credential(), old_credential(start=NOW)),
    )
    assert mint_time(facts(o)) == NOW


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (fruitless(2), False),
        (fruitless(3), True),
        (fruitless(4, listed=False), False),
        (fruitless(5, listed=False), True),
        (fruitless(9, last=NOW - 91 * DAY), False),
    ],
    ids=[
        "two beside the published",
        "three beside the published",
        "four while nothing is",
        "five while nothing is",
        "nine that have expired",
    ],
)
def test_few_unpublished_ones_are_kept(o: Observation, expected: bool) -> None:
    assert is_at_limit(facts(o)) is expected


def replaced(when: RetireWhen, entry: Retiring, **t: datetime) -> Observation:
    wanted = spec(rotation=rotation(renew_before=2 * DAY, overlap=DAY, retire_when=when))
    return observation(
        resource=resource(wanted),
        target=target(retiring=(entry,), **t),  # type: ignore[arg-type]
        application=application(credential(), old_credential(end=NOW + 30 * DAY)),
    )


def beside_one_between(o: Observation) -> Observation:
    """Return one in which another credential came between the old and the published one."""
    between = credential(KeyId("between"), start=NOW - 20 * DAY)
    return replace(
        o, application=application(credential(), old_credential(end=NOW + 30 * DAY), between)
    )


def without_publish(o: Observation) -> Observation:
    """Return one whose target Secret does not say when it was published."""
    return replace(o, target=replace(required(o.target), published_time=None))


EARLY = RetireWhen.OVERLAP_ELAPSED


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (replaced(EARLY, retiring(since=NOW)), NOW + DAY + 30 * SECOND),
        (replaced(EARLY, retiring(since=ISSUED), creation_time=NOW), NOW + DAY),
        (
            beside_one_between(replaced(EARLY, retiring(since=ISSUED), published_time=NOW)),
            NOW + 10 * MINUTE,
        ),
        (replaced(EARLY, retiring(since=NOW - 30 * DAY)), ISSUED + DAY + 30 * SECOND),
        (
            replaced(EARLY, retiring(since=NOW - 30 * DAY), published_time=NOW),
            NOW + DAY + 30 * SECOND,
        ),
        (
            without_publish(replaced(EARLY, retiring(since=NOW - 30 * DAY))),
            ISSUED + DAY + 30 * SECOND,
        ),
        (
            beside_one_between(replaced(EARLY, retiring(since=NOW - 90 * DAY))),
            ISSUED + DAY,
        ),
        (replaced(RetireWhen.EXPIRED, retiring(since=NOW)), NOW + 30 * DAY + 10 * MINUTE),
        (
            replaced(RetireWhen.EXPIRED, retiring(since=NOW, end=NOW - HOUR)),
            NOW + 30 * DAY + 10 * MINUTE,
        ),
        (
            replaced(RetireWhen.EXPIRED, retiring(KeyId("gone"), end=NOW + HOUR)),
            NOW + HOUR + 10 * MINUTE,
        ),
        (
            replace(replaced(EARLY, retiring(since=NOW)), target=None),
            NOW + 30 * DAY + 10 * MINUTE,
        ),
    ],
    ids=[
        "the overlap since it was replaced",
        "the overlap since the Secret was made anew",
        "ten minutes after any publish",
        "the overlap since the next one was issued, whatever is recorded",
        "the overlap since the next one was published, whatever is recorded",
        "the overlap since the next one was issued, if no publish is recorded",
        "the overlap since the next one was issued, which another has replaced since",
        "its own end",
        "its own end as Entra says, not as recorded",
        "the recorded end of one that is not listed",
        "its own end while there is no Secret",
    ],
)
def test_the_old_one_stays_for(o: Observation, expected: datetime) -> None:
    entry = o.target.retiring[0] if o.target is not None else retiring(OLD)
    assert retire_time(facts(o), entry) == expected


def test_an_unproven_one_settles_only_beside_a_valid_one() -> None:
    p = pending(intent_time=NOW)
    assert unproven_publish_time(facts(observation(pending=p)), p) == NOW + 30 * SECOND
    assert unproven_publish_time(facts(replace(EMPTY, pending=p)), p) == NOW
