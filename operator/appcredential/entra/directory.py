"""Microsoft Graph for one tenant: the facade that implements `ports.entra.Directory`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import ClientId, KeyId, ObjectId
from appcredential.domain.spec.trusts import Trust
from appcredential.entra.certificates import CertificateLosses, GraphCertificates
from appcredential.entra.connection import Connection
from appcredential.entra.federated import GraphFederated
from appcredential.entra.key_entries import Loss
from appcredential.entra.key_list import KeyList
from appcredential.entra.keys import GraphKeys
from appcredential.entra.lists import GraphLists
from appcredential.entra.own_keys import GraphOwnKeys
from appcredential.entra.pacing import PACING, Pacing
from appcredential.entra.passwords import GraphPasswords
from appcredential.entra.rate_limit import RateLimiter, Sleep
from appcredential.entra.reads import GraphReads
from appcredential.entra.writes import Writes, check_id
from appcredential.ports.entra import CertificateLoss, MintedPassword, NewCertificate
from appcredential.ports.local import Clock
from appcredential.ports.session import Pace


class GraphDirectory:
    """Graph for one tenant: shared reads, paced writes one at a time, no retries.

    After a 429 no call of the tenant leaves before the time that Graph named; such
    calls raise ThrottledError. One that the operator's own pace holds back raises NotYetError.

    Args:
        sleep: waits for seconds: only who has its turn does, or holds no worker.
        report: called when certificates were lost between a read and a write.
        may_act: returns whether this process may write; asked before it mends such a loss.

    Attributes:
        lists: what shows many applications at once.
        own_keys: what the operator changes of its own application.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        clock: Clock,
        pacing: Pacing = PACING,
        sleep: Sleep = asyncio.sleep,
        report: Callable[[Loss], None] = lambda _: None,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._connection = connection
        self._limiter = limiter = RateLimiter(pacing, clock, sleep)
        self._losses = CertificateLosses(report)
        keys = KeyList(
            GraphKeys(connection, limiter, clock, may_act),
            clock=clock,
            sleep=sleep,
            report=self._losses.note,
            may_act=may_act,
        )
        self.lists = GraphLists(connection, limiter, clock)
        self._reads = GraphReads(connection, limiter, clock, keys)
        self._writes = writes = Writes(limiter, self._reads.drop)
        self._passwords = GraphPasswords(connection, writes, clock)
        self._certificates = GraphCertificates(keys, writes)
        self._federated = GraphFederated(connection, writes)
        self.own_keys = GraphOwnKeys(connection, writes, clock, connection.skew)

    # --- reads ------------------------------------------------------------------------------

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        """Read an application with its credentials; see `ports.entra.Directory`."""
        return await self._reads.application(client_id, max_age)

    async def federated(self, object_id: ObjectId, max_age: timedelta) -> FederatedList:
        """Read an application's federated credentials; see `ports.entra.Directory`."""
        check_id(object_id)
        return await self._reads.federated(object_id, max_age)

    async def is_client_id(self, principal_id: str) -> bool:
        """Return whether an id is an application's; see `ports.entra.Directory`."""
        return await self._reads.is_client_id(principal_id)

    async def probe(
        self, client_id: ClientId | None, credential: OperatorCredential
    ) -> datetime | None:
        """Read the operator's own application; see `GraphReads.probe`."""
        return await self._reads.probe(client_id, credential)

    async def default_policy(self) -> AppPolicy:
        """Read the tenant's default app management policy; see `policies.read_default_policy`."""
        return await self._reads.default_policy()

    def skew(self) -> timedelta | None:
        """Return Entra's clock minus ours, from its answers; None when unknown."""
        return self._connection.skew()

    def pace(self) -> Pace:
        """Return how much of the quotas is used, and the pause; for any thread."""
        return self._limiter.pace()

    def is_skew_doubted(self) -> bool:
        """Return whether one answer has shown a large difference, which a second may confirm."""
        return self._connection.is_skew_doubted()

    def turn(self, object_id: ObjectId, who: str) -> AbstractContextManager[None]:
        """Hold an application's turn to be written; see `ports.entra.Directory`."""
        return self._writes.turn(object_id, who)

    # --- client secrets ---------------------------------------------------------------------

    async def add_password(
        self,
        object_id: ObjectId,
        display_name: str,
        end: datetime,
        *,
        deadline: float = math.inf,
    ) -> MintedPassword:
        """Add a password credential that ends at `end` (aware); see `ports.entra.Directory`.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: it may exist.
            TooLateError, UnavailableError: certainly not sent.
        """
        return await self._passwords.add(object_id, display_name, end, deadline=deadline)

    async def remove_password(self, object_id: ObjectId, key_id: KeyId) -> None:
        """Remove a password credential; see `ports.entra.Directory`.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: it may be gone.
        """
        await self._passwords.remove(object_id, key_id)

    # --- certificates -----------------------------------------------------------------------

    async def add_certificate(
        self,
        object_id: ObjectId,
        certificate: NewCertificate,
        known: frozenset[KeyId],
        gone: frozenset[KeyId],
    ) -> None:
        """Register a certificate; see `ports.entra.Directory`.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: the same call is safe to repeat.
        """
        await self._certificates.change(object_id, known, add=certificate, gone=gone)

    async def remove_certificate(
        self, object_id: ObjectId, key_id: KeyId, known: frozenset[KeyId]
    ) -> None:
        """Remove a certificate; see `ports.entra.Directory`.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: it may be gone.
        """
        await self._certificates.change(object_id, known, remove=frozenset({key_id}))

    def take_losses(self, object_id: ObjectId) -> tuple[CertificateLoss, ...]:
        """Return what was lost of others' certificates; see `ports.entra.Directory`."""
        return self._losses.take(object_id)

    # --- federated credentials --------------------------------------------------------------

    async def add_federated(
        self, object_id: ObjectId, name: str, trust: Trust, description: str
    ) -> None:
        """Create a federated credential; see `ports.entra.Directory`."""
        await self._federated.add(object_id, name, trust, description)

    async def update_federated(
        self, object_id: ObjectId, id_: str, trust: Trust, description: str
    ) -> None:
        """Change a federated credential by its id; see `ports.entra.Directory`."""
        await self._federated.update(object_id, id_, trust, description)

    async def remove_federated(self, object_id: ObjectId, id_: str) -> None:
        """Delete a federated credential by its id; see `ports.entra.Directory`."""
        await self._federated.remove(object_id, id_)

    async def close(self) -> None:
        """End the confirmations that are running."""
        await self._certificates.close()
