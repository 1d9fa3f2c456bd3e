"""Symptoms of docs/troubleshooting.md that clusters with rules of their own show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.status.problems_kube import secret_problem
from appcredential.errors import SecretForbiddenError, SecretRefusal, SecretRefusedError


def _denied() -> Problem:
    return secret_problem(SecretRefusedError("no", cause=SecretRefusal.ADMISSION))


OF_CLUSTERS: Final[dict[str, Callable[[], Problem]]] = {
    "SecretRefused": _denied,
    "an admission policy or webhook denies it": _denied,
    "SecretForbidden": lambda: secret_problem(SecretForbiddenError("no", is_write=True)),
}
"""Each with what shows it."""
