"""D: deleted applications."""

from __future__ import annotations

from typing import Final

from entra_conformance.bench import Bench, Made
from entra_conformance.check import Check
from entra_conformance.outcome import CannotCheckError

_GONE: Final = "404 Request_ResourceNotFound"


async def _told(bench: Bench, path: str, wanted: str) -> str:
    """Return what all replicas answer in the end, or what one still answers."""
    seen = ""

    async def settled() -> bool:
        nonlocal seen
        seen = (await bench.client.graph("GET", path)).told()
        return seen == wanted

    try:
        await bench.measure(settled, wanted)
    except CannotCheckError:
        return seen
    return wanted


def _deleted(made: Made) -> str:
    return f"v1.0/directory/deletedItems/{made.id}"


async def _delete(bench: Bench) -> str:
    made = await bench.application("deleted")
    answer = await bench.client.graph("DELETE", made.path)
    bench.client.existing.discard(made.id)
    return f"{answer.told()}, then {await _told(bench, made.path, _GONE)}"


async def _kept(bench: Bench) -> str:
    made = await bench.application("deleted")
    return await _told(bench, _deleted(made), "200")


async def _change(bench: Bench) -> str:
    made = await bench.application("deleted")
    return (await bench.client.graph("PATCH", made.path, {"notes": "x"})).told()


async def _again(bench: Bench) -> str:
    made = await bench.application("deleted")
    return (await bench.client.graph("DELETE", made.path)).told()


async def _restore(bench: Bench) -> str:
    made = await bench.application("deleted")
    answer = await bench.client.graph("POST", f"{_deleted(made)}/restore")
    return f"{answer.told()}, then {await _told(bench, made.path, '200')}"


async def _purge(bench: Bench) -> str:
    made = await bench.application("deleted")
    await bench.client.graph("DELETE", made.path)
    await _told(bench, _deleted(made), "200")
    answer = await bench.client.graph("DELETE", _deleted(made))
    if answer.status == 204:
        bench.forget(made)
    return f"{answer.told()}, then {await _told(bench, _deleted(made), _GONE)}"


CHECKS: tuple[Check, ...] = (
    Check("D1", "delete", f"204, then {_GONE}", _delete),
    Check("D2", "it is kept among the deleted items", "200", _kept),
    Check("D3", "change a deleted one", _GONE, _change),
    Check("D4", "delete it again", _GONE, _again),
    Check("D5", "restore", "200, then 200", _restore),
    Check("D6", "purge", f"204, then {_GONE}", _purge),
)
