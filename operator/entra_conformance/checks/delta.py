"""Q: delta queries of applications; those that only read first."""

from __future__ import annotations

from typing import Any, Final

from entra_conformance.bench import Bench, Made
from entra_conformance.check import Check
from entra_conformance.client import Answer
from entra_conformance.outcome import CannotCheckError, Seen

_DELTA: Final = "v1.0/applications/delta"
_MOST_PAGES: Final = 200


async def _latest(bench: Bench) -> str:
    answer = await bench.client.graph("GET", f"{_DELTA}?$deltatoken=latest")
    link = "a deltaLink" if "@odata.deltaLink" in (answer.body or {}) else "no deltaLink"
    return f"{answer.status}, {len(answer.member('value'))} rows, {link}"


async def _no_token(bench: Bench) -> str:
    """Seen by several clients of `users/delta` and `applications/delta`."""
    path = f"{_DELTA}?$deltatoken=no_such_token"
    return (await bench.client.graph("GET", path)).told(text=True)


async def _other_filter(bench: Bench) -> str:
    path = f"{_DELTA}?$filter=appId eq '{bench.target.client_id}'"
    return (await bench.client.graph("GET", path)).told()


async def _first_round(bench: Bench) -> str:
    made = await bench.application("delta")

    async def look() -> str:
        rows, _ = await _round(bench, _start(made))
        names = {name for row in rows if row["id"] == made.id for name in row}
        return f"{' '.join(sorted(name for name in names if '@' not in name))}"

    return await bench.eventually(look, "displayName id")


async def _change(bench: Bench) -> Seen:
    made = await bench.application("delta")
    name = f"{made.name}0"
    _, link = await _round(bench, _start(made))
    await bench.client.graph("PATCH", made.path, {"displayName": name})
    told: set[str] = set()

    async def is_told() -> bool:
        nonlocal link
        rows, link = await _round(bench, link)
        told.update(str(row.get("displayName")) for row in rows if row["id"] == made.id)
        return name in told

    seconds = await bench.measure(is_told, "a delta query tells of a change")
    return Seen(text="told in time", note=f"after {seconds:.1f} s")


async def _deletion(bench: Bench) -> Seen:
    made = await bench.application("delta")
    _, link = await _round(bench, _start(made))
    answer = await bench.client.graph("DELETE", made.path)
    bench.client.existing.discard(made.id)
    if answer.status != 204:
        raise CannotCheckError(answer.told(text=True))
    reasons: list[str] = []

    async def is_told() -> bool:
        nonlocal link
        rows, link = await _round(bench, link)
        reasons.extend(str(row["@removed"]["reason"]) for row in rows if "@removed" in row)
        return bool(reasons)

    seconds = await bench.measure(is_told, "a delta query tells of a deletion")
    return Seen(text=reasons[0], note=f"after {seconds:.1f} s")


def _start(made: Made) -> str:
    return f"{_DELTA}?$filter=id eq '{made.id}'&$select=displayName"


async def _round(bench: Bench, start: str) -> tuple[list[dict[str, Any]], str]:
    """Follow all pages of a round; return its rows and the path of the next round."""
    rows: list[dict[str, Any]] = []
    path = start
    for _ in range(_MOST_PAGES):
        answer = await bench.client.graph("GET", path)
        rows += answer.member("value")
        if "@odata.deltaLink" in (answer.body or {}):
            return rows, _path(bench, answer, "@odata.deltaLink")
        path = _path(bench, answer, "@odata.nextLink")
    raise CannotCheckError(f"a round of more than {_MOST_PAGES} pages")


def _path(bench: Bench, answer: Answer, name: str) -> str:
    """Return a link below Graph's root: the access token goes to no other host."""
    link, root = str(answer.member(name)), f"{bench.target.graph}/"
    if not link.startswith(root):
        raise CannotCheckError(f"{name} leads to another host")
    return link.removeprefix(root)


CHECKS: tuple[Check, ...] = (
    Check("Q1", "$deltatoken=latest", "200, 0 rows, a deltaLink", _latest, writes=False),
    Check(
        "Q2",
        "a token that is none",
        "400 BadRequest: Badly formed token.",
        _no_token,
        writes=False,
    ),
    Check("Q3", "$filter by appId", "400 Request_UnsupportedQuery", _other_filter, writes=False),
    Check("Q4", "$filter by id, and $select", "displayName id", _first_round),
    Check("Q5", "a changed property", "told in time", _change),
    Check("Q6", "a deleted application: reason", "changed", _deletion),
)
