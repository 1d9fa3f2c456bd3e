"""All checks, and their findings in the order of gravity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from appcredential.cli.doctor import (
    cluster,
    configured,
    directory,
    left,
    resources,
    rights,
    running,
)
from appcredential.cli.doctor.findings import Finding, in_order
from appcredential.cli.doctor.gathered import Gathered

CHECKS: Final[tuple[Callable[[Gathered], Iterator[Finding]], ...]] = (
    cluster.kubernetes,
    cluster.definitions,
    running.deployments,
    running.leases,
    running.claim,
    running.versions,
    configured.settings,
    rights.rights,
    rights.policies,
    directory.tenants,
    directory.grants,
    left.left_values,
    resources.resources,
    resources.revocations,
    cluster.issuer,
    cluster.clocks,
)
"""In the order in which findings of one gravity are told."""


def judge(gathered: Gathered) -> list[Finding]:
    """Return what all checks find, the gravest first. Pure."""
    return in_order(finding for check in CHECKS for finding in check(gathered))
