"""Since when all reads name the same issuer of this cluster's ServiceAccount tokens."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.observed.federated import Issuer


def agreed_issuer(
    before: Issuer | None, own: str, discovered: object, now: datetime
) -> Issuer | None:
    """Return the issuer that both sources name now; None when they differ.

    Reads that differ end the time for which they agreed: while a cluster changes its
    issuer, the old token names the old one.

    Args:
        before: what the last reads agreed on; None when they differed.
        own: the `iss` of the operator's own token.
        discovered: the `issuer` of the API server's discovery document.
        now: the time of these reads.
    """
    if discovered != own:
        return None
    if before is not None and before.url == own:
        return before
    return Issuer(url=own, since=now)
