"""The subject of a certificate that an installation makes for the operator itself.

It tells who made a certificate whose Secret was copied without its annotations.
"""

from __future__ import annotations

import re
from typing import Final

_MOST_NAME: Final = 64
"""Characters of a common name (RFC 5280, ub-common-name)."""
_MADE: Final = re.compile(r"CN=appcredential [a-z2-7]{8}\.[a-z2-7]{4} .+")


def subject_of(cluster: str, tenant: str) -> str:
    """Return the subject (RFC 4514) of a certificate.

    Args:
        cluster: which cluster makes it, as `ClusterIdentity.whole`.
        tenant: name of the EntraTenant.
    """
    return f"CN={f'appcredential {cluster} {tenant}'[:_MOST_NAME]}"


def is_made_elsewhere(subject: str, cluster: str, tenant: str) -> bool:
    """Return whether another cluster made a certificate, or this one for another EntraTenant."""
    return bool(_MADE.fullmatch(subject)) and subject != subject_of(cluster, tenant)
