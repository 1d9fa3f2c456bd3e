"""The checks, in the order in which they run: an area per module, those that only read first."""

from __future__ import annotations

from entra_conformance.check import Check
from entra_conformance.checks import (
    applications,
    certificates,
    deletion,
    exchanges,
    federated,
    passwords,
    reads,
    tokens,
)

# A new area brings a module with CHECKS, and is added here.
CHECKS: tuple[Check, ...] = (
    *tokens.CHECKS,
    *reads.CHECKS,
    *applications.CHECKS,
    *passwords.CHECKS,
    *certificates.CHECKS,
    *federated.CHECKS,
    *exchanges.CHECKS,
    *deletion.CHECKS,
)
