"""Writes and deletes the records of what was issued."""

from __future__ import annotations

import logging
from typing import Final

from appcredential.cache.issued_records import KnownRecords
from appcredential.domain.facts.issued import record_name
from appcredential.domain.observed.issued import IssuedRecord
from appcredential.errors import ConflictError, PermissionDeniedError, RejectedError
from appcredential.ports.local import Clock
from appcredential.ports.own_config_maps import IssuedRecords

log = logging.getLogger(__name__)

_REFUSED: Final = (
    "records of what was issued are refused; apply the roles and policies of this release"
)


class RecordWrites:
    """The records in the cluster, and what this process knows of them."""

    def __init__(self, records: IssuedRecords, known: KnownRecords, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self.known = known

    async def read(self, name: str) -> IssuedRecord | None:
        """Read one live; a damaged one counts as absent."""
        found = await self._records.get(name)
        self.known.note(name, found)
        return found

    async def keep(self, wanted: IssuedRecord) -> None:
        """Write one; of a first one nothing is read before.

        Where that is refused, as by the policies of an earlier chart or by a quota, it is not tried
        again for a while: a renewal is worth more than the record of it.

        Raises:
            ConflictError: another process wrote it meanwhile; from now on that counts.
        """
        name = record_name(wanted.left)
        live = await self.read(name) if self.known.find(name) is not None else None
        try:
            written = await self._records.put(name, wanted, live)
        except ConflictError:
            await self.read(name)
            raise
        except (PermissionDeniedError, RejectedError) as exc:
            if self.known.note_refusal(name, self._clock.monotonic()):
                log.warning(_REFUSED, extra={"configmap": name, "error": str(exc)})
            return
        self.known.note(name, written)

    async def drop(self, name: str, judged: IssuedRecord | None = None) -> None:
        """Delete one, if it is there. A deletion of its resource does not wait for a right to it.

        Args:
            name: of the ConfigMap.
            judged: what was read of it, where that was judged; else the latest that is known.

        Raises:
            ConflictError: it was changed meanwhile; from now on that counts.
        """
        live = judged or self.known.find(name)
        if live is None:
            return
        try:
            await self._records.delete(name, live)
        except ConflictError:
            await self.read(name)
            raise
        except (PermissionDeniedError, RejectedError) as exc:
            log.warning(_REFUSED, extra={"configmap": name, "error": str(exc)})
            return
        self.known.note(name, None)
