"""The operator rolls the certificates of its own application: addKey and removeKey.

Metrics count both as what they are for all applications: an update of the list of certificates.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.item.add_key.add_key_post_request_body import (
    AddKeyPostRequestBody,
)
from msgraph.generated.applications.item.remove_key.remove_key_post_request_body import (
    RemoveKeyPostRequestBody,
)
from msgraph.generated.models.key_credential import KeyCredential

from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, ObjectId
from appcredential.entra.connection import Call, Connection
from appcredential.entra.operations import UPDATE
from appcredential.entra.writes import Writes
from appcredential.errors import RejectedError
from appcredential.ports.local import Clock
from appcredential.x509.generate import sign_possession


@dataclass(frozen=True, slots=True)
class GraphOwnKeys:
    """Implements `ports.own_keys.OwnKeys`.

    Attributes:
        skew: Entra's clock minus ours, for the times in a proof.
    """

    connection: Connection
    writes: Writes
    clock: Clock
    skew: Callable[[], timedelta | None]

    async def add(self, object_id: ObjectId, content: str, vouching: SecretValue) -> None:
        """Add a certificate; see `ports.own_keys.OwnKeys`.

        The body has no more than the documentation's sample: Graph takes dates and names from the
        certificate.
        """
        proof = await self._proof(object_id, vouching)
        body = AddKeyPostRequestBody(
            key_credential=KeyCredential(
                type="AsymmetricX509Cert", usage="Verify", key=base64.b64decode(content)
            ),
            proof=proof.reveal(),
        )

        def make() -> RequestInformation:
            item = self.connection.graph.applications.by_application_id(object_id)
            return item.add_key.to_post_request_information(body)

        async with self.writes.write(object_id):
            await self.connection.send(Call(operation=UPDATE, is_write=True, make=make))

    async def remove(self, object_id: ObjectId, key_id: KeyId, vouching: SecretValue) -> None:
        """Remove a certificate; see `ports.own_keys.OwnKeys`."""
        proof = await self._proof(object_id, vouching)
        try:
            body = RemoveKeyPostRequestBody(key_id=UUID(key_id), proof=proof.reveal())
        except ValueError:
            raise RejectedError("the key id is no GUID", code="InvalidKeyId") from None

        def make() -> RequestInformation:
            item = self.connection.graph.applications.by_application_id(object_id)
            return item.remove_key.to_post_request_information(body)

        async with self.writes.write(object_id):
            await self.connection.write(Call(operation=UPDATE, is_write=True, make=make))

    async def _proof(self, object_id: ObjectId, vouching: SecretValue) -> SecretValue:
        now = self.clock.now() + (self.skew() or timedelta(0))
        return await asyncio.to_thread(sign_possession, vouching, object_id, now)
