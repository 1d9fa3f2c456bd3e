"""What the operator keeps of its own in ConfigMaps of its namespace, as Protocols."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from appcredential.domain.observed.issued import IssuedRecord, KnownRecord
from appcredential.domain.observed.revocation import Revocation


class Revocations(Protocol):
    """Scheduled revocations: ConfigMaps in the operator's namespace."""

    async def get(self, name: str) -> Revocation | None:
        """Read a revocation; None when there is none of that name."""
        ...

    async def list(self) -> tuple[Revocation, ...]:
        """Read all revocations."""
        ...

    async def put(self, name: str, wanted: Revocation, live: Revocation | None) -> Revocation:
        """Create it, or replace exactly the version `live`."""
        ...

    async def delete(self, name: str, live: Revocation) -> None:
        """Delete exactly the version `live`, if it still exists."""
        ...


class IssuedRecords(Protocol):
    """Records of what was issued: ConfigMaps in the operator's namespace."""

    async def get(self, name: str) -> IssuedRecord | None:
        """Read a record; None when there is none of that name."""
        ...

    def each(self) -> AsyncIterator[IssuedRecord]:
        """Yield all records."""
        ...

    async def put(self, name: str, wanted: IssuedRecord, live: IssuedRecord | None) -> IssuedRecord:
        """Create it, or replace exactly the version `live`."""
        ...

    async def delete(self, name: str, live: IssuedRecord | KnownRecord) -> None:
        """Delete exactly the version `live`, if it still exists."""
        ...
