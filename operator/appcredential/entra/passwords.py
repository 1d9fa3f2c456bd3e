"""Password credentials in Graph: the calls addPassword and removePassword."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
    AddPasswordPostRequestBody,
)
from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody,
)
from msgraph.generated.models.password_credential import PasswordCredential

from appcredential.domain.spec.model import KeyId, ObjectId
from appcredential.entra.connection import Call, Connection
from appcredential.entra.operations import ADD, REMOVE
from appcredential.entra.translate import usable
from appcredential.entra.wire import decode_new_password
from appcredential.entra.writes import Writes
from appcredential.errors import RejectedError, TooLateError
from appcredential.ports.entra import MintedPassword
from appcredential.ports.local import Clock


@dataclass(frozen=True, slots=True)
class GraphPasswords:
    """Adds and removes password credentials, each in its application's turn."""

    connection: Connection
    writes: Writes
    clock: Clock

    async def add(
        self, object_id: ObjectId, display_name: str, end: datetime, *, deadline: float
    ) -> MintedPassword:
        """Add a password credential; see `ports.entra.Directory.add_password`."""
        password = PasswordCredential(display_name=display_name, end_date_time=end)
        body = AddPasswordPostRequestBody(password_credential=password)

        def make() -> RequestInformation:
            # The turn, the quota and the token are there: only the request itself is left.
            if self.clock.monotonic() > deadline:
                raise TooLateError("the intent is too old to make a credential for")
            item = self.connection.graph.applications.by_application_id(object_id)
            return item.add_password.to_post_request_information(body)

        async with self.writes.write(object_id):
            answer = await self.connection.send(Call(operation=ADD, is_write=True, make=make))
            with usable(ADD, is_write=True):
                return decode_new_password(answer)

    async def remove(self, object_id: ObjectId, key_id: KeyId) -> None:
        """Remove a password credential; see `ports.entra.Directory.remove_password`."""
        try:
            body = RemovePasswordPostRequestBody(key_id=UUID(key_id))
        except ValueError:
            raise RejectedError("the key id is no GUID", code="InvalidKeyId") from None

        def make() -> RequestInformation:
            item = self.connection.graph.applications.by_application_id(object_id)
            return item.remove_password.to_post_request_information(body)

        async with self.writes.write(object_id):
            await self.connection.write(Call(operation=REMOVE, is_write=True, make=make))
