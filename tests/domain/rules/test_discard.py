"""What a resource issued for a Secret that is another's: given up only if nobody ever had it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from appcredential.domain.actions import (
    Action,
    ApplyStatus,
    DeletePending,
    Fence,
    Hold,
    ReadApplication,
    Remove,
)
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import Abandoned, PendingState, TargetOwner
from appcredential.domain.rules.gates_secret import secret_is_not_ours_to_write
from appcredential.domain.spec.certificate import CertificateSource
from appcredential.domain.spec.model import CredentialType
from tests.support.builders import (
    HOUR,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NOW,
    OTHER_OWNER,
    SECOND,
    application,
    next_credential,
    observation,
    pending,
    resource,
    spec,
    target,
)

FOREIGN: Final = replace(target(), owner=str(OTHER_OWNER))
THERE: Final = TargetOwner(str(OTHER_OWNER), "uid", 1)
GIVEN_UP: Final = replace(pending(), state=PendingState.ABANDONED, value=None)
INTENT: Final = pending(PendingState.INTENT)
FENCED: Final = replace(INTENT, state=PendingState.ABANDONED)
LISTED: Final = application(next_credential())
NOT_LISTED: Final = application(read_time=NOW)
REMOVAL: Final = Remove(NEXT, NEXT_ATTEMPT, None)
FENCE: Final = Fence("the target Secret is another's")
DELETE: Final = DeletePending("its attempt is gone")
SINCE: Final = NOW - 31 * SECOND


def seen(**changes: Any) -> Observation:
    """Return one in which another resource has the Secret, and this process made P's attempt."""
    found = {
        "target": FOREIGN,
        "target_owner": THERE,
        "application": LISTED,
        "unpublished_attempt": NEXT_ATTEMPT,
        **changes,
    }
    return observation(**found)


def supplied() -> Any:
    held = replace(spec(), type=CredentialType.CERTIFICATE)
    source = replace(held.certificate, source=CertificateSource.SECRET)
    return resource(replace(held, certificate=source))


ROWS: Final[list[tuple[str, Observation, Action | type | None]]] = [
    ("what was minted is fenced", seen(pending=pending()), FENCE),
    ("an intent of this process too", seen(pending=INTENT), FENCE),
    (
        "a mint in flight of another is left",
        seen(pending=replace(INTENT, holder="other"), unpublished_attempt=""),
        None,
    ),
    (
        "an old intent of another is fenced",
        seen(
            pending=replace(INTENT, holder="other", intent_time=NOW - MINUTE),
            unpublished_attempt="",
        ),
        FENCE,
    ),
    (
        "a staged certificate of another may be published",
        seen(
            pending=replace(pending(), state=PendingState.INTENT, intent_time=NOW - HOUR),
            unpublished_attempt="",
        ),
        None,
    ),
    ("what another process minted is left", seen(pending=pending(), unpublished_attempt=""), None),
    ("what was given up is removed", seen(pending=GIVEN_UP), REMOVAL),
    ("what was fenced as an intent too", seen(pending=FENCED, unpublished_attempt=""), REMOVAL),
    (
        "what was fenced later and by another is left",
        seen(pending=GIVEN_UP, unpublished_attempt=""),
        None,
    ),
    (
        "an intent that is too old proves nothing",
        seen(pending=replace(FENCED, intent_time=NOW - 2 * HOUR), unpublished_attempt=""),
        None,
    ),
    (
        "an earlier attempt of the same Secret goes as well",
        seen(
            pending=replace(
                pending(number=2),
                state=PendingState.ABANDONED,
                abandoned=(Abandoned(attempt=NEXT_ATTEMPT, time=NOW),),
            ),
            unpublished_attempt=pending(number=2).attempt,
        ),
        REMOVAL,
    ),
    (
        "by a fresh read",
        seen(pending=GIVEN_UP, application=replace(LISTED, read_time=NOW - MINUTE)),
        ReadApplication(observation().settings.freshness),
    ),
    (
        "not twice in a row",
        seen(pending=GIVEN_UP, memory=Memory(removals={NEXT: NOW - SECOND})),
        None,
    ),
    ("a read too soon shows nothing", seen(pending=GIVEN_UP, application=NOT_LISTED), None),
    (
        "a late one shows that it is gone",
        seen(pending=replace(GIVEN_UP, intent_time=SINCE), application=NOT_LISTED),
        DELETE,
    ),
    (
        "it is made when it is time",
        seen(
            pending=replace(GIVEN_UP, intent_time=SINCE),
            application=replace(NOT_LISTED, read_time=NOW - 20 * SECOND),
        ),
        ReadApplication(observation().settings.freshness),
    ),
    ("a copy is deleted", seen(pending=replace(pending(), uid="copy")), DeletePending),
    (
        "a supplied certificate may have readers",
        seen(pending=replace(pending(), value=None), resource=supplied()),
        None,
    ),
]


@pytest.mark.parametrize(("o", "expected"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_what_is_given_up(o: Observation, expected: Action | type | None) -> None:
    found = decide(o).action
    if isinstance(expected, type):
        assert isinstance(found, expected)
    else:
        assert (None if isinstance(found, ApplyStatus) else found) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"pending": None},
        {"resource": resource(spec(suspend=True))},
        {"application": None, "memory": Memory(retry_time=NOW + MINUTE)},
    ],
    ids=["nothing was issued", "suspended", "the application cannot be read now"],
)
def test_the_gate_stays_closed(changes: dict[str, Any]) -> None:
    o = seen(**{"pending": pending(), **changes})
    assert isinstance(secret_is_not_ours_to_write(o), Hold)


def test_an_owner_that_is_gone_is_waited_for() -> None:
    """The Secret is about to be ours."""
    gone = TargetOwner(str(OTHER_OWNER), absent_since=NOW - MINUTE)
    o = seen(pending=pending(), target_owner=gone)
    assert isinstance(secret_is_not_ours_to_write(o), Hold)


def test_the_conflict_is_told_as_before_and_what_is_pending_too() -> None:
    status = decide(seen(pending=GIVEN_UP)).status
    conditions = {c["type"]: c["reason"] for c in status["conditions"]}
    assert (conditions["Ready"], conditions["Stalled"]) == ("SecretConflict", "SecretConflict")
    assert status["pending"]["keyId"] == NEXT
    assert status["inventory"]["managed"] == 1
    assert "credential" not in status


@pytest.mark.parametrize(
    ("p", "seconds"),
    [(INTENT, 50), (GIVEN_UP, 20), (pending(), 600)],
    ids=["when the intent is old", "when a read shows it", "no sooner than anything else"],
)
def test_it_looks_again_when_something_may_be_done(p: Any, seconds: int) -> None:
    another = replace(p, holder="other")
    known = "" if p is not GIVEN_UP else NEXT_ATTEMPT
    o = seen(pending=another, application=NOT_LISTED, unpublished_attempt=known)
    told = replace(o, resource=replace(o.resource, status=decide(o).status))
    assert decide(told).look_again == NOW + seconds * SECOND
