"""Changing an application's `keyCredentials` without losing what others put there.

Graph has no compare-and-swap for it: a PATCH replaces the whole list, so a list
that was made from a stale read deletes what the read did not show. Hence a PATCH
leaves only when two direct reads, a while apart, agree and show every key that
is known to exist. It is confirmed afterwards: what a later read still shows, and
our list lacked, was added between our read and our write, and is put back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias

from appcredential.domain.spec import KeyId, ObjectId
from appcredential.entra.pacing import Sleep
from appcredential.errors import AppCredentialError, UnavailableError
from appcredential.ports import Clock, NewCertificate

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """One entry as Graph shows it.

    Attributes:
        echo: its members as they stand in the answer, without `key`. Sent back they
            keep the entry; a time with another number of digits would be a change.
        content: base64 of the certificate, where the read asked for it.
    """

    key_id: KeyId
    echo: Mapping[str, Any]
    content: str | None = None


class Loss(StrEnum):
    """What a confirmation can find; the values are labels of a metric."""

    RESTORED = "restored"
    """Our list lacked a foreign key that was added meanwhile; it was put back."""
    NOT_RESTORED = "not_restored"
    """The same, and it could not be put back."""
    REMOVED_BY_OTHERS = "removed_by_others"
    """A foreign key that our list did hold is gone: another writer removed it."""
    OURS_RESTORED = "ours_restored"
    """Another writer's list lacked the key that we had just added; it was added again."""


Turn: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""Holds an application's turn to be written."""


class KeyStore(Protocol):
    """The two requests that the list is changed with."""

    async def read(self, object_id: ObjectId, *, with_content: bool) -> tuple[ListedKey, ...]:
        """Read the list directly; the bytes cost from a small quota of the whole tenant."""
        ...

    async def replace(self, object_id: ObjectId, entries: list[dict[str, Any]]) -> None:
        """Replace the whole list."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds. `reads` is how often one change may read before it gives up."""

    between_reads: float = 2.0
    reads: int = 4
    remembered: float = 900.0
    confirmed: tuple[float, ...] = (
        0,
        0.5,
        1,
        1.5,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        12,
        14,
        16,
        18,
        20,
        30,
        60,
    )
    content_tries: int = 12
    restore_tries: int = 30
    between_restores: float = 10.0


TIMING: Final = Timing()


@dataclass(slots=True)
class _Sent:
    """The last list that we sent for one application, until it is confirmed.

    Attributes:
        held: the keys that it named.
        added: the new entry, if any.
        shown: what reads since then showed beyond it, with the bytes.
    """

    held: frozenset[KeyId]
    added: NewCertificate | None
    shown: dict[KeyId, ListedKey] = field(default_factory=dict)


class KeyList:
    """Adds and removes entries of one tenant's applications. The caller holds the write's turn.

    Args:
        report: called with every loss that a confirmation finds.
        may_act: whether this process may still write; a confirmation outlasts an effect.
    """

    def __init__(
        self,
        store: KeyStore,
        *,
        clock: Clock,
        sleep: Sleep,
        timing: Timing = TIMING,
        report: Callable[[Loss], None] = lambda _: None,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._may_act = may_act
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._timing = timing
        self._report = report
        self._seen: dict[ObjectId, dict[KeyId, float]] = {}
        self._sent: dict[ObjectId, _Sent] = {}
        self._removed: dict[ObjectId, set[KeyId]] = {}

    def saw(self, object_id: ObjectId, keys: Iterable[KeyId]) -> None:
        """Note what any read showed: a change must not leave without it for a while."""
        now = self._clock.monotonic()
        known = self._seen.setdefault(object_id, {})
        known.update(dict.fromkeys(keys, now))
        oldest = now - self._timing.remembered
        self._seen[object_id] = {key: at for key, at in known.items() if at >= oldest}

    async def change(
        self,
        object_id: ObjectId,
        *,
        add: NewCertificate | None = None,
        remove: frozenset[KeyId] = frozenset(),
        known: frozenset[KeyId] = frozenset(),
    ) -> bool:
        """Add one entry and remove others by one PATCH; nothing is sent when it is so already.

        Args:
            object_id: the application.
            add: a new entry.
            remove: keys that go.
            known: keys that are recorded to exist: a read without them is stale.

        Returns:
            Whether a PATCH was sent.

        Raises:
            UnavailableError: the reads disagree or lack something; try again later.
            AppCredentialError: whatever the requests raise.
        """
        listed = await self._agreed(object_id, known)
        ids = {key.key_id for key in listed}
        wanted = add if add is not None and add.key_id not in ids else None
        if wanted is None and not remove & ids:
            return False
        kept = [key for key in listed if key.key_id not in remove]
        await self._replace(object_id, kept, wanted)
        self._removed.setdefault(object_id, set()).update(remove)
        return True

    async def _agreed(self, object_id: ObjectId, known: frozenset[KeyId]) -> tuple[ListedKey, ...]:
        """Return what two reads in a row agree on, when it holds all that is known."""
        before: frozenset[KeyId] | None = None
        for number in range(self._timing.reads):
            if number:
                await self._sleep(self._timing.between_reads)
            listed = await self._store.read(object_id, with_content=False)
            ids = frozenset(key.key_id for key in listed)
            self.saw(object_id, ids)
            if ids == before and self._expected(object_id, known) <= ids:
                return listed
            before = ids
        raise UnavailableError("reads of the application's certificates do not agree yet")

    def _expected(self, object_id: ObjectId, known: frozenset[KeyId]) -> frozenset[KeyId]:
        seen = self._seen.get(object_id, {})
        return (known | seen.keys()) - self._removed.get(object_id, set())

    async def _replace(
        self, object_id: ObjectId, kept: list[ListedKey], added: NewCertificate | None
    ) -> None:
        entries = [dict(key.echo) for key in kept]
        held = {key.key_id for key in kept}
        if added is not None:
            entries.append(new_entry(added))
            held.add(added.key_id)
        await self._store.replace(object_id, entries)
        self.saw(object_id, held)
        self._sent[object_id] = _Sent(frozenset(held), added)

    # --- confirming ------------------------------------------------------------------------

    async def confirm(self, object_id: ObjectId, turn: Turn) -> None:
        """Look at the application again after a change, and mend what the change undid.

        Never raises an error of the directory: what could not be confirmed is logged.

        Args:
            object_id: the application.
            turn: holds the application's turn to be written, for what is to be mended.
        """
        sent = self._sent.get(object_id)
        if sent is None:
            return
        passed = 0.0
        for at in self._timing.confirmed:
            await self._sleep(at - passed)
            passed = at
            if self._sent.get(object_id) is not sent:
                return
            try:
                await self._look(object_id, sent)
            except AppCredentialError as error:
                _log.warning("a change of certificates is unconfirmed: %s", error)
        await self._settle(object_id, sent, turn)

    async def _look(self, object_id: ObjectId, sent: _Sent) -> None:
        """Note keys that our list lacked, with their bytes, which have to be asked for."""
        for number in range(self._timing.content_tries):
            listed = await self._store.read(object_id, with_content=number > 0)
            gone = self._removed.get(object_id, set())
            strange = {k.key_id: k for k in listed if k.key_id not in sent.held | gone}
            for key_id, key in strange.items():
                if key.content is not None or key_id not in sent.shown:
                    sent.shown[key_id] = key
            if all(key.content is not None for key in sent.shown.values()):
                return

    async def _settle(self, object_id: ObjectId, sent: _Sent, turn: Turn) -> None:
        """Compare with what two reads agree on, when all replicas had their time."""
        try:
            first = await self._ids(object_id)
            await self._sleep(self._timing.between_reads)
            second = await self._ids(object_id)
        except AppCredentialError as error:
            _log.warning("a change of certificates is unconfirmed: %s", error)
            return
        missing = (sent.held | sent.shown.keys()) - (first | second)
        self._forget(object_id, missing)
        for key_id in sorted(missing):
            if self._sent.get(object_id) is not sent:
                return
            await self._mend(object_id, sent, key_id, turn)

    async def _ids(self, object_id: ObjectId) -> frozenset[KeyId]:
        listed = await self._store.read(object_id, with_content=False)
        return frozenset(key.key_id for key in listed)

    async def _mend(self, object_id: ObjectId, sent: _Sent, key_id: KeyId, turn: Turn) -> None:
        shown, added = sent.shown.get(key_id), sent.added
        if shown is not None and shown.content is None:
            self._found(object_id, key_id, Loss.NOT_RESTORED)
            return
        if shown is not None:
            entry, outcome = {**shown.echo, "key": shown.content}, Loss.RESTORED
        elif added is not None and key_id == added.key_id:
            entry, outcome = new_entry(added), Loss.OURS_RESTORED
        else:
            self._found(object_id, key_id, Loss.REMOVED_BY_OTHERS)
            return
        for _ in range(self._timing.restore_tries):
            if self._sent.get(object_id) is not sent or not self._may_act():
                break
            try:
                async with turn():
                    await self._put_back(object_id, key_id, entry)
            except AppCredentialError as error:
                _log.warning("a lost certificate could not be put back yet: %s", error)
                await self._sleep(self._timing.between_restores)
                continue
            self._found(object_id, key_id, outcome)
            return
        self._found(object_id, key_id, Loss.NOT_RESTORED)

    async def _put_back(self, object_id: ObjectId, key_id: KeyId, entry: dict[str, Any]) -> None:
        listed = await self._agreed(object_id, frozenset())
        if any(key.key_id == key_id for key in listed):
            return
        await self._store.replace(object_id, [*(dict(key.echo) for key in listed), entry])
        self.saw(object_id, [key_id])

    def _forget(self, object_id: ObjectId, missing: frozenset[KeyId]) -> None:
        """Demand no longer what is confirmed to be gone."""
        seen = self._seen.get(object_id, {})
        self._seen[object_id] = {k: at for k, at in seen.items() if k not in missing}

    def _found(self, object_id: ObjectId, key_id: KeyId, loss: Loss) -> None:
        _log.error(
            "certificates of the application changed under our hands",
            extra={"application": object_id, "key_id": key_id, "outcome": str(loss)},
        )
        self._report(loss)


def _moment(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def new_entry(new: NewCertificate) -> dict[str, Any]:
    """Return a new entry as Graph reads it: whole seconds, so that an echo never differs."""
    return {
        "keyId": new.key_id,
        "displayName": new.display_name,
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "startDateTime": _moment(new.start),
        "endDateTime": _moment(new.end),
        "key": new.content,
    }
