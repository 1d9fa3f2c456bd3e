"""Symptoms of AppCredentials whose workloads work, and that the operator cannot renew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.actions import Hold
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.clocks import clock_problem
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.ownership import Ownership
from appcredential.domain.observed.target import PendingState, Target
from appcredential.domain.rules.gates_secret import secret_is_not_ours_to_write
from appcredential.domain.status.problems_entra import Asked, directory_problem
from appcredential.domain.status.successor import successor_problem
from appcredential.domain.status.verdicts import ready
from appcredential.errors import AppCredentialError, PermissionDeniedError, RejectedError
from tests.support.builders import (
    DAY,
    MINUTE,
    NEXT_ATTEMPT,
    NOT_YET,
    NOW,
    facts,
    observation,
    pending,
    problem,
    proof,
    target,
)

QUARTER: Final = timedelta(minutes=15)
IMMUTABLE: Final = replace(target(), immutable=True)


def in_the_way(held: Target) -> Problem:
    found = secret_is_not_ours_to_write(observation(target=held))
    assert isinstance(found, Hold)
    return found.problem


def frozen_intent() -> Problem:
    frozen = replace(pending(PendingState.INTENT), immutable=True)
    found = secret_is_not_ours_to_write(observation(pending=frozen))
    assert isinstance(found, Hold)
    return found.problem


def expired() -> Problem:
    ended = observation(now=NOW + 100 * DAY)
    told = ready(ended, facts(ended), None)
    return Problem(reason=told.reason, message=told.message)


def unowned() -> Problem:
    lost = replace(observation(), ownership=Ownership(is_enough=False))
    told = ready(lost, facts(lost), None)
    return Problem(reason=told.reason, message=told.message)


def of_successor(seen: Observation) -> Problem:
    found = successor_problem(facts(seen))
    assert found is not None
    return found


def of_graph(error: AppCredentialError) -> Problem:
    return directory_problem(error, MINUTE, Asked(application="app"))[0]


def of_clocks(entra: timedelta, api: timedelta) -> Problem:
    found = clock_problem(observation(directory_skew=entra, cluster_skew=api))
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
    "has to hold the next credential until it is proven": frozen_intent,
    "Expired": expired,
    "The published credential has expired.": expired,
    "NotOwner": unowned,
    "PermissionDenied": lambda: of_graph(PermissionDeniedError("403")),
    "az ad app owner add": lambda: of_graph(PermissionDeniedError("403")),
    "CredentialRefused": lambda: of_graph(RejectedError("400", code="InvalidKeyEndDate")),
    "ClockSkew": lambda: of_clocks(QUARTER, QUARTER),
    "behind those of Entra and of the API server": lambda: of_clocks(QUARTER, QUARTER),
    "which agrees with the API server's": lambda: of_clocks(QUARTER, timedelta(0)),
    "SignInRejected": lambda: of_successor(given_up()),
    "until it was given up": lambda: of_successor(given_up()),
}
