"""Which step the renewal of the operator's own certificate takes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.app_policy import UNREAD, AppPolicy, Restriction
from appcredential.domain.observed.entra import CERTIFICATE_LAG, Credential
from appcredential.domain.own import problems
from appcredential.domain.own.actions import (
    Discard,
    Forget,
    Look,
    Note,
    OwnAction,
    Publish,
    Register,
    Remove,
    SignIn,
    Stage,
    Wait,
)
from appcredential.domain.own.lifetime import next_lifetime
from appcredential.domain.own.observed import OwnObservation, OwnPair
from appcredential.domain.own.rotation import LOOK_AGAIN, decide, overlap, takes_from_others
from appcredential.domain.own.secret import MOST_ADDED, OwnRecords
from appcredential.domain.own.subject import is_made_elsewhere, subject_of
from appcredential.domain.proof import PROVEN, Proof, SignInClass, SignInResult
from appcredential.domain.rotation import Schedule
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.identity_rotation import IdentityRotation
from appcredential.domain.spec.model import CredentialType, KeyId
from tests.support.builders import DAY, MINUTE, NOW, SECOND

REFUSED = SignInResult(SignInClass.NOT_YET, Reason.SIGN_IN_REJECTED, 700027)
MAIN, NEXT = "MAIN", "NEXT"
DUE = NOW - 80 * DAY
"""The start of a certificate that is due."""
YOUNG = NOW - 10 * DAY


def pair(thumbprint: str, start: datetime, days: int = 90) -> OwnPair:
    return OwnPair(
        value=SecretValue(thumbprint), start=start, end=start + days * DAY, thumbprint=thumbprint
    )


def records(*added: str, **changed: Any) -> OwnRecords:
    base = OwnRecords(cluster="us", tenant="default", main=MAIN, since=DUE, added=added)
    return replace(base, **changed)


def listed(*thumbprints: str) -> tuple[Credential, ...]:
    return tuple(
        Credential(key_id=KeyId(t.lower()), display_name="", start=NOW, end=NOW, shown=t)
        for t in thumbprints
    )


def proof(result: SignInResult = PROVEN, successes: int = 0) -> Proof:
    at = NOW - 30 * SECOND
    failed = 0 if result == PROVEN else 1
    return Proof(
        attempt=NEXT,
        successes=successes,
        last_try=at,
        last_success=at,
        result=result,
        tries_failed=failed,
    )


def refused(length: timedelta) -> Proof:
    """Return sign-ins that Entra has refused for so long, the last one a while ago."""
    found = replace(proof(REFUSED), last_try=NOW - 5 * MINUTE, last_success=None, refusals=9)
    return replace(found, refused_since=found.last_try - length)


def limited(days: int, since: datetime | None = None) -> AppPolicy:
    longest, kind = days * DAY, CredentialType.CERTIFICATE
    found = Restriction(type=kind, max_lifetime=longest, created_since=since)
    return AppPolicy(restrictions=(found,))


def seen(start: datetime = DUE, **changed: Any) -> OwnObservation:
    """Return what is observed of a certificate that nothing keeps from being renewed."""
    base = OwnObservation(
        now=NOW,
        settings=LifecycleSettings(),
        cluster="us",
        tenant="default",
        client="app",
        rotation=IdentityRotation(lifetime=90 * DAY),
        longest=90 * DAY,
        main=pair(MAIN, start),
        in_use=MAIN,
    )
    return replace(base, **changed)


def staged(start: datetime = DUE, **changed: Any) -> OwnObservation:
    """Return what is observed once a successor stands beside it."""
    base = {"successor": pair(NEXT, NOW - MINUTE), "records": records(NEXT)}
    return seen(start, **{**base, **changed})


CASES: list[tuple[str, OwnObservation, OwnAction]] = [
    ("it is young", seen(YOUNG, rotation=IdentityRotation(lifetime=90 * DAY)), Wait(NOW)),
    ("it is due", seen(), Stage()),
    ("Entra lets it end sooner", seen(YOUNG, expires=NOW + DAY), Stage()),
    ("the session is another's", seen(in_use="OTHER"), Wait(NOW + LOOK_AGAIN)),
    ("a copy of another cluster's", seen(YOUNG, records=records(cluster="them")), Stage()),
    ("a copy of another tenant's", seen(YOUNG, records=records(tenant="other")), Stage()),
    (
        "a copy with a successor",
        staged(YOUNG, records=records(NEXT, cluster="them")),
        Stage(),
    ),
    (
        "a borrowed one whose successor is new",
        staged(YOUNG, records=records(NEXT, is_borrowed=True), is_new=True),
        Register(),
    ),
    (
        "another cluster's, without its records",
        seen(
            YOUNG, main=replace(pair(MAIN, YOUNG), subject=subject_of("abcdefgh.abcd", "default"))
        ),
        Stage(),
    ),
    ("somebody put another one there", seen(records=records(main="OLD")), Note()),
    ("the successor is new", staged(is_new=True), Register()),
    ("the successor is found", staged(), SignIn()),
    (
        "it signed in just now",
        staged(proof=replace(proof(), last_try=NOW)),
        Wait(NOW + 15 * SECOND),
    ),
    ("it signed in often enough", staged(proof=proof(successes=5)), Publish()),
    ("its session is in use", staged(in_use=NEXT), SignIn()),
    (
        "its session is in use, since the main one ended",
        staged(NOW - 90 * DAY, in_use=NEXT),
        Publish(),
    ),
    (
        "its session is in use, since Entra lost the main one of ours",
        staged(YOUNG, in_use=NEXT, records=records(MAIN, NEXT), proof=proof(successes=5)),
        Publish(),
    ),
    ("Entra does not know it", staged(proof=proof(REFUSED)), Look()),
    (
        "nor does a read list it",
        staged(proof=proof(REFUSED), keys=listed(MAIN)),
        Register(),
    ),
    (
        "but a read lists it",
        staged(proof=proof(REFUSED), keys=listed(MAIN, NEXT)),
        SignIn(),
    ),
    (
        "it was asked for a moment ago",
        staged(proof=proof(REFUSED), asked=NOW - MINUTE),
        SignIn(),
    ),
    (
        "it was asked for long ago",
        staged(proof=proof(REFUSED), asked=NOW - CERTIFICATE_LAG),
        Look(),
    ),
    ("a shorter one is wanted, and it is new", staged(is_new=True, longest=28 * DAY), Discard()),
    (
        "a shorter one is wanted, and its session is not known to work",
        staged(is_new=True, longest=28 * DAY, in_use=""),
        Wait(NOW + LOOK_AGAIN),
    ),
    (
        "a shorter one is wanted, and an answer may be lost",
        staged(longest=28 * DAY, keys=listed(MAIN), proof=refused(CERTIFICATE_LAG - SECOND)),
        SignIn(),
    ),
    (
        "a shorter one is wanted, and no answer can be lost any more",
        staged(longest=28 * DAY, keys=listed(MAIN), proof=refused(CERTIFICATE_LAG)),
        Discard(),
    ),
    (
        "a shorter one is wanted, but Entra knows it",
        staged(longest=28 * DAY, keys=listed(MAIN, NEXT), proof=refused(CERTIFICATE_LAG)),
        SignIn(),
    ),
    (
        "a shorter one is wanted, but it signs in",
        staged(longest=28 * DAY, proof=proof(successes=5)),
        Publish(),
    ),
    (
        "a shorter one is wanted, and it may be all that signs in",
        staged(longest=28 * DAY, keys=listed(MAIN), proof=refused(CERTIFICATE_LAG), in_use="OTHER"),
        Wait(NOW + LOOK_AGAIN),
    ),
    ("it is not due any more", staged(YOUNG), Discard()),
    ("it was copied to the main keys", staged(successor=pair(MAIN, DUE)), Discard()),
    ("the successor is old", staged(successor=pair(NEXT, DUE)), Discard()),
    (
        "the successor is old, and all that is left",
        staged(NOW - 100 * DAY, successor=pair(NEXT, DUE), in_use=NEXT),
        Publish(),
    ),
]


@pytest.mark.parametrize(("o", "action"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_next_step(o: OwnObservation, action: OwnAction) -> None:
    found = decide(o)
    if action == Wait(NOW):
        assert found.action == Wait(found.renewal)
        assert found.renewal > NOW
    else:
        assert found.action == action


def test_one_that_is_not_valid_yet_keeps_its_successor() -> None:
    future = pair(MAIN, NOW + DAY)
    found = decide(staged(main=future))
    assert isinstance(found.action, Wait)


def test_it_stays_while_the_one_in_its_place_is_not_known_to_sign_in() -> None:
    """Entra gave no answer yet: what a person put there may not be registered."""
    found = decide(staged(YOUNG, in_use=""))
    assert isinstance(found.action, Wait)


def test_one_of_the_longest_lifetime_is_not_too_long() -> None:
    """It begins a little before it is made."""
    made = pair(NEXT, NOW - 6 * MINUTE)
    found = decide(staged(is_new=True, successor=replace(made, end=NOW + 90 * DAY)))
    assert found.action == Register()


@pytest.mark.parametrize(
    ("policy", "created", "days"),
    [
        (UNREAD, NOW, 90),
        (limited(30), None, 30),
        (limited(30, NOW - DAY), NOW, 30),
        (limited(30, NOW - DAY), NOW - 2 * DAY, 90),
        (limited(30, NOW - DAY), None, 90),
        (limited(0), NOW, 1),
    ],
)
def test_a_successor_is_made_for_as_long_as_the_policy_allows(
    policy: AppPolicy, created: datetime | None, days: int
) -> None:
    found = next_lifetime(90 * DAY, policy, CredentialType.CERTIFICATE, created)
    assert timedelta(0) <= days * DAY - found <= 5 * MINUTE


def test_what_signs_in_stays_while_a_person_s_certificate_does_not_yet() -> None:
    """The person put it into the Secret first, as the guide says, and registers it later."""
    found = decide(staged(YOUNG, in_use=NEXT))
    assert isinstance(found.action, Wait)


def test_it_is_due_before_its_end() -> None:
    renewal = decide(seen(YOUNG)).renewal
    assert YOUNG + 58 * DAY < renewal <= YOUNG + 60 * DAY


RETIRING = {"records": records("OLD", MAIN, since=NOW - 20 * DAY)}


@pytest.mark.parametrize(
    ("changed", "action"),
    [
        ({"keys": None}, Look()),
        ({"keys": listed(MAIN, "OLD", "FOREIGN")}, Remove(KeyId("old"))),
        ({"keys": listed(MAIN, "FOREIGN")}, Forget(frozenset({"OLD"}))),
        ({"keys": listed("OLD")}, Wait(NOW + LOOK_AGAIN)),
        ({"in_use": "OLD"}, Wait(NOW + LOOK_AGAIN)),
        ({"is_clock_doubtful": True}, Wait(NOW + LOOK_AGAIN)),
        ({"records": records("OLD", MAIN, since=NOW - DAY)}, Wait(NOW + 14 * DAY)),
    ],
)
def test_what_this_cluster_added_is_removed_half_of_the_lead_time_later(
    changed: dict[str, Any], action: OwnAction
) -> None:
    assert decide(seen(NOW - 20 * DAY, **{**RETIRING, **changed})).action == action


@pytest.mark.parametrize(
    ("o", "struck"),
    [
        (seen(YOUNG, records=records("OLD", MAIN, client="former")), {"OLD", MAIN}),
        (staged(records=records("OLD", MAIN, NEXT, client="former")), {"OLD", MAIN}),
        (seen(YOUNG, records=records("OLD", MAIN, client="former"), in_use=""), None),
        (seen(YOUNG, records=records("OLD", MAIN, client="app")), None),
        (seen(YOUNG, records=records("OLD", MAIN)), None),  # by a version that did not record it
    ],
)
def test_what_is_on_a_former_app_registration_is_struck_once_the_new_one_works(
    o: OwnObservation, struck: set[str] | None
) -> None:
    found = decide(o).action
    if struck is None:
        assert not isinstance(found, Forget)
    else:
        assert found == Forget(frozenset(struck), left_on="former")


@pytest.mark.parametrize(
    ("o", "problem"),
    [
        (seen(NOW - 90 * DAY), problems.EXPIRED),
        (staged(NOW - 90 * DAY, is_new=True), problems.EXPIRED),
        (seen(is_clock_doubtful=True), problems.CLOCK),
        (staged(is_clock_doubtful=True), problems.CLOCK),
        (seen(records=records(*map(str, range(MOST_ADDED)))), problems.TOO_MANY),
        (staged(), problems.OVERDUE),
        (seen(NOW - 61 * DAY), None),
    ],
)
def test_what_is_told(o: OwnObservation, problem: Problem | None) -> None:
    assert decide(o).problem == problem


def test_what_was_never_removed_goes_also_while_nothing_is_renewed() -> None:
    many = (MAIN, *map(str, range(MOST_ADDED)))
    found = decide(seen(records=records(*many), keys=listed(MAIN, "3")))
    assert found.action == Remove(KeyId("3"))
    assert found.problem == problems.TOO_MANY


def test_a_successor_is_never_removed_as_a_former_one() -> None:
    found = decide(staged(NOW - 90 * DAY, is_new=True, keys=listed(MAIN, NEXT)))
    assert found.action == Wait(NOW + LOOK_AGAIN)


def test_a_sign_in_that_is_refused_for_something_else_is_told() -> None:
    blocked = SignInResult(SignInClass.BLOCKED, Reason.BLOCKED_BY_CONDITIONAL_ACCESS, 53003)
    found = decide(staged(proof=proof(blocked)))
    assert found.problem is not None
    assert "BlockedByConditionalAccess" in found.problem.message


@pytest.mark.parametrize(("lead", "hours"), [(8, 4), (16, 4), (1, 0.5)])
def test_a_former_one_is_gone_before_the_next_renewal(lead: int, hours: float) -> None:
    plan = Schedule(timedelta(hours=lead), timedelta(0), NOW, NOW)
    assert overlap(plan, DAY) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("o", "action", "takes"),
    [
        (seen(), Stage(), True),
        (staged(), Publish(), True),
        (staged(NOW - 90 * DAY), Publish(), False),
        (staged(), SignIn(), False),
    ],
)
def test_what_takes_from_those_who_share_the_secret(
    o: OwnObservation, action: OwnAction, *, takes: bool
) -> None:
    assert takes_from_others(o, action) is takes


US, THEM = "abcdefgh.abcd", "ijklmnop.ijkl"


@pytest.mark.parametrize(
    ("subject", "elsewhere"),
    [
        (subject_of(US, "default"), False),
        (subject_of(THEM, "default"), True),
        (subject_of(US, "other"), True),
        (subject_of(US, "n" * 63), True),
        ("CN=appcredential operator", False),  # by hand, as the guide has it
        ("", False),
    ],
)
def test_who_made_a_certificate_is_in_its_subject(subject: str, *, elsewhere: bool) -> None:
    assert is_made_elsewhere(subject, US, "default") is elsewhere


def test_a_long_name_is_cut_alike() -> None:
    long = "n" * 63
    assert not is_made_elsewhere(subject_of(US, long), US, long)
