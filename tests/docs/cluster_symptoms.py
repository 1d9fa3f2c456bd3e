"""Symptoms of docs/troubleshooting.md that clusters with rules of their own show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appcredential.domain.claim import (
    RECENT,
    Claim,
    Recorded,
    claim_problem,
    missing_right,
    shards_problem,
)
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.status.problems_kube import secret_problem
from appcredential.errors import SecretForbiddenError, SecretRefusal, SecretRefusedError


def _denied() -> Problem:
    return secret_problem(SecretRefusedError("no", cause=SecretRefusal.ADMISSION))


def _refused(recorded: str) -> Problem:
    """Return what `/readyz` and the log say, in the form of a condition."""
    own = Claim(namespace="entra", installation="appcredential", cluster_id="a")
    told = claim_problem(own, recorded, "", "default/appcredential-claim")
    return Problem(reason=Reason.NOT_LEADER, message=told)


def _other_shards() -> Problem:
    """Return what the log of a shard says that waits, in the same form."""
    told = shards_problem(3, Recorded("entra/appcredential@a", 2), "default/appcredential-claim")
    return Problem(reason=Reason.NOT_LEADER, message=told)


OF_CLUSTERS: Final[dict[str, Callable[[], Problem]]] = {
    "SecretRefused": _denied,
    "an admission policy or webhook denies it": _denied,
    "the cluster is served by another installation": lambda: _refused("old/appcredential@a"),
    "they would count as another cluster's": lambda: _refused("entra/appcredential@b"),
    "the operator may not read and write the Lease": lambda: Problem(
        reason=Reason.NOT_LEADER, message=missing_right("entra/appcredential", "")
    ),
    "nothing is done until the leader of the first shard has recorded": _other_shards,
    "nothing is done until whoever acted by the former one has stopped": lambda: Problem(
        reason=Reason.NOT_LEADER, message=RECENT
    ),
    "SecretForbidden": lambda: secret_problem(SecretForbiddenError("no", is_write=True)),
}
"""Each with what shows it."""
