"""Pages of applications in Graph's JSON, of which most rows may be dropped unread.

A page may have some MiB, so that larger ones are decoded in a thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from appcredential.domain.inventory import IN_A_PAGE
from appcredential.domain.observed.entra import Application
from appcredential.domain.spec.model import ClientId
from appcredential.entra.answers import Guid, UnreadableAnswerError
from appcredential.entra.wire import decode_application

_log = logging.getLogger(__name__)

_IN_A_THREAD: Final = 64 * 1024
_MOST_VALUES: Final = 500_000
"""A page of 999 applications with twenty credentials each has fewer."""


class _Page(msgspec.Struct, frozen=True):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    app_id: Guid


_PAGE: Final = msgspec.json.Decoder(_Page)
_NAMED: Final = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A decoded page: the wanted applications, all its rows, and where the next page is."""

    found: dict[ClientId, Application]
    count: int
    next_link: str | None


async def decode_page(body: bytes, wanted: Collection[ClientId], left: datetime) -> Rows:
    """Decode a page of applications.

    Args:
        body: the answer.
        wanted: client ids; other rows are dropped before anything is made of them.
        left: when the request left.

    Raises:
        UnreadableAnswerError: it is no such page.
    """
    if len(body) < _IN_A_THREAD:
        return _decode(body, wanted, left)
    return await asyncio.to_thread(_decode, body, wanted, left)


def is_next_page(link: str, of: str) -> bool:
    """Return whether a link leads to another page of the same list.

    The operator's token goes with the request, so that nothing but the query may differ.
    """
    try:
        there, here = urlsplit(link), urlsplit(of)
        is_plain = there.username is None and there.password is None and not there.fragment
        return is_plain and _address(there) == _address(here)
    except ValueError:
        return False


def _address(url: SplitResult) -> tuple[str, str | None, int | None, str]:
    """Return all of an address but its query; Graph names a type in two ways."""
    path = url.path.lower().replace("/microsoft.graph.", "/graph.")
    return url.scheme, url.hostname, url.port, path


def _decode(body: bytes, wanted: Collection[ClientId], left: datetime) -> Rows:
    if body.count(b",") >= _MOST_VALUES:
        raise UnreadableAnswerError("more values than a page has")
    try:
        page = _PAGE.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnreadableAnswerError("not a page of applications") from None
    if len(page.value) > IN_A_PAGE:
        raise UnreadableAnswerError("more rows than a page has")
    found = {}
    for row in page.value:
        application = _wanted(row, wanted, left)
        if application is not None:
            found[application.client_id] = application
    return Rows(found=found, count=len(page.value), next_link=page.next_link)


def _wanted(row: msgspec.Raw, wanted: Collection[ClientId], left: datetime) -> Application | None:
    """Decode a row if it is wanted; one that cannot be read is as if it were missing."""
    try:
        client_id = ClientId(_NAMED.decode(row).app_id.lower())
        return decode_application(bytes(row), client_id, left) if client_id in wanted else None
    except (msgspec.MsgspecError, ValueError, RecursionError, UnreadableAnswerError):
        _log.debug("a row of a list cannot be read")
        return None
