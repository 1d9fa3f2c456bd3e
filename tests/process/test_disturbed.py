"""A rotation while something else goes wrong: it ends where an undisturbed one does.

Each life has a site of its own. The state at its end and how often it wrote what are compared with
those of a life that nothing disturbed, and a workload signs in all the time.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

import pytest

from localcluster import Cluster
from tests.integration.at_once import all_at_once
from tests.process.conftest import NewSite, at_once
from tests.process.installation import SETTINGS, Site
from tests.process.operators import Operator
from tests.process.proxying import WatchProxy
from tests.process.waiting import pass_time, wait_for
from tests.process.watching import Watcher
from tests.process.workloads import Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

HISTORY: Final = frozenset(
    {
        "finalizer",
        "intent",
        "addPassword",
        "minted",
        "abandoned",
        "target",
        "delete pending",
        "removePassword",
    }
)
"""What is counted; how often it signs in and writes status depends on when it looks."""
STEPS_OF_CLOCKS: Final = (600.0, -600.0, 400 * 86400.0)


@dataclass(frozen=True)
class End:
    """Where a life ended, and what was written on the way."""

    shape: Mapping[str, Any]
    history: Counter[str]
    clashes: list[str]
    asked_for: int


Disturbance: TypeAlias = Callable[[list[Operator], Workload], AbstractContextManager[None]]


def _live(site: Site, operators: list[Operator], disturbed: Disturbance) -> End:
    """Issue, and rotate while something goes wrong."""
    workload = Workload(site, "orders")
    workload.issue()
    with Watcher(workload) as watcher:
        with disturbed(operators, workload):
            workload.settle(90)
        tries = watcher.tries + 3
        wait_for(lambda: watcher.tries >= tries, "sign-ins", 20)
    for one in operators:
        wait_for(partial(one.is_quiet, 1), "quiet", 60, one.child.tail)
    done = [e.effect for one in operators for e in one.effects() if e.phase == "done"]
    history = Counter(effect for effect in done if effect in HISTORY)
    return End(workload.shape(), history, watcher.clashes, workload.asked_for())


@contextmanager
def _rotated(_: list[Operator], workload: Workload) -> Iterator[None]:
    workload.rotate()
    yield


def _plain(site: Site) -> End:
    with site.operator() as operator:
        return _live(site, [operator], _rotated)


def _watches_that_expire(site: Site) -> End:
    """They tell nothing, and end with 410: only the list that follows shows the edit."""

    @contextmanager
    def expired(operators: list[Operator], workload: Workload) -> Iterator[None]:
        proxy.is_silent = True
        workload.rotate()
        wait_for(lambda: proxy.dropped, "an event that is lost", 20)
        proxy.is_silent = False
        proxy.expire()
        assert proxy.expired >= 3
        yield

    with WatchProxy(site.cluster) as proxy, _through(site, proxy) as operator:
        return _live(site, [operator], expired)


def _watches_that_fall_silent(site: Site) -> End:
    """They stay open and tell nothing until the end: the lists beside them show the edit."""

    @contextmanager
    def silent(operators: list[Operator], workload: Workload) -> Iterator[None]:
        proxy.is_silent = True
        workload.rotate()
        yield
        assert proxy.dropped

    with (
        WatchProxy(site.cluster) as proxy,
        _through(site, proxy, APPCREDENTIAL_RELIST="6s") as operator,
    ):
        return _live(site, [operator], silent)


@contextmanager
def _through(site: Site, proxy: WatchProxy, **settings: str) -> Iterator[Operator]:
    """Run an operator that reaches the API server through a proxy."""
    site.folder.mkdir(parents=True, exist_ok=True)
    kubeconfig = proxy.kubeconfig(site.operator_namespace, site.folder / "proxied")
    with site.operator(settings={**SETTINGS, "KUBECONFIG": str(kubeconfig), **settings}) as found:
        yield found


def _clocks_that_are_set(site: Site) -> End:
    """Ahead and back in the middle of the rotation; meanwhile nothing is done, and it is told."""

    @contextmanager
    def stepped(operators: list[Operator], workload: Workload) -> Iterator[None]:
        (operator,) = operators
        workload.rotate()
        wait_for(lambda: workload.pending().get("data"), "a successor", 20, workload.describe)
        for step in STEPS_OF_CLOCKS:
            operator.set_clock(step)
            told = partial(_is_told, workload)
            wait_for(told, f"a clock that is {step:g} s off", 30, workload.describe)
            begun = time.monotonic()
            pass_time(1.5)
            assert not {one.effect for one in operator.effects(begun)} & HISTORY, step
        operator.set_clock(0)
        yield

    with site.operator() as operator:
        return _live(site, [operator], stepped)


def _is_told(workload: Workload) -> bool:
    kinds = ("Stalled", "Reconciling")
    return any(workload.condition(kind).get("reason") == "ClockSkew" for kind in kinds)


def _two_that_both_lead_lose_nothing(new_site: NewSite) -> None:
    """No Lease keeps one from acting: what both write, the Secrets' versions keep apart.

    Each may make a successor before it has seen the other's. Then the former of the two goes at
    its own end, because the published one does not outlive it by the overlap.
    """
    site, settings = new_site(), {**SETTINGS, "INSTRUMENTED_BREAK": "usurp"}
    with site.operator("a", settings) as first:
        workload = Workload(site, "orders")
        workload.issue()
        former = workload.published_key()
        with site.operator("b", settings) as second, Watcher(workload) as watcher:
            begun = time.monotonic()
            workload.rotate()
            wait_for(lambda: workload.published_key() != former, "a successor", 60)
            wait_for(lambda: former not in workload.ours(), "its end", 60, workload.describe)
            for one in (first, second):
                wait_for(partial(one.is_quiet, 3), "quiet", 60, one.child.tail)
                assert HISTORY & {e.effect for e in one.effects(begun)}, "only one of them acted"
        assert watcher.clashes == []
        assert workload.is_ready()
        assert not workload.pending()
        assert workload.has_foreign()
        assert workload.asked_for() <= 3
        recorded = json.loads(workload.annotations().get("retiring", "[]"))
        known = {workload.published_key(), *(entry["keyId"] for entry in recorded)}
        assert workload.ours() <= known, "a credential that nothing records"


def test_a_rotation_outlasts_a_restart_of_the_api_server(site: Site, cluster: Cluster) -> None:
    """It goes while Entra makes the successor: nothing can be written when the answer comes."""
    with site.operator() as operator:
        workload = Workload(site, "orders")
        workload.issue()
        loaded = workload.value()
        rule = workload.rule("latency", "application.addPassword", seconds=[2, 2])
        workload.rotate()
        begun = time.monotonic()
        wait_for(
            lambda: "addPassword" in {one.effect for one in operator.effects(begun)},
            "a mint",
            20,
            workload.describe,
        )
        cluster.reissue()
        with workload.sign_ins() as sign_ins:
            assert sign_ins.refusal(loaded) == "", "nobody retires anything meanwhile"
        workload.drop(rule)
        workload.settle(90)
        with workload.sign_ins() as sign_ins:
            assert sign_ins.refusal(workload.value()) == ""
        wait_for(partial(operator.is_quiet, 1), "quiet", 60, operator.child.tail)
        assert operator.is_alive()
        assert workload.has_foreign()
        assert workload.asked_for() <= 3, "at most the one whose value nobody could keep is lost"


def _a_disturbed_rotation_ends_as_an_undisturbed_one(new_site: NewSite) -> None:
    lives: list[Callable[[Site], End]] = [
        _plain,
        _watches_that_expire,
        _watches_that_fall_silent,
        _clocks_that_are_set,
    ]
    expected, *others = all_at_once(partial(life, new_site()) for life in lives)
    assert expected.clashes == []
    assert (expected.history["addPassword"], expected.history["removePassword"]) == (2, 1)
    for life, found in zip(lives[1:], others, strict=True):
        assert found == expected, life.__doc__


test_a_disturbed_rotation_ends_as_an_undisturbed_one = at_once(
    _a_disturbed_rotation_ends_as_an_undisturbed_one
)
test_two_that_both_lead_lose_nothing = at_once(_two_that_both_lead_lose_nothing)
