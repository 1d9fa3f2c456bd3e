"""What stays in memory of a look at pods, and that nothing is due before an answer is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.facts import pods_kept
from appcredential.domain.facts.pods_kept import only_laggards
from appcredential.domain.facts.rolled_out import is_rolled_out, laggards
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.pods import PodUser, PodUsers
from appcredential.domain.status.problems_kube import PODS_UNAVAILABLE
from tests.domain.rules.test_rolled_out import LOOK, OF_BEFORE, SINCE, created, due, seen, unread
from tests.support.builders import DAY, HOUR, MINUTE, facts

YOUNG = created(SINCE + DAY)
OTHER = PodUser(SINCE - 2 * DAY, "StatefulSet/db")


def test_only_what_may_hold_a_credential_is_kept() -> None:
    look = seen(OF_BEFORE, OTHER, OF_BEFORE, YOUNG, more=7)
    assert only_laggards(facts(due(None)), look).found == PodUsers(
        users=(OTHER, OF_BEFORE, OF_BEFORE)
    )


def test_of_a_list_of_old_pods_all_count() -> None:
    look = seen(OF_BEFORE, OTHER, more=7)
    assert only_laggards(facts(due(None)), look) == look


def test_nothing_is_kept_once_nothing_is_replaced() -> None:
    found = due(None)
    assert found.target is not None
    found = replace(found, target=replace(found.target, retiring=()))
    assert only_laggards(facts(found), seen(OF_BEFORE)).found == PodUsers(users=())


def test_why_nothing_is_known_is_kept() -> None:
    assert only_laggards(facts(due(None)), unread(PODS_UNAVAILABLE)) == unread(PODS_UNAVAILABLE)


def a_clock_turns_out_to_be_ahead() -> None:
    """Between the look and the removal."""
    look = only_laggards(facts(due(None)), seen(created(SINCE + 5 * MINUTE)))
    later = facts(due(look, cluster_skew=10 * MINUTE))
    (entry,) = later.retiring
    assert laggards(later, entry), "it may be from before"
    assert not is_rolled_out(later, entry)


def test_a_clock_that_turns_out_to_be_ahead_loses_no_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    a_clock_turns_out_to_be_ahead()
    monkeypatch.setattr(pods_kept, "_MARGIN", timedelta(0))
    with pytest.raises(AssertionError, match="it may be from before"):
        a_clock_turns_out_to_be_ahead()


def test_nothing_is_due_until_the_answer_is_there() -> None:
    found = due(None)
    assert decide(found).action == LOOK
    assert decide(replace(found, awaits_pods=True)).action != LOOK
    old = seen(time=found.now - HOUR)
    assert decide(replace(found, pods=old, awaits_pods=True)).action != LOOK
