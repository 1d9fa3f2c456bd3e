"""Which step the renewal of the operator's own client secret takes next, and what it records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace as changed_records

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Credential
from appcredential.domain.own import problems
from appcredential.domain.own.actions import (
    Discard,
    Forget,
    Look,
    Note,
    Publish,
    Remove,
    SignIn,
    Stage,
    Wait,
)
from appcredential.domain.own.rotation import LOOK_AGAIN
from appcredential.domain.own.secret import ANNOTATION
from appcredential.domain.own.secret_observed import SecretObservation
from appcredential.domain.own.secret_records import (
    MOST_ASKED,
    MOST_MADE,
    NEXT_SECRET,
    AskedSecret,
    MadeSecret,
    SecretRecords,
    made_of,
    mark_of,
    recorded,
    with_next,
    without_next,
)
from appcredential.domain.own.secret_rotation import (
    ORPHANED,
    SecretAction,
    decide,
    takes_from_others,
)
from appcredential.domain.proof import PROVEN, Proof, SignInClass, SignInResult
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.identity_rotation import IdentityRotation
from appcredential.domain.spec.model import KeyId
from tests.support.builders import DAY, MINUTE, NOW, SECOND

HAND, MAIN, NEXT, OLD = "by hand", "main", "next", "old"
DUE, YOUNG = NOW - 80 * DAY, NOW - 10 * DAY
LATER = Wait(NOW + LOOK_AGAIN)
REFUSED = SignInResult(SignInClass.NOT_YET, Reason.SIGN_IN_REJECTED, 7000215)
BLOCKED = SignInResult(SignInClass.BLOCKED, Reason.BLOCKED_BY_CONDITIONAL_ACCESS, 53003)


def made(name: str, start: Any = DUE, days: int = 90) -> MadeSecret:
    return MadeSecret(f"id-{name}", name, start, start + days * DAY)


def records(*entries: MadeSecret, **changed: Any) -> SecretRecords:
    is_ours = any(one.digest == MAIN for one in entries)
    base = SecretRecords(
        cluster="us",
        tenant="default",
        main=f"id-{MAIN}" if is_ours else "",
        digest=MAIN if is_ours else HAND,
        since=DUE,
        made=entries,
        asked=(),
    )
    return changed_records(base, **changed)


def asked(*ages: timedelta) -> tuple[AskedSecret, ...]:
    return tuple(AskedSecret(f"lost{i}", NOW - age) for i, age in enumerate(ages))


def listed(*names: tuple[str, str]) -> Any:
    return tuple(
        Credential(key_id=KeyId(key_id), display_name=name, start=NOW, end=NOW)
        for key_id, name in names
    )


def ours(key_id: str, attempt: str = "aa") -> tuple[str, str]:
    return key_id, mark_of("us", "default", attempt)


def proof(result: SignInResult = PROVEN, successes: int = 0, **changed: Any) -> Proof:
    at = NOW - 30 * SECOND
    base = Proof(
        attempt=f"id-{NEXT}",
        successes=successes,
        last_try=at,
        last_success=at,
        result=result,
        tries_failed=0 if result == PROVEN else 1,
    )
    return replace(base, **changed)


def seen(**changed: Any) -> SecretObservation:
    """Return what is observed of a due client secret that a person made."""
    base = SecretObservation(
        now=NOW,
        settings=LifecycleSettings(),
        cluster="us",
        tenant="default",
        client="app",
        rotation=IdentityRotation(lifetime=90 * DAY),
        main=HAND,
        in_use=HAND,
        expires=NOW + DAY,
    )
    return replace(base, **changed)


def own(start: Any = DUE, *entries: MadeSecret, **changed: Any) -> SecretObservation:
    """Return what is observed of one that this cluster made."""
    kept = records(made(MAIN, start), *entries)
    return seen(**{"main": MAIN, "in_use": MAIN, "records": kept, **changed})


def staged(start: Any = DUE, **changed: Any) -> SecretObservation:
    """Return what is observed once a successor stands beside it."""
    return own(start, made(NEXT, NOW - MINUTE), **{"successor": NEXT, **changed})


def by_hand(age: timedelta, **changed: Any) -> SecretObservation:
    """Return what is observed once Entra refuses one that a person put there `age` ago."""
    kept = records(made(NEXT, NOW - MINUTE), since=NOW - age, **changed)
    ready = proof(successes=5)
    return seen(records=kept, successor=NEXT, in_use=NEXT, expires=None, proof=ready)


CASES: list[tuple[str, SecretObservation, SecretAction | None]] = [
    ("a person's is due", seen(), Stage()),
    ("a person's, whose end is not known", seen(expires=None), Stage()),
    ("a person's, before it signed in", seen(expires=None, in_use=""), LATER),
    ("one of ours is due", own(), Stage()),
    ("the session is another's", own(in_use="other"), LATER),
    ("a copy of another cluster's", own(YOUNG, cluster="them"), Stage()),
    ("a copy of another tenant's", own(YOUNG, tenant="other"), Stage()),
    ("a copy whose successor is there", staged(YOUNG, cluster="them"), Stage()),
    (
        "a copy that is recorded",
        seen(expires=NOW + 80 * DAY, records=records(is_borrowed=True)),
        Stage(),
    ),
    ("somebody put another one there", own(main=HAND, in_use=HAND), Note()),
    ("the one recorded is another", own(records=records(made(MAIN), main="id-old")), Note()),
    (
        "somebody put another one in the place of a person's",
        seen(records=records(digest="another")),
        Note(),
    ),
    ("an attempt is under way", own(records=records(made(MAIN), asked=asked(MINUTE))), None),
    (
        "an attempt of a clock that went wrong",
        own(records=records(made(MAIN), asked=asked(-DAY))),
        Stage(),
    ),
    (
        "an attempt came to nothing",
        own(records=records(made(MAIN), asked=asked(6 * MINUTE))),
        Stage(),
    ),
    (
        "two came to nothing, and one may be removed",
        own(records=records(made(MAIN), asked=asked(2 * ORPHANED, MINUTE))),
        Look(),
    ),
    ("the successor is there", staged(), SignIn()),
    ("it signed in just now", staged(proof=proof(last_try=NOW)), Wait(NOW + 15 * SECOND)),
    ("it signed in often enough", staged(proof=proof(successes=5)), Publish()),
    (
        "only the successor signs in",
        staged(YOUNG, in_use=NEXT, proof=proof(successes=5)),
        Publish(),
    ),
    ("a person's is put there, and Entra lags", by_hand(MINUTE), LATER),
    ("a person's is put there, into a copy", by_hand(MINUTE, is_borrowed=True), LATER),
    ("a person's is refused for long", by_hand(DAY), Publish()),
    ("a person's was put there by a clock that went wrong", by_hand(-DAY), Publish()),
    ("nothing is known to sign in", staged(YOUNG, in_use=""), None),
    ("it is not due any more", staged(YOUNG), Discard()),
    ("Entra never learns it", staged(proof=proof(REFUSED, refused_since=NOW - DAY)), Discard()),
    (
        "nor does it the main one",
        staged(in_use="", proof=proof(REFUSED, refused_since=NOW - DAY)),
        SignIn(),
    ),
    ("it was copied to the main key", staged(successor=MAIN), Discard()),
    (
        "the successor is old",
        own(DUE, made(NEXT, DUE), successor=NEXT),
        Discard(),
    ),
]


@pytest.mark.parametrize(("o", "action"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_next_step(o: SecretObservation, action: SecretAction | None) -> None:
    found = decide(o).action
    if action is None:
        assert isinstance(found, Wait)
        assert found.until > NOW
    else:
        assert found == action


def test_it_is_due_before_its_end() -> None:
    for o in (own(YOUNG), seen(expires=YOUNG + 90 * DAY)):
        found = decide(o)
        assert found.renewal is not None
        assert YOUNG + 58 * DAY < found.renewal <= YOUNG + 60 * DAY
        assert found.action == Wait(found.renewal)


def test_what_is_due_at_once_has_no_time() -> None:
    assert decide(own(YOUNG, cluster="them")).renewal is None


LOST = records(made(MAIN, YOUNG), asked=asked(ORPHANED), since=YOUNG)
FORMER = records(made(OLD), made(MAIN, YOUNG), since=NOW - 20 * DAY)
LOST_ENTRY = ours("x", "lost0")
ID_MAIN, ID_OLD = ours(f"id-{MAIN}"), ours(f"id-{OLD}")


@pytest.mark.parametrize(
    ("kept", "changed", "action"),
    [
        (FORMER, {"keys": None}, Look()),
        (FORMER, {"keys": listed(ID_MAIN, ID_OLD)}, Remove(KeyId(f"id-{OLD}"))),
        (FORMER, {"keys": listed(ID_MAIN, ("f", "foreign"))}, Forget(frozenset({f"id-{OLD}"}))),
        (
            FORMER,
            {"keys": listed(ID_MAIN, (f"id-{OLD}", "renamed"))},
            Forget(frozenset({f"id-{OLD}"})),
        ),
        (FORMER, {"keys": listed(ID_OLD)}, LATER),
        (FORMER, {"in_use": "other"}, LATER),
        (FORMER, {"is_clock_doubtful": True}, LATER),
        (changed_records(FORMER, since=NOW - DAY), {}, None),
        (LOST, {"keys": listed(ID_MAIN, LOST_ENTRY)}, Remove(KeyId("x"))),
        (
            LOST,
            {
                "keys": listed(
                    ID_MAIN, ours("x", "lost"), ("y", mark_of("them", "default", "lost0"))
                )
            },
            Forget(frozenset({"lost0"})),
        ),
        (changed_records(LOST, asked=asked(ORPHANED - SECOND)), {}, None),
    ],
)
def test_only_what_this_cluster_made_is_removed_and_nobody_uses(
    kept: SecretRecords, changed: dict[str, Any], action: SecretAction | None
) -> None:
    found = decide(own(YOUNG, records=kept, **changed)).action
    assert found == action or (action is None and isinstance(found, Wait))


@pytest.mark.parametrize(
    ("changed", "is_struck"),
    [({}, True), ({"in_use": ""}, False), ({"client": "former"}, False)],
)
def test_what_is_on_a_former_app_registration_is_struck_once_the_new_one_works(
    changed: dict[str, Any], *, is_struck: bool
) -> None:
    kept = records(made(OLD), made(NEXT), asked=asked(MINUTE), client="former")
    found = decide(seen(records=kept, successor=NEXT, **changed)).action
    gone = Forget(frozenset({f"id-{OLD}", f"id-{NEXT}", "lost0"}), left_on="former")
    assert (found == gone) is is_struck


def test_the_former_goes_before_the_next_renewal_of_one_that_a_policy_shortens() -> None:
    """Or they would pile up until nothing more may be made, and the last one ends."""
    start = NOW - 3 * DAY
    kept = records(made(OLD), made(MAIN, start, days=5), since=start)
    o = own(records=kept, keys=listed(ID_MAIN, ID_OLD))
    assert decide(o).action == Remove(KeyId(f"id-{OLD}"))


@pytest.mark.parametrize(
    ("o", "problem"),
    [
        (own(is_clock_doubtful=True), problems.CLOCK),
        (
            own(records=records(made(MAIN), *(made(str(i)) for i in range(MOST_MADE)))),
            problems.TOO_MANY_SECRETS,
        ),
        (
            own(records=records(made(MAIN), asked=asked(*[MINUTE] * MOST_ASKED))),
            problems.TOO_MANY_SECRETS,
        ),
        (staged(), problems.OVERDUE),
        (own(NOW - 61 * DAY), None),
        (seen(expires=None), None),
    ],
)
def test_what_is_told(o: SecretObservation, problem: Problem | None) -> None:
    assert decide(o).problem == problem


def test_a_sign_in_that_is_refused_for_something_else_is_told() -> None:
    found = decide(staged(proof=proof(BLOCKED)))
    assert found.problem is not None
    assert "BlockedByConditionalAccess" in found.problem.message


# --- records -----------------------------------------------------------------------------------


def test_records_are_read_as_they_were_written() -> None:
    kept = records(made(MAIN), asked=asked(MINUTE), is_borrowed=True)
    assert recorded({ANNOTATION: kept.text()}) == kept


ABSURD = datetime(9999, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        {"since": ABSURD},
        {"made": (MadeSecret(KeyId("id"), MAIN, NOW, ABSURD),)},
        {"asked": (AskedSecret("attempt", ABSURD),)},
    ],
)
def test_records_with_a_time_at_the_end_of_the_calendar_count_as_unreadable(
    change: dict[str, Any],
) -> None:
    assert recorded({ANNOTATION: changed_records(records(made(MAIN)), **change).text()}) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cluster":"c","tenant":"t","main":"A"}'])
def test_records_that_cannot_be_read_are_none(text: str) -> None:
    assert recorded({ANNOTATION: text}) is None


def test_records_follow_each_step() -> None:
    kept = records(is_borrowed=True).with_asked("a", NOW)
    assert (kept.holds("a"), kept.holds("b")) == (True, False)
    value = SecretValue("value")
    stored = kept.with_made("a", made_of(KeyId("id"), value, NOW, NOW + DAY))
    assert (stored.asked, stored.of(value.sha256())) == ((), stored.made[0])
    assert stored.with_main("another", NOW).is_borrowed
    assert not stored.with_main(value.sha256(), NOW).is_borrowed
    dropped = stored.with_dropped("id", NOW)
    assert (dropped.made, dropped.holds("id")) == ((), True)


def test_no_value_is_in_the_records() -> None:
    value = SecretValue("canary-value")
    stored = records(made_of(KeyId("id"), value, NOW, NOW))
    assert value.reveal() not in stored.text()


def test_a_mark_fits_into_a_name() -> None:
    assert len(mark_of("abcdefgh.abcd", "n" * 253, "0" * 16)) <= 90


def test_the_successor_stands_beside_it() -> None:
    data = {"clientSecret": SecretValue("a")}
    beside = with_next(data, SecretValue("b"))
    assert beside == {**data, NEXT_SECRET: SecretValue("b")}
    assert without_next(beside) == data


@pytest.mark.parametrize(
    ("o", "action", "takes"),
    [
        (seen(), Stage(), True),
        (staged(), Publish(), True),
        (staged(in_use=NEXT), Publish(), False),
        (staged(), SignIn(), False),
    ],
)
def test_what_takes_from_those_who_share_the_secret(
    o: SecretObservation, action: SecretAction, *, takes: bool
) -> None:
    assert takes_from_others(o, action) is takes
