"""Changes an application's `keyCredentials` without losing the certificates of others.

Graph has no compare-and-swap for the list. A PATCH replaces all of it, so a list that is built
on a stale read deletes the keys that the read did not show. Therefore a PATCH is sent only when
two direct reads, a while apart, agree and show every key that is known to exist. Afterwards
the change is confirmed: a key that our list lacked and that a later read still shows was added
between our read and our write, and is put back.

A change and its confirmation stay in one class, because they share the record of what was sent.
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
        held: the keys in it.
        added: our new entries, with those of earlier changes that are not confirmed yet.
        shown: other keys, in reads that did not show the change yet.
        late: other keys, in reads that did show it: somebody added them after our write.
        is_settled: the change is confirmed, or the keys that it dropped are put back.
    """

    held: frozenset[KeyId]
    added: dict[KeyId, NewCertificate]
    shown: dict[KeyId, ListedKey] = field(default_factory=dict)
    late: set[KeyId] = field(default_factory=set)
    is_settled: bool = False


class KeyList:
    """Adds and removes entries of one tenant's applications. The caller holds the write's turn.

    Args:
        report: called for each loss that a confirmation finds.
        may_act: returns whether this process may still write; a confirmation may outlast its
            term as the leader.
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
        """Record the keys that a read showed: for a while, each change must include them."""
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
        """Add one entry and remove others by one PATCH; send nothing if that is done already.

        Args:
            object_id: the application.
            add: a new entry.
            remove: keys to remove.
            known: keys that are known to exist: a read without one of them is stale.
            gone: keys that are gone, as was proven, although a recent read showed them.

        Returns:
            Whether a PATCH was sent.

        Raises:
            UnavailableError: the reads differ or lack a known key; try again later.
            AppCredentialError: as the requests raise it.
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
        """Return an object that stands for the last list that may have been sent.

        It is another object once a new list may have been sent.
        """
        return self._sent.get(object_id)

    async def _agreed(self, object_id: ObjectId, known: frozenset[KeyId]) -> tuple[ListedKey, ...]:
        """Return the list that two consecutive reads agree on, with all keys that are known."""
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
        # Recorded first: without an answer, or if we are cancelled, it may have been applied.
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
        """Read the application again after a change, and put back the keys that it dropped.

        Never raises an error of the directory: an unconfirmed change is logged.

        Args:
            object_id: the application.
            turn: holds the application's turn to be written, to put a key back.
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
        """Record the keys that our list lacked; their bytes take another read."""
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
        """Once all replicas had their time, put back the keys that two reads lack."""
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
        """Stop demanding keys that are gone, as was confirmed."""
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
    """Return the record of a new list, with the keys that an earlier one still has to put back."""
    new = {added.key_id: added} if added is not None else {}
    if before is None or before.is_settled:
        return _Sent(held, new)
    earlier = {k: v for k, v in before.added.items() if k not in remove}
    shown = {k: v for k, v in before.shown.items() if k not in held | remove}
    return _Sent(held, {**earlier, **new}, shown)
