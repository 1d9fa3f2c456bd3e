"""What the renewal of the operator's own client secret is decided from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import structs

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Credential
from appcredential.domain.own.secret_records import MadeSecret, SecretRecords
from appcredential.domain.proof import Proof
from appcredential.domain.spec.identity_rotation import IdentityRotation


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretObservation:
    """All that the decision rests on. Values are named by their SHA-256.

    Attributes:
        client: client id of the operator's app registration.
        main: the client secret in use, by the Secret.
        successor: the one beside it; empty without.
        expires: when Entra lets the main one end; None where that is not known.
        records: what the Secret records, by whomever.
        in_use: the one whose session is in use and proven; empty without.
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
    main: str
    successor: str = ""
    expires: datetime | None = None
    records: SecretRecords | None = None
    in_use: str = ""
    keys: Sequence[Credential] | None = None
    proof: Proof | None = None
    is_clock_doubtful: bool = False

    def ours(self) -> SecretRecords:
        """Return this cluster's records; in a copy, or before there are any, new ones."""
        found = self.records
        if found is not None and (found.cluster, found.tenant) == (self.cluster, self.tenant):
            return found if found.client else structs.replace(found, client=self.client)
        return SecretRecords(
            cluster=self.cluster,
            tenant=self.tenant,
            main="",
            digest=self.main,
            since=self.now,
            made=(),
            asked=(),
            is_borrowed=found is not None,
            client=self.client,
        )

    def next_made(self) -> MadeSecret | None:
        """Return what is recorded of the successor; None without one that this cluster made."""
        return self.ours().of(self.successor) if self.successor else None
