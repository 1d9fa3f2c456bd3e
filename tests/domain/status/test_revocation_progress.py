"""What status says while `revokeIssuedBefore` is at work."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from appcredential.domain import actions as act
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState
from appcredential.domain.status.published import awaited
from tests.domain.worlds.driver import World
from tests.support.builders import (
    HOUR,
    ISSUED,
    MINUTE,
    NOW,
    SECOND,
    application,
    credential,
    next_credential,
    observation,
    old_credential,
    pending,
    resource,
    retiring,
    rotation,
    spec,
    target,
)

UNDER_WAY = "The revocation that revokeIssuedBefore asks for is under way, "


def revoking(before: datetime, **seen: object) -> Observation:
    """Return one in which the published credential and a retiring one are listed."""
    wanted = spec(rotation=rotation(revoke_issued_before=before, rotate_issued_before=before))
    seen = {
        "target": target(retiring=(retiring(),)),
        "application": application(credential(), old_credential()),
        **seen,
    }
    return observation(resource=resource(wanted), **seen)  # type: ignore[arg-type]


def told(o: Observation) -> str:
    conditions = {c["type"]: c for c in decide(o).status["conditions"]}
    found: str = conditions["Reconciling"]["message"]
    return found


ON_ITS_WAY = {
    "pending": pending(),
    "application": application(credential(), old_credential(), next_credential()),
}
JUST_PUBLISHED = {"target": target(published_time=NOW - MINUTE, retiring=(retiring(),))}


@pytest.mark.parametrize(
    ("o", "words"),
    [
        (revoking(NOW), "2 left, next: a new credential is issued."),
        (
            revoking(NOW, **JUST_PUBLISHED),
            "2 left, next: a new credential is issued, 10m after the last publish.",
        ),
        (
            revoking(ISSUED + SECOND, **ON_ITS_WAY),
            "2 left, next: the new credential is proven and published.",
        ),
        (
            revoking(NOW, **ON_ITS_WAY),
            "3 left, next: a new credential is issued.",
        ),
        (
            revoking(ISSUED),
            "1 left, next: the published credential signs in, and an older one is removed.",
        ),
    ],
    ids=["nothing issued", "too soon", "on its way", "on its way and leaked too", "published"],
)
def test_it_tells_how_many_are_left_and_what_is_next(o: Observation, words: str) -> None:
    assert told(o) == UNDER_WAY + words


def test_without_a_look_at_the_application_the_revocation_comes_first() -> None:
    """The one that a person asked for in a hurry."""
    assert awaited(revoking(NOW), None) == "revokeIssuedBefore asks for a new credential."


def test_what_is_to_be_revoked_has_no_end_of_an_overlap() -> None:
    assert decide(revoking(ISSUED)).status["retiring"] == [
        {"keyId": retiring().key_id, "waitingFor": "revokeIssuedBefore to remove it"}
    ]


def test_a_leak_soon_after_a_rotation() -> None:
    """The rotation's successor was never published, and the leak concerns it as well."""
    world = World(spec=spec(lifetime=6 * HOUR))
    world.run(30 * MINUTE)
    world.change(
        replace(world.current_spec, rotation=rotation(rotate_issued_before=world.now + SECOND))
    )
    world.step_until(act.SignInPending)
    assert world.pending is not None
    assert world.pending.state is PendingState.MINTED
    asked = rotation(
        rotate_issued_before=world.current_spec.rotation.rotate_issued_before,
        revoke_issued_before=world.now,
    )
    world.change(replace(world.current_spec, rotation=asked))
    before = len(world.statuses)
    world.run(HOUR)
    during = world.statuses[before:]
    messages = [c["message"] for s in during for c in s["conditions"] if c["type"] == "Reconciling"]
    assert messages
    assert all(m.startswith(UNDER_WAY) for m in messages), messages
    entries = [entry for s in during for entry in s.get("retiring", ())]
    assert entries
    assert not any("retireTime" in entry for entry in entries if not _is_gone(entry))
    assert len(world.entra) == 1


def _is_gone(entry: dict[str, str]) -> bool:
    return entry.get("waitingFor") == "confirmation that it is gone"
