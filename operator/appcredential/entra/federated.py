"""Federated identity credentials in Graph: list, create, change and delete by id.

Never by name with `Prefer: create-if-missing`: that would overwrite a credential of the same
name that somebody else made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.item.federated_identity_credentials import (
    federated_identity_credentials_request_builder as builder,
)
from msgraph.generated.models.federated_identity_credential import FederatedIdentityCredential

from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.spec.model import ObjectId
from appcredential.domain.spec.trusts import Trust
from appcredential.entra.answers import Guid, UnreadableAnswerError, decoded
from appcredential.entra.connection import Call, Connection
from appcredential.entra.operations import (
    ADD_FEDERATED,
    LIST_FEDERATED,
    PRINCIPAL,
    REMOVE_FEDERATED,
    UPDATE_FEDERATED,
)
from appcredential.entra.translate import usable
from appcredential.entra.wire import plain
from appcredential.entra.writes import Writes
from appcredential.errors import NotFoundError, PermissionDeniedError, RejectedError

_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


class _Credential(msgspec.Struct, frozen=True):
    id: Guid
    name: str
    issuer: str | None = None
    subject: str | None = None
    audiences: list[str] | None = None
    description: str | None = None


class _List(msgspec.Struct, frozen=True):
    value: list[_Credential]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class _Principal(msgspec.Struct, frozen=True, rename="camel"):
    app_id: Guid


_LIST: Final = msgspec.json.Decoder(_List)
_CREDENTIAL: Final = msgspec.json.Decoder(_Credential)
_PRINCIPAL: Final = msgspec.json.Decoder(_Principal)
_MOST_CREDENTIALS: Final = 100
"""An application can have 20."""


async def list_federated(
    connection: Connection, object_id: ObjectId, read_time: datetime
) -> FederatedList:
    """Read all of an application: at most 20, which is less than a page.

    Args:
        connection: to the tenant.
        object_id: of the application.
        read_time: recorded as the time of the read.

    Raises:
        UnavailableError: no usable answer, or only a part of the list.
    """

    def make() -> RequestInformation:
        return _builder(connection, object_id).to_get_request_information()

    answer = await connection.send(Call(operation=LIST_FEDERATED, is_write=False, make=make))
    with usable(LIST_FEDERATED, is_write=False):
        return decode_federated(answer, object_id, read_time)


def decode_federated(body: bytes, object_id: ObjectId, read_time: datetime) -> FederatedList:
    """Read the answer to GET /applications/{id}/federatedIdentityCredentials.

    Raises:
        UnreadableAnswerError: it is something else, or only a part of the list.
    """
    found = decoded(_LIST, body, "a list of federated credentials")
    if found.next_link is not None or len(found.value) > _MOST_CREDENTIALS:
        # The credentials on the next page would pass for absent.
        raise UnreadableAnswerError("more than one page")
    return FederatedList(
        object_id=object_id,
        credentials=tuple(_decoded(entry) for entry in found.value),
        read_time=read_time,
    )


async def is_client_id(connection: Connection, principal_id: str) -> bool:
    """Return whether an id is an application's; see `ports.entra.Directory`."""

    def make() -> RequestInformation:
        found = connection.graph.service_principals_with_app_id(_checked(principal_id))
        return found.to_get_request_information()

    try:
        answer = await connection.send(Call(operation=PRINCIPAL, is_write=False, make=make))
    except (NotFoundError, PermissionDeniedError):
        return False
    with usable(PRINCIPAL, is_write=False):
        return (
            decoded(_PRINCIPAL, answer, "a service principal").app_id.lower()
            == principal_id.lower()
        )


@dataclass(frozen=True, slots=True)
class GraphFederated:
    """Creates, changes and deletes federated credentials, each in its application's turn."""

    connection: Connection
    writes: Writes

    async def add(self, object_id: ObjectId, name: str, trust: Trust, description: str) -> None:
        """Create one; see `ports.entra.Directory`."""
        async with self.writes.write(object_id):
            body = _body(trust, description)
            body.name = name

            def make() -> RequestInformation:
                return _builder(self.connection, object_id).to_post_request_information(body)

            call = Call(operation=ADD_FEDERATED, is_write=True, make=make)
            answer = await self.connection.send(call)
            with usable(ADD_FEDERATED, is_write=True):
                decoded(_CREDENTIAL, answer, "a federated credential")

    async def update(self, object_id: ObjectId, id_: str, trust: Trust, description: str) -> None:
        """Change one by its id; see `ports.entra.Directory`."""
        async with self.writes.write(object_id):
            found = _builder(self.connection, object_id)
            item = found.by_federated_identity_credential_id(_checked(id_))

            def make() -> RequestInformation:
                return item.to_patch_request_information(_body(trust, description))

            await self.connection.write(Call(operation=UPDATE_FEDERATED, is_write=True, make=make))

    async def remove(self, object_id: ObjectId, id_: str) -> None:
        """Delete one by its id; see `ports.entra.Directory`."""
        async with self.writes.write(object_id):
            found = _builder(self.connection, object_id)
            item = found.by_federated_identity_credential_id(_checked(id_))

            def make() -> RequestInformation:
                return item.to_delete_request_information()

            await self.connection.write(Call(operation=REMOVE_FEDERATED, is_write=True, make=make))


def _builder(
    connection: Connection, object_id: ObjectId
) -> builder.FederatedIdentityCredentialsRequestBuilder:
    item = connection.graph.applications.by_application_id(object_id)
    return item.federated_identity_credentials


def _checked(id_: str) -> str:
    """Check an id, which becomes part of an address: Graph would take a name there, too."""
    if not _ID.fullmatch(id_):
        raise RejectedError("the federated credential's id is no id", code="InvalidId")
    return id_


def _body(trust: Trust, description: str) -> FederatedIdentityCredential:
    return FederatedIdentityCredential(
        issuer=trust.issuer,
        subject=trust.subject,
        audiences=[trust.audience],
        description=description,
    )


def _decoded(raw: _Credential) -> FederatedCredential:
    # Issuer and subject are compared letter by letter, so they stay as they are;
    # name and description may be shown.
    return FederatedCredential(
        id=raw.id,
        name=plain(raw.name),
        issuer=raw.issuer or "",
        subject=raw.subject or "",
        audiences=tuple(raw.audiences or ()),
        description=raw.description or "",
    )
