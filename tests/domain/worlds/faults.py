"""Faults that come to a `World` at random: each takes the world and the dice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from appcredential.domain.proof import UNREACHABLE
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import RetireWhen
from tests.domain.worlds.driver import World
from tests.support.builders import MINUTE, NOT_YET, problem

Fault = Callable[[World, Random], None]
PODS: Final = ("Deployment/orders", "StatefulSet/db")


# --- what the world does to us: nothing of it may cost a sign-in ------------------------------


def restart(world: World, _: Random) -> None:
    world.restart()


def lose_the_answer(world: World, dice: Random) -> None:
    world.mint_answers += dice.choices(["lost", "crash"], k=dice.randint(1, 2))


def list_something_less(world: World, dice: Random) -> None:
    world.hidden = {key for key in world.entra if dice.random() < 0.5}


def let_lists_lie(world: World, dice: Random) -> None:
    world.lists = dice.choice(["confirm", "doubt"])


def let_reads_fail(world: World, dice: Random) -> None:
    world.read_answer = dice.choice(["fails", "missing"])


def refuse(world: World, dice: Random) -> None:
    answer = dice.choice([NOT_YET, UNREACHABLE])
    world.answer = lambda _: answer


def withdraw(world: World, _: Random) -> None:
    world.grant = problem()


def edit_around_the_value(world: World, _: Random) -> None:
    if world.target is not None:
        labels = {"theirs": "x"}
        world.target = replace(world.target, labels=labels, annotations={})


def ask_for_a_rotation(world: World, _: Random) -> None:
    now = world.current_spec
    asked = replace(now.rotation, rotate_issued_before=world.now)
    world.change(replace(now, rotation=asked))


def ask_for_a_revocation(world: World, _: Random) -> None:
    now = world.current_spec
    asked = replace(now.rotation, revoke_issued_before=world.now)
    world.change(replace(now, rotation=asked))


def retire_otherwise(world: World, dice: Random) -> None:
    now = world.current_spec
    when = dice.choice(list(RetireWhen))
    world.change(replace(now, rotation=replace(now.rotation, retire_when=when)))


def delete_the_pending(world: World, _: Random) -> None:
    world.pending = None


def start_a_pod(world: World, dice: Random) -> None:
    if world.target is not None and world.target.published is not None:
        world.start_pod(dice.choice(PODS))


def roll_out(world: World, dice: Random) -> None:
    owner = dice.choice(PODS)
    world.pods.end(owner)
    start_a_pod(world, dice)


def end_all_pods(world: World, _: Random) -> None:
    world.pods.running.clear()


def hide_pods(world: World, dice: Random) -> None:
    world.pods.answer = dice.choice(["forbidden", "fails"])


def do_nothing(_world: World, _dice: Random) -> None:
    """Let time pass."""


ENDURED: Final[tuple[Fault, ...]] = (
    restart,
    lose_the_answer,
    list_something_less,
    let_lists_lie,
    let_reads_fail,
    refuse,
    withdraw,
    edit_around_the_value,
    ask_for_a_rotation,
    ask_for_a_revocation,
    retire_otherwise,
    delete_the_pending,
    start_a_pod,
    start_a_pod,
    roll_out,
    end_all_pods,
    hide_pods,
    do_nothing,
)


# --- what people do to it: it recovers --------------------------------------------------------


def delete_the_secret(world: World, _: Random) -> None:
    world.target = None


def delete_both(world: World, _: Random) -> None:
    world.target = world.pending = None
    world.restart()


def damage_the_value(world: World, _: Random) -> None:
    if world.target is not None:
        data = dict.fromkeys(world.target.data, SecretValue("edited"))
        world.target = replace(world.target, value=None, data=data)


def remove_in_the_portal(world: World, dice: Random) -> None:
    for key in dice.sample(sorted(world.entra), k=min(1, len(world.entra))):
        del world.entra[key]


def delete_and_apply_again(world: World, dice: Random) -> None:
    world.delete()
    world.run(MINUTE)
    world.apply_again(f"uid-{dice.random()}")


SUFFERED: Final[tuple[Fault, ...]] = (
    *ENDURED,
    delete_the_secret,
    delete_both,
    damage_the_value,
    remove_in_the_portal,
    delete_and_apply_again,
)
