"""What the renewals of the operator's own credential are decided from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Credential
from appcredential.domain.own.secret import OwnRecords
from appcredential.domain.proof import Proof
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.identity_rotation import IdentityRotation


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPair:
    """A certificate of the operator's own with its private key.

    Attributes:
        value: both as PEM.
        thumbprint: SHA-1, in upper-case hexadecimal digits.
        subject: RFC 4514; empty when it cannot be read.
    """

    value: SecretValue
    start: datetime
    end: datetime
    thumbprint: str
    subject: str = ""

    def is_valid(self, now: datetime) -> bool:
        """Return whether it is valid now."""
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is observed of either kind.

    Attributes:
        cluster: which cluster this is, as `ClusterIdentity.whole`.
        tenant: name of the EntraTenant.
        client: client id of the operator's app registration.
        expires: when Entra lets the one in the Secret end; None where that is not known.
        in_use: the one whose session is in use and proven, by its thumbprint or SHA-256; empty
            without.
        keys: the application's credentials by a read of now; None before one was needed.
        proof: how sign-ins with the successor went, in this process.
        is_clock_doubtful: Entra's clock is unknown, or differs too much.
    """

    now: datetime
    settings: LifecycleSettings
    cluster: str
    tenant: str
    client: str
    rotation: IdentityRotation
    expires: datetime | None = None
    in_use: str = ""
    keys: Sequence[Credential] | None = None
    proof: Proof | None = None
    is_clock_doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnObservation(Observed):
    """All that the decision about a certificate rests on.

    Attributes:
        longest: the lifetime of a successor that is made now.
        main: the certificate in use, by the Secret.
        successor: the certificate beside it.
        records: what the Secret records, by whomever.
        is_new: this process made the successor, and Entra certainly has not added it.
        asked: when this process last asked Entra to add it; None if it did not.
    """

    longest: timedelta
    main: OwnPair
    successor: OwnPair | None = None
    records: OwnRecords | None = None
    is_new: bool = False
    asked: datetime | None = None
