"""Performs one step of the renewal of the operator's own client secret."""

from __future__ import annotations

import logging
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never

from msgspec.structs import replace

from appcredential.domain.own import actions as own
from appcredential.domain.own.lifetime import next_lifetime
from appcredential.domain.own.secret import OwnContent, fault_of
from appcredential.domain.own.secret_observed import SecretObservation
from appcredential.domain.own.secret_records import (
    NEXT_SECRET,
    SecretRecords,
    made_of,
    mark_of,
    recorded,
    with_next,
    without_next,
)
from appcredential.domain.own.secret_rotation import SecretAction
from appcredential.domain.promised import required
from appcredential.domain.proof import record
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientSecretIdentity,
    CredentialType,
    KeyId,
    VerificationScope,
)
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    TooLateError,
    UnavailableError,
)
from appcredential.ports.entra import MintedPassword
from appcredential.ports.events import Events
from appcredential.ports.local import Clock
from appcredential.ports.own_secret import OwnSecrets
from appcredential.tenants.own_sharing import tell_gone, write_own
from appcredential.tenants.own_turn import OwnTurn

log = logging.getLogger(__name__)

_SENT_WITHIN: Final = 15.0
"""Seconds from the check that this process may act to the call; the Lease lasts for longer."""
_STORED_WITHIN: Final = 3
"""Tries to store a value that Graph shows only once."""
_NOT_MADE: Final = (
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    NotFoundError,
    TooLateError,
)
"""What addPassword raises only if it certainly made nothing."""


@dataclass(slots=True, kw_only=True)
class SecretTurn(OwnTurn):
    """One look at one EntraTenant: what was read, and what decides it."""

    identity: ClientSecretIdentity
    seen: SecretObservation


class OwnSecretSteps:
    """Performs what `domain/own/secret_rotation.py` decided, but `Look` and `Wait`.

    Args:
        secrets: in the operator's namespace.
    """

    def __init__(self, *, clock: Clock, secrets: OwnSecrets, events: Events) -> None:
        self._clock = clock
        self._secrets = secrets
        self._events = events

    async def perform(self, action: SecretAction, turn: SecretTurn) -> None:
        """Perform one step.

        Raises:
            SecretForbiddenError: the Secret may not be written.
            AppCredentialError: Graph or the API server refuses it, or gives no answer.
        """
        records = turn.seen.ours()
        match action:
            case own.Stage():
                await self._add(turn, records)
            case own.SignIn():
                await self._sign_in(turn)
            case own.Publish():
                await self._publish(turn, records)
            case own.Remove(key_id=key_id):
                await self._remove(turn, key_id)
            case own.Discard() | own.Note() | own.Forget():
                await self._rewrite(action, turn, records)
            case own.Look() | own.Wait():
                return
            case _:
                assert_never(action)

    async def _rewrite(
        self, action: own.Discard | own.Note | own.Forget, turn: SecretTurn, records: SecretRecords
    ) -> None:
        seen = turn.seen
        match action:
            case own.Discard():
                dropped = seen.next_made()
                if dropped is not None and seen.successor != seen.main:
                    records = records.with_dropped(dropped.key_id, seen.now)
                await self._write(turn, without_next(turn.live.data), records)
            case own.Note():
                noted = records.with_main(seen.main, seen.now)
                await self._write(turn, turn.live.data, noted)
            case own.Forget(gone=gone, left_on=left_on):
                kept = replace(records.without(gone), client=seen.client)
                data = without_next(turn.live.data) if left_on else turn.live.data
                await self._write(turn, data, kept)
                await tell_gone(self._events, turn.subject, "client secret", gone, left_on)
            case _:
                assert_never(action)

    async def _add(self, turn: SecretTurn, records: SecretRecords) -> None:
        now, attempt, directory = turn.seen.now, random.token_hex(8), turn.tenant.session.directory
        found = await directory.application(turn.identity.client_id, timedelta(hours=1))
        wanted, policy = turn.seen.rotation.lifetime, turn.tenant.policy
        lifetime = next_lifetime(wanted, policy, CredentialType.CLIENT_SECRET, found.created)
        mark = mark_of(turn.seen.cluster, turn.subject.name, attempt)
        end = now + (directory.skew() or timedelta(0)) + lifetime
        deadline = turn.allowed + _SENT_WITHIN
        await self._write(turn, turn.live.data, records.with_asked(attempt, now))
        try:
            minted = await directory.add_password(found.object_id, mark, end, deadline=deadline)
        except _NOT_MADE:
            await self._withdraw(turn, attempt)
            raise
        await self._store(turn, attempt, minted)
        _tell(turn, "own client secret added", minted.credential.key_id)

    async def _store(self, turn: SecretTurn, attempt: str, minted: MintedPassword) -> None:
        """Write the value beside the one in use: this is the only time that anybody has it."""
        made = minted.credential
        entry = made_of(made.key_id, minted.value, made.start, made.end)
        for _ in range(_STORED_WITHIN):
            try:
                records = await self._read(turn)
                if records is not None and records.of(entry.digest) is not None:
                    return  # the answer to the write before was lost
                if records is None or not records.holds(attempt):
                    break
                data = with_next(turn.live.data, minted.value)
                await self._write(turn, data, records.with_made(attempt, entry))
            except (ConflictError, UnavailableError) as error:
                log.warning("own client secret: not stored", extra=_about(turn, str(error)))
            else:
                return
        raise UnavailableError("the new client secret could not be stored")

    async def _read(self, turn: SecretTurn) -> SecretRecords | None:
        """Read the Secret anew; return its records, or None if it may not be written any more."""
        live = await self._secrets.read(turn.identity.secret_name)
        records = recorded(live.annotations) if live is not None else None
        is_ours = live is not None and not fault_of(live, turn.identity.secret_key, NEXT_SECRET)
        if live is None or records is None or not is_ours:
            return None
        turn.live = live
        return records

    async def _withdraw(self, turn: SecretTurn, attempt: str) -> None:
        """Strike an attempt that certainly made nothing."""
        try:
            records = await self._read(turn)
            if records is None or not records.holds(attempt):
                return
            await self._write(turn, turn.live.data, records.without(frozenset({attempt})))
            turn.live = await self._secrets.read(turn.identity.secret_name) or turn.live
        except AppCredentialError as error:
            log.warning("own client secret: not withdrawn", extra=_about(turn, str(error)))

    async def _sign_in(self, turn: SecretTurn) -> None:
        successor = required(turn.seen.next_made())
        value = turn.live.data[NEXT_SECRET]
        result = await turn.tenant.session.sign_in.with_secret(
            turn.identity.client_id, value, VerificationScope.GRAPH, successor.key_id
        )
        now = self._clock.now()
        turn.memory.proof = record(turn.memory.proof, successor.key_id, result, now)

    async def _publish(self, turn: SecretTurn, records: SecretRecords) -> None:
        successor = required(turn.seen.next_made())
        data = without_next(turn.live.data)
        data[turn.identity.secret_key] = turn.live.data[NEXT_SECRET]
        await self._write(turn, data, records.with_main(successor.digest, turn.seen.now))
        _tell(turn, "own client secret renewed", successor.key_id)
        note = (
            "The operator renewed its own client secret: the new one signs in and stands in the "
            "Secret. The former one is removed later, if the operator made it."
        )
        await self._events.emit(turn.subject, "IdentityRenewed", note, warning=False)

    async def _remove(self, turn: SecretTurn, key_id: KeyId) -> None:
        directory = turn.tenant.session.directory
        found = await directory.application(turn.identity.client_id, timedelta(hours=1))
        try:
            await directory.remove_password(found.object_id, key_id)
        except NotFoundError:
            return  # gone already; a read that does not list it tells
        _tell(turn, "own client secret removed", key_id)

    async def _write(
        self, turn: SecretTurn, data: Mapping[str, SecretValue], records: SecretRecords
    ) -> None:
        wanted = OwnContent(data=data, records=records)
        await write_own(self._secrets, turn.identity.secret_name, turn.live, wanted)


def _tell(turn: SecretTurn, what: str, key_id: str) -> None:
    log.info(what, extra={"tenant": turn.subject.name, "keyId": key_id})


def _about(turn: SecretTurn, error: str) -> dict[str, str]:
    return {"tenant": turn.subject.name, "error": error}
