"""What one look at an EntraTenant shows of the operator's own credential."""

from __future__ import annotations

import math
from dataclasses import dataclass

from appcredential.domain.own.observed import Observed
from appcredential.domain.own.secret import OwnSecret
from appcredential.domain.spec.model import CertificateIdentity, ClientSecretIdentity
from appcredential.ports.events import EventSubject
from appcredential.tenants.own_memory import OwnMemory
from appcredential.tenants.probing import OpenTenant


@dataclass(slots=True, kw_only=True)
class OwnTurn:
    """One look at one EntraTenant: what was read, and what decides it.

    Attributes:
        began: when the first read of it left, in seconds of the monotonic clock.
        allowed: when this process was last seen to be the one that may act, by the same clock.
    """

    subject: EventSubject
    identity: CertificateIdentity | ClientSecretIdentity
    tenant: OpenTenant
    live: OwnSecret
    seen: Observed
    memory: OwnMemory
    began: float = -math.inf
    allowed: float = -math.inf
