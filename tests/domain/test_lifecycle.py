"""Rules 7 to 22 one by one, and which of two goes first. Rules 0 to 6: test_gates.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

import pytest

from appcredential.domain.actions import (
    Action,
    ApplyStatus,
    CancelRevocation,
    DeletePending,
    Fence,
    Mint,
    Publish,
    ReadApplication,
    Remove,
    SignInPending,
    SignInPublished,
    Sleep,
    WriteTarget,
)
from appcredential.domain.lifecycle import RULES, decide
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import Attempt
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState, RetireCause, Target
from appcredential.domain.promised import required
from appcredential.domain.proof import PROVEN, UNREACHABLE
from appcredential.domain.rotation import backoff
from appcredential.domain.rules import pending as pending_rules
from appcredential.domain.rules import removal as removal_rules
from appcredential.domain.rules import target as target_rules
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.spec.model import KeyId, RetireWhen, VerificationMode
from appcredential.domain.spec.secret import GenerateOnce
from tests.support.builders import (
    ATTEMPT,
    DAY,
    HOUR,
    ISSUED,
    KEY,
    LIFETIME,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NEXT_SECRET,
    NOT_YET,
    NOW,
    OBJECT_ID,
    OLD,
    OLD_ATTEMPT,
    OTHER_IDENTITY,
    OTHER_OWNER,
    SECOND,
    SECRET,
    TENANT_ID,
    abandoned,
    application,
    attempt,
    credential,
    facts,
    minted,
    named,
    next_credential,
    observation,
    old_credential,
    pending,
    problem,
    proof,
    proven,
    resource,
    retiring,
    rotation,
    spec,
    target,
)

Case: TypeAlias = tuple[str, Observation, Action | None]

READ = ReadApplication(15 * SECOND)
PAUSED = Memory(retry_time=NOW + SECOND)
STALE = NOW - 16 * SECOND
INTENT = pending(PendingState.INTENT)
GIVEN_UP = pending(PendingState.ABANDONED)
DAMAGED = target(damaged=True)
WIPED = replace(target(), published=None, value=None, annotations={})
DUE = observation(
    target=target(minted(not_before=NOW - 70 * DAY), published_time=NOW - 70 * DAY),
    application=application(credential(start=NOW - 70 * DAY)),
)
"""The published one has twenty of its ninety days left: renewal is due."""


def with_memory(o: Observation, memory: Memory) -> Observation:
    return replace(o, memory=memory)


def stale(o: Observation) -> Observation:
    assert o.application is not None
    return replace(o, application=replace(o.application, read_time=STALE))


def check(rule: str, o: Observation, expected: Action | None) -> None:
    (found,) = (r(facts(o)) for r in RULES if r.__name__ == rule)
    if isinstance(expected, DeletePending | Fence | WriteTarget) and found is not None:
        assert type(found) is type(expected)
        found = replace(found, reason=expected.reason)
    assert found == expected
    if expected is not None:
        assert decide(o).action != Sleep()


def table(*cases: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("o", "expected"), [c[1:] for c in cases], ids=[c[0] for c in cases]
    )


def written(t: Target, *, retiring: tuple[object, ...] | None = None) -> WriteTarget:
    entries = t.retiring if retiring is None else retiring
    return WriteTarget("", entries, t.abandoned)  # type: ignore[arg-type]


# --- 7 -------------------------------------------------------------------------------------


@table(
    ("no P", observation(), None),
    ("P is its own", observation(pending=pending()), None),
    ("an intent is its own", observation(pending=INTENT), None),
    (
        "its uid gives another attempt",
        observation(pending=replace(pending(), uid="restored-uid")),
        DeletePending(""),
    ),
    (
        "its number gives another attempt",
        observation(pending=replace(pending(), attempt_number=2)),
        DeletePending(""),
    ),
    (
        "it was made for another tenant",
        observation(pending=replace(pending(), tenant_id=TENANT_ID[::-1])),  # type: ignore[arg-type]
        DeletePending(""),
    ),
    (
        "it was made for another application",
        observation(pending=replace(pending(), object_id=OBJECT_ID[::-1])),  # type: ignore[arg-type]
        DeletePending(""),
    ),
    (
        "also without T",
        observation(target=None, pending=replace(pending(), uid="restored-uid")),
        DeletePending(""),
    ),
)
def test_7_a_copied_pending_secret_is_deleted(o: Observation, expected: Action | None) -> None:
    check("pending_secret_is_a_copy", o, expected)


# --- 8 -------------------------------------------------------------------------------------


@table(
    ("no P", observation(), None),
    ("no T", observation(target=None, pending=pending()), None),
    ("P is newer than T", observation(pending=pending()), None),
    (
        "P is published",
        observation(
            target=target(minted(NEXT, attempt=NEXT_ATTEMPT, value=NEXT_SECRET), value=NEXT_SECRET),
            pending=pending(),
        ),
        DeletePending(""),
    ),
    (
        "P is published and T damaged since",
        observation(
            target=target(
                minted(NEXT, attempt=NEXT_ATTEMPT, value=NEXT_SECRET),
                value=NEXT_SECRET,
                damaged=True,
            ),
            pending=pending(),
        ),
        DeletePending(""),
    ),
    (
        "P was given up by T's list",
        observation(target=target(abandoned=(abandoned(),)), pending=pending()),
        DeletePending(""),
    ),
    (
        "P was given up by the list of a T that records nothing else",
        observation(target=replace(WIPED, abandoned=(abandoned(),)), pending=pending()),
        DeletePending(""),
    ),
    (
        "P's key is retiring",
        observation(target=target(retiring=(retiring(NEXT),)), pending=pending()),
        DeletePending(""),
    ),
    (
        "P is older than what T holds",
        observation(
            pending=pending(minted_as=minted(NEXT, attempt=NEXT_ATTEMPT, not_before=NOW - 11 * DAY))
        ),
        DeletePending(""),
    ),
    ("T that records nothing says nothing", observation(target=WIPED, pending=pending()), None),
)
def test_8_a_pending_secret_that_is_done_is_deleted(
    o: Observation, expected: Action | None
) -> None:
    check("pending_secret_is_done", o, expected)


# --- 9 -------------------------------------------------------------------------------------

REMOVED = retiring(removed=NOW - MINUTE)


def absent(count: int) -> Memory:
    return Memory(absences={OLD: count})


@table(
    ("nothing retires", observation(), None),
    (
        "a listed entry of ours stays",
        observation(
            target=target(retiring=(retiring(),)),
            application=application(credential(), old_credential()),
        ),
        None,
    ),
    ("an unlisted entry stays", observation(target=target(retiring=(retiring(),))), None),
    (
        "the published key",
        observation(target=target(retiring=(retiring(KEY), retiring()))),
        written(target(), retiring=(retiring(),)),
    ),
    (
        "removed and absent in three reads",
        observation(target=target(retiring=(REMOVED,)), memory=absent(3)),
        written(target(), retiring=()),
    ),
    (
        "removed and absent in two reads",
        observation(target=target(retiring=(REMOVED,)), memory=absent(2)),
        None,
    ),
    (
        "absent in three reads but not noted as removed",
        observation(target=target(retiring=(retiring(),)), memory=absent(3)),
        None,
    ),
    (
        "listed with another owner's marker",
        observation(
            target=target(retiring=(retiring(),)),
            application=application(credential(), credential(OLD, owner=OTHER_OWNER)),
        ),
        written(target(), retiring=()),
    ),
    (
        "a damaged T is not written",
        observation(target=replace(DAMAGED, retiring=(retiring(KEY),))),
        None,
    ),
)
def test_9_a_retiring_entry_that_is_done_is_dropped(
    o: Observation, expected: Action | None
) -> None:
    check("retiring_entry_is_done", o, expected)


@table(
    ("nothing retires", observation(), None),
    (
        "nothing was removed",
        observation(
            target=target(retiring=(retiring(),)), application=application(read_time=NOW - MINUTE)
        ),
        None,
    ),
    (
        "ten seconds since the last read",
        observation(
            target=target(retiring=(REMOVED,)),
            application=application(credential(), read_time=NOW - 10 * SECOND),
            memory=absent(2),
        ),
        ReadApplication(5 * SECOND),
    ),
    (
        "nine seconds since the last read",
        observation(
            target=target(retiring=(REMOVED,)),
            application=application(credential(), read_time=NOW - 9 * SECOND),
        ),
        None,
    ),
    (
        "listed again",
        observation(
            target=target(retiring=(REMOVED,)),
            application=application(credential(), old_credential(), read_time=NOW - MINUTE),
        ),
        None,
    ),
    (
        "three absences are enough, though T is damaged and keeps the entry",
        observation(
            target=replace(DAMAGED, retiring=(REMOVED,)),
            application=application(credential(), read_time=NOW - MINUTE),
            memory=absent(3),
        ),
        None,
    ),
    (
        "the directory is left alone",
        observation(
            target=target(retiring=(REMOVED,)),
            application=application(credential(), read_time=NOW - MINUTE),
            memory=PAUSED,
        ),
        None,
    ),
)
def test_9_absence_is_looked_for_ten_seconds_apart(o: Observation, expected: Action | None) -> None:
    found = target_rules.absence_is_unconfirmed(facts(o))
    assert found == expected


# --- 10 ------------------------------------------------------------------------------------

STRANDED = observation(application=application(credential(), old_credential()))
NOTED = retiring(
    since=NOW, end=old_credential().end, secret="", ahead=None, cause=RetireCause.STRANDED
)


@table(
    ("all are known", observation(), None),
    (
        "in neither record",
        STRANDED,
        written(
            target(),
            retiring=(NOTED,),
        ),
    ),
    ("no T to note it in", replace(STRANDED, target=None), None),
    ("a damaged T", replace(STRANDED, target=DAMAGED), None),
    ("an old read is no evidence", stale(STRANDED), READ),
    ("the directory is left alone", with_memory(stale(STRANDED), PAUSED), None),
    ("retiring", replace(STRANDED, target=target(retiring=(retiring(),))), None),
    (
        "pending",
        observation(pending=pending(), application=application(credential(), next_credential())),
        None,
    ),
    (
        "given up in T",
        replace(STRANDED, target=target(abandoned=(abandoned(OLD_ATTEMPT),))),
        None,
    ),
    (
        "given up in P",
        observation(
            pending=pending(number=2, abandoned=(abandoned(NEXT_ATTEMPT),)),
            application=application(credential(), credential(OLD, attempt=NEXT_ATTEMPT)),
        ),
        None,
    ),
    (
        "given up in P, which another P has made",
        replace(STRANDED, pending=pending(number=2, abandoned=(abandoned(OLD_ATTEMPT),))),
        WriteTarget("", (NOTED,), ()),
    ),
    (
        "another owner's",
        observation(application=application(credential(), credential(OLD, owner=OTHER_OWNER))),
        None,
    ),
    (
        "another cluster's",
        observation(
            application=application(credential(), credential(OLD, identity=OTHER_IDENTITY))
        ),
        None,
    ),
    (
        "of a cloned cluster with our configured id",
        observation(
            application=application(
                credential(), credential(OLD, attempt=Attempt("zzzz" + OLD_ATTEMPT[4:]))
            )
        ),
        None,
    ),
)
def test_10_a_stranded_credential_is_noted(o: Observation, expected: Action | None) -> None:
    check("credential_is_stranded", o, expected)


# --- 11 ------------------------------------------------------------------------------------

COOKIE = spec(data={"cookie": GenerateOnce(32)})


@table(
    ("as wanted", observation(), None),
    ("no T", observation(target=None), None),
    ("T records nothing", observation(target=WIPED), None),
    ("a lost value is not a rendering", observation(target=DAMAGED), None),
    (
        "a label was removed",
        observation(target=replace(target(), labels={})),
        written(target()),
    ),
    (
        "a key was removed",
        observation(
            target=replace(
                target(), data={k: v for k, v in target().data.items() if k != "AZURE_TENANT_ID"}
            )
        ),
        written(target()),
    ),
    (
        "a key was changed",
        observation(target=replace(target(), data={**target().data, "AZURE_TENANT_ID": SECRET})),
        written(target()),
    ),
    (
        "someone else's key, label and annotation stay",
        observation(
            target=replace(
                target(),
                data={**target().data, "theirs": SECRET},
                labels={**target().labels, "theirs": "1"},
                annotations={**target().annotations, "theirs": "1"},
            )
        ),
        None,
    ),
    (
        "the spec wants another label",
        observation(resource=resource(spec(labels={"team": "shop"}))),
        written(target()),
    ),
    (
        "a generated value is missing",
        observation(resource=resource(COOKIE)),
        written(target()),
    ),
    (
        "a generated value is there",
        observation(resource=resource(COOKIE), target=target(spec=COOKIE)),
        None,
    ),
    ("needs no read", stale(observation(target=replace(target(), labels={}))), written(target())),
)
def test_11_what_stands_around_an_intact_value_is_repaired(
    o: Observation, expected: Action | None
) -> None:
    check("target_rendering_differs", o, expected)


# --- 13 ------------------------------------------------------------------------------------

ORPHAN = observation(
    target=target(abandoned=(abandoned(OLD_ATTEMPT),)),
    application=application(credential(), old_credential()),
)
THIRD = attempt("third-pending-uid")


@table(
    ("nothing is given up", observation(), None),
    ("given up and listed", ORPHAN, Remove(OLD, OLD_ATTEMPT, None)),
    (
        "given up by P's list",
        observation(
            pending=pending(abandoned=(abandoned(NEXT_ATTEMPT),), number=2),
            application=application(credential(), credential(OLD, attempt=NEXT_ATTEMPT)),
        ),
        Remove(OLD, NEXT_ATTEMPT, None),
    ),
    (
        "given up by P's list, which another P has made",
        replace(
            ORPHAN, target=target(), pending=pending(abandoned=(abandoned(OLD_ATTEMPT),), number=2)
        ),
        None,
    ),
    (
        "without T",
        observation(
            target=None,
            pending=pending(abandoned=(abandoned(NEXT_ATTEMPT),), number=2),
            application=application(credential(OLD, attempt=NEXT_ATTEMPT)),
        ),
        Remove(OLD, NEXT_ATTEMPT, None),
    ),
    ("given up but not listed", replace(ORPHAN, application=application(credential())), None),
    ("an old read is no evidence", stale(ORPHAN), READ),
    ("the directory is left alone", with_memory(stale(ORPHAN), PAUSED), None),
    ("nor is anything removed then", with_memory(ORPHAN, PAUSED), None),
    (
        "removed half a minute ago",
        with_memory(ORPHAN, Memory(removals={OLD: NOW - 30 * SECOND})),
        Remove(OLD, OLD_ATTEMPT, None),
    ),
    (
        "removed just now: the list may be stale",
        with_memory(ORPHAN, Memory(removals={OLD: NOW - 29 * SECOND})),
        None,
    ),
    (
        "a removal that waits does not hide another",
        replace(
            with_memory(ORPHAN, Memory(removals={OLD: NOW})),
            target=target(abandoned=(abandoned(OLD_ATTEMPT), abandoned(THIRD))),
            application=application(
                credential(), old_credential(), credential(NEXT, attempt=THIRD)
            ),
        ),
        Remove(NEXT, THIRD, None),
    ),
    (
        "published all the same",
        observation(target=target(abandoned=(abandoned(ATTEMPT),))),
        None,
    ),
    (
        "pending all the same",
        observation(
            target=target(abandoned=(abandoned(NEXT_ATTEMPT),)),
            pending=pending(),
            application=application(credential(), next_credential()),
        ),
        None,
    ),
    (
        "another owner's with the same attempt",
        replace(
            ORPHAN,
            application=application(
                credential(), credential(OLD, attempt=OLD_ATTEMPT, owner=OTHER_OWNER)
            ),
        ),
        None,
    ),
)
def test_13_an_orphan_is_removed(o: Observation, expected: Action | None) -> None:
    check("abandoned_attempt_is_listed", o, expected)


# --- 14 ------------------------------------------------------------------------------------

OTHERS = pending(PendingState.INTENT, holder="operator-1/2", intent_time=NOW - 59 * SECOND)


@table(
    ("no P", observation(), None),
    ("mine, so nobody works on it", observation(pending=INTENT), Fence("")),
    ("someone else's, younger than a minute", observation(pending=OTHERS), None),
    (
        "someone else's, a minute old",
        observation(pending=replace(OTHERS, intent_time=NOW - MINUTE)),
        Fence(""),
    ),
    ("minted", observation(pending=pending()), None),
    ("given up", observation(pending=GIVEN_UP), None),
)
def test_14_an_interrupted_intent_is_fenced(o: Observation, expected: Action | None) -> None:
    check("intent_was_interrupted", o, expected)


# --- 15 ------------------------------------------------------------------------------------


def rejected(minutes: int, *, kind: object = NOT_YET) -> Memory:
    results = [NOT_YET] * minutes + [kind]
    return Memory(pending_proof=proof(NEXT_ATTEMPT, *results, every=60))  # type: ignore[arg-type]


def living(life: timedelta) -> Observation:
    """Return a minted P with that much left of ninety days."""
    end = NOW + life
    held = minted(NEXT, attempt=NEXT_ATTEMPT, not_before=end - LIFETIME, expires=end)
    return observation(target=None, pending=pending(minted_as=held))


ROTATE = spec(rotation=rotation(rotate_issued_before=NOW - SECOND))


@table(
    ("no P", observation(), None),
    ("an intent", observation(pending=INTENT), None),
    ("sound", observation(pending=pending()), None),
    ("its value is damaged", observation(pending=pending(value=None)), Fence("")),
    (
        "its records are damaged",
        observation(pending=replace(pending(), credential=None)),
        DeletePending(""),
    ),
    (
        "issued before rotateIssuedBefore",
        observation(resource=resource(ROTATE), pending=pending()),
        Fence(""),
    ),
    (
        "issued at rotateIssuedBefore",
        observation(
            resource=resource(spec(rotation=rotation(rotate_issued_before=NOW - 5 * SECOND))),
            pending=pending(),
        ),
        None,
    ),
    ("half of renewBefore is left", living(15 * DAY), None),
    ("less than half of renewBefore is left", living(15 * DAY - SECOND), Fence("")),
    ("refused for half an hour", observation(pending=pending(), memory=rejected(30)), Fence("")),
    ("refused for less", observation(pending=pending(), memory=rejected(29)), None),
    (
        "the last answer was no refusal",
        observation(pending=pending(), memory=rejected(40, kind=UNREACHABLE)),
        None,
    ),
    (
        "refused, but another attempt",
        observation(
            pending=pending(),
            memory=Memory(pending_proof=proof(ATTEMPT, *[NOT_YET] * 40, every=60)),
        ),
        None,
    ),
    (
        "refused, but no proof is asked for",
        observation(
            resource=resource(spec(verification=VerificationMode.DISABLED)),
            pending=pending(),
            memory=rejected(30),
        ),
        None,
    ),
)
def test_15_a_useless_successor_is_fenced(o: Observation, expected: Action | None) -> None:
    check("successor_is_useless", o, expected)


# --- 16 and 17 -----------------------------------------------------------------------------

UNPROVEN = resource(spec(verification=VerificationMode.DISABLED))
READY = observation(pending=pending(), memory=Memory(pending_proof=proven()))


def tried(*results: object, last: datetime = NOW) -> Memory:
    return Memory(pending_proof=proof(NEXT_ATTEMPT, *results, last=last))  # type: ignore[arg-type]


@table(
    ("no P", observation(), None),
    ("never tried", observation(pending=pending()), SignInPending()),
    (
        "spaced over a minute while something valid is published",
        observation(pending=pending(), memory=tried(PROVEN, last=NOW - 15 * SECOND)),
        SignInPending(),
    ),
    (
        "too soon after a success",
        observation(pending=pending(), memory=tried(PROVEN, last=NOW - 14 * SECOND)),
        None,
    ),
    (
        "a second apart while nothing is published",
        observation(target=None, pending=pending(), memory=tried(PROVEN, last=NOW - SECOND)),
        SignInPending(),
    ),
    (
        "two seconds after a second failure",
        observation(pending=pending(), memory=tried(NOT_YET, NOT_YET, last=NOW - 2 * SECOND)),
        SignInPending(),
    ),
    (
        "too soon after a failure",
        observation(pending=pending(), memory=tried(NOT_YET, NOT_YET, last=NOW - SECOND)),
        None,
    ),
    (
        "another attempt's run says nothing",
        observation(pending=pending(), memory=Memory(pending_proof=proven(ATTEMPT))),
        SignInPending(),
    ),
    ("proven", READY, None),
    (
        "proven too long ago",
        with_memory(READY, Memory(pending_proof=proven(last=NOW - 2 * MINUTE - SECOND))),
        SignInPending(),
    ),
    ("no grant", observation(pending=pending(), grant=problem()), None),
    ("no proof is asked for", observation(resource=UNPROVEN, pending=pending()), None),
    ("an intent", observation(pending=INTENT), None),
)
def test_16_a_successor_signs_in_when_a_try_is_due(o: Observation, expected: Action | None) -> None:
    check("successor_sign_in_is_due", o, expected)


@table(
    ("no P", observation(), None),
    ("proven by five", READY, Publish()),
    (
        "four are too few while something valid is published",
        with_memory(READY, Memory(pending_proof=proven(times=4))),
        None,
    ),
    (
        "three are enough while nothing is",
        replace(READY, target=None, memory=Memory(pending_proof=proven(times=3))),
        Publish(),
    ),
    (
        "three are enough while T is damaged",
        replace(READY, target=DAMAGED, memory=Memory(pending_proof=proven(times=3))),
        Publish(),
    ),
    (
        "proven two minutes ago",
        with_memory(READY, Memory(pending_proof=proven(last=NOW - 2 * MINUTE))),
        Publish(),
    ),
    (
        "proven longer ago",
        with_memory(READY, Memory(pending_proof=proven(last=NOW - 2 * MINUTE - SECOND))),
        None,
    ),
    ("never tried", observation(pending=pending()), None),
    ("no grant", replace(READY, grant=problem()), None),
    (
        "unproven, half a minute after the intent",
        observation(resource=UNPROVEN, pending=pending(intent_time=NOW - 30 * SECOND)),
        Publish(),
    ),
    (
        "unproven, too soon",
        observation(resource=UNPROVEN, pending=pending(intent_time=NOW - 29 * SECOND)),
        None,
    ),
    (
        "unproven, at once while nothing is published",
        observation(resource=UNPROVEN, target=None, pending=pending(intent_time=NOW)),
        Publish(),
    ),
)
def test_17_a_proven_successor_is_published(o: Observation, expected: Action | None) -> None:
    check("successor_is_publishable", o, expected)


# --- 18 ------------------------------------------------------------------------------------

UNLISTED = observation(application=application())


def refused(seconds: int = 31, *, times: int = 4) -> Memory:
    every = seconds // (times - 1)
    return Memory(published_proof=proof(ATTEMPT, *[NOT_YET] * times, every=every))


@table(
    ("listed", observation(), None),
    ("not listed", UNLISTED, SignInPublished()),
    ("an old read is no evidence", stale(UNLISTED), READ),
    ("the directory is left alone", with_memory(stale(UNLISTED), PAUSED), None),
    (
        "a read from before the publish",
        replace(UNLISTED, target=target(published_time=NOW + SECOND)),
        None,
    ),
    (
        "published half a minute before the read",
        replace(UNLISTED, target=target(published_time=NOW - 30 * SECOND)),
        None,
    ),
    (
        "published longer before",
        replace(UNLISTED, target=target(published_time=NOW - 31 * SECOND)),
        SignInPublished(),
    ),
    (
        "a publish without its time counts from T's creation",
        replace(UNLISTED, target=replace(target(), published_time=None)),
        SignInPublished(),
    ),
    ("T is damaged", replace(UNLISTED, target=DAMAGED), None),
    ("no T", replace(UNLISTED, target=None), None),
    ("no grant to issue another", replace(UNLISTED, grant=problem()), SignInPublished()),
    (
        "it signed in, so in five minutes again",
        with_memory(UNLISTED, Memory(published_proof=proven(ATTEMPT, last=NOW - 299 * SECOND))),
        None,
    ),
    (
        "it signed in five minutes ago",
        with_memory(UNLISTED, Memory(published_proof=proven(ATTEMPT, last=NOW - 300 * SECOND))),
        SignInPublished(),
    ),
    ("refused often enough: it is gone", with_memory(UNLISTED, refused()), None),
)
def test_18_an_unlisted_published_key_is_tried(o: Observation, expected: Action | None) -> None:
    check("published_credential_seems_gone", o, expected)


def mint(number: int = 1, *entries: object) -> Mint:
    return Mint(number, entries, LIFETIME)  # type: ignore[arg-type]


OTHER_KEYS = [NEXT, OLD, *(KeyId(f"key-{n}") for n in range(5))]


def crowd(count: int, *, of: Observation = DUE) -> Observation:
    """Return that observation with so many unpublished credentials of ours, a day old."""
    assert of.application is not None
    others = [
        credential(OTHER_KEYS[n], attempt=attempt("u", n), start=NOW - DAY) for n in range(count)
    ]
    listed = (*of.application.credentials, *others)
    return replace(of, application=replace(of.application, credentials=listed))


EMPTY = observation(target=None, application=application())


@table(
    ("nothing is needed", observation(), None),
    ("no T", EMPTY, mint()),
    ("an old read will not do", stale(EMPTY), READ),
    ("the directory is left alone", with_memory(EMPTY, PAUSED), None),
    ("T records nothing", replace(EMPTY, target=WIPED), mint()),
    (
        "the value is lost",
        observation(target=DAMAGED),
        mint(),
    ),
    ("renewal is due", DUE, mint()),
    (
        "credential_has_expired",
        replace(DUE, now=NOW + 21 * DAY, application=application(read_time=NOW + 21 * DAY)),
        mint(),
    ),
    ("gone", with_memory(UNLISTED, refused()), mint()),
    ("perhaps gone", with_memory(UNLISTED, refused(times=2)), None),
    (
        "refused three times within half a minute",
        with_memory(UNLISTED, refused(28, times=3)),
        None,
    ),
    ("issued before rotateIssuedBefore", observation(resource=resource(ROTATE)), mint()),
    (
        "rotateIssuedBefore lies ahead",
        observation(resource=resource(spec(rotation=rotation(rotate_issued_before=NOW + SECOND)))),
        None,
    ),
    (
        "Entra's clock decides what lies ahead",
        observation(
            resource=resource(spec(rotation=rotation(rotate_issued_before=NOW + SECOND))),
            directory_skew=SECOND,
        ),
        mint(),
    ),
    (
        "issued after rotateIssuedBefore",
        observation(resource=resource(spec(rotation=rotation(rotate_issued_before=ISSUED)))),
        None,
    ),
    (
        "published less than ten minutes ago",
        observation(
            resource=resource(ROTATE),
            target=target(published_time=NOW - 599 * SECOND),
        ),
        None,
    ),
    ("an intent stands", replace(EMPTY, pending=INTENT), None),
    ("a minted one stands", replace(EMPTY, pending=pending()), None),
    ("no grant", replace(DUE, grant=problem()), None),
    ("at most three beside the published", crowd(2), mint()),
    ("three are there", crowd(3), None),
    ("at most five while nothing is published", crowd(4, of=EMPTY), mint()),
    ("five are there", crowd(5, of=EMPTY), None),
    (
        "a try is taken up again with the next number and its journal",
        replace(
            EMPTY,
            pending=pending(
                PendingState.ABANDONED,
                number=2,
                intent_time=NOW - 3 * MINUTE,
                abandoned=(abandoned(NEXT_ATTEMPT),),
            ),
        ),
        mint(3, abandoned(NEXT_ATTEMPT), abandoned(attempt(number=2), time=NOW - 3 * MINUTE)),
    ),
    (
        "an attempt older than an hour is not journaled",
        replace(EMPTY, pending=pending(PendingState.ABANDONED, intent_time=NOW - HOUR)),
        mint(2),
    ),
    (
        "one fenced from Minted is not journaled",
        replace(
            EMPTY,
            pending=pending(
                PendingState.ABANDONED,
                intent_time=NOW - 2 * MINUTE,
                minted_as=minted(NEXT, attempt=NEXT_ATTEMPT),
                value=None,
            ),
        ),
        mint(2),
    ),
    (
        "backing off after a first try",
        replace(EMPTY, pending=pending(PendingState.ABANDONED, intent_time=NOW - 59 * SECOND)),
        None,
    ),
)
def test_18_a_needed_successor_is_minted(o: Observation, expected: Action | None) -> None:
    check("successor_is_needed", named(o), expected)


def test_6a_a_revocation_is_cancelled_before_anything_is_done() -> None:
    o = observation(pending=pending(attempt=ATTEMPT), revocation_uid="earlier")
    assert isinstance(decide(replace(o, revocation_uid=None)).action, DeletePending)
    decision = decide(o)
    assert decision.action == ApplyStatus()
    o = replace(o, resource=replace(o.resource, status=decision.status))
    assert decide(o).action == CancelRevocation()


def test_18_status_names_the_application_before_anything_is_issued() -> None:
    o = observation(target=None)
    assert decide(o).action == ApplyStatus()
    assert decide(o).status["application"]["objectId"] == OBJECT_ID
    assert isinstance(decide(named(o)).action, Mint)


# --- 19 ------------------------------------------------------------------------------------

YOUNG = pending(PendingState.ABANDONED, number=7, intent_time=NOW - 5 * MINUTE)
ITS_OWN = abandoned(YOUNG.attempt)
MANY = tuple(abandoned(attempt(number=n)) for n in range(2, 7))


@table(
    ("no P", observation(), None),
    ("minted", observation(pending=pending()), None),
    ("no T", observation(target=None, pending=YOUNG), None),
    ("a successor is needed", replace(DUE, pending=YOUNG), None),
    (
        "its attempt is journaled first",
        observation(pending=YOUNG),
        WriteTarget("", (), (ITS_OWN,)),
    ),
    (
        "so is its own list",
        observation(pending=replace(YOUNG, abandoned=(abandoned(),))),
        WriteTarget("", (), (abandoned(), ITS_OWN)),
    ),
    (
        "the newest five",
        observation(pending=replace(YOUNG, abandoned=MANY)),
        WriteTarget("", (), (*MANY[1:], ITS_OWN)),
    ),
    (
        "after what T lists already",
        observation(
            target=target(abandoned=(abandoned(OLD_ATTEMPT), MANY[0])),
            pending=replace(YOUNG, abandoned=(MANY[0],)),
        ),
        WriteTarget("", (), (abandoned(OLD_ATTEMPT), MANY[0], ITS_OWN)),
    ),
    (
        "nothing is left to journal",
        observation(target=target(abandoned=(ITS_OWN,)), pending=YOUNG),
        DeletePending(""),
    ),
    (
        "too old to be journaled",
        observation(pending=replace(YOUNG, intent_time=NOW - HOUR)),
        DeletePending(""),
    ),
)
def test_19_an_unneeded_pending_secret_is_journaled_and_deleted(
    o: Observation, expected: Action | None
) -> None:
    check("pending_secret_is_unneeded", o, expected)


def test_19_journaling_ends_after_one_write() -> None:
    o = observation(pending=replace(YOUNG, abandoned=MANY))
    found = pending_rules.pending_secret_is_unneeded(facts(o))
    assert isinstance(found, WriteTarget)
    after = replace(o, target=target(abandoned=found.abandoned))
    assert isinstance(pending_rules.pending_secret_is_unneeded(facts(after)), DeletePending)


# --- 20 to 22 ------------------------------------------------------------------------------

RETIRED = observation(
    target=target(retiring=(retiring(),)),
    application=application(credential()),
)


@table(
    ("nothing retires", observation(), None),
    (
        "absent in a fresh read",
        RETIRED,
        written(target(), retiring=(retiring(removed=NOW),)),
    ),
    ("an old read is no evidence", stale(RETIRED), READ),
    ("the directory is left alone", with_memory(stale(RETIRED), PAUSED), None),
    ("noted already", replace(RETIRED, target=target(retiring=(REMOVED,))), None),
    (
        "listed",
        replace(RETIRED, application=application(credential(), old_credential())),
        None,
    ),
    ("a damaged T", replace(RETIRED, target=replace(DAMAGED, retiring=(retiring(),))), None),
)
def test_20_a_removal_is_noted(o: Observation, expected: Action | None) -> None:
    check("removal_was_seen", o, expected)


def past(
    age: timedelta, *, recorded: datetime | None = None, t: Target | None = None
) -> Observation:
    """Return a retiring credential that expired so long ago; T may record another end."""
    end = NOW - age
    entry = retiring(end=end if recorded is None else recorded)
    base = t if t is not None else target(retiring=(entry,))
    return observation(
        target=replace(base, retiring=(entry,)),
        application=application(credential(), old_credential(end=end)),
    )


GONE = Remove(OLD, OLD_ATTEMPT, RetireCause.REPLACED)


@table(
    ("nothing retires", observation(), None),
    ("expired ten minutes ago", past(10 * MINUTE), GONE),
    ("expired less long ago", past(10 * MINUTE - SECOND), None),
    ("by Entra's clock", replace(past(9 * MINUTE), directory_skew=MINUTE), GONE),
    ("not by ours", replace(past(10 * MINUTE), directory_skew=-MINUTE), None),
    ("an earlier end in T's record counts for nothing", past(-DAY, recorded=ISSUED), None),
    ("a later end in T's record holds nothing up", past(DAY, recorded=NOW + DAY), GONE),
    ("also while T is damaged", past(DAY, t=DAMAGED), GONE),
    ("also without a grant", replace(past(DAY), grant=problem()), GONE),
    ("an old read is no evidence", stale(past(DAY)), READ),
    ("not listed", replace(past(DAY), application=application(credential())), None),
    (
        "never the published one, whatever T records",
        observation(
            now=NOW + 90 * DAY,
            target=replace(DAMAGED, retiring=(retiring(KEY, end=NOW),)),
            application=application(credential(), read_time=NOW + 90 * DAY),
        ),
        None,
    ),
)
def test_21_an_expired_one_is_removed(o: Observation, expected: Action | None) -> None:
    check("credential_has_expired", o, expected)


OVERLAP = 15 * DAY
SINCE = NOW - OVERLAP - DAY


def due(
    *,
    since: datetime = SINCE,
    published_time: datetime = SINCE,
    creation_time: datetime = SINCE - DAY,
    end: datetime = NOW + 10 * DAY,
    when: RetireWhen = RetireWhen.OVERLAP_ELAPSED,
    memory: Memory = Memory(published_proof=proven(ATTEMPT)),  # noqa: B008 - frozen
    expires: datetime = NOW + 60 * DAY,
    not_before: datetime = SINCE,
) -> Observation:
    """Return a replaced credential whose fifteen days of overlap are over."""
    wanted = spec(rotation=rotation(renew_before=30 * DAY, overlap=OVERLAP, retire_when=when))
    return observation(
        resource=resource(wanted),
        target=target(
            minted(not_before=not_before, expires=expires),
            retiring=(retiring(since=since, end=end),),
            published_time=published_time,
            creation_time=creation_time,
        ),
        application=application(credential(start=not_before, end=expires), old_credential(end=end)),
        memory=memory,
    )


def beside_another(o: Observation) -> Observation:
    """Return one in which another credential came between the replaced and the published one."""
    another = credential(KeyId("another"), start=SINCE - HOUR)
    listed = application(*required(o.application).credentials, another)
    return replace(o, application=listed)


def due_target() -> Target:
    t = due().target
    assert t is not None
    return t


BARELY = NOW + OVERLAP / 10
NEVER_TRIED = Memory()


@table(
    ("nothing retires", observation(), None),
    ("the overlap is over", due(), GONE),
    ("to the second", due(since=NOW - OVERLAP - 30 * SECOND), GONE),
    ("the write may have taken so long", due(since=NOW - OVERLAP - 29 * SECOND), None),
    ("by Entra's clock", replace(due(since=NOW - OVERLAP), directory_skew=MINUTE), GONE),
    ("not by ours", replace(due(since=NOW - OVERLAP - MINUTE), directory_skew=-MINUTE), None),
    ("T was created within the overlap", due(creation_time=NOW - OVERLAP + SECOND), None),
    (
        "it was replaced by what T held before, and T was published ten minutes ago",
        beside_another(due(published_time=NOW - 10 * MINUTE)),
        GONE,
    ),
    ("T, published ten minutes ago, replaced it", due(published_time=NOW - 10 * MINUTE), None),
    ("T was published just now", due(published_time=NOW - 10 * MINUTE + SECOND), None),
    ("never early when the spec says so", due(when=RetireWhen.EXPIRED), None),
    (
        "never early, whatever T records as its end",
        replace(
            due(when=RetireWhen.EXPIRED),
            target=replace(due_target(), retiring=(retiring(since=SINCE, end=NOW - DAY),)),
        ),
        None,
    ),
    ("a tenth of the overlap is left of its life", due(end=BARELY), GONE),
    ("less is left: it may expire", due(end=BARELY - SECOND), None),
    (
        "what T holds lives longer by the overlap",
        due(end=NOW + 15 * DAY, expires=NOW + 30 * DAY),
        GONE,
    ),
    ("what T holds does not", due(end=NOW + 15 * DAY + SECOND, expires=NOW + 30 * DAY), None),
    (
        "what T holds has not begun",
        due(not_before=NOW + SECOND),
        None,
    ),
    (
        "what T holds is damaged",
        replace(due(), target=replace(due_target(), value=None)),
        None,
    ),
    (
        "what T holds is not listed",
        replace(due(), application=application(old_credential(end=NOW + 10 * DAY))),
        None,
    ),
    ("what T holds was not tried yet", due(memory=NEVER_TRIED), SignInPublished()),
    (
        "it was tried too long ago",
        due(memory=Memory(published_proof=proven(ATTEMPT, last=NOW - 16 * SECOND))),
        SignInPublished(),
    ),
    (
        "something else was tried",
        due(memory=Memory(published_proof=proven(NEXT_ATTEMPT))),
        SignInPublished(),
    ),
    (
        "it was refused a second ago",
        due(memory=Memory(published_proof=proof(ATTEMPT, NOT_YET, last=NOW - SECOND))),
        SignInPublished(),
    ),
    (
        "it was refused just now",
        due(memory=Memory(published_proof=proof(ATTEMPT, NOT_YET))),
        None,
    ),
    ("the read comes before the sign-in", stale(due(memory=NEVER_TRIED)), READ),
    (
        "no sign-in while the removal itself has to wait",
        due(memory=Memory(removals={OLD: NOW})),
        None,
    ),
    ("also without a grant", replace(due(), grant=problem()), GONE),
    ("not listed", replace(due(), application=application(credential())), None),
)
def test_22_a_replaced_one_is_retired(o: Observation, expected: Action | None) -> None:
    found = removal_rules.retirement_is_due(facts(o))
    assert found == expected


# --- the order -----------------------------------------------------------------------------


def first_rule(o: Observation) -> str:
    """Return the name of the first rule that matches."""
    f = facts(o)
    return next((rule.__name__ for rule in RULES if rule(f) is not None), "")


def test_the_order_is_the_documented_one() -> None:
    assert [r.__name__ for r in RULES] == [
        "revocation_is_still_open",
        "pending_secret_is_a_copy",
        "pending_secret_is_done",
        "retiring_entry_is_done",
        "credential_is_stranded",
        "target_rendering_differs",
        "older_credential_is_revoked",
        "abandoned_attempt_is_listed",
        "intent_was_interrupted",
        "successor_is_useless",
        "successor_sign_in_is_due",
        "successor_is_publishable",
        "published_credential_seems_gone",
        "successor_is_needed",
        "pending_secret_is_unneeded",
        "removal_was_seen",
        "credential_has_expired",
        "workloads_are_to_be_restarted",
        "retirement_is_due",
        "absence_is_unconfirmed",
    ]


def test_each_rule_goes_before_the_next() -> None:
    """Let nearly all rules match, then take away the cause of the first one again and again."""
    orphaned = credential(OTHER_KEYS[3], attempt=THIRD)
    dead = credential(OTHER_KEYS[4], attempt=attempt("dead"), end=NOW - DAY)
    unseen = OTHER_KEYS[5]
    entries = (
        retiring(KEY),
        retiring(unseen),
        retiring(dead.key_id, end=dead.end),
        retiring(since=SINCE - 30 * DAY),
    )
    t = replace(target(retiring=entries, abandoned=(abandoned(THIRD),)), labels={})
    listed = (credential(), orphaned, dead, old_credential(), credential(NEXT, attempt=ATTEMPT))
    o = observation(
        target=t,
        pending=replace(pending(PendingState.INTENT), attempt=THIRD),
        application=application(*listed),
    )
    assert first_rule(o) == "pending_secret_is_a_copy"
    done = pending(PendingState.INTENT)
    o = replace(o, pending=done, target=replace(t, abandoned=(abandoned(), abandoned(THIRD))))
    assert first_rule(o) == "pending_secret_is_done"
    o = replace(o, target=t)
    assert first_rule(o) == "retiring_entry_is_done"
    t = replace(t, retiring=entries[1:])
    o = replace(o, target=t)
    assert first_rule(o) == "credential_is_stranded"
    o = replace(o, application=application(*listed[:4]))
    assert first_rule(o) == "target_rendering_differs"
    t = target(retiring=entries[1:], abandoned=(abandoned(THIRD),))
    o = replace(o, target=t)
    assert first_rule(o) == "abandoned_attempt_is_listed"
    o = replace(o, application=application(*listed[:1], *listed[2:4]))
    assert first_rule(o) == "intent_was_interrupted"
    o = replace(o, pending=pending(value=None))
    assert first_rule(o) == "successor_is_useless"
    o = replace(o, pending=pending())
    assert first_rule(o) == "successor_sign_in_is_due"
    o = replace(o, memory=Memory(pending_proof=proven()))
    assert first_rule(o) == "successor_is_publishable"
    o = replace(o, memory=tried(PROVEN), application=application(*listed[2:4]))
    assert first_rule(o) == "published_credential_seems_gone"
    o = replace(o, pending=None, memory=refused())
    assert first_rule(o) == "successor_is_needed"
    o = replace(o, pending=YOUNG, application=application(*listed[:1], *listed[2:4]))
    assert first_rule(o) == "pending_secret_is_unneeded"
    o = replace(o, pending=None)
    assert first_rule(o) == "removal_was_seen"
    t = replace(t, retiring=(retiring(unseen, removed=NOW), *entries[2:]))
    t = target(retiring=t.retiring, abandoned=t.abandoned)
    o = replace(o, target=t)
    assert first_rule(o) == "credential_has_expired"


def test_a_successor_that_waits_for_its_proof_blocks_no_removal() -> None:
    waiting = Memory(pending_proof=proof(NEXT_ATTEMPT, NOT_YET), published_proof=proven(ATTEMPT))
    o = replace(
        due(memory=waiting),
        pending=pending(),
    )
    assert decide(o).action == GONE


def test_with_nothing_due_the_status_is_written_once_and_then_it_sleeps() -> None:
    first = decide(observation())
    assert first.action == ApplyStatus()
    o = observation(resource=resource(status=first.status))
    assert decide(o).action == Sleep()
    assert decide(o).status == first.status


# --- when to look again --------------------------------------------------------------------

SELDOM_READ = LifecycleSettings(directory_resync=DAY)
REVOKING = observation(
    resource=resource(spec(rotation=rotation(revoke_issued_before=ISSUED))),
    application=application(credential(), old_credential()),
    target=target(retiring=(retiring(end=NOW + 30 * DAY, since=NOW),)),
)


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (replace(observation(), settings=SELDOM_READ), NOW + 6 * HOUR),
        (replace(observation(grant=problem()), settings=SELDOM_READ), NOW + 10 * MINUTE),
        (replace(STRANDED, settings=SELDOM_READ), NOW + 10 * MINUTE),
        (
            replace(UNLISTED, settings=SELDOM_READ, target=target(published_time=NOW)),
            NOW + 10 * MINUTE,
        ),
        (replace(REVOKING, settings=SELDOM_READ), NOW + 10 * MINUTE),
        (
            observation(application=application(credential(), read_time=NOW - 55 * MINUTE)),
            NOW + 5 * MINUTE,
        ),
        (observation(pending=OTHERS), NOW + SECOND),
        (
            replace(EMPTY, pending=replace(GIVEN_UP, intent_time=NOW)),
            NOW + backoff(1, MINUTE, 15 * MINUTE, NEXT_ATTEMPT),
        ),
        (
            observation(pending=pending(), memory=tried(PROVEN)),
            NOW + 15 * SECOND,
        ),
        (
            observation(resource=UNPROVEN, pending=pending(intent_time=NOW)),
            NOW + 30 * SECOND,
        ),
        (
            with_memory(UNLISTED, Memory(published_proof=proof(ATTEMPT, NOT_YET))),
            NOW + SECOND,
        ),
        (
            observation(
                resource=resource(spec(rotation=rotation(rotate_issued_before=NOW + MINUTE)))
            ),
            NOW + MINUTE,
        ),
        (
            observation(resource=resource(ROTATE), target=target(published_time=NOW - 9 * MINUTE)),
            NOW + MINUTE,
        ),
        (due(since=NOW - OVERLAP + MINUTE, memory=NEVER_TRIED), NOW + MINUTE + 30 * SECOND),
        (past(5 * MINUTE), NOW + 5 * MINUTE),
        (with_memory(ORPHAN, Memory(removals={OLD: NOW})), NOW + 30 * SECOND),
        (
            replace(RETIRED, target=target(retiring=(retiring(removed=NOW),))),
            NOW + 10 * SECOND,
        ),
        (due(memory=Memory(published_proof=proof(ATTEMPT, NOT_YET))), NOW + SECOND),
        (observation(memory=Memory(retry_time=NOW + SECOND)), NOW + SECOND),
        (with_memory(EMPTY, PAUSED), NOW + SECOND),
    ],
    ids=[
        "what is well is seldom checked whole",
        "what is not is checked every ten minutes",
        "so is one with a credential that no record names",
        "so is one whose published credential no list shows yet",
        "so is one with a revocation under way",
        "the directory is read every hour",
        "another's intent gets old",
        "backoff ends",
        "the next sign-in",
        "an unproven one settles",
        "an unlisted one is tried again",
        "rotateIssuedBefore comes",
        "its spacing ends",
        "an overlap ends",
        "an expired one may go",
        "a removal settles",
        "absence is confirmed",
        "the survivor is tried again",
        "the directory may be called",
        "a mint may be tried",
    ],
)
def test_it_looks_again_when_something_may_be_due(o: Observation, expected: datetime) -> None:
    assert next_look(facts(o)) == expected


def test_it_looks_again_at_renewal() -> None:
    o = observation(now=NOW)
    plan = facts(o).schedule
    assert plan is not None
    soon = plan.renewal_time - MINUTE
    o = replace(o, now=soon, application=application(credential(), read_time=soon))
    assert next_look(facts(o)) == plan.renewal_time
