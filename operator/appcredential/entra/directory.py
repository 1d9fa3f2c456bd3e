"""Microsoft Graph as the reconciler's `Directory`."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.applications_request_builder import (
    ApplicationsRequestBuilder,
)
from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
    AddPasswordPostRequestBody,
)
from msgraph.generated.applications.item.application_item_request_builder import (
    ApplicationItemRequestBuilder,
)
from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody,
)
from msgraph.generated.models.password_credential import PasswordCredential

from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import ClientId, CredentialType, KeyId, ObjectId
from appcredential.domain.spec.trusts import Trust
from appcredential.entra.connection import Call, Connection
from appcredential.entra.federated import GraphFederated
from appcredential.entra.key_list import KeyList, Loss
from appcredential.entra.keys import GraphKeys
from appcredential.entra.operations import ADD, PROBE, READ, REMOVE
from appcredential.entra.policies import read_default_policy
from appcredential.entra.rate_limit import PACING, Pacing, RateLimiter, Sleep
from appcredential.entra.shared_reads import SharedReads
from appcredential.entra.translate import no_answer
from appcredential.entra.wire import (
    UnreadableAnswerError,
    decode_application,
    decode_new_password,
    decode_own_end,
)
from appcredential.errors import RejectedError, ThrottledError, TooLateError
from appcredential.ports.entra import CertificateLoss, MintedPassword, NewCertificate
from appcredential.ports.local import Clock

_ListQuery = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters
_OWN_SELECT: Final = ["id", "passwordCredentials"]
_MAX_LOSSES: Final = 20
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


class GraphDirectory:
    """Graph for one tenant: shared reads, paced and serialised writes, no retries.

    Implements `ports.Directory`. A 429 keeps all calls of the tenant from
    leaving until the time Graph named; they raise ThrottledError meanwhile.

    Args:
        sleep: waits for seconds, at most `pacing.max_wait` in one call.
        report: called when certificates were lost between a read and a write.
        may_act: whether this process may write, asked before such a loss is mended.
    """

    def __init__(
        self,
        session: Connection,
        *,
        clock: Clock,
        pacing: Pacing = PACING,
        sleep: Sleep = asyncio.sleep,
        report: Callable[[Loss], None] = lambda _: None,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._session = session
        self._clock = clock
        self._gate = RateLimiter(pacing, clock, sleep)
        self._shared = SharedReads(self._read, clock)
        self._federated = GraphFederated(session, clock)
        self._shared_federated = SharedReads(self._read_federated, clock)
        self._report = report
        self._losses: dict[ObjectId, list[CertificateLoss]] = {}
        self._keys = KeyList(
            GraphKeys(session, self._gate, clock, may_act),
            clock=clock,
            sleep=sleep,
            report=self._note_loss,
            may_act=may_act,
        )
        self._confirming: dict[ObjectId, asyncio.Task[None]] = {}

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        """Read an application with its password credentials; see `ports.Directory`."""
        return await self._shared.get(client_id, max_age)

    async def add_password(
        self,
        object_id: ObjectId,
        display_name: str,
        end: datetime,
        *,
        deadline: float = math.inf,
    ) -> MintedPassword:
        """Add a password credential that ends at `end` (aware); see `ports.Directory`.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: it may exist.
            TooLateError, UnavailableError: certainly not sent.
        """
        password = PasswordCredential(display_name=display_name, end_date_time=end)
        body = AddPasswordPostRequestBody(password_credential=password)

        def make() -> RequestInformation:
            # Turn, quota and token are there: what follows is the request itself.
            if self._clock.monotonic() > deadline:
                raise TooLateError("the intent is too old to make a credential for")
            return self._item(object_id).add_password.to_post_request_information(body)

        async with self._write(object_id):
            answer = await self._session.send(Call(operation=ADD, is_write=True, make=make))
            try:
                return decode_new_password(answer)
            except UnreadableAnswerError as error:
                raise no_answer(ADD, str(error), is_write=True) from None

    async def remove_password(self, object_id: ObjectId, key_id: KeyId) -> None:
        """Remove a password credential; see `ports.Directory`.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: it may be gone.
        """
        try:
            body = RemovePasswordPostRequestBody(key_id=UUID(key_id))
        except ValueError:
            raise RejectedError("the key id is no GUID", code="InvalidKeyId") from None

        def make() -> RequestInformation:
            return self._item(object_id).remove_password.to_post_request_information(body)

        async with self._write(object_id):
            await self._session.send(Call(operation=REMOVE, is_write=True, make=make))

    async def add_certificate(
        self,
        object_id: ObjectId,
        certificate: NewCertificate,
        known: frozenset[KeyId],
        gone: frozenset[KeyId],
    ) -> None:
        """Register a certificate; see `ports.Directory`.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: the same call is safe to repeat.
        """
        await self._change_keys(object_id, known, add=certificate, gone=gone)

    async def remove_certificate(
        self, object_id: ObjectId, key_id: KeyId, known: frozenset[KeyId]
    ) -> None:
        """Remove a certificate; see `ports.Directory`.

        Raises:
            OutcomeUnknownError: sent, and no usable answer: it may be gone.
        """
        await self._change_keys(object_id, known, remove=frozenset({key_id}))

    async def federated(self, object_id: ObjectId, max_age: timedelta) -> FederatedList:
        """Read an application's federated credentials; see `ports.Directory`."""
        _check_id(object_id)
        return await self._shared_federated.get(object_id, max_age)

    async def add_federated(
        self, object_id: ObjectId, name: str, trust: Trust, description: str
    ) -> None:
        """Create a federated credential; see `ports.Directory`."""
        async with self._write(object_id):
            await self._federated.add(object_id, name, trust, description)

    async def update_federated(
        self, object_id: ObjectId, id_: str, trust: Trust, description: str
    ) -> None:
        """Change a federated credential by its id; see `ports.Directory`."""
        async with self._write(object_id):
            await self._federated.update(object_id, id_, trust, description)

    async def remove_federated(self, object_id: ObjectId, id_: str) -> None:
        """Delete a federated credential by its id; see `ports.Directory`."""
        async with self._write(object_id):
            await self._federated.remove(object_id, id_)

    async def is_client_id(self, principal_id: str) -> bool:
        """Tell whether an id is that of an application; see `ports.Directory`."""
        await self._gate.pass_read()
        async with self._pausing():
            return await self._federated.is_client_id(principal_id)

    async def _read_federated(self, object_id: ObjectId) -> FederatedList:
        await self._gate.pass_read()
        async with self._pausing():
            return await self._federated.list(object_id)

    def take_losses(self, object_id: ObjectId) -> tuple[CertificateLoss, ...]:
        """Return what was lost of others' certificates; see `ports.Directory`."""
        return tuple(self._losses.pop(object_id, ()))

    def _note_loss(self, object_id: ObjectId, key_id: KeyId, loss: Loss) -> None:
        self._report(loss)
        if loss is not Loss.OURS_RESTORED:
            noted = self._losses.setdefault(object_id, [])
            noted.append(CertificateLoss(key_id, is_restored=loss is Loss.RESTORED))
            del noted[:-_MAX_LOSSES]

    async def close(self) -> None:
        """End the confirmations that run."""
        for task in self._confirming.values():
            task.cancel()
        await asyncio.gather(*self._confirming.values(), return_exceptions=True)

    async def _change_keys(
        self,
        object_id: ObjectId,
        known: frozenset[KeyId],
        *,
        add: NewCertificate | None = None,
        remove: frozenset[KeyId] = frozenset(),
        gone: frozenset[KeyId] = frozenset(),
    ) -> None:
        before = self._keys.sent(object_id)
        try:
            async with self._write(object_id):
                await self._keys.change(object_id, add=add, remove=remove, known=known, gone=gone)
        finally:
            # Also without an answer: what may have been sent has to be watched.
            if self._keys.sent(object_id) is not before:
                self._confirm(object_id)

    def _confirm(self, object_id: ObjectId) -> None:
        """Watch over the change just made; the one before it is watched no longer."""
        before = self._confirming.pop(object_id, None)
        if before is not None:
            before.cancel()
        task = asyncio.create_task(self._keys.confirm(object_id, lambda: self._write(object_id)))
        self._confirming[object_id] = task
        task.add_done_callback(lambda done: self._confirmed(object_id, done))

    def _confirmed(self, object_id: ObjectId, done: asyncio.Task[None]) -> None:
        if self._confirming.get(object_id) is done:
            del self._confirming[object_id]

    async def probe(self, client_id: ClientId | None, own: OperatorCredential) -> datetime | None:
        """Look for the operator's own application: it signs in and may read applications.

        Args:
            client_id: of the operator; None finds nothing, which tells as much.
            own: what it signs in with.

        Returns:
            When its own credential ends; None when that cannot be told, for instance
            because its application belongs to another tenant.

        Raises:
            IdentityRejectedError: Entra refuses the operator's own credential.
            PermissionDeniedError: Graph does not let it read applications.
            ThrottledError, UnavailableError, RejectedError, NotFoundError.
        """
        await self._gate.pass_read()

        def make() -> RequestInformation:
            # Selected, certificates would count against a small quota of the tenant.
            wanted = _ListQuery(
                filter=f"appId eq '{client_id or UUID(int=0)}'",
                select=None if own.thumbprint else _OWN_SELECT,
            )
            query = RequestConfiguration(query_parameters=wanted)
            return self._session.graph.applications.to_get_request_information(query)

        async with self._pausing():
            answer = await self._session.send(Call(operation=PROBE, is_write=False, make=make))
        return decode_own_end(answer, own)

    async def default_policy(self) -> AppPolicy:
        """Read the tenant's default app management policy; see `policies.read_default_policy`."""
        await self._gate.pass_read()
        async with self._pausing():
            return await read_default_policy(self._session)

    def skew(self) -> timedelta | None:
        """Return Entra's clock minus ours, from its answers; None when unknown."""
        return self._session.skew()

    async def _read(self, client_id: ClientId) -> Application:
        """Make the one request of a read: 1 resource unit, where a filtered list costs 2."""
        await self._gate.pass_read()
        read_time = self._clock.now()

        def make() -> RequestInformation:
            return self._session.graph.applications_with_app_id(
                client_id
            ).to_get_request_information()

        async with self._pausing():
            answer = await self._session.send(Call(operation=READ, is_write=False, make=make))
        try:
            found = decode_application(answer, client_id, read_time)
        except UnreadableAnswerError as error:
            raise no_answer(READ, str(error), is_write=False) from None
        keys = (c.key_id for c in found.credentials if c.type is CredentialType.CERTIFICATE)
        self._keys.saw(found.object_id, keys)
        return found

    @asynccontextmanager
    async def _write(self, object_id: ObjectId) -> AsyncIterator[None]:
        """Hold the application's turn; whatever came of it, earlier reads are outdated."""
        _check_id(object_id)
        async with self._gate.write(object_id), self._pausing():
            try:
                yield
            finally:
                self._shared.drop(object_id)
                self._shared_federated.drop(object_id)

    @asynccontextmanager
    async def _pausing(self) -> AsyncIterator[None]:
        """Note a pause that Graph, or the token endpoint, asks for."""
        try:
            yield
        except ThrottledError as error:
            self._gate.pause(error.retry_after)
            raise

    def _item(self, object_id: ObjectId) -> ApplicationItemRequestBuilder:
        return self._session.graph.applications.by_application_id(object_id)


def _check_id(object_id: ObjectId) -> None:
    """It becomes part of an address."""
    if not _ID.fullmatch(object_id):
        raise RejectedError("the object id is no id", code="InvalidObjectId")
