"""For how long a credential that the operator makes for itself is valid."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.rotation import asked_lifetime
from appcredential.domain.spec.model import CredentialType

_SHORTEST: Final = timedelta(days=1)


def next_lifetime(
    wanted: timedelta, policy: AppPolicy, kind: CredentialType, created: datetime | None
) -> timedelta:
    """Return the lifetime to ask for: at most what the policy allows, and at least a day.

    Args:
        wanted: `rotation.lifetime`.
        policy: of the Entra tenant, as far as it is known.
        kind: of the credential.
        created: when the operator's application was created; None when that is not known.
    """
    return max(asked_lifetime(wanted, policy.max_lifetime(kind, created)), _SHORTEST)
