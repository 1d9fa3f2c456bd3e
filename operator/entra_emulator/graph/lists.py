"""Answer a list of any kind of rows: filter, page and select, in that order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from entra_emulator.errors.graph import bad_request
from entra_emulator.graph.call import GraphAnswer, GraphCall
from entra_emulator.graph.odata_filter import Filterable, parse_filter
from entra_emulator.graph.odata_query import (
    check_list_options,
    check_options,
    context_suffix,
    next_link,
    pick,
    selected,
    take_page,
    wants_count,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShape(Generic[T]):
    """The shape of a list.

    Args:
        path: its path below the root, which is also its `@odata.context`.
        type_name: the type of its rows.
        fields: the properties for `$select`.
        filters: the properties with one value for `$filter`.
        collections: the properties with a list of texts for `$filter`.
        render: returns the JSON of a row.
        ordinal: returns the position of a row.
        annotations: members of each row in addition to its properties.
        context: the `@odata.context`, if that is not the path.
        counts: whether its rows may be counted, as those of the directory may.
    """

    path: str
    type_name: str
    fields: Collection[str]
    filters: Collection[str]
    render: Callable[[T], dict[str, Any]]
    ordinal: Callable[[T], int]
    annotations: Mapping[str, Any]
    context: str = ""
    collections: Collection[str] = frozenset()
    counts: bool = False

    @property
    def filterable(self) -> Filterable:
        """What `$filter` may name."""
        return Filterable(
            type_name=self.type_name,
            fields=self.fields,
            single=self.filters,
            collections=self.collections,
        )


def answer_list(call: GraphCall, shape: ListShape[T], rows: Iterable[T]) -> GraphAnswer:
    """Return one page of rows, or their number if the path ends with `/$count`."""
    if "count" in call.params:
        return _answer_count(call, shape, rows)
    check_list_options(call.query, shape.counts)
    names = selected(call.query, shape.fields, shape.type_name)
    rows = _filtered(call, shape, rows)
    count: dict[str, int] = {}
    # Without the header Graph ignores `$count=true` (see `_answer_count`).
    if wants_count(call.query) and call.is_eventual:
        rows = list(rows)
        count = {"@odata.count": len(rows)}
    page, token = take_page(rows, call.query, shape.ordinal)
    context = call.context((shape.context or shape.path) + context_suffix(names))
    body: dict[str, Any] = {"@odata.context": context, **count}
    if token is not None:
        body["@odata.nextLink"] = next_link(f"{call.root}/{shape.path}", call.query, token)
    body["value"] = [{**shape.annotations, **pick(shape.render(row), names)} for row in page]
    return GraphAnswer(status=200, body=body)


def _answer_count(call: GraphCall, shape: ListShape[T], rows: Iterable[T]) -> GraphAnswer:
    """Return the number of rows as a text.

    Graph, "Advanced query capabilities on Microsoft Entra ID objects", error handling.
    """
    if not call.is_eventual:
        raise bad_request("$count is not currently supported.")
    check_options(call.query, {"$filter"})
    number = sum(1 for _ in _filtered(call, shape, rows))
    return GraphAnswer(status=200, text=str(number))


def _filtered(call: GraphCall, shape: ListShape[T], rows: Iterable[T]) -> Iterable[T]:
    text = call.query.get("$filter")
    if text is None:
        return rows
    test = parse_filter(text, shape.filterable)
    return (row for row in rows if test(shape.render(row)))
