"""`mode: Observe` tells what there is and changes nothing, for every type."""

from __future__ import annotations

from dataclasses import replace

from appcredential.domain import actions as act
from appcredential.domain.lifecycle import decide
from appcredential.domain.spec.model import Mode
from tests.support.builders import (
    DAY,
    MINUTE,
    NOW,
    application,
    credential,
    minted,
    observation,
    old_credential,
    pending,
    resource,
    spec,
    target,
)

OBSERVING = replace(spec(), mode=Mode.OBSERVE)


def test_nothing_is_done_although_much_is_due() -> None:
    due = minted(not_before=NOW - 85 * DAY)
    o = observation(
        resource=resource(OBSERVING),
        target=target(due),
        pending=pending(),
        application=application(credential(start=NOW - 85 * DAY), old_credential()),
    )
    decision = decide(o)
    assert isinstance(decision.action, act.ApplyStatus)
    ready = decision.status["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("True", "Observing")
    assert decision.status["inventory"] == {"managed": 3, "foreign": 0, "expired": 0}
    told = replace(o, resource=resource(OBSERVING, status=decision.status))
    assert isinstance(decide(told).action, act.Sleep)


def test_what_is_not_there_is_not_ready() -> None:
    o = observation(resource=resource(OBSERVING), target=None, application=application())
    decision = decide(o)
    ready = decision.status["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("False", "Observing")
    assert [c["type"] for c in decision.status["conditions"]] == ["Ready", "Verified", "Expiring"]


def test_it_needs_no_finalizer_and_leaves_no_ticket() -> None:
    new = observation(resource=resource(OBSERVING, has_finalizer=False))
    assert not isinstance(decide(new).action, act.AddFinalizer)
    going = resource(OBSERVING, deletion_time=NOW - MINUTE)
    assert isinstance(decide(observation(resource=going)).action, act.ReleaseFinalizer)
