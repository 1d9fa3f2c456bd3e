"""When each client secret and certificate last signed in, by Graph's report.

Source: learn.microsoft.com/graph/api/reportroot-list-appcredentialsigninactivities. It is in beta,
only in the public cloud, needs AuditLog.Read.All and a licence, and is hours late. Federated
credentials are not in it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from appcredential.domain.spec.model import ClientId, KeyId
from appcredential.entra.answers import Guid, UnreadableAnswerError, decoded
from appcredential.entra.connection import Call, Connection
from appcredential.entra.operations import USAGE
from appcredential.entra.pages import is_next_page
from appcredential.entra.translate import usable
from appcredential.errors import UnusableListError

MOST_PAGES: Final = 200
_IN_A_PAGE: Final = 999


class _Activity(msgspec.Struct, frozen=True, rename="camel"):
    last_sign_in_date_time: datetime | None = None


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    key_id: Guid
    sign_in_activity: _Activity | None = None


class _Rows(msgspec.Struct, frozen=True):
    value: list[_Row]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


_ROWS: Final = msgspec.json.Decoder(_Rows)


async def last_sign_ins(
    connection: Connection, graph_url: str, client_id: ClientId | None
) -> AsyncGenerator[Mapping[KeyId, datetime], None]:
    """Read the report page by page: when each key id last signed in.

    Args:
        connection: to the tenant.
        graph_url: root of Graph without its version.
        client_id: of the only application that is asked for; None asks for all.

    Raises:
        PermissionDeniedError: no right, or no licence.
        UnusableListError: a next page at another address, or too many pages.
        AppCredentialError: as `translate.py` translates any other failure.
    """
    first = url = f"{graph_url}/beta/reports/appCredentialSignInActivities{_query(client_id)}"
    for _ in range(MOST_PAGES):
        answer = await connection.send(_call(url))
        with usable(USAGE, is_write=False):
            page = decoded(_ROWS, answer, "a report of sign-ins")
            yield {KeyId(row.key_id.lower()): time for row in page.value if (time := _time(row))}
        if page.next_link is None:
            return
        if page.next_link == url or not is_next_page(page.next_link, first):
            raise UnusableListError(f"{USAGE}: the next page is at another address")
        url = page.next_link
    raise UnusableListError(f"{USAGE}: more than {MOST_PAGES} pages")


def _query(client_id: ClientId | None) -> str:
    if client_id is None:
        return f"?$top={_IN_A_PAGE}"
    named = quote(f"appId eq '{client_id}'")
    return f"?$filter={named}"


def _call(url: str) -> Call:
    def make() -> RequestInformation:
        info = RequestInformation(Method.GET)
        info.url = url
        info.headers.try_add("Accept", "application/json")
        return info

    return Call(operation=USAGE, is_write=False, make=make)


def _time(row: _Row) -> datetime | None:
    time = row.sign_in_activity.last_sign_in_date_time if row.sign_in_activity else None
    if time is None:
        return None
    try:
        return time.astimezone(UTC) if time.tzinfo is not None else time.replace(tzinfo=UTC)
    except OverflowError:
        raise UnreadableAnswerError("a time that is none") from None
