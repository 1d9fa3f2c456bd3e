"""Symptoms of docs/troubleshooting.md that clusters with rules of their own show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appcredential.domain.claim import Claim, claim_problem
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


OF_CLUSTERS: Final[dict[str, Callable[[], Problem]]] = {
    "SecretRefused": _denied,
    "an admission policy or webhook denies it": _denied,
    "the cluster is served by another installation": lambda: _refused("old/appcredential@a"),
    "they would count as another cluster's": lambda: _refused("entra/appcredential@b"),
    "SecretForbidden": lambda: secret_problem(SecretForbiddenError("no", is_write=True)),
}
"""Each with what shows it."""
