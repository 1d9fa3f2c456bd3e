"""`retireWhen: RolledOut`: a replaced credential stays as long as a pod from before may use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from appcredential.domain.actions import (
    Action,
    ApplyStatus,
    ReadPods,
    Remove,
    SignInPublished,
    Sleep,
)
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts import retirement, rolled_out
from appcredential.domain.facts.rolled_out import laggards, secrets_in_use, unreadable_pods
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.pods import PodUser, PodUsers, SeenPods
from appcredential.domain.observed.target import RetireCause
from appcredential.domain.promised import required
from appcredential.domain.rules.removal import retirement_is_due
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec, KeyRef
from appcredential.domain.spec.model import CredentialType, KeyId, RetireWhen
from appcredential.domain.status.problems_kube import (
    PODS_FORBIDDEN,
    PODS_UNAVAILABLE,
    TOO_MANY_PODS,
    pods_problem,
)
from appcredential.domain.status.retiring import failing_pods, newly_held, newly_unreadable
from appcredential.domain.status.successor import successor_problem
from appcredential.errors import PermissionDeniedError, UnavailableError, UnusableListError
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.promises import PROMISES, check
from tests.support.breaking import in_rules
from tests.support.builders import (
    ATTEMPT,
    DAY,
    HOUR,
    KEY,
    MINUTE,
    NOW,
    OLD,
    OLD_ATTEMPT,
    SECOND,
    application,
    attempt,
    credential,
    facts,
    minted,
    observation,
    old_credential,
    proven,
    resource,
    retiring,
    rotation,
    spec,
    target,
)
from tests.support.keys import make_certificate

OVERLAP = 15 * DAY
SINCE = NOW - OVERLAP - 2 * DAY
DUE = SINCE + OVERLAP + 30 * SECOND
"""When the overlap is over."""
END = NOW + 10 * DAY
SECRETS = frozenset({"orders-entra"})
SPEC = spec(
    rotation=rotation(renew_before=30 * DAY, overlap=OVERLAP, retire_when=RetireWhen.ROLLED_OUT)
)
GONE = Remove(OLD, OLD_ATTEMPT, RetireCause.REPLACED)
LOOK = ReadPods(SECRETS)
OF_BEFORE = PodUser(SINCE - DAY, "Deployment/orders")
OF_AFTER = PodUser(SINCE + 90 * SECOND, "Deployment/orders")


def seen(
    *users: PodUser, more: int = 0, time: datetime = NOW, began: datetime | None = None
) -> SeenPods:
    found = PodUsers(users=tuple(sorted(users)), more=more)
    return SeenPods(secrets=SECRETS, began=began or time, time=time, found=found)


def unread(why: Problem, time: datetime = NOW) -> SeenPods:
    return SeenPods(secrets=SECRETS, began=time, time=time, found=why)


def due(
    pods: SeenPods | None, entry: Mapping[str, Any] = MappingProxyType({}), **changes: Any
) -> Observation:
    """Return a replaced credential whose overlap ended two days ago, all else being well."""
    end = NOW + 60 * DAY
    found = observation(
        resource=resource(SPEC),
        target=target(
            minted(not_before=SINCE, expires=end),
            spec=SPEC,
            retiring=(replace(retiring(since=SINCE, end=END), **entry),),
            published_time=SINCE,
            creation_time=SINCE - 100 * DAY,
        ),
        application=application(credential(start=SINCE, end=end), old_credential(end=END)),
        memory=Memory(published_proof=proven(ATTEMPT)),
        pods=pods,
    )
    return replace(found, **changes)


def created(time: datetime) -> PodUser:
    return PodUser(time, "Deployment/orders")


RECREATED = replace(required(due(None).target), creation_time=SINCE + HOUR)
WITHOUT_KEY = SecretValue(make_certificate().pem.decode())


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        pytest.param(due(None), LOOK, id="pods were not looked at"),
        pytest.param(due(seen()), GONE, id="no pod uses the Secret"),
        pytest.param(due(seen(OF_AFTER)), GONE, id="only pods from after the publish do"),
        pytest.param(due(seen(OF_BEFORE)), None, id="one from before does"),
        pytest.param(due(seen(OF_BEFORE, OF_AFTER)), None, id="one of both"),
        pytest.param(
            due(seen(created(SINCE + 89 * SECOND))), None, id="within a minute and a half"
        ),
        pytest.param(
            due(seen(created(SINCE + 2 * MINUTE)), {"ahead": 3 * MINUTE}),
            None,
            id="the API server's clock was ahead, and is set right",
        ),
        pytest.param(
            due(seen(created(SINCE + 4.5 * MINUTE)), {"ahead": 3 * MINUTE}), GONE, id="after that"
        ),
        pytest.param(
            due(seen(created(SINCE + 11 * MINUTE)), {"ahead": None}),
            None,
            id="nobody knows how far",
        ),
        pytest.param(
            due(seen(created(SINCE + 11.5 * MINUTE)), {"ahead": None}), GONE, id="after that, too"
        ),
        pytest.param(due(seen(created(NOW + HOUR))), None, id="of nobody knows when"),
        pytest.param(due(seen(created(NOW + MINUTE))), GONE, id="a clock may be a little ahead"),
        pytest.param(due(unread(PODS_FORBIDDEN)), None, id="pods may not be read"),
        pytest.param(due(unread(PODS_UNAVAILABLE)), None, id="pods cannot be read now"),
        pytest.param(due(seen(time=NOW - 15 * SECOND)), GONE, id="looked at just now"),
        pytest.param(due(seen(time=NOW - 16 * SECOND)), LOOK, id="looked at too long ago"),
        pytest.param(
            due(seen(began=SINCE + 89 * SECOND)), None, id="a look before the last such pod"
        ),
        pytest.param(
            due(replace(seen(), secrets=frozenset({"another"}))), LOOK, id="of another Secret"
        ),
        pytest.param(due(seen(OF_AFTER), target=RECREATED), None, id="T was created since"),
        pytest.param(
            due(seen(OF_AFTER), cluster_skew=SECOND), None, id="the API server's clock is ahead"
        ),
        pytest.param(
            due(seen(OF_AFTER), cluster_skew=-MINUTE, directory_skew=None), GONE, id="it is behind"
        ),
        pytest.param(
            due(seen(), memory=Memory()), SignInPublished(), id="what T holds was not tried yet"
        ),
        pytest.param(
            due(None, memory=Memory(retry_time=NOW + MINUTE)), None, id="Entra is to be left alone"
        ),
        pytest.param(due(None, application=application(credential())), None, id="it is not listed"),
    ],
)
def test_22_waits_for_the_pods(o: Observation, expected: Action | None) -> None:
    assert retirement_is_due(facts(o)) == expected


@pytest.mark.parametrize("pods", [None, seen(), seen(OF_AFTER), seen(OF_BEFORE)])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"secret": ""}, id="an earlier release wrote it"),
        pytest.param({"secret": "", "cause": RetireCause.STRANDED}, id="it is stranded"),
        pytest.param({"secret": "orders-former"}, id="the Secret had another name"),
    ],
)
def test_what_was_not_found_in_this_secret_alone_stays_until_its_end(
    changes: dict[str, Any], pods: SeenPods | None
) -> None:
    o = due(pods, changes)
    assert retirement_is_due(facts(o)) is None
    (entry,) = decide(o).status["retiring"]
    assert entry == {"keyId": OLD, "retireTime": AT_ITS_END}
    past = at(o, END + 10 * MINUTE)
    assert decide(past).action == replace(GONE, cause=changes.get("cause", RetireCause.REPLACED))


def test_where_the_secret_cannot_sign_in_it_stays_until_its_end() -> None:
    held = replace(required(due(None).target), value=WITHOUT_KEY)
    o = due(seen(), target=held, memory=Memory(consecutive_reads={KEY: (NOW, NOW, NOW)}))
    assert retirement_is_due(facts(o)) is None
    always = replace(SPEC.rotation, retire_when=RetireWhen.OVERLAP_ELAPSED)
    early = replace(o, resource=resource(replace(SPEC, rotation=always)))
    assert retirement_is_due(facts(early)) == GONE


def test_before_the_overlap_is_over_nobody_looks_at_pods() -> None:
    early = at(due(None), DUE - SECOND)
    assert retirement_is_due(facts(early)) is None
    assert decide(early).look_again <= DUE


@pytest.mark.parametrize("when", [RetireWhen.EXPIRED, RetireWhen.OVERLAP_ELAPSED])
def test_who_does_not_ask_for_it_has_no_pods_read(when: RetireWhen) -> None:
    asked = replace(SPEC, rotation=replace(SPEC.rotation, retire_when=when))
    o = due(None, resource=resource(asked))
    early = when is RetireWhen.OVERLAP_ELAPSED
    assert retirement_is_due(facts(o)) == (GONE if early else None)


def test_two_retire_by_their_own_pods() -> None:
    """A pod between two publishes holds the second one back, and not the first."""
    older = credential(key_id := type(OLD)("key-older"), attempt=OLD_ATTEMPT, end=END)
    entries = (retiring(since=SINCE, end=END), retiring(key_id, since=SINCE - 3 * DAY, end=END))
    o = due(seen(created(SINCE - DAY)))
    read = required(o.application)
    o = replace(
        o,
        target=replace(required(o.target), retiring=entries),
        application=replace(read, credentials=(*read.credentials, older)),
    )
    assert retirement_is_due(facts(o)) == replace(GONE, key_id=key_id)


# --- how often ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "pause"),
    [
        (timedelta(0), 30 * SECOND),
        (MINUTE, 30 * SECOND),
        (8 * MINUTE, 2 * MINUTE),
        (2 * DAY, HOUR),
    ],
)
@pytest.mark.parametrize("why", [PODS_FORBIDDEN, PODS_UNAVAILABLE, None])
def test_looks_become_rarer_the_longer_pods_stay(
    waits: timedelta, pause: timedelta, why: Problem | None
) -> None:
    time = DUE + waits
    pods = seen(OF_BEFORE, time=time) if why is None else unread(why, time)
    o = at(due(pods), time)
    assert retirement_is_due(facts(o)) is None
    assert retirement_is_due(facts(at(o, time + pause - SECOND))) is None
    assert retirement_is_due(facts(at(o, time + pause))) == LOOK


def test_it_sleeps_until_the_next_look_at_pods() -> None:
    o = told(due(seen(OF_BEFORE), memory=Memory()))
    assert decide(o).action == Sleep()
    assert decide(o).look_again == NOW + HOUR


def at(o: Observation, now: datetime) -> Observation:
    proof, read = proven(ATTEMPT, last=now), replace(required(o.application), read_time=now)
    return replace(o, now=now, application=read, memory=Memory(published_proof=proof))


def told(o: Observation) -> Observation:
    """Return the observation with the status that is true already written."""
    first = decide(o)
    assert first.action == ApplyStatus()
    return replace(o, resource=replace(o.resource, status=first.status))


# --- what status says -----------------------------------------------------------------------


def waiting_for(pods: SeenPods | None) -> tuple[str, str]:
    """Return when the old credential goes, and what it waits for, by status."""
    (entry,) = decide(due(pods)).status["retiring"]
    return entry["retireTime"], entry.get("waitingFor", "")


def ready(pods: SeenPods | None) -> tuple[str, str, str]:
    conditions = {c["type"]: c for c in decide(due(pods)).status["conditions"]}
    return tuple(conditions["Ready"][k] for k in ("status", "reason", "message"))


AT_ITS_END = f"{END:%Y-%m-%dT%H:%M:%SZ}"
NAMED = "; ".join(f"Deployment/d{n}: 1 pod, oldest {17 + n}d" for n in (7, 6, 5, 4, 3))
OTHERS = [PodUser(SINCE - n * DAY, f"Deployment/d{n}") for n in range(1, 8)]


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        (seen(OF_BEFORE), "Deployment/orders: 1 pod, oldest 18d"),
        (
            seen(OF_BEFORE, created(SINCE - 3 * DAY), PodUser(SINCE, "StatefulSet/db"), OF_AFTER),
            "Deployment/orders: 2 pods, oldest 20d; StatefulSet/db: 1 pod, oldest 17d",
        ),
        (seen(created(NOW + HOUR)), "Deployment/orders: 1 pod"),
        (
            seen(*OTHERS, more=3),
            f"{NAMED}; and up to 5 others",
        ),
        (seen(*OTHERS), f"{NAMED}; and 2 others"),
        (seen(OF_BEFORE, OF_AFTER, more=3), "Deployment/orders: 1 pod, oldest 18d"),
        (unread(PODS_FORBIDDEN), "its own end: pods cannot be read"),
        (unread(PODS_UNAVAILABLE), "a list of the pods"),
        (seen(began=SINCE), ""),
    ],
)
def test_status_names_what_it_waits_for(pods: SeenPods, expected: str) -> None:
    assert waiting_for(pods) == (AT_ITS_END, expected)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionDeniedError("no"), PODS_FORBIDDEN),
        (UnusableListError("too many"), TOO_MANY_PODS),
        (UnavailableError("down"), PODS_UNAVAILABLE),
        (TimeoutError(), PODS_UNAVAILABLE),
    ],
)
def test_only_what_a_person_has_to_end_is_lasting(
    error: UnavailableError | TimeoutError, problem: Problem
) -> None:
    assert pods_problem(error) == problem
    assert problem.stalled is (problem is not PODS_UNAVAILABLE)


def test_nothing_is_said_before_the_look() -> None:
    assert waiting_for(None) == (f"{DUE:%Y-%m-%dT%H:%M:%SZ}", "")


def test_status_is_not_written_again_as_pods_age() -> None:
    o = told(due(seen(OF_BEFORE)))
    for hours in range(1, 24):
        time = NOW + hours * HOUR
        later = replace(at(o, time), pods=seen(OF_BEFORE, time=time))
        assert not isinstance(decide(later).action, ApplyStatus)
    next_day = replace(at(o, NOW + DAY), pods=seen(OF_BEFORE, time=NOW + DAY))
    assert decide(next_day).action == ApplyStatus()


@pytest.mark.parametrize("why", [PODS_FORBIDDEN, TOO_MANY_PODS])
def test_ready_says_that_pods_cannot_be_read(why: Problem) -> None:
    message = f"The Secret holds a valid credential. {why.message}"
    assert ready(unread(why)) == ("True", "PodsUnreadable", message)
    assert "rotation.retireWhen" in message


@pytest.mark.parametrize("pods", [None, seen(OF_BEFORE), unread(PODS_UNAVAILABLE)])
def test_else_ready_says_nothing_of_it(pods: SeenPods | None) -> None:
    assert ready(pods) == ("True", "Published", "The Secret holds a valid credential.")


@pytest.mark.parametrize("later", [None, unread(PODS_UNAVAILABLE)])
@pytest.mark.parametrize("before", [seen(OF_BEFORE), unread(PODS_FORBIDDEN), unread(TOO_MANY_PODS)])
def test_what_was_told_stays_until_the_next_look(before: SeenPods, later: SeenPods | None) -> None:
    o = told(due(before))
    memory = Memory(retry_time=NOW + 5 * SECOND, published_proof=proven(ATTEMPT))
    unseen = replace(o, pods=later, memory=memory)
    assert decide(unseen).status == o.resource.status
    assert decide(unseen).action == Sleep()
    assert newly_held(facts(unseen), {}) == []
    again = replace(unseen, pods=before)
    assert newly_held(facts(again), decide(unseen).status) == []
    assert newly_unreadable(facts(again), decide(unseen).status) is None


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"keyId": "another", "waitingFor": "Deployment/orders: 1 pod"}],
        [{"keyId": OLD, "waitingFor": "confirmation that it is gone"}],
        [{"keyId": OLD, "waitingFor": "a list of the pods"}],
        [{"keyId": OLD, "retireTime": "2026-11-01T00:00:00Z"}],
    ],
)
def test_nothing_else_of_what_was_told_is_repeated(entries: list[dict[str, str]]) -> None:
    o = due(None)
    o = replace(o, resource=replace(o.resource, status={"retiring": entries}))
    (entry,) = decide(o).status["retiring"]
    assert entry == {"keyId": OLD, "retireTime": f"{DUE:%Y-%m-%dT%H:%M:%SZ}"}


def test_a_status_without_ready_repeats_no_problem() -> None:
    o = told(due(unread(PODS_FORBIDDEN)))
    bare = replace(o.resource, status={**o.resource.status, "conditions": []})
    conditions = {
        c["type"]: c["reason"]
        for c in decide(replace(o, pods=None, resource=bare)).status["conditions"]
    }
    assert conditions["Ready"] == "Published"


@pytest.mark.parametrize(
    ("pods", "is_named"),
    [(seen(OF_BEFORE), True), (seen(OF_AFTER), False), (unread(PODS_FORBIDDEN), False)],
)
def test_at_the_limit_a_person_hears_of_the_pods(pods: SeenPods, *, is_named: bool) -> None:
    o = due(pods)
    asked = replace(SPEC, rotation=replace(SPEC.rotation, rotate_issued_before=NOW))
    read = required(o.application)
    lost = [
        credential(KeyId(f"key-lost-{n}"), attempt=attempt(number=n + 5), start=SINCE, end=END)
        for n in range(3)
    ]
    o = replace(
        o,
        resource=resource(asked),
        application=replace(read, credentials=(*read.credentials, *lost)),
    )
    found = required(successor_problem(facts(o)))
    assert found.reason is Reason.CREDENTIAL_LIMIT
    assert ("restart these pods" in found.message) is is_named
    assert found.message.endswith("Remove those that nobody uses from the application.")


# --- Events ---------------------------------------------------------------------------------


def status_of(pods: SeenPods | None) -> Mapping[str, Any]:
    return decide(due(pods)).status


@pytest.mark.parametrize(
    ("before", "now", "is_news"),
    [
        (None, seen(OF_BEFORE), True),
        (unread(PODS_UNAVAILABLE), seen(OF_BEFORE), True),
        (unread(PODS_FORBIDDEN), seen(OF_BEFORE), True),
        (seen(OF_BEFORE), seen(OF_BEFORE), False),
        (seen(OF_BEFORE), seen(PodUser(SINCE, "StatefulSet/db")), False),
        (None, seen(OF_AFTER), False),
        (None, seen(began=SINCE), False),
        (None, unread(PODS_FORBIDDEN), False),
    ],
)
def test_an_event_names_the_pods_once(
    before: SeenPods | None, now: SeenPods, *, is_news: bool
) -> None:
    found = newly_held(facts(due(now)), status_of(before))
    assert len(found) == is_news
    assert all(
        f"{OLD} was replaced" in note and "Secret orders-entra" in note and "1 pod, oldest" in note
        for note in found
    )


def test_the_first_status_of_all_counts_as_news() -> None:
    assert len(newly_held(facts(due(seen(OF_BEFORE))), {})) == 1


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, unread(PODS_FORBIDDEN), PODS_FORBIDDEN),
        (unread(PODS_UNAVAILABLE), unread(PODS_FORBIDDEN), PODS_FORBIDDEN),
        (unread(PODS_FORBIDDEN), unread(PODS_FORBIDDEN), None),
        (unread(PODS_FORBIDDEN), unread(PODS_UNAVAILABLE), None),
        (None, seen(OF_BEFORE), None),
    ],
)
def test_an_event_says_once_that_pods_cannot_be_read(
    before: SeenPods | None, now: SeenPods, expected: Problem | None
) -> None:
    assert newly_unreadable(facts(due(now)), status_of(before)) == expected


@pytest.mark.parametrize(
    ("pods", "told"),
    [
        (seen(OF_BEFORE), "restart them: Deployment/orders: 1 pod, oldest 18d."),
        (seen(OF_AFTER), ""),
        (unread(PODS_FORBIDDEN), "could not be listed"),
        (None, "a list of them takes longer"),
    ],
)
def test_a_revocation_names_whom_it_concerns(pods: SeenPods | None, told: str) -> None:
    found = failing_pods(facts(due(None)), OLD, pods)
    assert found.endswith(told) if pods is not None and told.endswith(".") else told in found
    assert found == "" or found.startswith(" ")
    assert bool(found) is bool(told)
    assert failing_pods(facts(due(None)), "another", seen(OF_BEFORE)) == ""


# --- which Secrets --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (CertificateSource.SECRET, {"orders-entra", "orders-tls"}),
        (CertificateSource.CONFIG_MAP, {"orders-entra"}),
        (CertificateSource.GENERATE, {"orders-entra"}),
    ],
)
def test_a_source_that_workloads_may_mount_counts(
    source: CertificateSource, names: set[str]
) -> None:
    ref = None if source is CertificateSource.GENERATE else KeyRef(name="orders-tls", key="tls.crt")
    asked = replace(
        SPEC, type=CredentialType.CERTIFICATE, certificate=CertificateSpec(source=source, ref=ref)
    )
    found = facts(due(None, resource=resource(asked)))
    assert secrets_in_use(found) == names


# --- broken on purpose ----------------------------------------------------------------------

Break = Callable[[pytest.MonkeyPatch], None]


def rules(name: str, to: Any) -> Break:
    return lambda m: in_rules(m, name, to)


def judged(name: str, to: Any) -> Break:
    return lambda m: m.setattr(rolled_out, name, to)


def always_decide(m: pytest.MonkeyPatch) -> None:
    for module in (retirement, rolled_out):
        m.setattr(module, "pods_decide", lambda _f, _r: True)


@pytest.mark.parametrize("secret", ["", "orders-former"])
def test_a_removal_that_does_not_ask_which_secret_is_caught(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    o = due(seen(), {"secret": secret})
    check(o, PROMISES)
    always_decide(monkeypatch)
    with pytest.raises(BrokenPromiseError, match="found what goes in this Secret alone"):
        check(o, PROMISES)


@pytest.mark.parametrize("ahead", [3 * MINUTE, None])
def test_a_clock_that_was_ahead_and_counts_no_more_is_caught(
    monkeypatch: pytest.MonkeyPatch, ahead: timedelta | None
) -> None:
    o = due(seen(created(SINCE + 2 * MINUTE)), {"ahead": ahead})
    check(o, PROMISES)
    last = rolled_out.last_time
    no_more = lambda f, r: last(f, replace(r, ahead=timedelta(0)))  # noqa: E731
    monkeypatch.setattr(rolled_out, "last_time", no_more)
    with pytest.raises(BrokenPromiseError, match="no pod is from before"):
        check(o, PROMISES)


def test_a_publish_that_took_its_time_and_is_not_waited_for_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    o = due(seen(created(SINCE + 89 * SECOND)))
    check(o, PROMISES)
    last = rolled_out.last_time
    monkeypatch.setattr(rolled_out, "last_time", lambda f, r: last(f, r) - 30 * SECOND)
    with pytest.raises(BrokenPromiseError, match="no pod is from before"):
        check(o, PROMISES)


BROKEN: list[tuple[str, Break, SeenPods | None]] = [
    ("looked at", rules("awaits_rollout", lambda _: False), None),
    ("from before", rules("awaits_rollout", lambda _: False), seen(OF_BEFORE)),
    ("from before", judged("laggards", lambda _f, _r: ()), seen(OF_BEFORE)),
    ("from before", judged("KUBELET_LAG", -MINUTE), seen(created(SINCE + SECOND))),
    (
        "unreadable pods are pods",
        rules("is_rolled_out", lambda f, r: not laggards(f, r)),
        unread(PODS_FORBIDDEN),
    ),
    (
        "an old look at pods",
        rules("seen_pods", lambda f: replace(f.observation.pods, time=f.now)),
        seen(time=NOW - 2 * HOUR),
    ),
    (
        "tells of no later pod",
        rules("is_rolled_out", lambda f, r: not unreadable_pods(f) and not laggards(f, r)),
        seen(began=SINCE),
    ),
    (
        "looked at",
        judged("secrets_in_use", lambda _: frozenset({"another"})),
        replace(seen(), secrets=frozenset({"another"})),
    ),
]


@pytest.mark.parametrize(("told", "broken", "pods"), BROKEN)
def test_a_broken_rule_is_caught(
    monkeypatch: pytest.MonkeyPatch, told: str, broken: Break, pods: SeenPods | None
) -> None:
    check(due(pods), PROMISES)
    broken(monkeypatch)
    with pytest.raises(BrokenPromiseError, match=told):
        check(due(pods), PROMISES)
