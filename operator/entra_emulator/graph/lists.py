"""Answer a list of any kind of rows: filter, page and select, in that order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from entra_emulator.graph.call import GraphAnswer, GraphCall
from entra_emulator.graph.odata_filter import Filterable, parse_filter
from entra_emulator.graph.odata_query import (
    check_list_options,
    context_suffix,
    next_link,
    pick,
    selected,
    take_page,
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
    """Return one page of rows."""
    check_list_options(call.query)
    names = selected(call.query, shape.fields, shape.type_name)
    if (text := call.query.get("$filter")) is not None:
        test = parse_filter(text, shape.filterable)
        rows = (row for row in rows if test(shape.render(row)))
    page, token = take_page(rows, call.query, shape.ordinal)
    context = call.context((shape.context or shape.path) + context_suffix(names))
    body: dict[str, Any] = {"@odata.context": context}
    if token is not None:
        body["@odata.nextLink"] = next_link(f"{call.root}/{shape.path}", call.query, token)
    body["value"] = [{**shape.annotations, **pick(shape.render(row), names)} for row in page]
    return GraphAnswer(status=200, body=body)
