"""Builds what finishes deletions, for `composition.py`."""

from __future__ import annotations

from collections.abc import Callable

from appcredential.controllers.issued_records import Sweep, UnownedRecords
from appcredential.controllers.revocation import RevocationController, build_revocation_controller
from appcredential.controllers.revocation_round import Pace
from appcredential.domain.conditions import Problem
from appcredential.effects.revocation import RevocationWrites
from appcredential.gather.heirs import Heirs
from appcredential.gather.revocation import RevocationObserver, RevocationReads
from appcredential.parts import Parts
from appcredential.ports.session import Access


def build_revocations(
    parts: Parts, access: Callable[[str], Access | Problem]
) -> RevocationController:
    """Return what carries out scheduled revocations.

    Args:
        parts: of the process.
        access: returns a tenant that the operator can sign in to, or why there is none.
    """
    process = parts.process
    return build_revocation_controller(
        clock=process.clock,
        pace=Pace(period=parts.settings.ticket_poll),
        settings=process.settings,
        absence=parts.settings.ticket_absence,
        identity=process.identity,
        guard=process.guard,
        reads=_revocation_reads(parts, access),
        writes=_revocation_writes(parts),
    )


def build_unowned_records(
    parts: Parts, access: Callable[[str], Access | Problem]
) -> UnownedRecords:
    """Return what schedules them for resources that went unseen; arguments as above."""
    process = parts.process
    return UnownedRecords(
        Sweep(
            clock=process.clock,
            settings=process.settings,
            guard=process.guard,
            skew=parts.client.skew,
            resources=parts.kube.resources,
            observer=RevocationObserver(
                clock=process.clock,
                settings=process.settings,
                absence=parts.settings.ticket_absence,
                identity=process.identity,
                reads=_revocation_reads(parts, access),
            ),
            records=parts.records,
            writes=_revocation_writes(parts),
        )
    )


def _revocation_reads(parts: Parts, access: Callable[[str], Access | Problem]) -> RevocationReads:
    kube = parts.kube
    return RevocationReads(
        resources=kube.resources,
        secrets=kube.secrets,
        outputs=kube.outputs,
        access=access,
        heirs=Heirs(
            resources=kube.resources,
            issuer=parts.issuer,
            grants=parts.grants,
            access=access,
        ),
    )


def _revocation_writes(parts: Parts) -> RevocationWrites:
    kube = parts.kube
    return RevocationWrites(
        secrets=kube.secrets,
        outputs=kube.outputs,
        service_accounts=kube.service_accounts,
        revocations=kube.revocations,
        open_revocations=parts.open_revocations,
        events=kube.events,
    )
