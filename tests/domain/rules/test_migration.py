"""A Secret that came from another cluster, or that something else keeps altering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from appcredential.domain import actions as act
from appcredential.domain.facts.successor import needs_successor
from appcredential.domain.observed.target import Target
from appcredential.domain.secret.annotations import Name
from tests.domain.worlds.driver import DEFAULT, World
from tests.support.builders import (
    HOUR,
    IDENTITY,
    MINUTE,
    OTHER_IDENTITY,
    credential,
    facts,
    observation,
    target,
)


def annotated(t: Target, changes: Mapping[str, str]) -> Target:
    return replace(t, annotations={**t.annotations, **changes})


def test_a_secret_of_another_cluster_is_replaced_at_once() -> None:
    world = World(spec=DEFAULT)
    world.target = annotated(target(spec=DEFAULT), {Name.CLUSTER: OTHER_IDENTITY.cluster})
    theirs = credential(identity=OTHER_IDENTITY)
    world.entra[theirs.key_id] = theirs
    before = world.published
    world.step_until(act.Publish)
    assert world.published == before
    assert world.target.annotations[Name.CLUSTER] == OTHER_IDENTITY.cluster
    world.run(2 * HOUR)
    assert world.published != before
    assert world.target.annotations[Name.CLUSTER] == IDENTITY.cluster
    assert before in world.entra, "the other cluster's credential is its own to remove"


def test_a_secret_that_lost_the_annotation_is_still_ours() -> None:
    t = annotated(target(), {Name.CLUSTER: ""})
    assert not needs_successor(facts(observation(target=t)))


def test_what_keeps_altering_the_secret_makes_no_loop() -> None:
    world = World(spec=DEFAULT)
    world.run(MINUTE)

    def alter() -> None:
        assert world.target is not None
        world.target = replace(world.target, labels={**world.target.labels, "app": "altered"})

    world.spec = replace(DEFAULT, secret=replace(DEFAULT.secret, labels={"app": "orders"}))
    world.change(world.spec)
    begun = world.now
    while world.now - begun < 2 * HOUR:
        world.run(MINUTE / 2)
        alter()
    repairs = [t for t, a in world.log if isinstance(a, act.WriteTarget) and t >= begun]
    assert 4 <= len(repairs) <= 9
    assert min(b - a for a, b in pairwise(repairs)) >= MINUTE
