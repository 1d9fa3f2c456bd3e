"""Changing an application's `keyCredentials` without losing what others put there.

Graph has no compare-and-swap for it: a PATCH replaces the whole list, so a list
that was made from a stale read deletes what the read did not show. Hence a PATCH
leaves only when two direct reads, a while apart, agree and show every key that
is known to exist. It is confirmed afterwards: what a later read still shows, and
our list lacked, was added between our read and our write, and is put back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from appcredential.domain.spec.model import KeyId, ObjectId
from appcredential.entra.key_entries import (
    TIMING,
    KeyStore,
    ListedKey,
    Loss,
    Report,
    Timing,
    Turn,
    new_entry,
)
from appcredential.entra.rate_limit import Sleep
from appcredential.errors import (
    AppCredentialError,
    OutcomeUnknownError,
    TooLateError,
    UnavailableError,
)
from appcredential.ports.entra import NewCertificate
from appcredential.ports.local import Clock

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Sent:
    """The last list that we sent for one application, until it is confirmed.

    Attributes:
        held: the keys that it named.
        added: new entries, those of changes before that are not confirmed included.
        shown: what reads showed beyond it that did not know of the change yet.
        late: what reads showed that did know of it: added since, and not ours to put back.
        is_settled: it was confirmed, or what it undid was mended.
    """

    held: frozenset[KeyId]
    added: dict[KeyId, NewCertificate]
    shown: dict[KeyId, ListedKey] = field(default_factory=dict)
    late: set[KeyId] = field(default_factory=set)
    is_settled: bool = False


class KeyList:
    """Adds and removes entries of one tenant's applications. The caller holds the write's turn.

    Args:
        report: called with the application, the key and what became of it, for every loss that
            a confirmation finds.
        may_act: whether this process may still write; a confirmation outlasts an effect.
    """

    def __init__(
        self,
        store: KeyStore,
        *,
        clock: Clock,
        sleep: Sleep,
        timing: Timing = TIMING,
        report: Report = lambda *_: None,
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
        gone: frozenset[KeyId] = frozenset(),
    ) -> bool:
        """Add one entry and remove others by one PATCH; nothing is sent when it is so already.

        Args:
            object_id: the application.
            add: a new entry.
            remove: keys that go.
            known: keys that are recorded to exist: a read without them is stale.
            gone: keys that are proven to be gone, though a read showed them lately.

        Returns:
            Whether a PATCH was sent.

        Raises:
            UnavailableError: the reads disagree or lack something; try again later.
            AppCredentialError: whatever the requests raise.
        """
        self._forget(object_id, gone)
        listed = await self._agreed(object_id, known)
        ids = {key.key_id for key in listed}
        wanted = add if add is not None and add.key_id not in ids else None
        if wanted is None and not remove & ids:
            return False
        kept = [key for key in listed if key.key_id not in remove]
        await self._replace(object_id, kept, wanted, remove | gone)
        return True

    def sent(self, object_id: ObjectId) -> object:
        """Return what stands for the last list that may have been sent, to see a new one."""
        return self._sent.get(object_id)

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
        self,
        object_id: ObjectId,
        kept: list[ListedKey],
        added: NewCertificate | None,
        remove: frozenset[KeyId],
    ) -> None:
        entries = [dict(key.echo) for key in kept]
        held = {key.key_id for key in kept}
        if added is not None:
            entries.append(new_entry(added))
            held.add(added.key_id)
        before, gone = self._sent.get(object_id), self._removed.get(object_id, set())
        # Noted first: without an answer, or when we are cut off, it may have been applied.
        self._sent[object_id] = _following(before, frozenset(held), added, remove)
        self._removed[object_id] = gone | remove
        deadline = self._clock.monotonic() + self._timing.read_to_write
        try:
            await self._store.replace(object_id, entries, deadline=deadline)
        except OutcomeUnknownError:
            raise
        except AppCredentialError:
            self._removed[object_id] = gone
            if before is None:
                del self._sent[object_id]
            else:
                self._sent[object_id] = before
            raise
        self.saw(object_id, held)

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
            ids = {key.key_id for key in listed}
            if sent.added.keys() <= ids and not gone & ids:
                sent.late |= strange.keys()
            else:
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
        missing = (sent.held | sent.shown.keys() | sent.late) - (first | second)
        self._forget(object_id, missing)
        for key_id in sorted(missing):
            if self._sent.get(object_id) is not sent:
                return
            await self._mend(object_id, sent, key_id, turn)
        sent.is_settled = True

    async def _ids(self, object_id: ObjectId) -> frozenset[KeyId]:
        listed = await self._store.read(object_id, with_content=False)
        return frozenset(key.key_id for key in listed)

    async def _mend(self, object_id: ObjectId, sent: _Sent, key_id: KeyId, turn: Turn) -> None:
        shown, added = sent.shown.get(key_id), sent.added.get(key_id)
        if shown is not None and shown.content is None:
            self._found(object_id, key_id, Loss.NOT_RESTORED)
            return
        if shown is not None:
            entry, outcome = {**shown.echo, "key": shown.content}, Loss.RESTORED
        elif added is not None:
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
        if not self._may_act():
            raise TooLateError("this process may not write any more")
        deadline = self._clock.monotonic() + self._timing.read_to_write
        entries = [*(dict(key.echo) for key in listed), entry]
        await self._store.replace(object_id, entries, deadline=deadline)
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
        self._report(object_id, key_id, loss)


def _following(
    before: _Sent | None,
    held: frozenset[KeyId],
    added: NewCertificate | None,
    remove: frozenset[KeyId],
) -> _Sent:
    """Return what is to be confirmed now, with what an earlier change still had to mend."""
    new = {added.key_id: added} if added is not None else {}
    if before is None or before.is_settled:
        return _Sent(held, new)
    earlier = {k: v for k, v in before.added.items() if k not in remove}
    shown = {k: v for k, v in before.shown.items() if k not in held | remove}
    return _Sent(held, {**earlier, **new}, shown)
