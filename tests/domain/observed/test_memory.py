"""What a pass teaches: failures and what ends them, reads, and writes of this process."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.memory import RETRY_CAP, Memory
from appcredential.domain.observed.operation import Operation
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.proof import Proof, classify
from appcredential.domain.spec.model import KeyId
from appcredential.domain.urgency import is_in_line
from tests.support.builders import (
    ATTEMPT,
    HOUR,
    KEY,
    MINUTE,
    NEXT,
    NOT_YET,
    NOW,
    OBJECT_ID,
    OLD,
    SECOND,
    application,
    credential,
    next_credential,
    old_credential,
    pending,
    problem,
    proof,
    proven,
    retiring,
    target,
)
from tests.support.federated import listed

REFUSED = problem(Reason.CREDENTIAL_REFUSED)
AWAY = problem(Reason.DIRECTORY_UNAVAILABLE, stalled=False)
DISABLED, THROTTLED = classify(400, (7000112,)), classify(429, ())
LATER = NOW + MINUTE
FAILED = Memory().failed(Operation.MINT, REFUSED, LATER)


# --- failures --------------------------------------------------------------------------------


def test_a_failure_is_kept_with_its_operation_and_time() -> None:
    found = FAILED
    assert (found.directory_problem, found.problem_operation, found.retry_time) == (
        REFUSED,
        Operation.MINT,
        LATER,
    )
    later = found.failed(Operation.READ, AWAY, LATER + HOUR)
    assert later.directory_problem == AWAY
    assert later.problem_operation is Operation.READ


@pytest.mark.parametrize("operation", Operation)
def test_only_its_own_success_ends_a_failure(operation: Operation) -> None:
    failed = Memory().failed(operation, AWAY, LATER)
    for other in Operation:
        found = failed.succeeded(other)
        assert found == (Memory() if other is operation else failed)


@pytest.mark.parametrize("operation", Operation)
def test_every_success_ends_a_pause_that_belongs_to_no_failure(operation: Operation) -> None:
    assert Memory(retry_time=LATER).succeeded(operation).retry_time is None


@pytest.mark.parametrize(
    ("before", "is_dropped"),
    [
        (Memory(), False),
        (Memory().failed(Operation.MINT, AWAY, LATER), False),
        (Memory().failed(Operation.ANNOTATE, problem(Reason.PERMISSION_DENIED), LATER), False),
        (FAILED, True),
        (Memory().failed(Operation.PUBLISH, problem(Reason.SECRET_REFUSED), LATER), True),
    ],
    ids=["nothing", "a failure that passes", "a missing right", "Graph's", "the API server's"],
)
def test_another_spec_is_not_held_to_a_refusal(before: Memory, is_dropped: bool) -> None:
    assert before.spec_changed() == (Memory() if is_dropped else before)


# --- reads of the application ------------------------------------------------------------------


def seen(
    memory: Memory,
    found: Application,
    *,
    before: Application | None = None,
    target: Target | None = target(retiring=(retiring(OLD),)),  # noqa: B008 - frozen
    pending: Pending | None = pending(),  # noqa: B008 - frozen
) -> Memory:
    return memory.saw_application(found, before, target=target, pending=pending)


@pytest.mark.parametrize(
    ("found", "absences"),
    [
        (application(), {KEY: 1, OLD: 1, NEXT: 1}),
        (application(credential()), {KEY: 0, OLD: 1, NEXT: 1}),
        (
            application(credential(), old_credential(), next_credential()),
            dict.fromkeys((KEY, OLD, NEXT), 0),
        ),
    ],
)
def test_a_recorded_key_that_a_read_lacks_is_absent_once_more(
    found: Application, absences: dict[KeyId, int]
) -> None:
    assert seen(Memory(), found).absences == absences


def test_absences_are_counted_in_a_row_and_forgotten_with_the_key() -> None:
    twice = Memory(absences={KEY: 2, NEXT: 2, KeyId("gone"): 7})
    assert seen(twice, application(credential()), pending=None).absences == {KEY: 0, OLD: 1}
    assert seen(twice, application()).absences == {KEY: 3, NEXT: 3, OLD: 1}
    assert seen(twice, application(), target=None, pending=None).absences == {}


def test_the_first_read_without_a_key_is_remembered_until_one_shows_it() -> None:
    lacking = seen(Memory(), application(read_time=NOW))
    assert lacking.absent_since == dict.fromkeys((KEY, OLD, NEXT), NOW)
    later = seen(lacking, application(next_credential(), read_time=LATER))
    assert later.absent_since == {KEY: NOW, OLD: NOW}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (proof(ATTEMPT, NOT_YET, NOT_YET, NOT_YET), None),
        (proven(ATTEMPT), proven(ATTEMPT)),
        (proof(ATTEMPT, DISABLED), proof(ATTEMPT, DISABLED)),
        (
            proof(ATTEMPT, NOT_YET, THROTTLED),
            replace(proof(ATTEMPT, NOT_YET, THROTTLED), refusals=0, refused_since=None),
        ),
        (None, None),
    ],
    ids=["refused", "proven", "of the application", "a pause is asked for", "never tried"],
)
def test_what_was_refused_while_it_was_listed_does_not_tell_that_it_is_gone(
    before: Proof | None, after: Proof | None
) -> None:
    memory = Memory(published_proof=before)
    assert seen(memory, application(credential())).published_proof == before
    assert seen(memory, application(), target=None).published_proof == before
    lacking = seen(memory, application())
    assert lacking.published_proof == after
    since = replace(lacking, published_proof=proof(ATTEMPT, NOT_YET))
    again = seen(since, application(read_time=LATER))
    assert again.published_proof == since.published_proof
    shown = seen(again, application(credential(), read_time=LATER + MINUTE))
    assert seen(shown, application(read_time=LATER + HOUR)).published_proof is None


def test_the_same_read_counts_once() -> None:
    read = application(read_time=NOW)
    before = seen(Memory(), read)
    assert seen(before, read, before=read) == before
    assert seen(before, application(read_time=LATER), before=read).absences[KEY] == 2


def reads(*times: datetime) -> Memory:
    memory = Memory()
    for time in times:
        memory = seen(memory, application(credential(), read_time=time))
    return memory


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [
        ((0,), (0,)),
        ((0, 4), (0,)),
        ((0, 5), (0, 5)),
        ((0, 4, 5, 9, 10), (0, 5, 10)),
        ((0, 5, 10, 15), (5, 10, 15)),
    ],
)
def test_reads_that_show_a_key_count_when_they_are_apart(
    seconds: tuple[int, ...], kept: tuple[int, ...]
) -> None:
    found = reads(*(NOW + s * SECOND for s in seconds)).consecutive_reads
    assert found == {KEY: tuple(NOW + s * SECOND for s in kept)}


def test_a_read_that_lacks_a_key_ends_the_row() -> None:
    found = seen(reads(NOW, LATER), application(read_time=LATER + MINUTE))
    assert found.consecutive_reads == {}


def test_a_read_ends_the_time_without_an_application() -> None:
    missing = Memory().missed_application(NOW)
    found = seen(missing, application())
    assert found.application_missing == ()
    assert found.retry_time is None
    kept = seen(FAILED.missed_application(NOW), application())
    assert kept.directory_problem == REFUSED
    assert kept.retry_time is not None


def test_looks_for_a_missing_application_become_rare() -> None:
    memory, pauses = Memory(), []
    for _ in range(8):
        memory = memory.missed_application(NOW)
        assert memory.retry_time is not None
        pauses.append(memory.retry_time - NOW)
    seconds = [10, 20, 40, 80, 160, 300, 300, 300]
    assert pauses == [timedelta(seconds=s) for s in seconds]
    assert pauses[-1] == RETRY_CAP


def test_the_first_answer_without_an_application_is_kept() -> None:
    memory, times = Memory(), [NOW + n * MINUTE for n in range(20)]
    for time in times:
        memory = memory.missed_application(time)
    assert memory.application_missing == (times[0], *times[-8:])


# --- writes of this process --------------------------------------------------------------------


def test_a_removal_is_noted_and_ends_its_failure() -> None:
    failed = Memory(removals={OLD: NOW}).failed(Operation.REMOVE, AWAY, LATER)
    assert failed.removed(KEY, LATER) == Memory(removals={OLD: NOW, KEY: LATER})
    assert FAILED.removed(KEY, NOW).directory_problem == REFUSED


def test_the_last_ten_repairs_are_kept() -> None:
    memory, times = Memory(), tuple(NOW + n * MINUTE for n in range(12))
    for time in times:
        memory = memory.repaired(time)
    assert memory.repairs == times[2:]


# --- federated credentials ---------------------------------------------------------------------


def federated(*ids: str) -> FederatedList:
    found = tuple(listed(id_) for id_ in ids)
    return FederatedList(object_id=OBJECT_ID, credentials=found, read_time=NOW)


def test_a_federated_credential_keeps_the_time_when_it_was_first_seen() -> None:
    first = Memory().failed(Operation.READ, AWAY, LATER).saw_federated(federated("a", "b"), NOW)
    assert first.federated.seen == {"a": NOW, "b": NOW}
    assert first.directory_problem is None
    assert first.saw_federated(federated("b", "c"), LATER).federated.seen == {"b": NOW, "c": LATER}


def test_only_another_trust_needs_a_quiet_time() -> None:
    written = FAILED.wrote_federated("x", NOW, is_changed=False)
    assert (written.federated.written, written.federated.changed) == ({"x": NOW}, {})
    assert written.directory_problem is None
    changed = written.wrote_federated("y", LATER, is_changed=True).federated
    assert (changed.written, changed.changed) == ({"x": NOW, "y": LATER}, {"y": LATER})


def test_a_removed_federated_credential_is_noted() -> None:
    failed = Memory().failed(Operation.REMOVE, AWAY, LATER)
    found = failed.removed_federated("a", NOW).removed_federated("b", LATER)
    assert found.federated.removed == {"a": NOW, "b": LATER}
    assert found.directory_problem is None


def test_waiting_for_a_turn_hides_no_problem_and_is_none() -> None:
    assert Memory().awaits_turn(LATER) == Memory(retry_time=LATER)
    assert FAILED.awaits_turn(LATER).directory_problem is FAILED.directory_problem


def test_in_line_is_who_waits_for_nothing_but_its_turn() -> None:
    assert is_in_line(Memory().awaits_turn(LATER), NOW)
    assert not is_in_line(Memory().awaits_turn(LATER), LATER)
    assert not is_in_line(Memory(), NOW)
    assert not is_in_line(FAILED.awaits_turn(LATER), NOW)
    assert not is_in_line(Memory().missed_application(NOW).awaits_turn(LATER), NOW)
