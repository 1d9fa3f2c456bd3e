"""Random lives of a FederatedIdentity: no promise is broken, and all ends well once it is calm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.annotations import CLIENT_ID_ANNOTATION
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.spec.federated import ServiceAccountSource, Source
from appcredential.domain.spec.git_hub import github_subjects
from appcredential.domain.spec.model import VerificationMode
from appcredential.domain.spec.trusts import Trust
from tests.domain.worlds.federated_world import FederatedWorld
from tests.support.builders import HOUR, MINUTE, OTHER_OWNER, SECOND, grant, problem
from tests.support.federated import (
    CONNECTION,
    GITHUB,
    GITHUB_SUBJECT,
    ISSUER,
    MANAGED,
    NEXT_ISSUER,
    OTHER,
    PROJECT,
    account,
    federated_spec,
    listed,
    workflows,
)

pytestmark = pytest.mark.walk

Event = Callable[[FederatedWorld, Random], None]
SOURCES: Final[tuple[Source, ...]] = (
    ServiceAccountSource(name="orders"),
    ServiceAccountSource(name="next"),
    ServiceAccountSource(name="next", is_annotated=False),
    GITHUB,
    workflows(2, 2),
    GITHUB_SUBJECT,
    CONNECTION,
    PROJECT,
    MANAGED,
    OTHER,
)
TIMES: Final = (SECOND, 20 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 2 * HOUR)
STEPS: Final = 20


def change(world: FederatedWorld, dice: Random) -> None:
    world.change(
        federated_spec(
            dice.choice(SOURCES),
            audience=dice.choice(["", "", "api://other"]),
            config_map=dice.choice(["", "out"]),
            verification=dice.choice(list(VerificationMode)),
            suspend=dice.random() < 0.1,
        )
    )


def edit(world: FederatedWorld, dice: Random) -> None:
    if not world.entra:
        return
    c = dice.choice(list(world.entra.values()))
    edits = (
        replace(c, audiences=("api://edited",)),
        replace(c, subject=f"edited-{dice.randrange(3)}"),
        replace(c, subject=dice.choice(github_subjects(workflows(2, 2)))),
        replace(c, description="edited by hand"),
        replace(c, description=c.description.replace("retire=", "retired=")),
    )
    edited = dice.choice(edits)
    twins = [o for o in world.entra.values() if o.pair == edited.pair and o.id != edited.id]
    if not twins:
        world.put(edited)


def remove(world: FederatedWorld, dice: Random) -> None:
    if world.entra:
        del world.entra[dice.choice(list(world.entra))]


def add_theirs(world: FederatedWorld, dice: Random) -> None:
    pair = dice.choice([OTHER.issuer, ISSUER]), dice.choice([OTHER.subject, "x", "y"])
    if pair not in world.pairs:
        owner = dice.choice([None, OTHER_OWNER])
        world.put(listed(f"theirs-{len(world.log)}", trust=Trust(*pair, "a"), owner=owner))


def hide(world: FederatedWorld, dice: Random) -> None:
    world.hidden = {id_ for id_ in world.entra if dice.random() < 0.3}


def annotate(world: FederatedWorld, dice: Random) -> None:
    name = dice.choice(["orders", "next"])
    world.accounts[name] = dice.choice(
        [account(name=name), account({CLIENT_ID_ANNOTATION: "theirs"}, name=name)]
    )


def lose_account(world: FederatedWorld, dice: Random) -> None:
    world.accounts.pop(dice.choice(["orders", "next"]), None)


def switch_grant(world: FederatedWorld, dice: Random) -> None:
    choices: list[Grant | Problem] = [grant(), grant(), problem()]
    world.grant = dice.choice(choices)


def switch_issuer(world: FederatedWorld, dice: Random) -> None:
    found = Issuer(url=dice.choice([ISSUER, NEXT_ISSUER]), since=world.now)
    choices: list[Issuer | Problem] = [found, found, problem(Reason.ISSUER_UNKNOWN)]
    world.issuer = dice.choice(choices)


def fail(world: FederatedWorld, dice: Random) -> None:
    world.refuses = dice.random() < 0.5


def refuse(world: FederatedWorld, dice: Random) -> None:
    world.not_taken = {s for s in github_subjects(workflows(2, 2)) if dice.random() < 0.3}


def restart(world: FederatedWorld, _: Random) -> None:
    world.restart()


def leave(world: FederatedWorld, dice: Random) -> None:
    world.leaving = dice.choice([frozenset(), frozenset({OTHER_OWNER.hash})])


EVENTS: Final[tuple[Event, ...]] = (
    change,
    change,
    edit,
    remove,
    add_theirs,
    hide,
    annotate,
    lose_account,
    switch_grant,
    switch_issuer,
    fail,
    refuse,
    restart,
    leave,
)


def calm_down(world: FederatedWorld) -> None:
    """Take away whatever keeps the spec from being met."""
    world.hidden, world.refuses, world.grant = set(), False, grant()
    world.not_taken = set()
    world.issuer = Issuer(url=ISSUER, since=world.now)
    world.leaving = frozenset()
    world.accounts |= {name: account(name=name) for name in ("orders", "next")}
    for id_ in [i for i, c in world.entra.items() if not world.is_ours(c)]:
        del world.entra[id_]


@pytest.mark.parametrize("seed", range(30))
def test_no_promise_is_broken_and_all_ends_well(seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - repeatable on purpose
    world = FederatedWorld(settings=LifecycleSettings(federated_overlap=3 * HOUR))
    for _ in range(STEPS):
        dice.choice(EVENTS)(world, dice)
        world.run(dice.choice(TIMES))
    calm_down(world)
    world.change(federated_spec(dice.choice(SOURCES), config_map="out"))
    world.run(12 * HOUR)
    assert world.condition("Ready") == ("True", "Trusted"), world.resource.status["conditions"]
    assert world.condition("Stalled") is None
    told = world.resource.status["federatedIdentities"]
    assert world.pairs == {(t["issuer"], t["subject"]) for t in told}
    assert {c.audiences for c in world.entra.values()} == {(t["audience"],) for t in told}
    world.log.clear()
    world.run(3 * HOUR)
    assert world.names() == [], "it does not rest"
