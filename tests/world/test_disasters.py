"""Disasters of a cluster, in virtual time and watched by every oracle; docs/reliability.md."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from tests.support.builders import HOUR
from tests.world import facts
from tests.world.histories import History, parse, play
from tests.world.scenes import SCENES

LIFETIME: Final = 2 * HOUR

RESTORED: Final = {
    "before the rotation that is over by now": (
        "secret:60/wait/0 0/keep-backup/0 0/rotate/0 0/wait/3 0/restore-cluster/0"
    ),
    "in the middle of the overlap": (
        "secret:60/wait/0 0/keep-backup/0 0/rotate/0 0/wait/1 0/restore-cluster/0"
    ),
    "between the intent and its record": (
        "secret:40/wait/0 0/rotate/0 26/keep-backup/0 0/wait/3 0/restore-cluster/0"
    ),
    "while the operator is away": (
        "secret:60/wait/0 0/keep-backup/0 0/rotate/0 0/wait/3 0/kill-for-long/1 0/restore-cluster/0"
    ),
    "with a certificate": (
        "certificate:60/wait/0 0/keep-backup/0 0/rotate/0 0/wait/3 0/restore-cluster/0"
    ),
}
APPLIED_AGAIN: Final = {
    "at once": "secret:60/wait/0 0/delete/0 0/wait/0 0/apply-again/0",
    "after its revocation": "secret:60/wait/0 0/delete/0 0/wait/3 0/apply-again/0",
    "gone without its finalizer": "secret:60/wait/0 0/delete-by-force/0 0/wait/0 0/apply-again/0",
    "with a trust": "federated:60/wait/0 0/delete/0 0/wait/1 0/apply-again/0",
}


@pytest.mark.parametrize("history", RESTORED.values(), ids=RESTORED)
def test_etcd_is_restored(history: str) -> None:
    """The Secret may hold what is gone from Entra; first something new signs in, then it goes."""
    play(parse(history))


@pytest.mark.parametrize("history", APPLIED_AGAIN.values(), ids=APPLIED_AGAIN)
def test_a_resource_is_pruned_and_applied_again(history: str) -> None:
    play(parse(history))


def _down_for(length: timedelta) -> History:
    """Play a life in which no operator runs for so long after the issue."""
    history = History(SCENES["secret"])
    try:
        history.go_through(parse("secret:60/wait/0").moves)
        world = history.world
        first = facts.key_in(world.entra, facts.target(world))
        assert first is not None
        for process in world.alive:
            process.kill()
        world.start().paused_until = world.loop.now + length.total_seconds()
        world.trouble()
        history.run_for(length)
        assert facts.key_in(world.entra, facts.target(world)) == first
        history.settle()
        assert facts.key_in(world.entra, facts.target(world)) != first
    finally:
        world.close()
    return history


@pytest.mark.parametrize("length", [LIFETIME - HOUR / 3, LIFETIME + HOUR])
def test_the_operator_was_down_past_the_renewal_or_the_end(length: timedelta) -> None:
    """Not renewed in time, and maybe expired: one successor, published as soon as it is proven."""
    made = [maker for maker in _down_for(length).world.entra.makers.values() if maker]
    assert 2 <= len(made) <= 4, "one for each life, those of the quiet hours at the end included"


def test_the_application_is_deleted_and_restored() -> None:
    """All its credentials come back with it, so the published one stays published."""
    plan = parse("secret:60/wait/0 0/lose-application/0 0/wait/1 0/lose-application/0 0/wait/0")
    history = History(SCENES[plan.scene])
    try:
        history.go_through(plan.moves)
        found = facts.key_in(history.world.entra, facts.target(history.world))
        assert [key for key in history.world.entra.makers if history.world.entra.makers[key]] == [
            found
        ]
        history.settle()
    finally:
        history.world.close()


ADOPTED: Final = {
    "and its credential serves": "",
    "and is renewed when it is due": "0/wait/3 0/wait/3",
    "and a person rotates": "0/rotate/0 0/wait/3",
    "and a person revokes": "0/revoke/0 0/wait/3",
    "and what it issued goes after all": "0/remove-published-in-portal/0 0/wait/3",
    "and the resource is deleted": "0/delete/0 0/wait/3",
}
_ADOPTING: Final = pytest.mark.parametrize("scene", ["adopting", "adopting-certificate"])


@_ADOPTING
@pytest.mark.parametrize("moves", ADOPTED.values(), ids=ADOPTED)
def test_all_is_restored_into_a_cluster_that_adopts(scene: str, moves: str) -> None:
    """What the lost cluster issued is used, and nothing of it is ever removed."""
    plan = parse(f"{scene}:60/wait/0 0/move-here/0 0/wait/2 {moves}")
    history = History(SCENES[plan.scene])
    try:
        history.go_through(plan.moves[:3])
        made = [key for key, maker in history.world.entra.makers.items() if maker]
        assert not made, "nothing is issued at once"
        history.go_through(plan.moves[3:])
        history.calm_down()
        history.settle()
    finally:
        history.world.close()


@_ADOPTING
@pytest.mark.parametrize("steps", [4, 12, 22, 40])
def test_the_cluster_is_lost_in_the_middle_of_a_rotation(scene: str, steps: int) -> None:
    play(parse(f"{scene}:60/wait/0 0/rotate/0 {steps}/move-here/0 0/wait/3"))


def test_another_cluster_lives_on_the_same_application() -> None:
    """Blue and green: what the other one issued for a resource of the same name is its own."""
    beside = "secret:40/wait/0 0/write-beside/3 0/write-beside/2"
    history = play(parse(f"{beside} 0/rotate/0 0/wait/3 0/delete/0 0/wait/3"))
    theirs = {key for key in history.world.entra.makers if str(key).startswith("theirs-")}
    assert len(theirs) == 2
