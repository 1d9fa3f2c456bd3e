"""Performs one step of the renewal of the operator's own certificate."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, assert_never

from appcredential.domain.own import actions as own
from appcredential.domain.own.actions import OwnAction
from appcredential.domain.own.lifetime import next_lifetime
from appcredential.domain.own.observed import OwnObservation
from appcredential.domain.own.rotation import is_copied
from appcredential.domain.own.secret import (
    OwnContent,
    OwnRecords,
    with_main,
    with_successor,
    without_successor,
)
from appcredential.domain.own.subject import subject_of
from appcredential.domain.promised import required
from appcredential.domain.proof import record
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    CertificateIdentity,
    CredentialType,
    KeyId,
    ObjectId,
    VerificationScope,
)
from appcredential.errors import AppCredentialError, NotFoundError, OutcomeUnknownError
from appcredential.ports.events import Events
from appcredential.ports.local import Clock
from appcredential.ports.own_secret import OwnSecrets
from appcredential.tenants.own_sharing import tell_gone, write_own
from appcredential.tenants.own_turn import OwnTurn
from appcredential.x509.generate import generate

log = logging.getLogger(__name__)

_BITS: Final = 2048


@dataclass(slots=True, kw_only=True)
class Turn(OwnTurn):
    """One look at one EntraTenant: what was read, and what decides it.

    Attributes:
        object_id: of the operator's application; None before it was read.
    """

    identity: CertificateIdentity
    seen: OwnObservation
    object_id: ObjectId | None = field(default=None)


class OwnSteps:
    """Performs what `domain/own/rotation.py` decided, but `Look` and `Wait`.

    Args:
        secrets: in the operator's namespace.
        cluster: which cluster this is.
    """

    def __init__(self, *, clock: Clock, secrets: OwnSecrets, events: Events, cluster: str) -> None:
        self._clock = clock
        self._secrets = secrets
        self._events = events
        self._cluster = cluster

    async def perform(self, action: OwnAction, turn: Turn) -> None:
        """Perform one step.

        Raises:
            SecretForbiddenError: the Secret may not be written.
            AppCredentialError: Graph or the API server refuses it, or gives no answer.
        """
        records = self._records(turn)
        match action:
            case own.Stage():
                await self._stage(turn, records)
            case own.Register():
                await self._register(turn)
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

    def _records(self, turn: Turn) -> OwnRecords:
        seen = turn.seen
        if seen.records is not None and not is_copied(seen):
            return replace(seen.records, client=seen.records.client or seen.client)
        return OwnRecords(
            cluster=self._cluster,
            tenant=turn.subject.name,
            main=seen.main.thumbprint,
            since=seen.now,
            is_borrowed=is_copied(seen),
            client=seen.client,
        )

    async def _rewrite(
        self, action: own.Discard | own.Note | own.Forget, turn: Turn, records: OwnRecords
    ) -> None:
        main, now = turn.seen.main.thumbprint, turn.seen.now
        match action:
            case own.Discard():
                kept = without_successor(turn.live)
                if turn.seen.is_new:  # Entra never had it
                    records = records.without(frozenset({turn.memory.made}))
                await self._write(turn, kept, records.with_main(main, now))
            case own.Note():
                await self._write(turn, turn.live.data, records.with_main(main, now))
            case own.Forget(gone=gone, left_on=left_on):
                left = replace(records.without(gone), client=turn.seen.client)
                await self._write(turn, turn.live.data, left)
                await tell_gone(self._events, turn.subject, "certificate", gone, left_on)
            case _:
                assert_never(action)

    async def _stage(self, turn: Turn, records: OwnRecords) -> None:
        now, policy = turn.seen.now, turn.tenant.policy
        await self._look_up(turn)
        wanted, created = turn.seen.rotation.lifetime, turn.memory.created
        lifetime = next_lifetime(wanted, policy, CredentialType.CERTIFICATE, created)
        subject = subject_of(self._cluster, turn.subject.name)
        pair = await asyncio.to_thread(generate, subject, _BITS, now, now + lifetime)
        thumbprint = pem.sha1_thumbprint(pem.leaf_der(pair.value.reveal()))
        await self._write(
            turn, with_successor(turn.live, pair.value), records.with_added(thumbprint)
        )
        turn.memory.made = thumbprint

    async def _register(self, turn: Turn) -> None:
        successor, memory = required(turn.seen.successor), turn.memory
        content = base64.b64encode(pem.leaf_der(successor.value.reveal())).decode()
        object_id, before = await self._look_up(turn), (memory.made, memory.asked)
        memory.made, memory.asked = "", (successor.thumbprint, turn.seen.now)
        try:
            await turn.tenant.session.own_keys.add(object_id, content, turn.seen.main.value)
        except OutcomeUnknownError:
            raise
        except AppCredentialError:
            memory.made, memory.asked = before  # certainly not added
            raise
        memory.proof = None
        _tell(turn, "own certificate added", successor.thumbprint)

    async def _sign_in(self, turn: Turn) -> None:
        successor = required(turn.seen.successor)
        result = await turn.tenant.session.sign_in.with_certificate(
            turn.identity.client_id,
            successor.value,
            VerificationScope.GRAPH,
            successor.thumbprint,
        )
        now, thumbprint = self._clock.now(), successor.thumbprint
        turn.memory.proof = record(turn.memory.proof, thumbprint, result, now)

    async def _publish(self, turn: Turn, records: OwnRecords) -> None:
        successor = required(turn.seen.successor)
        data = with_main(turn.live, turn.identity, successor.value)
        await self._write(turn, data, records.with_main(successor.thumbprint, turn.seen.now))
        _tell(turn, "own certificate renewed", successor.thumbprint)
        note = (
            "The operator renewed its own certificate: the new one signs in and stands in the "
            "Secret. The former one is removed later."
        )
        await self._events.emit(turn.subject, "IdentityRenewed", note, warning=False)

    async def _remove(self, turn: Turn, key_id: KeyId) -> None:
        try:
            await turn.tenant.session.own_keys.remove(
                await self._look_up(turn), key_id, turn.seen.main.value
            )
        except NotFoundError:
            return  # gone already; a read that does not list it tells
        _tell(turn, "own certificate removed", key_id)

    async def _look_up(self, turn: Turn) -> ObjectId:
        """Return the id of the operator's application; remember when that was created."""
        if turn.object_id is None:
            directory = turn.tenant.session.directory
            found = await directory.application(turn.identity.client_id, timedelta(hours=1))
            turn.object_id, turn.memory.created = found.object_id, found.created
        return turn.object_id

    async def _write(
        self, turn: Turn, data: Mapping[str, SecretValue], records: OwnRecords
    ) -> None:
        wanted = OwnContent(data=data, records=records)
        await write_own(self._secrets, turn.identity.secret_name, turn.live, wanted)


def _tell(turn: Turn, what: str, which: str) -> None:
    log.info(what, extra={"tenant": turn.subject.name, "certificate": which})
