"""Two operators as two shards: each serves its own namespaces, also while their number changes."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pytest

from appcredential.domain.shards import shard_of
from tests.integration.installation import CORE
from tests.process.conftest import NewSite, at_once
from tests.process.installation import SETTINGS, Site
from tests.process.metrics import is_leading
from tests.process.operators import Operator
from tests.process.waiting import pass_time, wait_for
from tests.process.workloads import Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_QUIET_SECONDS: Final = 8.0
"""Longer than a Lease lasts here, and than the wait after another number was recorded."""


class Teams:
    """A site with one namespace of each of two shards, and a workload in each."""

    def __init__(self, site: Site) -> None:
        self.site = site
        names = [self._namespace(number) for number in range(2)]
        self._settings = {**SETTINGS, "APPCREDENTIAL_WATCH_NAMESPACES": ",".join(names)}
        self.workloads = [Workload(self._team(name), "orders") for name in names]
        role = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{site.operator_namespace}/roles"
        site.kube.edit(f"{role}/appcredential", _allow_second_lease)

    def _namespace(self, shard: int) -> str:
        """Make a namespace of that shard."""
        names = (f"{self.site.namespace}-{number}" for number in range(100))
        name = next(name for name in names if shard_of(name, 2) == shard)
        self.site.kube.create(f"{CORE}/namespaces", {"metadata": {"name": name}})
        return name

    def _team(self, namespace: str) -> Site:
        team = copy.copy(self.site)
        team.namespace = namespace
        return team

    @contextmanager
    def operators(self, *shards: int, count: int) -> Iterator[list[Operator]]:
        """Run one operator for each of these shards; all are ready, whoever acts."""
        started = [self._start(shard, count) for shard in shards]
        try:
            for one in started:
                one.wait_until_ready()
            yield started
        finally:
            for one in started:
                if one.is_alive():
                    one.child.kill()

    def _start(self, shard: int, count: int) -> Operator:
        name = f"{shard}-of-{count}-{len(self.site.operators)}"
        own: Mapping[str, str] = {
            "APPCREDENTIAL_SHARDS": str(count),
            "APPCREDENTIAL_SHARD": str(shard),
        }
        started = self.site._start(name, {**self._settings, **own})
        self.site.operators.append(started)
        return started

    def holder(self, shard: int) -> str:
        """Return who holds a shard's Lease."""
        suffix = f"-shard-{shard}" if shard else ""
        lease = self.site._lease(self.site.operator_namespace, f"appcredential{suffix}")
        return str(lease.get("holderIdentity") or "").rpartition("_")[0]

    def asked_for(self) -> list[int]:
        """Return how many credentials were asked for, of each workload."""
        return [workload.asked_for() for workload in self.workloads]

    def settle(self) -> None:
        for workload in self.workloads:
            workload.settle(60)
            assert workload.has_foreign()


def _allow_second_lease(role: dict[str, list[dict[str, list[str]]]]) -> None:
    for rule in role["rules"]:
        if rule.get("resourceNames") == ["appcredential"]:
            rule["resourceNames"].append("appcredential-shard-1")


def _issued(operator: Operator) -> int:
    """Return how many credentials an operator stored."""
    noted = [(one.effect, one.phase, one.error) for one in operator.effects()]
    return noted.count(("minted", "done", ""))


def _each_shard_serves_its_own(new_site: NewSite) -> None:
    teams = Teams(new_site())
    with teams.operators(0, 1, count=2) as both:
        first, second = both
        for workload in teams.workloads:
            workload.create()
        teams.settle()
        assert teams.site.claim().startswith("2 shards of ")
        assert [teams.holder(shard) for shard in range(2)] == [one.folder.name for one in both]
        assert teams.asked_for() == [1, 1]
        assert [_issued(one) for one in both] == [1, 1]

        second.child.kill()
        for workload in teams.workloads:
            workload.rotate()
        teams.workloads[0].settle()
        pass_time(_QUIET_SECONDS)  # the Lease of the second has run out by now
        assert teams.asked_for() == [2, 1]

        second.restart()
        teams.settle()
        assert teams.asked_for() == [2, 2]
        assert [_issued(one) for one in both] == [2, 2]
        assert first.is_alive()


def _a_change_of_the_number_has_no_two_act_at_once(new_site: NewSite) -> None:
    teams = Teams(new_site())
    with teams.operators(0, count=1) as (alone,):
        for workload in teams.workloads:
            workload.create()
        teams.settle()
        with teams.operators(0, 1, count=2) as both:
            # As in a rolling update: the new ones are ready, and wait as long as it acts.
            wait_for(lambda: teams.holder(1) == both[1].folder.name, "the second Lease", 20)
            pass_time(_QUIET_SECONDS)
            assert not teams.site.claim().startswith("2 shards of ")
            assert [one.effects() for one in both] == [[], []]
            assert not any(map(is_leading, both))

            assert alone.child.stop() == 0
            _rotated(teams)
            _assert_one_after_the_other([alone], both)
            assert [_issued(one) for one in both] == [1, 1]
            assert teams.site.claim().startswith("2 shards of ")

            with teams.operators(0, count=1) as (again,):
                assert both[0].child.stop() == 0
                wait_for(lambda: not teams.site.claim().startswith("2 "), "one shard", 20)
                # Its pod is still there: it says why it does nothing, and is ready. Until it
                # has seen the number, it may act; the other one waits for that long.
                wait_for(lambda: not is_leading(both[1]), "the number to be seen", 20)
                _rotated(teams)
                assert both[1].is_alive()
                both[1].wait_until_ready()
                _assert_one_after_the_other(both, [again])
                assert _issued(again) == 2
    assert teams.asked_for() == [3, 3]


def _rotated(teams: Teams) -> None:
    for workload in teams.workloads:
        workload.rotate()
    teams.settle()


def _assert_one_after_the_other(former: list[Operator], later: list[Operator]) -> None:
    """Check that what the former did was over before the later ones began."""
    ended = [effect.time for one in former for effect in one.effects()]
    begun = [effect.time for one in later for effect in one.effects()]
    assert ended
    assert begun
    assert max(ended) < min(begun)


test_each_shard_serves_its_own = at_once(_each_shard_serves_its_own)
test_a_change_of_the_number_has_no_two_act_at_once = at_once(
    _a_change_of_the_number_has_no_two_act_at_once
)
