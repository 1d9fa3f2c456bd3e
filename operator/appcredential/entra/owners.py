"""The owners of an application in Graph's JSON."""

from __future__ import annotations

from typing import Final

import msgspec

from appcredential.domain.spec.model import ClientId
from appcredential.entra.answers import Guid, UnreadableAnswerError, decoded


class _Owner(msgspec.Struct, frozen=True):
    id: Guid


class _Owners(msgspec.Struct, frozen=True):
    value: list[_Owner]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


_OWNERS: Final = msgspec.json.Decoder(_Owners)


def owners_path(client_id: ClientId) -> str:
    """Return the address of an application's owners, below the root.

    Source: learn.microsoft.com/graph/api/application-list-owners. Whoever may not read what kind
    of principal an owner is gets its id all the same.
    """
    return f"/applications(appId='{client_id}')/owners?$select=id"


def decode_owners(_client_id: ClientId, body: bytes) -> frozenset[str]:
    """Return the object ids of the owners, in lower case.

    Raises:
        UnreadableAnswerError: it is no such list, or goes on: an application has at most 100
            owners, which are one page, and who is missing from a part of them may be an owner.
    """
    page = decoded(_OWNERS, body, "a list of owners")
    if page.next_link is not None:
        raise UnreadableAnswerError("a list of owners that goes on")
    return frozenset(owner.id.lower() for owner in page.value)
