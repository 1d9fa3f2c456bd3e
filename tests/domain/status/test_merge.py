from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.conditions import Condition, ConditionType, Reason
from appcredential.domain.status.merge import MAX_MESSAGE, merge_conditions
from appcredential.domain.times import format_time
from tests.support.builders import MINUTE, NOW

EARLIER = "2026-11-22T09:00:00Z"
STATUSES = ("True", "False", "Unknown")


def condition(
    status: str = "True", *, reason: Reason = Reason.PUBLISHED, message: str = "Well."
) -> Condition:
    return Condition(type=ConditionType.READY, status=status, reason=reason, message=message)


def test_a_new_condition_has_metav1_form_and_the_time_of_now() -> None:
    assert merge_conditions([], [condition()], generation=3, now=NOW) == [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Published",
            "message": "Well.",
            "observedGeneration": 3,
            "lastTransitionTime": "2026-11-22T10:00:00Z",
        }
    ]


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_the_transition_time_moves_exactly_when_status_does(before: str, after: str) -> None:
    old = [{"type": "Ready", "status": before, "lastTransitionTime": EARLIER}]
    wanted = condition(after, reason=Reason.EXPIRED, message="Another sentence.")
    (merged,) = merge_conditions(old, [wanted], generation=1, now=NOW)
    assert merged["lastTransitionTime"] == (EARLIER if before == after else format_time(NOW))


def test_a_condition_no_longer_wanted_is_left_out_and_the_order_is_the_wanted_one() -> None:
    old = [{"type": "Stalled", "status": "True", "lastTransitionTime": EARLIER}]
    verified = Condition(
        type=ConditionType.VERIFIED, status="True", reason=Reason.PROVEN, message="Proven."
    )
    merged = merge_conditions(old, [verified, condition()], generation=1, now=NOW)
    assert [c["type"] for c in merged] == ["Verified", "Ready"]


def test_a_trial_is_said_in_the_message_of_ready_and_only_there() -> None:
    verified = Condition(
        type=ConditionType.VERIFIED, status="True", reason=Reason.PROVEN, message="Proven."
    )
    merged = merge_conditions([], [condition(), verified], generation=1, now=NOW, trial=True)
    assert [c["message"] for c in merged] == ["TRIAL: Well.", "Proven."]


def test_a_generation_never_observed_is_left_out() -> None:
    # The CRD, like metav1.Condition, refuses a negative one: the whole status would be lost.
    (merged,) = merge_conditions([], [condition()], generation=-1, now=NOW)
    assert "observedGeneration" not in merged


def test_a_message_is_cut_to_a_bounded_length() -> None:
    (merged,) = merge_conditions([], [condition(message="x" * 5000)], generation=1, now=NOW)
    assert len(merged["message"]) == MAX_MESSAGE


@settings(derandomize=True, max_examples=100)
@given(runs=st.lists(st.tuples(st.sampled_from(STATUSES), st.text(max_size=5)), max_size=8))
def test_merging_again_changes_nothing(runs: list[tuple[str, str]]) -> None:
    now, merged = NOW, merge_conditions([], [condition()], generation=1, now=NOW)
    for status, message in runs:
        now += MINUTE
        wanted = condition(status, message=message)
        merged = merge_conditions(merged, [wanted], generation=1, now=now)
        later = now + MINUTE
        assert merge_conditions(merged, [wanted], generation=1, now=later) == merged
