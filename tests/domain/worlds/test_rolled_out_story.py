"""Pods that read the Secret once, rotations, and what people do meanwhile: no pod fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain import actions as act
from appcredential.domain.facts import rolled_out
from appcredential.domain.spec.model import RetireWhen
from tests.domain.worlds.driver import World
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.test_scenarios import FIRST, SECOND_KEY, SHORT, SPEC, issued
from tests.support.breaking import in_rules
from tests.support.builders import HOUR, MINUTE, SECOND

ROLLED_OUT = replace(SPEC, rotation=replace(SHORT, retire_when=RetireWhen.ROLLED_OUT))


def rotated(*, pod_at: timedelta | None = None) -> World:
    """Return a world after its first rotation.

    Args:
        pod_at: when a pod starts, after the publish; None: long before.
    """
    world = issued(World(spec=ROLLED_OUT))
    if pod_at is None:
        world.start_pod()
    world.step_until(act.Publish)
    world.step()
    if pod_at is not None:
        world.run(pod_at)
        world.start_pod()
    assert world.published == SECOND_KEY
    return world


def a_pod_stays() -> World:
    world = rotated()
    world.run(90 * MINUTE)
    return world


def a_pod_starts_right_after_the_publish() -> World:
    world = rotated(pod_at=25 * SECOND)
    world.run(90 * MINUTE)
    return world


def pods_are_hidden() -> World:
    world = rotated()
    world.pods.answer = "forbidden"
    world.run(90 * MINUTE)
    return world


def the_process_restarts() -> World:
    world = rotated()
    world.run(70 * MINUTE)
    world.restart()
    world.run(20 * MINUTE)
    return world


STORIES = (
    a_pod_stays,
    a_pod_starts_right_after_the_publish,
    pods_are_hidden,
    the_process_restarts,
)


@pytest.mark.parametrize("story", STORIES)
def test_a_pod_from_before_keeps_what_it_holds(story: Callable[[], World]) -> None:
    world = story()
    assert FIRST in world.entra
    assert world.count(act.Remove) == 0


def test_it_goes_once_they_are_gone() -> None:
    world = a_pod_stays()
    (entry,) = world.resource.status["retiring"]
    assert entry["waitingFor"] == "Deployment/orders: 1 pod"
    world.pods.end("Deployment/orders")
    world.start_pod()
    world.run(10 * MINUTE)
    assert FIRST not in world.entra
    assert "retiring" not in world.resource.status


def test_at_its_own_end_it_goes_all_the_same() -> None:
    world = a_pod_stays()
    world.run(HOUR)
    assert FIRST not in world.entra


def test_a_pod_from_after_the_minute_holds_nothing() -> None:
    world = rotated(pod_at=91 * SECOND)
    world.run(70 * MINUTE)
    assert FIRST not in world.entra


def test_looks_are_few() -> None:
    assert 3 <= a_pod_stays().count(act.ReadPods) <= 20


def judge(name: str, to: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda m: m.setattr(rolled_out, name, to)


@pytest.mark.parametrize(
    ("story", "broken"),
    [
        (a_pod_stays, judge("laggards", lambda _f, _r: ())),
        (a_pod_starts_right_after_the_publish, judge("KUBELET_LAG", -30 * SECOND)),
        (
            pods_are_hidden,
            lambda m: in_rules(m, "is_rolled_out", lambda f, r: not rolled_out.laggards(f, r)),
        ),
        (the_process_restarts, lambda m: in_rules(m, "awaits_rollout", lambda _: False)),
    ],
)
def test_a_broken_rule_is_caught(
    monkeypatch: pytest.MonkeyPatch,
    story: Callable[[], World],
    broken: Callable[[pytest.MonkeyPatch], None],
) -> None:
    broken(monkeypatch)
    with pytest.raises(BrokenPromiseError, match="uses what goes"):
        story()
