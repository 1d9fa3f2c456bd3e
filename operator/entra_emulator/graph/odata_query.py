"""Query options: `$select`, `$top`, and pages with `@odata.nextLink`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from entra_emulator.errors.graph import bad_request

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 999
_SMALL_PAGE = 20
# Neither another script's digits, which `int` also reads, nor a number as long as the query.
_PAGE_SIZE = re.compile(r"[0-9]{1,3}")
_PLACE = re.compile(r"after:([0-9]{1,18})")
_OPTIONS = frozenset(
    f"${name}"
    for name in (
        "count",
        "deltatoken",
        "expand",
        "filter",
        "format",
        "orderby",
        "search",
        "select",
        "skip",
        "skiptoken",
        "top",
    )
)
_COUNT = "$count"
_LIST_OPTIONS = frozenset({"$filter", "$select", "$top", "$skiptoken"})

T = TypeVar("T")


def single_options(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the options of a request by name.

    Raises:
        GraphError: 400 if an option of OData is there twice (OData 4.01, part 2, section 5.1).
    """
    options = dict(pairs)
    if len(options) < len(pairs):
        names = [name for name, _ in pairs if name.startswith("$")]
        if again := next((name for name in names if names.count(name) > 1), None):
            raise bad_request(
                f"Query option '{again}' was specified more than once, but it must be specified at"
                " most once.",
                "BadRequest",
            )
    return options


def check_options(query: Mapping[str, str], allowed: Collection[str]) -> None:
    """Refuse query options that are not emulated, instead of answering another question."""
    for name in query:
        if f"${name.lower()}" in _OPTIONS:
            raise bad_request(f"Query option '{name}' needs the prefix '$' here.", "BadRequest")
        if name.startswith("$") and name not in allowed:
            raise bad_request(f"Query option '{name}' is not supported here.", "BadRequest")


def check_list_options(query: Mapping[str, str], counts: bool) -> None:
    """Refuse query options that lists do not support; `$count` is for those that count."""
    check_options(query, _LIST_OPTIONS | {_COUNT} if counts else _LIST_OPTIONS)


def wants_count(query: Mapping[str, str]) -> bool:
    """Return whether a request asks for the number of rows: Graph tells it on the first page only.

    Graph, "Paging Microsoft Graph data in your app".

    Raises:
        GraphError: 400 if `$count` is neither `true` nor `false`.
    """
    text = query.get(_COUNT, "false")
    if text not in {"true", "false"}:
        raise bad_request(f"Invalid value '{text}' for $count query option found.", "BadRequest")
    return text == "true" and "$skiptoken" not in query


def selected(
    query: Mapping[str, str], fields: Collection[str], type_name: str
) -> tuple[str, ...] | None:
    """Return the selected properties; None without `$select`."""
    text = query.get("$select")
    if not text:
        return None
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in fields:
            raise bad_request(
                "Parsing OData Select and Expand failed: Could not find a property named"
                f" '{name}' on type 'microsoft.graph.{type_name}'.",
                "BadRequest",
            )
    return names


def pick(row: Mapping[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    """Return only the selected properties of a row."""
    return dict(row) if names is None else {name: row[name] for name in names}


def context_suffix(names: tuple[str, ...] | None) -> str:
    """Return the part of an `@odata.context` that names the selection."""
    return "" if names is None else f"({','.join(names)})"


def page_size(query: Mapping[str, str]) -> int:
    """Return the number of rows of a page."""
    text = query.get("$top")
    if text is None:
        return _DEFAULT_PAGE
    if not _PAGE_SIZE.fullmatch(text) or int(text) == 0:
        raise bad_request(
            f"Invalid page size specified: '{text}'. Must be between 1 and {_LARGEST_PAGE}"
            " inclusive."
        )
    return int(text)


def is_small_page(query: Mapping[str, str]) -> bool:
    """Return whether a request asks for less than 20 rows, which costs it less."""
    text = query.get("$top", "")
    return _PAGE_SIZE.fullmatch(text) is not None and int(text) < _SMALL_PAGE


def take_page(
    rows: Iterable[T], query: Mapping[str, str], ordinal: Callable[[T], int]
) -> tuple[list[T], str | None]:
    """Return one page and the token of the next one.

    The token is the position of the last row and not a count, so that rows removed meanwhile shift
    nothing.
    """
    after = _place(query.get("$skiptoken"))
    size = page_size(query)
    page = list(islice((row for row in rows if ordinal(row) > after), size + 1))
    if len(page) <= size:
        return page, None
    return page[:size], _token(ordinal(page[size - 1]))


def next_link(address: str, query: Mapping[str, str], token: str) -> str:
    """Return the URL of the next page, with the same options."""
    options = {**{k: v for k, v in query.items() if k != "$skiptoken"}, "$skiptoken": token}
    return f"{address}?{urlencode(options, quote_via=quote, safe='$')}"


def _token(place: int) -> str:
    return base64.urlsafe_b64encode(f"after:{place}".encode()).decode().rstrip("=")


def _place(token: str | None) -> int:
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not (place := _PLACE.fullmatch(text)):
        raise bad_request("Skip token is invalid.", "Directory_ExpiredPageToken")
    return int(place[1])
