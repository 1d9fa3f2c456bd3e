"""Symptoms of AppCredentials whose workloads work, and that the operator cannot renew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from appcredential.domain.actions import Hold
from appcredential.domain.conditions import Problem
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState, Target
from appcredential.domain.rules.gates_secret import secret_is_not_ours_to_write
from appcredential.domain.status.successor import successor_problem
from tests.support.builders import (
    NEXT_ATTEMPT,
    NOT_YET,
    facts,
    observation,
    pending,
    problem,
    proof,
    target,
)

IMMUTABLE: Final = replace(target(), immutable=True)


def in_the_way(held: Target) -> Problem:
    found = secret_is_not_ours_to_write(observation(target=held))
    assert isinstance(found, Hold)
    return found.problem


def of_successor(seen: Observation) -> Problem:
    found = successor_problem(facts(seen))
    assert found is not None
    return found


def given_up() -> Observation:
    """Return one whose only successor Entra refused for half an hour."""
    refused = proof(NEXT_ATTEMPT, *[NOT_YET] * 7, every=300)
    abandoned = replace(pending(), state=PendingState.ABANDONED)
    return observation(target=None, pending=abandoned, memory=Memory(pending_proof=refused))


OF_WORKING: Final[dict[str, Callable[[], Problem]]] = {
    "GrantWithdrawn": lambda: of_successor(observation(grant=problem())),
    "SecretConflict": lambda: in_the_way(IMMUTABLE),
    "is immutable": lambda: in_the_way(IMMUTABLE),
    "exists and belongs to": lambda: in_the_way(replace(target(), owner="")),
    "SignInRejected": lambda: of_successor(given_up()),
    "until it was given up": lambda: of_successor(given_up()),
}
