"""What the renewal of the operator's own certificate is decided from."""

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
class OwnObservation:
    """All that the decision rests on.

    Attributes:
        cluster: which cluster this is.
        tenant: name of the EntraTenant.
        client: client id of the operator's app registration.
        main: the certificate in use, by the Secret.
        expires: when Entra lets it end; None where that is not known.
        successor: the certificate beside it.
        records: what the Secret records, by whomever.
        in_use: thumbprint of the certificate whose session is in use and proven; empty without.
        keys: the application's credentials by a read of now; None before one was needed.
        proof: how sign-ins with the successor went, in this process.
        is_new: this process made the successor, and Entra certainly has not added it.
        asked: when this process last asked Entra to add it; None if it did not.
        longest: the lifetime of a successor that is made now.
        is_clock_doubtful: Entra's clock is unknown, or differs too much.
    """

    now: datetime
    settings: LifecycleSettings
    cluster: str
    tenant: str
    client: str
    rotation: IdentityRotation
    longest: timedelta
    main: OwnPair
    expires: datetime | None = None
    successor: OwnPair | None = None
    records: OwnRecords | None = None
    in_use: str = ""
    keys: Sequence[Credential] | None = None
    proof: Proof | None = None
    is_new: bool = False
    asked: datetime | None = None
    is_clock_doubtful: bool = False
