"""`rotation` of a member of `EntraTenant.spec.identity`: the operator renews its credential."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRotation:
    """How the operator renews its own certificate or client secret.

    Attributes:
        lifetime: of each new one.
        renew_before: how long before its end it is renewed; None is a third of its lifetime.
    """

    lifetime: timedelta
    renew_before: timedelta | None = None
