"""Two replicas, one Lease: one acts, and whoever lost it acts no more."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.integration.at_once import all_at_once
from tests.process.conftest import NewSite, at_once
from tests.process.installation import SETTINGS, Site
from tests.process.metrics import is_leading, reconciles
from tests.process.operators import Effect, Operator
from tests.process.waiting import wait_for
from tests.process.workloads import Workload

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.cluster, pytest.mark.process]

# In proportion to the defaults: a mint is sent within 10 s of its intent or not at all.
SAFE: Final[Mapping[str, str]] = {
    **SETTINGS,
    "APPCREDENTIAL_LEASE_DURATION": "14s",
    "APPCREDENTIAL_EFFECT_MARGIN": "2s",
    "APPCREDENTIAL_MINT_MARGIN": "12s",
}
# So long that only a release explains a quick takeover.
LONG: Final[Mapping[str, str]] = {**SETTINGS, "APPCREDENTIAL_LEASE_DURATION": "30s"}
# A renewal that is 6 s late leaves too little of the Lease for any effect.
LATE: Final[Mapping[str, str]] = {
    **SETTINGS,
    "APPCREDENTIAL_LEASE_DURATION": "30s",
    "APPCREDENTIAL_EFFECT_MARGIN": "24s",
    "APPCREDENTIAL_MINT_MARGIN": "24s",
}
QUICK_SECONDS: Final = 5.0
# Less than the minute after which whatever was put off is looked at again anyway.
SOON_SECONDS: Final = 25.0
# What an operator that was paused inside a mint may do with the value that only it has: keep it, as
# long as nobody has fenced its intent, which the Secret's resourceVersion tells; else give it back.
OWN_VALUE: Final = {
    ("minted", ""),
    ("minted", "ConflictError"),
    ("removePassword", ""),
    ("removePassword", "NotFoundError"),
}


def _another_replica_takes_over_from_a_killed_one(new_site: NewSite) -> None:
    site = new_site()
    with site.replicas("a", "b") as replicas:
        workload = Workload(site, "orders")
        workload.issue()
        leader, standby = _roles(replicas)
        assert not standby.effects()

        leader.arm("minted")
        workload.rotate()
        wait_for(lambda: not leader.is_alive(), "the leader's end", 20, workload.describe)
        wait_for(standby.effects, "a takeover", 20, standby.child.tail)
        leader.disarm()
        leader.restart()
        workload.settle()
        assert workload.has_foreign()
        assert standby.effects()[0].time > leader.effects()[-1].time
        assert workload.asked_for() == 2, "the value that the killed one had stored was not used"

        leader.wait_until_ready()
        returned, published = time.monotonic(), workload.published_key()
        workload.rotate()
        wait_for(lambda: workload.published_key() != published, "a successor", 20)
        assert not leader.effects(returned)
        assert not is_leading(leader)


def _a_paused_leader_that_wakes_up_writes_nothing(new_site: NewSite) -> None:
    places = (
        "intent",
        "addPassword",
        "minted",
        "target",
        "delete pending",
        "removePassword",
        "status",
    )
    all_at_once(partial(_pause_after, new_site(), place) for place in places)


def _pause_after(site: Site, place: str) -> None:
    """Pause the leader after an effect of a rotation, until another has begun to act."""
    with site.replicas("a", "b", settings=SAFE) as replicas:
        workload = Workload(site, "orders")
        workload.issue()
        leader, standby = _roles(replicas)
        leader.arm(place, how="stop")
        workload.rotate()
        wait_for(lambda: _is_stopped(leader), f"a pause after {place}", 30, workload.describe)
        wait_for(standby.effects, f"a takeover after {place}", 40, standby.child.tail)
        taken_over = standby.effects()[0].time
        os.kill(leader.child.pid, signal.SIGCONT)

        workload.settle()
        wait_for(lambda: not is_leading(leader), "the loss to be noticed", 5, leader.child.tail)
        late = _sent(leader.effects(taken_over))
        allowed = OWN_VALUE if place == "addPassword" else set()
        assert {(one.effect, one.error) for one in late} <= allowed, (place, late)
        assert workload.asked_for() <= (3 if place == "addPassword" else 2), place
        assert workload.has_foreign()
        with workload.sign_ins() as sign_ins:
            assert sign_ins.refusal(workload.value()) == ""


def _a_leader_that_is_asked_to_end_hands_over_at_once(new_site: NewSite) -> None:
    site = new_site()
    with site.replicas("a", "b", settings=LONG) as replicas:
        workload = Workload(site, "orders")
        workload.issue()
        leader, standby = _roles(replicas)
        group = leader.child.pid

        assert leader.child.stop() == 0
        ended = time.monotonic()
        assert _holder(site) in {"", standby.folder.name}
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)
        wait_for(lambda: is_leading(standby), "a takeover", QUICK_SECONDS, standby.child.tail)
        log.info("takeover %.1f s after the end", time.monotonic() - ended)

        workload.rotate()
        workload.settle()
        assert standby.child.stop() == 0
        assert _holder(site) == ""


def _a_mint_in_flight_is_stored_before_the_end(new_site: NewSite) -> None:
    site = new_site()
    with site.replicas("a", "b", settings=LONG) as replicas:
        wait_for(lambda: any(map(is_leading, replicas)), "a leader", 20)
        leader, _ = _roles(replicas)
        workload = Workload(site, "orders")
        workload.rule("latency", "application.addPassword", seconds=[2, 2])
        workload.create()
        wait_for(lambda: _begun(leader, "addPassword"), "a mint", 20, workload.describe)

        assert leader.child.stop() == 0
        after = leader.effects(_begun(leader, "addPassword")[0].time)
        noted = [(one.effect, one.phase) for one in after]
        assert ("minted", "done") in noted
        assert not [effect for effect, _ in noted if effect not in {"addPassword", "minted"}]

        workload.settle()
        assert workload.asked_for() == 1


def _a_late_renewal_puts_nothing_off_for_longer(new_site: NewSite) -> None:
    site = new_site()
    with site.operator("a", LATE) as leader:
        wait_for(lambda: is_leading(leader), "a leader", 20, leader.child.tail)
        workload = Workload(site, "orders")
        given_back = site.take_rights_in_own_namespace()
        late = timedelta(seconds=8)
        wait_for(lambda: site.since_renewal() > late, "a late renewal", 20, leader.child.tail)
        before = reconciles(leader)
        workload.create()
        wait_for(lambda: reconciles(leader) > before, "a look", 10, leader.child.tail)

        given_back()
        wait_for(workload.published_key, "an issue", SOON_SECONDS, workload.describe)
        assert is_leading(leader)
        workload.settle()


test_another_replica_takes_over_from_a_killed_one = at_once(
    _another_replica_takes_over_from_a_killed_one
)
test_a_paused_leader_that_wakes_up_writes_nothing = at_once(
    _a_paused_leader_that_wakes_up_writes_nothing
)
test_a_leader_that_is_asked_to_end_hands_over_at_once = at_once(
    _a_leader_that_is_asked_to_end_hands_over_at_once
)
test_a_mint_in_flight_is_stored_before_the_end = at_once(_a_mint_in_flight_is_stored_before_the_end)
test_a_late_renewal_puts_nothing_off_for_longer = at_once(
    _a_late_renewal_puts_nothing_off_for_longer
)


def _roles(replicas: list[Operator]) -> tuple[Operator, Operator]:
    """Return the leader and the standby."""
    a, b = replicas
    return (a, b) if is_leading(a) else (b, a)


def _is_stopped(operator: Operator) -> bool:
    stat = Path(f"/proc/{operator.child.pid}/stat").read_text()
    return stat.rsplit(")", 1)[1].split()[0] == "T"


def _sent(effects: list[Effect]) -> list[Effect]:
    """Return how writes ended, but those that never left: they came too late by our own clock."""
    return [
        one
        for one in effects
        if one.phase != "begun" and one.effect != "sign-in" and one.error != "TooLateError"
    ]


def _begun(operator: Operator, effect: str) -> list[Effect]:
    return [one for one in operator.effects() if (one.effect, one.phase) == (effect, "begun")]


def _holder(site: Site) -> str:
    """Return the name of the replica that holds the Lease; empty when nobody does."""
    holder = str(site.lease().get("holderIdentity") or "")
    return holder.rsplit("_", 1)[0]
