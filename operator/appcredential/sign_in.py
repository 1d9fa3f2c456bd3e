"""How this process signs in to Entra, by its settings; `tenants/` holds the sessions."""

from __future__ import annotations

from appcredential.entra.projected_token import ProjectedToken
from appcredential.ports.local import Clock
from appcredential.ports.session import OpenSession
from appcredential.runtime.metrics import Metrics
from appcredential.settings import Settings


def session_opener(settings: Settings, clock: Clock, metrics: Metrics) -> OpenSession:
    """Return what opens a session with one directory.

    Args:
        settings: of the process.
        clock: of the process.
        metrics: they count the requests, and certificates of others that were lost.
    """
    # The Graph SDK takes a second to import: only a process that opens sessions pays for it.
    from appcredential.entra.clouds import Endpoints  # noqa: PLC0415
    from appcredential.entra.pacing import Pacing  # noqa: PLC0415
    from appcredential.entra.session_opener import CustomCloud, SessionOpener  # noqa: PLC0415

    custom = None
    if settings.custom_authority:
        endpoints = Endpoints(settings.custom_authority, settings.custom_graph)
        custom = CustomCloud(endpoints=endpoints, ca_file=settings.custom_ca_file or None)
    return SessionOpener(
        clock=clock,
        token=projected_token(settings),
        custom=custom,
        extra_ca_file=settings.ca_file or None,
        pacing=Pacing(
            spacing=settings.write_spacing.total_seconds(),
            after_conflict=settings.conflict_spacing.total_seconds(),
        ).share(settings.shards),
        observe=metrics.observe_directory,
        report=metrics.count_certificate_loss,
    )


def projected_token(settings: Settings) -> ProjectedToken:
    """Return the token of the operator's pod that stands for its identity in Entra."""
    return ProjectedToken(settings.identity_token_file, settings.custom_token_audience)
