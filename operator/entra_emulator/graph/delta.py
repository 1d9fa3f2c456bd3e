"""`applications/delta`: the applications that changed since the client last asked.

Graph: application-delta and concepts/delta-query-overview. Each round is read at one replica. The
next one tells of every change that this replica had not shown then, so that none is lost, whatever
the lag. Some are told twice.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.change_log import CREATED, DELETED
from entra_emulator.directory.replication import ReadKind, ReadPoint
from entra_emulator.errors.graph import bad_request, unsupported_query
from entra_emulator.graph.call import GraphAnswer, GraphCall, Route, route
from entra_emulator.graph.delta_state import (
    DeltaState,
    Options,
    completed,
    link,
    new_round,
    resumed,
)
from entra_emulator.graph.odata_query import (
    check_options,
    context_suffix,
    page_size,
    pick,
    selected,
)
from entra_emulator.graph.render import APPLICATION_FIELDS, render_application

_DELTA, _SKIP = "$deltatoken", "$skiptoken"
_FIRST_ONLY = frozenset({"$filter", "$top"})
_LATEST = "latest"
# Seen in `users/delta`, in questions to Microsoft's support.
_PAGE = "200"
_MOST_IDS = 50
_ONE_ID = re.compile(r"id +eq +'([^']*)'")

_Row = tuple[int, dict[str, Any] | None]
"""The position of an application, and what a page tells of it: nothing while its replica does not
know it."""


def delta_applications(call: GraphCall) -> GraphAnswer:
    """Answer one page of a round, with the link to the next page or to the next round."""
    call.caller.may_read()
    query = {_folded(name): value for name, value in call.query.items()}
    check_options(query, {"$select", "$filter", "$top", _DELTA, _SKIP})
    state = _state(call, query)
    if query.get(_DELTA, "").lower() == _LATEST:
        return _page(call, completed(state), [])
    size = state.options.top
    rows = list(islice(_rows(call, state), size))
    told = [row for _, row in rows if row is not None]
    # A full page may be the last one: its client finds an empty page, as Graph says it may.
    rest = msgspec.structs.replace(state, after=rows[-1][0]) if len(rows) == size else None
    return _page(call, rest or completed(state), told)


def _state(call: GraphCall, query: Mapping[str, str]) -> DeltaState:
    """Return the round that a request begins or goes on with."""
    page, token = query.get(_SKIP), query.get(_DELTA, "")
    if page is not None:
        _refuse(query, _FIRST_ONLY | {"$select", _DELTA})
        return resumed(call, page, is_page=True)
    if not token or token.lower() == _LATEST:
        top = page_size({"$top": query.get("$top", _PAGE)})
        ids = _ids(query["$filter"]) if "$filter" in query else None
        return new_round(call, Options(_select(query), ids, top))
    _refuse(query, _FIRST_ONLY)
    known = resumed(call, token, is_page=False)
    # Of all options only the properties can be named anew, with the link of a complete round.
    options = msgspec.structs.replace(
        known.options, select=_select(query) if "$select" in query else known.options.select
    )
    return new_round(call, options, known)


def _rows(call: GraphCall, state: DeltaState) -> Iterator[_Row]:
    """Return the rows of a round that come after the last page, in list order."""
    now = call.world.replicas.point(ReadKind.LIST, call.now, state.until.replica)
    purged = sorted(_purged(call, state, now), key=_position)
    return heapq.merge(_standing(call, state, now), purged, key=_position)


def _position(row: _Row) -> int:
    return row[0]


def _standing(call: GraphCall, state: DeltaState, now: ReadPoint) -> Iterator[_Row]:
    since, wanted, after = state.known(), state.options.ids, state.after or 0
    for record in call.world.directory.applications(call.caller.tenant_id):
        if record.ordinal <= after or (wanted is not None and record.id not in wanted):
            continue
        if since is None or _changed(record, state.options, since, now):
            yield record.ordinal, _row(call, state, record, now)


def _changed(record: ApplicationRecord, options: Options, since: ReadPoint, now: ReadPoint) -> bool:
    """Tell whether a tracked property changed between two reads; unselected ones do not count."""
    tracked = {CREATED, DELETED, *(options.select or APPLICATION_FIELDS)}
    return any(
        name in tracked and now.sees(change) and not since.sees(change)
        for name, change in record.changes
    )


def _row(
    call: GraphCall, state: DeltaState, record: ApplicationRecord, now: ReadPoint
) -> dict[str, Any] | None:
    view = record.view(now.sees, call.now)
    if view is None:
        return None
    if view.properties.deleted is not None:
        return _removed(record.id, "changed") if state.since is not None else None
    shown = render_application(view)
    select = state.options.select
    if select is not None:
        shown = {"id": view.id, **pick(shown, select)}
    # concepts/delta-query-users: a property that was never set is left out.
    set_once = {name for name, _ in record.changes}
    return {name: value for name, value in shown.items() if value is not None or name in set_once}


def _purged(call: GraphCall, state: DeltaState, now: ReadPoint) -> Iterator[_Row]:
    since, wanted = state.known(), state.options.ids
    if since is None:
        return
    for gone in call.world.directory.purged:
        mine = gone.tenant_id == call.caller.tenant_id and (wanted is None or gone.id in wanted)
        if gone.ordinal <= (state.after or 0) or not mine:
            continue
        if now.sees(gone.change) and not since.sees(gone.change):
            yield gone.ordinal, _removed(gone.id, "deleted")


def _removed(object_id: str, reason: str) -> dict[str, Any]:
    """Return the row of a removed application: `changed` if it can be restored, else `deleted`."""
    return {"id": object_id, "@removed": {"reason": reason}}


def _page(call: GraphCall, state: DeltaState, rows: list[dict[str, Any]]) -> GraphAnswer:
    name = "@odata.deltaLink" if state.after is None else "@odata.nextLink"
    context = call.context(f"applications{context_suffix(state.options.select)}")
    body = {"@odata.context": context, name: link(call, state), "value": rows}
    return GraphAnswer(status=200, body=body)


def _select(query: Mapping[str, str]) -> tuple[str, ...] | None:
    return selected(query, APPLICATION_FIELDS, "application")


def _ids(text: str) -> tuple[str, ...]:
    """Return the object ids of a filter: Graph takes no other one here.

    Raises:
        GraphError: 400 for another filter (recorded for `users/delta`), or for too many ids.
    """
    matches = [_ONE_ID.fullmatch(part) for part in re.split(r" +or +", text.strip())]
    ids = tuple(match[1].lower() for match in matches if match is not None)
    if len(ids) < len(matches):
        raise unsupported_query("Unsupported Query.")
    if len(ids) > _MOST_IDS:
        raise unsupported_query(f"Too many object ids in the filter. Max allowed: {_MOST_IDS}.")
    return ids


def _refuse(query: Mapping[str, str], names: frozenset[str]) -> None:
    if name := next((one for one in query if one in names), None):
        raise bad_request(f"Query option '{name}' is not allowed beside a token.", "BadRequest")


def _folded(name: str) -> str:
    """Return the name of an option; Microsoft spells those of tokens in two ways."""
    return name.lower() if name.lower() in {_DELTA, _SKIP} else name


ROUTES: tuple[Route, ...] = (
    route("application.delta", "GET", r"applications/!delta(?:\(\))?", delta_applications),
)
