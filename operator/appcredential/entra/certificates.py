"""Certificates of one tenant's applications: changes of the key list, and their confirmation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from appcredential.domain.spec.model import KeyId, ObjectId
from appcredential.entra.key_entries import Loss
from appcredential.entra.key_list import KeyList
from appcredential.entra.writes import Writes
from appcredential.ports.entra import CertificateLoss, NewCertificate

_MAX_LOSSES: Final = 20


class CertificateLosses:
    """The certificates of other owners that went while a list was changed.

    Args:
        report: called with each kind of loss, also one of our own.
    """

    def __init__(self, report: Callable[[Loss], None]) -> None:
        self._report = report
        self._noted: dict[ObjectId, list[CertificateLoss]] = {}

    def note(self, object_id: ObjectId, key_id: KeyId, loss: Loss) -> None:
        """Record one loss; of each application the latest 20 are kept."""
        self._report(loss)
        if loss is not Loss.OURS_RESTORED:
            noted = self._noted.setdefault(object_id, [])
            noted.append(CertificateLoss(key_id, is_restored=loss is Loss.RESTORED))
            del noted[:-_MAX_LOSSES]

    def take(self, object_id: ObjectId) -> tuple[CertificateLoss, ...]:
        """Return an application's losses, once."""
        return tuple(self._noted.pop(object_id, ()))


class GraphCertificates:
    """Adds and removes certificates, and confirms each change in the background."""

    def __init__(self, keys: KeyList, writes: Writes) -> None:
        self._keys = keys
        self._writes = writes
        self._confirming: dict[ObjectId, asyncio.Task[None]] = {}

    async def change(
        self,
        object_id: ObjectId,
        known: frozenset[KeyId],
        *,
        add: NewCertificate | None = None,
        remove: frozenset[KeyId] = frozenset(),
        gone: frozenset[KeyId] = frozenset(),
    ) -> None:
        """Change an application's certificates; see `KeyList.change`."""
        before = self._keys.sent(object_id)
        async with self._writes.write(object_id) as write:
            try:
                await self._keys.change(object_id, add=add, remove=remove, known=known, gone=gone)
            finally:
                write.is_sent = self._keys.sent(object_id) is not before
                # Also after an error: a list that may have been sent has to be watched.
                if write.is_sent:
                    self._confirm(object_id)

    async def close(self) -> None:
        """Cancel the confirmations that are running."""
        for task in self._confirming.values():
            task.cancel()
        await asyncio.gather(*self._confirming.values(), return_exceptions=True)

    def _confirm(self, object_id: ObjectId) -> None:
        """Watch over the latest change; the one before it is watched no longer."""
        before = self._confirming.pop(object_id, None)
        if before is not None:
            before.cancel()
        confirmation = self._keys.confirm(object_id, lambda: self._writes.awaited_write(object_id))
        task = asyncio.create_task(confirmation)
        self._confirming[object_id] = task
        task.add_done_callback(lambda done: self._confirmed(object_id, done))

    def _confirmed(self, object_id: ObjectId, done: asyncio.Task[None]) -> None:
        if self._confirming.get(object_id) is done:
            del self._confirming[object_id]
