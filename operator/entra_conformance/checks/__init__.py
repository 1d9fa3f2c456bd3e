"""The checks, in the order in which they run: an area per module, those that only read first."""

from __future__ import annotations

from entra_conformance.check import Check
from entra_conformance.checks import (
    applications,
    certificates,
    creation,
    deletion,
    delta,
    exchanges,
    federated,
    other_tokens,
    passwords,
    reads,
    tokens,
)

# A new area brings a module with CHECKS, and is added here.
CHECKS: tuple[Check, ...] = (
    *tokens.CHECKS,
    *other_tokens.CHECKS,
    *reads.CHECKS,
    *applications.CHECKS,
    *creation.CHECKS,
    *passwords.CHECKS,
    *certificates.CHECKS,
    *federated.CHECKS,
    *exchanges.CHECKS,
    *deletion.CHECKS,
    *delta.CHECKS,
)
