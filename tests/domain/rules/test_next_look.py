"""When to look again while Entra's clock and ours differ, and after a removal of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.actions import ReadApplication, Remove
from appcredential.domain.lifecycle import decide
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.rules.removal import abandoned_attempt_is_listed
from tests.support.builders import (
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NOW,
    SECOND,
    abandoned,
    application,
    credential,
    facts,
    named,
    observation,
    resource,
    rotation,
    spec,
    target,
)

BEHIND = -SECOND
AGREED = replace(application(credential(), read_time=NOW - 9 * 60 * MINUTE), confirmed=NOW - MINUTE)
QUICK = LifecycleSettings(settle=2 * SECOND)


def asked_to_rotate(skew: timedelta) -> Observation:
    """Return what is seen right after a person asked for a rotation of everything until now."""
    wanted = spec(rotation=rotation(rotate_issued_before=NOW))
    return observation(
        resource=resource(wanted),
        target=target(published_time=NOW - 60 * MINUTE),
        directory_skew=skew,
    )


@pytest.mark.parametrize("skew", [timedelta(0), BEHIND, -4 * MINUTE])
def test_a_rotation_asked_for_now_waits_no_longer_than_for_entras_clock(skew: timedelta) -> None:
    o = asked_to_rotate(skew)
    if skew:
        assert decide(o).look_again == NOW - skew
        o = replace(o, now=NOW - skew, application=application(credential(), read_time=NOW - skew))
    assert type(decide(named(o)).action).__name__ == "Mint"


@pytest.mark.parametrize("skew", [BEHIND, 4 * MINUTE, -4 * MINUTE])
def test_a_renewal_is_looked_at_when_it_is_due_by_entras_clock(skew: timedelta) -> None:
    plan = facts(observation()).schedule
    assert plan is not None
    soon = plan.renewal_time - skew - MINUTE
    read = application(credential(), read_time=soon)
    o = observation(now=soon, application=read, directory_skew=skew)
    assert next_look(facts(o)) == plan.renewal_time - skew


def test_what_was_read_before_a_removal_does_not_repeat_it() -> None:
    listed = (credential(), credential(NEXT, attempt=NEXT_ATTEMPT))
    o = observation(
        settings=QUICK,
        target=target(abandoned=(abandoned(NEXT_ATTEMPT),)),
        application=application(*listed, read_time=NOW - 5 * SECOND),
    )
    assert isinstance(abandoned_attempt_is_listed(facts(o)), Remove)
    removed = replace(o, memory=Memory(removals={NEXT: NOW - 3 * SECOND}))
    assert abandoned_attempt_is_listed(facts(removed)) == ReadApplication(3 * SECOND)
    read = replace(removed, application=application(*listed, read_time=NOW))
    assert isinstance(abandoned_attempt_is_listed(facts(read)), Remove)


def test_a_list_that_agrees_puts_the_next_direct_read_off() -> None:
    settings = LifecycleSettings(secret_check=9 * 60 * MINUTE)
    o = named(observation(application=AGREED, settings=settings))
    assert type(decide(o).action).__name__ != "ReadApplication"
    assert next_look(facts(o)) == NOW - MINUTE + settings.directory_resync


def test_a_doubt_waits_for_a_pause_and_changes_nothing_until_then() -> None:
    doubted = replace(AGREED, doubted=NOW)
    paused = Memory(retry_time=NOW + MINUTE)
    o = named(observation(application=doubted, memory=paused))
    assert decide(o).action == decide(replace(o, application=AGREED)).action
    assert decide(o).status == decide(replace(o, application=AGREED)).status
