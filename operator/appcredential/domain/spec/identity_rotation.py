"""`EntraTenant.spec.identity.certificate.rotation`: the operator renews its own certificate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRotation:
    """How the operator renews its own certificate.

    Attributes:
        lifetime: of each new certificate.
        renew_before: how long before its end it is renewed; None is a third of its lifetime.
    """

    lifetime: timedelta
    renew_before: timedelta | None = None
