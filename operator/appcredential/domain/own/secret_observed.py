"""What the renewal of the operator's own client secret is decided from."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import structs

from appcredential.domain.own.observed import Observed
from appcredential.domain.own.secret_records import MadeSecret, SecretRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretObservation(Observed):
    """All that the decision about a client secret rests on. Values are named by their SHA-256.

    Attributes:
        main: the client secret in use, by the Secret.
        successor: the one beside it; empty without.
        records: what the Secret records, by whomever.
    """

    main: str
    successor: str = ""
    records: SecretRecords | None = None

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
