"""The restart of workloads after a publish: when, whom, what stops it, and what status says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from appcredential.domain import actions as act
from appcredential.domain.actions import WriteTarget
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.believed import believed
from appcredential.domain.facts.publication import next_publication, publication
from appcredential.domain.facts.restart import (
    Stop,
    is_restart_open,
    next_workload_look,
    restart_plan,
    seen_workloads,
    selection,
)
from appcredential.domain.facts.restart_window import restart_override
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.workloads import (
    Progress,
    Restarts,
    SeenWorkloads,
    Selection,
    Workload,
    WorkloadKind,
)
from appcredential.domain.promised import required
from appcredential.domain.restart_actions import ReadWorkloads, RestartWorkload
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.rules.removal import retirement_is_due
from appcredential.domain.rules.restart import restart_times, workloads_are_to_be_restarted
from appcredential.domain.rules.target import retiring_entry_is_done
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, RetireWhen
from appcredential.domain.spec.restart import RestartSpec
from appcredential.domain.status.problems_restart import (
    RESTART_FORBIDDEN,
    TOO_MANY_WORKLOADS,
    WORKLOADS_UNAVAILABLE,
    refused_restart,
    workloads_problem,
)
from appcredential.domain.status.restart import newly_stopped, restart_problem, restart_view
from appcredential.errors import PermissionDeniedError, UnavailableError, UnusableListError
from tests.support.builders import (
    ATTEMPT,
    DAY,
    HOUR,
    MINUTE,
    NOT_YET,
    NOW,
    OLD,
    SECOND,
    application,
    credential,
    facts,
    minted,
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
    window,
)
from tests.support.keys import make_certificate

SINCE = NOW - 10 * MINUTE
USING = Selection(secret="orders-entra")
LOOK = ReadWorkloads(USING)
CLOSED = window("22:00", "04:00")
FIRST = "Deployment/a"


def workload(
    name: str = "a",
    *stamps: datetime,
    progress: Progress = Progress.COMPLETE,
    pods: int = 1,
    is_paused: bool = False,
) -> Workload:
    return Workload(
        kind=WorkloadKind.DEPLOYMENT,
        name=name,
        uid=f"uid-{name}",
        resource_version="1",
        stamps=stamps,
        progress=progress,
        pods=pods,
        is_paused=is_paused,
    )


OPEN = workload()
RESTARTED = SINCE + 4 * MINUTE
DONE = workload("a", RESTARTED)
ROLLING = workload("a", RESTARTED, progress=Progress.UNDER_WAY)
BROKEN = workload("a", RESTARTED, progress=Progress.FAILED)
OTHER = workload("b")
EARLIER = workload("b", SINCE - 5 * MINUTE, progress=Progress.UNDER_WAY)
IN_VAIN = workload("b", SINCE - 15 * MINUTE, progress=Progress.UNDER_WAY)


def seen(*found: Workload, time: datetime = NOW) -> SeenWorkloads:
    return SeenWorkloads(selection=USING, time=time, found=found)


def unseen(why: Problem, time: datetime = NOW) -> SeenWorkloads:
    return SeenWorkloads(selection=USING, time=time, found=why)


def due(
    look: SeenWorkloads | None = None,
    *,
    since: datetime | None = SINCE,
    rotations: Any = None,
    patched: Any = None,
    is_awaited: bool = False,
    end: datetime = NOW + 30 * DAY,
    **changes: Any,
) -> Observation:
    """Return a credential that was replaced ten minutes ago, all being well."""
    rules = {"retire_when": RetireWhen.OVERLAP_ELAPSED, "restart": RestartSpec()}
    wanted = spec(rotation=rotation(**{**rules, **(rotations or {})}))
    found = observation(
        resource=resource(wanted),
        target=target(
            minted(not_before=SINCE - MINUTE),
            spec=wanted,
            published_time=SINCE,
            retiring=(retiring(since=SINCE, end=end),),
            restart_since=since,
        ),
        application=application(credential(start=SINCE - MINUTE), old_credential(end=end)),
        memory=Memory(published_proof=proven(ATTEMPT)),
        restarts=Restarts(seen=look, is_awaited=is_awaited, patched=patched or {}),
    )
    return replace(found, **changes)


def rule(o: Observation) -> act.Action | None:
    return workloads_are_to_be_restarted(facts(o))


CLEARED = act.WriteTarget("workloads restarted", (retiring(since=SINCE),), (), is_restarted=True)


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        pytest.param(due(), LOOK, id="nothing is known yet"),
        pytest.param(due(is_awaited=True), None, id="a list is to come"),
        pytest.param(due(seen(OPEN)), RestartWorkload(OPEN), id="one is to be restarted"),
        pytest.param(due(seen(OPEN, OTHER)), RestartWorkload(OPEN), id="the first of two"),
        pytest.param(due(seen(DONE, OTHER)), RestartWorkload(OTHER), id="then the next one"),
        pytest.param(due(seen(DONE)), CLEARED, id="all are restarted"),
        pytest.param(due(seen()), CLEARED, id="nobody uses the Secret"),
        pytest.param(due(seen(ROLLING, OTHER)), None, id="one is under way"),
        pytest.param(due(seen(BROKEN, OTHER)), None, id="one has failed"),
        pytest.param(due(seen(OPEN, EARLIER)), None, id="one for an earlier publish is under way"),
        pytest.param(due(seen(OPEN, IN_VAIN)), RestartWorkload(OPEN), id="it takes too long"),
        pytest.param(due(seen(ROLLING, time=NOW - MINUTE)), None, id="a pause of a quarter"),
        pytest.param(due(seen(ROLLING, time=NOW - 2 * MINUTE)), LOOK, id="it is over"),
        pytest.param(due(seen(BROKEN, time=NOW - 10 * MINUTE)), LOOK, id="it may be mended"),
        pytest.param(due(seen(OPEN, time=NOW - 16 * SECOND)), LOOK, id="an old look is renewed"),
        pytest.param(due(unseen(RESTART_FORBIDDEN)), None, id="no right"),
        pytest.param(due(unseen(RESTART_FORBIDDEN, NOW - 10 * MINUTE)), LOOK, id="tried again"),
        pytest.param(due(unseen(WORKLOADS_UNAVAILABLE, NOW - 30 * SECOND)), LOOK, id="an outage"),
        pytest.param(due(seen(OPEN), since=None), None, id="no publish asks for it"),
        pytest.param(due(seen(OPEN), rotations={"restart": None}), None, id="the spec does not"),
        pytest.param(due(seen(OPEN), target=None), None, id="no target Secret"),
        pytest.param(due(since=NOW - 179 * SECOND), None, id="too early"),
        pytest.param(due(since=NOW - 180 * SECOND), LOOK, id="late enough"),
        pytest.param(due(grant=problem()), None, id="no grant"),
        pytest.param(due(seen(OPEN), memory=Memory()), act.SignInPublished(), id="no sign-in yet"),
        pytest.param(
            due(seen(OPEN), memory=Memory(published_proof=proven(ATTEMPT, last=NOW - 3 * MINUTE))),
            act.SignInPublished(),
            id="an old sign-in",
        ),
        pytest.param(
            due(seen(OPEN), memory=Memory(published_proof=proof(ATTEMPT, NOT_YET))),
            None,
            id="one that is refused",
        ),
        pytest.param(due(application=application(old_credential())), None, id="not listed"),
        pytest.param(due(cluster_skew=-4 * MINUTE), LOOK, id="a clock that is behind"),
        pytest.param(due(cluster_skew=-5 * MINUTE, since=NOW - 5 * MINUTE), None, id="too far"),
        pytest.param(
            due(seen(OPEN), rotations={"windows": [CLOSED]}), None, id="the windows are closed"
        ),
        pytest.param(
            due(seen(OPEN), rotations={"windows": [window("09:00", "11:00")]}),
            RestartWorkload(OPEN),
            id="a window is open",
        ),
    ],
)
def test_what_is_done(o: Observation, expected: act.Action | None) -> None:
    assert rule(o) == expected


def test_a_sign_in_that_has_to_wait_is_not_repeated_at_once() -> None:
    failing = proof(ATTEMPT, *[NOT_YET] * 3)
    o = due(seen(OPEN), memory=Memory(published_proof=failing))
    assert rule(o) is None
    old = replace(proven(ATTEMPT, last=NOW - 3 * MINUTE), last_try=NOW)
    o = due(seen(OPEN), memory=Memory(published_proof=old))
    assert rule(o) in {None, act.SignInPublished()}


def test_a_certificate_without_its_key_needs_no_sign_in() -> None:
    value = SecretValue(make_certificate().pem.decode())
    o = due(seen(OPEN), memory=Memory())
    o = replace(o, target=replace(required(o.target), value=value))
    assert rule(o) == RestartWorkload(OPEN)


def test_labels_are_another_question() -> None:
    labelled = {"restart": RestartSpec(labels=(("a", "b"),))}
    o = due(seen(DONE), rotations=labelled)
    assert selection(facts(o)) == Selection(secret="", labels=(("a", "b"),))
    assert seen_workloads(facts(o)) is None
    assert rule(o) == ReadWorkloads(Selection(secret="", labels=(("a", "b"),)))


@pytest.mark.parametrize(
    ("stamp", "counts"),
    [
        (SINCE + 90 * SECOND, True),
        (SINCE + 89 * SECOND, False),
        (NOW + 30 * SECOND, True),
        (NOW + 31 * SECOND, False),
        (NOW + 900 * DAY, False),
    ],
)
def test_which_times_count_as_a_restart(stamp: datetime, counts: bool) -> None:
    plan = restart_plan(facts(due(seen(workload("a", stamp)))))
    assert plan is not None
    assert plan.is_complete is counts
    assert (plan.next is None) is counts


def test_a_clock_that_was_ahead_at_the_publish_makes_restarts_later() -> None:
    o = due(seen(workload("a", SINCE + 2 * MINUTE)))
    t = required(o.target)
    entry = replace(t.retiring[0], ahead=MINUTE)
    o = replace(o, target=replace(t, retiring=(entry,)))
    plan = restart_plan(facts(o))
    assert plan is not None
    assert plan.next is not None
    # One that was replaced later, as by an edited record, says nothing of this publish.
    o = replace(o, target=replace(t, retiring=(replace(entry, since=SINCE + MINUTE),)))
    plan = restart_plan(facts(o))
    assert plan is not None
    assert plan.is_complete


@pytest.mark.parametrize(
    ("found", "stop", "says"),
    [
        ((BROKEN, OTHER), Stop.FAILED, "rollout of Deployment/a failed"),
        (
            (workload("a", SINCE + 2 * MINUTE, progress=Progress.UNDER_WAY, pods=-1), OTHER),
            None,
            "",
        ),
        ((workload("a", is_paused=True),), Stop.HELD, "Deployment/a do not replace"),
        ((workload("a", RESTARTED, progress=Progress.HELD),), Stop.HELD, "OnDelete"),
        (
            tuple(workload(f"w{n}", is_paused=True) for n in range(7)),
            Stop.HELD,
            "Deployment/w4 and 2 others do not",
        ),
        (tuple(workload(f"w{n}") for n in range(101)), Stop.TOO_MANY, "more than 100 workloads"),
    ],
)
def test_what_stops_it(found: tuple[Workload, ...], stop: Stop | None, says: str) -> None:
    f = facts(due(seen(*found)))
    plan = restart_plan(f)
    assert plan is not None
    assert plan.stop is stop
    assert not plan.is_complete
    told = restart_problem(f)
    assert (told is None) is (stop is None)
    if told is not None:
        assert told.reason is Reason.RESTART_STOPPED
        assert says in told.message
        assert workloads_are_to_be_restarted(f) is None


def test_the_rest_goes_on_beside_what_a_person_has_to_replace() -> None:
    held = workload("a", RESTARTED, progress=Progress.HELD)
    paused = workload("b", is_paused=True)
    assert rule(due(seen(held, paused, workload("c")))) == RestartWorkload(workload("c"))


def test_a_rollout_may_take_its_time_by_its_pods_and_no_longer() -> None:
    since = NOW - 3 * DAY
    slow = workload("a", NOW - HOUR, progress=Progress.UNDER_WAY, pods=10)
    for pods, age, stop in (
        (10, 64 * MINUTE, None),
        (10, 66 * MINUTE, Stop.OVERDUE),
        (10_000, 23 * HOUR, None),
        (10_000, 25 * HOUR, Stop.OVERDUE),
    ):
        found = replace(slow, stamps=(NOW - age,), pods=pods)
        f = facts(due(seen(found, OTHER), since=since))
        plan = restart_plan(f)
        assert plan is not None
        assert plan.stop is stop
    told = restart_problem(f)
    assert told is not None
    assert "takes too long" in told.message


def test_what_others_take_back_is_not_fought_over() -> None:
    f = facts(due(seen(OPEN, OTHER), patched={"uid-a": NOW - MINUTE}))
    plan = restart_plan(f)
    assert plan is not None
    assert plan.stop is Stop.UNDONE
    told = restart_problem(f)
    assert told is not None
    assert f"took back the restart of {FIRST}" in told.message
    before = facts(due(seen(OPEN), patched={"uid-a": SINCE}))
    assert workloads_are_to_be_restarted(before) == RestartWorkload(OPEN), "for an earlier publish"


# --- windows --------------------------------------------------------------------------------


def closed(**more: Any) -> Observation:
    return due(seen(OPEN), rotations={"windows": [CLOSED]}, **more)


def test_what_would_end_before_the_window_closes_is_replaced_before() -> None:
    closes = NOW + 18 * HOUR
    o = closed(end=closes - SECOND)
    assert rule(o) == RestartWorkload(OPEN)
    assert "would end before" in str(restart_override(facts(o)))
    assert rule(closed(end=closes)) is None
    assert restart_override(facts(closed(end=closes))) is None
    assert restart_override(facts(due(seen(OPEN)))) is None, "there are no windows"


def gone(reads: int) -> Observation:
    """Return a restart outside windows, after direct reads that lacked what was replaced."""
    o, lacking = closed(), application(credential(start=SINCE - MINUTE))
    memory = replace(o.memory, absences={OLD: reads})
    return replace(o, application=lacking, memory=memory)


def test_what_is_gone_makes_a_restart_urgent() -> None:
    assert rule(gone(3)) == RestartWorkload(OPEN)
    assert "gone from Entra" in str(restart_override(facts(gone(3))))


def test_a_replica_that_lags_makes_no_restart_urgent() -> None:
    assert restart_override(facts(gone(2))) is None


def test_what_nothing_records_makes_no_restart_urgent() -> None:
    """Somebody took the annotation away: what was replaced may be listed, and work."""
    o = gone(3)
    forgotten = replace(o, target=replace(required(o.target), retiring=()))
    assert restart_override(facts(forgotten)) is None


def test_what_was_replaced_earlier_makes_no_restart_wait() -> None:
    """Nobody holds it any more who is to be restarted for what replaced its successor."""
    o = gone(3)
    earlier = retiring(KeyId("earlier"), since=SINCE - DAY)
    target = required(o.target)
    both = replace(o, target=replace(target, retiring=(*target.retiring, earlier)))
    assert "gone from Entra" in str(restart_override(facts(both)))


def test_what_is_gone_stays_recorded_until_the_restart_ends() -> None:
    o = gone(3)
    target = required(o.target)
    noted = tuple(replace(entry, removed=NOW) for entry in target.retiring)
    removed = replace(o, target=replace(target, retiring=noted))
    assert retiring_entry_is_done(facts(removed)) is None
    restarted = replace(removed, target=replace(target, retiring=noted, restart_since=None))
    done = retiring_entry_is_done(facts(restarted))
    assert isinstance(done, WriteTarget)
    assert done.retiring == ()


# --- what is recorded ------------------------------------------------------------------------


def published(o: Observation) -> datetime | None:
    return next_publication(facts(o), NOW).restart_since


def test_which_publish_asks_for_a_restart() -> None:
    listed = application(credential(), next_credential())
    asks = spec(rotation=rotation(restart=RestartSpec()))
    known: dict[str, Any] = {
        "resource": resource(asks),
        "pending": pending(),
        "application": listed,
    }
    assert published(observation(**known)) == NOW
    assert published(observation(**known, target=None)) is None, "the first issue"
    assert published(observation(**{**known, "resource": resource()})) is None, "not asked for"
    earlier = target(restart_since=NOW - MINUTE)
    assert published(observation(**known, target=earlier)) == NOW, "the last one counts"
    damaged = replace(target(damaged=True), published=None)
    assert published(observation(**known, target=damaged)) == NOW, "workloads may hold it"


def test_the_same_credential_again_asks_for_nothing_new() -> None:
    asks = spec(rotation=rotation(restart=RestartSpec()))
    same = replace(pending(), credential=minted())
    o = observation(
        resource=resource(asks), pending=same, target=target(restart_since=NOW - MINUTE)
    )
    assert published(o) == NOW - MINUTE


def test_who_asks_no_more_has_it_forgotten() -> None:
    assert publication(facts(due())).restart_since == SINCE
    o = due(rotations={"restart": None})
    assert publication(facts(o)).restart_since is None
    assert not is_restart_open(facts(o))
    assert isinstance(decide(o).action, act.WriteTarget)


def test_a_publish_from_the_future_counts_from_when_it_is_met() -> None:
    o = due(since=NOW + 900 * DAY)
    met = replace(o.memory, met={NOW + 900 * DAY: NOW - 4 * MINUTE})
    assert rule(believed(replace(o, memory=met))) == LOOK


# --- when to look, and what goes --------------------------------------------------------------


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (due(since=NOW - MINUTE), [NOW + 2 * MINUTE]),
        (due(seen(ROLLING)), [NOW + 90 * SECOND]),
        (due(seen(workload("a", NOW, progress=Progress.UNDER_WAY))), [NOW + 10 * SECOND]),
        (due(seen(BROKEN)), [NOW + 10 * MINUTE]),
        (due(unseen(RESTART_FORBIDDEN)), [NOW + 10 * MINUTE]),
        (due(unseen(WORKLOADS_UNAVAILABLE)), [NOW + 30 * SECOND]),
        (closed(), [NOW + 12 * HOUR]),
        (due(seen(OPEN), since=NOW - MINUTE), [NOW + 30 * SECOND, NOW + 2 * MINUTE]),
        (due(since=None), []),
    ],
)
def test_when_it_looks_again(o: Observation, expected: list[datetime]) -> None:
    assert sorted(t for t in restart_times(facts(o)) if t > NOW) == expected
    if expected:
        assert next_look(facts(o)) <= expected[-1]


def test_a_rollout_is_looked_at_at_least_every_ten_minutes() -> None:
    slow = workload("a", NOW - 10 * HOUR, progress=Progress.UNDER_WAY, pods=1000)
    assert next_workload_look(facts(due(seen(slow), since=NOW - DAY))) == NOW + 10 * MINUTE


@pytest.mark.parametrize("when", [RetireWhen.OVERLAP_ELAPSED, RetireWhen.ROLLED_OUT])
def test_what_was_replaced_stays_until_the_restart_is_complete(when: RetireWhen) -> None:
    since = NOW - 40 * DAY
    o = due(seen(BROKEN), since=since, rotations={"retire_when": when})
    t = required(o.target)
    old = replace(t.retiring[0], since=since, end=NOW + 20 * DAY)
    t = replace(
        t,
        retiring=(old,),
        creation_time=since - DAY,
        published_time=since,
        published=replace(required(t.published), expires=NOW + 80 * DAY),
    )
    listed = application(
        credential(start=since - MINUTE, end=NOW + 80 * DAY), old_credential(end=old.end)
    )
    o = replace(o, target=t, application=listed)
    assert retirement_is_due(facts(o)) is None
    (entry,) = decide(o).status["retiring"]
    assert entry["waitingFor"] == "the restart of workloads"
    assert entry["retireTime"] == f"{old.end:%Y-%m-%dT%H:%M:%SZ}"
    assert NOW < next_look(facts(o)) <= NOW + 10 * MINUTE
    free = replace(o, target=replace(t, restart_since=None))
    assert retirement_is_due(facts(free)) is not None


# --- what status says -------------------------------------------------------------------------


def view(o: Observation) -> dict[str, Any]:
    found = restart_view(facts(o))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("o", "waits_for"),
    [
        (due(), "a list of the workloads"),
        (due(seen(OPEN)), FIRST),
        (due(seen(ROLLING)), FIRST),
        (due(seen(BROKEN)), "a person: see Ready"),
        (due(seen(DONE)), "a list of the workloads"),
        (due(unseen(RESTART_FORBIDDEN)), "a person: see Ready"),
        (due(unseen(WORKLOADS_UNAVAILABLE)), "a list of the workloads"),
        (
            due(since=NOW - MINUTE),
            "3 minutes after the publish, so that new pods surely read what was published",
        ),
        (due(grant=problem()), "a grant"),
        (
            due(memory=Memory(published_proof=proof(ATTEMPT, NOT_YET))),
            "certainty that the new credential works",
        ),
        (closed(), "the next of rotation.windows"),
    ],
)
def test_status_says_what_it_waits_for(o: Observation, waits_for: str) -> None:
    assert view(o)["waitingFor"] == waits_for
    assert view(o)["publishTime"] == f"{required(required(o.target).restart_since):%Y-%m-%dT%XZ}"


def test_status_says_that_nothing_goes_on_meanwhile() -> None:
    o = due(seen(OPEN))
    o = replace(o, resource=replace(o.resource, spec=replace(o.usable_spec, suspend=True)))
    assert view(o)["waitingFor"] == "the end of spec.suspend or of mode Observe"


def test_status_counts() -> None:
    assert view(due(seen(DONE, OTHER))) == {
        "publishTime": "2026-11-22T09:50:00Z",
        "workloads": 2,
        "restarted": 1,
        "waitingFor": "Deployment/b",
    }
    assert restart_view(facts(due(since=None))) is None
    assert restart_problem(facts(due(since=None))) is None


def told(o: Observation, status: dict[str, Any]) -> Observation:
    return replace(o, resource=replace(o.resource, status=status))


def test_a_new_process_says_what_was_said_until_it_has_looked() -> None:
    status = decide(due(seen(BROKEN))).status
    o = told(due(), status)
    assert view(o) == status["restart"]
    problem_ = restart_problem(facts(o))
    assert problem_ is not None
    assert problem_.reason is Reason.RESTART_STOPPED
    assert problem_.message == required(restart_problem(facts(due(seen(BROKEN))))).message
    assert newly_stopped(facts(o), status) is None
    assert newly_stopped(facts(due(seen(BROKEN))), {}) is not None
    assert restart_problem(facts(told(due(), decide(due()).status))) is None
    another = told(due(since=SINCE + MINUTE), status)
    assert view(another)["waitingFor"] == "a person: see Ready"
    assert "workloads" not in view(another)


def test_ready_stays_true_and_names_the_reason() -> None:
    (ready,) = [c for c in decide(due(seen(BROKEN))).status["conditions"] if c["type"] == "Ready"]
    assert (ready["status"], ready["reason"]) == ("True", "RestartStopped")
    assert "failed" in ready["message"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PermissionDeniedError("403"), RESTART_FORBIDDEN),
        (UnusableListError("more"), TOO_MANY_WORKLOADS),
        (UnavailableError("500"), WORKLOADS_UNAVAILABLE),
        (TimeoutError(), WORKLOADS_UNAVAILABLE),
    ],
)
def test_why_nothing_is_listed(error: Any, expected: Problem) -> None:
    assert workloads_problem(error) is expected


def test_a_refusal_names_the_workload() -> None:
    assert FIRST in refused_restart(OPEN).message
