"""Real pods decide when a replaced credential goes: one workload rolls, another one cannot."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.installation import Team
from tests.node.controlled import Controlled
from tests.node.released import PodRelease, team_of, value_of

pytestmark = [pytest.mark.node, pytest.mark.image]

ROTATION: Final[dict[str, Any]] = {"renewBefore": "30m", "overlap": "5s"}
"""And `retireWhen: RolledOut`, by default."""
KUBELET_MAY_LAG: Final = timedelta(seconds=65)
"""A pod that is younger than the publish by less than that may still hold the former value."""
HELD: Final = "StatefulSet/ledger: 1 pod"


def _waits_for(team: Team, *wanted: str) -> bool:
    (entry, *_) = team.status().get("retiring") or [{}]
    return set(str(entry.get("waitingFor", "")).split("; ")) == set(wanted)


def _told(team: Team, reason: str) -> list[str]:
    return [note for _, found, note in team.events() if found == reason]


def _refused(team: Team) -> list[Any]:
    """Return how Entra answered whoever signed in to the application, but with a token."""
    answers = team.i.requests(team.client_id, "token")
    assert len(answers) > 100, "the pods hardly signed in"
    return [one["status"] for one in answers if one["status"] != 200]


def test_what_rolls_signs_in_all_the_time_and_what_cannot_keeps_its_credential(
    release: PodRelease, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    team = team_of(release, "rolled-out")
    team.apply(rotation=ROTATION)
    team.ready()
    old, before = team.key(), value_of(team)
    unrolled = {"replicas": 1, "serviceName": "ledger", "updateStrategy": {"type": "OnDelete"}}
    with (
        Controlled(team, "Deployment", "orders", tmp_path, replicas=2) as orders,
        Controlled(team, "StatefulSet", "ledger", tmp_path, **unrolled) as ledger,
    ):
        orders.sign_in_with(before, 2)
        ledger.sign_in_with(before, 1)
        team.rotated()
        after = value_of(team)
        _until_pods_hold_it(team)
        release.pass_time(team.time("publishedTime") + KUBELET_MAY_LAG)
        for one in (orders, ledger):
            one.restart()
        orders.wait_until_rolled()
        orders.sign_in_with(after, 2)
        team.until(partial(_waits_for, team, HELD), "only what cannot roll is named", seconds=120)
        tell(f"status.retiring[0].waitingFor: {team.status()['retiring'][0]['waitingFor']}")
        assert old in team.key_ids(), "a pod signs in with it"
        ledger.sign_in_with(before, 1)
        assert team.is_ready()
        _until_a_person_replaces_it(team, ledger, old, tell)
        ledger.sign_in_with(after, 1)
    assert {one.refusal for one in (*orders.sign_ins(), *ledger.sign_ins())} == {""}
    assert _refused(team) == []
    tell(f"{len(orders.sign_ins())} sign-ins of what rolled, none refused")


def test_the_operator_restarts_what_uses_the_secret_and_nobody_loses_its_sign_in(
    release: PodRelease, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    team = team_of(release, "restarted")
    team.apply(rotation={**ROTATION, "restart": {"workloads": "UsingSecret"}})
    team.ready()
    old, before = team.key(), value_of(team)
    with Controlled(team, "Deployment", "orders", tmp_path, replicas=2) as orders:
        orders.sign_in_with(before, 2)
        first = orders.live()
        team.rotated()
        after, begun = value_of(team), time.monotonic()
        team.until(lambda: orders.live().isdisjoint(first), "the operator restarts it", seconds=420)
        orders.wait_until_rolled()
        orders.sign_in_with(after, 2)
        team.until(lambda: old not in team.key_ids(), "the old one is removed", seconds=180)
        tell(f"{time.monotonic() - begun:.0f} s from the publish to the removal of the old one")
        team.until(lambda: "retiring" not in team.status(), "its end is told")
        assert [len(_told(team, r)) for r in ("Restarted", "RestartComplete")] == [1, 1]
    assert {one.refusal for one in orders.sign_ins()} == {""}
    assert _refused(team) == []
    tell(f"{len(orders.sign_ins())} sign-ins of what the operator restarted, none refused")


def _until_pods_hold_it(team: Team) -> None:
    """Wait until both workloads are named, and the Event that says so was written."""
    held = partial(_waits_for, team, "Deployment/orders: 2 pods", HELD)
    team.until(held, "pods are named", seconds=60)
    (note,) = _told(team, "RetirementWaits")
    assert HELD in note


def _until_a_person_replaces_it(
    team: Team, ledger: Controlled, old: str, tell: Callable[[str], None]
) -> None:
    """Delete the pod that its controller leaves alone; the credential goes after it."""
    ledger.delete_pods()
    begun = time.monotonic()
    team.until(lambda: old not in team.key_ids(), "the old one is removed", seconds=120)
    tell(f"the old credential went {time.monotonic() - begun:.0f} s after the last pod with it")
    team.until(lambda: "retiring" not in team.status(), "its end is told")
    assert len(_told(team, "RetirementWaits")) == 1
    assert len(_told(team, "Retired")) == 1
