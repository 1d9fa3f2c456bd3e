"""The bounded run: random histories, a small world breadth first, and what must be repeatable.

`make faults` runs the same for half an hour.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.world.histories import Plan, parse, play
from tests.world.loop import VirtualLoop
from tests.world.observer import BrokenPromiseError
from tests.world.scenes import SCENES, WALKED
from tests.world.search import Count, at_random, breadth_first, events_of
from tests.world.story import command

ROOT: Final = Path(__file__).parents[2]
CHUNK: Final = 20
CHUNKS: Final = 10

KEPT: Final = (
    "federated:46/wait/0 5/lose-many/57 36/change-policy/28 3/remove-in-portal/12 17/lag/21",
    "secret:22/wait/0 1/pause-and-follow/6 10/rotate/50 32/take-down/22 29/restore-cluster/14",
    "replicas:32/wait/0 25/remove-in-portal/44 1/delete-pending/12 36/lag/23 41/damage-pending/58",
    "certificate:41/wait/0 2/pause/26 28/lag/34 32/lose-answer/15 1/disown/31",
    "expired:43/wait/0 6/restore-cluster/57 14/wait/49 22/disown/14 34/damage-target/14",
    "unproven:40/wait/0 7/catch-up/36 0/keep-backup/20 5/restore-cluster/57",
    (
        "unproven:37/wait/0 33/disown/45 2/wait/14 0/pause-and-follow/31 "
        "5/remove-published-in-portal/18 15/pause/12 5/conflict/5"
    ),
    (
        "federated:26/wait/0 37/take-down/7 12/add-twin/4 31/lag-tokens/36 4/lose-call/27 "
        "3/remove-in-portal/54"
    ),
    (
        "certificate:50/wait/0 26/lose-answer/25 4/keep-backup/41 3/wait/44 2/write-beside/42 "
        "22/delete-by-force/54 1/keep-backup/47"
    ),
    (
        "certificate:43/wait/0 5/restore-cluster/41 3/rotate/36 3/lose-many/56 "
        "4/change-lifetime/17 16/remove-in-portal/43"
    ),
    (
        "brought:47/wait/0 19/retire-otherwise/29 42/conflict/23 3/kill-for-long/24 "
        "15/renew-source/29 2/starve/14 43/retire-otherwise/10"
    ),
    (
        "brought:23/wait/0 3/delete-pending/59 29/register-twin/56 0/damage-target/58 "
        "19/retire-otherwise/59 26/lose-application/53"
    ),
    "pods:9/wait/0 35/wait/7 22/start-pod/48 30/delete-pending/13 38/kill/8 0/lag/28",
    "secret:60/wait/0 0/rotate/0 55/forge/4",
    (
        "federated:5/wait/0 42/skew-entra/36 32/lag/59 44/remove-in-portal/46 17/wait/46 "
        "5/throttle/56"
    ),
    (
        "expired:48/wait/0 20/revoke/22 42/withdraw/30 5/restore-secret/12 "
        "5/remove-published-in-portal/3"
    ),
    "windows:24/wait/0 0/lose-many/35 4/take-down/21 33/forge/54 2/delete/15",
    (
        "pods:27/wait/0 0/wait/55 5/apply-elsewhere/12 1/write-beside/50 5/roll-out/47 "
        "1/rotate/14 37/be-blind/32"
    ),
    "pods:48/wait/0 2/lag/35 35/edit-around/1 29/set-clock/48 36/start-pod/46",
    "adopting-certificate:38/wait/0 0/move-here/0 0/forge/2",
)
"""Histories that once broke a promise, of the operator or of this world."""


def told(count: Count) -> str:
    return "\n".join(f"{oracle}: {what}\n  {command(plan)}" for plan, oracle, what in count.broken)


@pytest.mark.parametrize("scene", SCENES)
def test_an_undisturbed_life_keeps_every_promise(scene: str) -> None:
    play(Plan(scene))


@pytest.mark.parametrize("history", KEPT)
def test_what_was_broken_once_holds(history: str) -> None:
    play(parse(history))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_histories_keep_every_promise(chunk: int) -> None:
    count = Count()
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        count.play(at_random(seed))
    assert not count.broken, told(count)


def test_random_histories_with_what_a_lost_cluster_issued_keep_every_promise() -> None:
    count, scenes = Count(), [name for name, scene in SCENES.items() if scene.is_adopting]
    for seed in range(20):
        count.play(at_random(seed, scenes))
    assert count.events["move-here"] > 5
    assert not count.broken, told(count)


@pytest.mark.parametrize("scene", ["secret", "federated", "pods"])
def test_a_small_world_keeps_every_promise(scene: str) -> None:
    count = Count()
    breadth_first(scene, depth=1, most=80, count=count)
    assert not count.broken, told(count)


def test_each_event_that_means_something_is_drawn() -> None:
    drawn = {move.event for seed in range(2000) for move in at_random(seed).moves}
    assert drawn == {name for scene in WALKED for name in events_of(SCENES[scene])}


def test_a_history_is_written_and_read_again() -> None:
    plan = at_random(7)
    assert parse(str(plan)) == plan
    with pytest.raises(ValueError, match="no event is called"):
        parse("secret:3/unheard-of/1")
    with pytest.raises(ValueError, match="no scene is called"):
        parse("unheard-of:")


def test_a_loop_that_never_rests_ends_the_history() -> None:
    loop = VirtualLoop()  # type: ignore[abstract]  # as the world builds it

    def again() -> None:
        loop.call_soon(again)

    again()
    with pytest.raises(BrokenPromiseError, match="no task waits"):
        loop.drain()


STORY: Final = """
from tests.world.story import tell
from tests.world.histories import parse
print(tell(parse("secret:60/wait/0 3/rotate/0 7/kill/0 4/delete-target/1")))
"""


def test_a_history_is_the_same_in_every_process() -> None:
    """Neither the order of sets nor a random name decides anything."""
    stories = {
        subprocess.run(
            [sys.executable, "-c", STORY],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": ".:operator"},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(stories) == 1
    assert "no promise was broken" in stories.pop()
