"""Rule 20: a read that is older than an entry does not tell that its credential is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from appcredential.domain.actions import ReadApplication, WriteTarget
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rules import target as rules
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.rules.target import removal_was_seen
from tests.support.builders import (
    MINUTE,
    NOW,
    SECOND,
    application,
    credential,
    facts,
    observation,
    retiring,
    target,
)

FRESHNESS = observation().settings.freshness


def published_over(since: datetime, read: datetime = NOW) -> Observation:
    """Return a Secret whose former credential a read does not show."""
    return observation(
        target=target(retiring=(retiring(since=since),)),
        application=application(credential(), read_time=read),
    )


def an_older_read_notes_nothing() -> None:
    """Another process that took itself for the leader issued it after the read."""
    found = facts(published_over(NOW - FRESHNESS + SECOND, read=NOW - FRESHNESS))
    assert removal_was_seen(found) is None
    assert next_look(found) <= NOW + SECOND


def test_an_older_read_notes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    an_older_read_notes_nothing()
    monkeypatch.setattr(rules, "_noting_time", lambda _, entry: entry.since)
    with pytest.raises(AssertionError):
        an_older_read_notes_nothing()


def test_a_newer_read_notes_it() -> None:
    action = removal_was_seen(facts(published_over(NOW - FRESHNESS)))
    assert isinstance(action, WriteTarget)
    assert [entry.removed for entry in action.retiring or ()] == [NOW]


def test_an_old_read_is_made_anew() -> None:
    found = facts(published_over(NOW - MINUTE, read=NOW - FRESHNESS - timedelta(seconds=1)))
    assert isinstance(removal_was_seen(found), ReadApplication)
