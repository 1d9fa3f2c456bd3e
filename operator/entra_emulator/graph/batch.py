"""`$batch` on values: which requests a batch may contain, and in which stages they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from entra_emulator.errors.graph import GraphError, bad_request
from entra_emulator.graph.call import GraphAnswer, GraphCall, Route, route

OPERATION = "batch"
_LARGEST = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_FIELDS = frozenset({"id", "method", "url", "headers", "body", "dependsOn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of a batch; header names are in lower case."""

    id: str
    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    depends_on: tuple[str, ...]


def read_batch(body: Mapping[str, Any]) -> list[Step]:
    """Return the requests of a batch.

    Raises:
        GraphError: 400 for the whole batch, before any of its requests is done.
    """
    rows = body.get("requests")
    if not isinstance(rows, list) or not rows or set(body) != {"requests"}:
        raise _bad("Invalid batch payload format.")
    if len(rows) > _LARGEST:
        raise _bad(f"Number of batch request steps exceeds the maximum value of {_LARGEST}.")
    steps = [_step(row) for row in rows]
    ids = [step.id.lower() for step in steps]
    if len(set(ids)) != len(ids):
        raise _bad("Request Id cannot be duplicated in a batch.")
    _check_dependencies(steps)
    return steps


def stages(steps: Sequence[Step]) -> list[list[Step]]:
    """Return the requests in groups; those of a group depend only on earlier groups."""
    serial = _is_serial(steps)
    if serial:
        return [[step] for step in steps]
    first = [step for step in steps if not step.depends_on]
    then = [step for step in steps if step.depends_on]
    return [group for group in (first, then) if group]


def failed_dependency() -> GraphError:
    """Return the error for a request that depends on a failed one."""
    return GraphError(
        424, "FailedDependency", "The request failed because a request it depends on has failed."
    )


def _step(row: Any) -> Step:
    if not isinstance(row, Mapping) or not set(row) <= _FIELDS:
        raise _bad("Invalid batch payload format.")
    name, url, method = row.get("id"), row.get("url"), row.get("method")
    if not (isinstance(name, str) and name and isinstance(url, str) and isinstance(method, str)):
        raise _bad("Invalid batch payload format: id, method and url are required texts.")
    if method not in _METHODS or "://" in url.partition("?")[0]:
        raise _bad(f"Request id : {name} has an invalid method or a url that is not relative.")
    path, _, query = url.partition("?")
    headers = _headers(row.get("headers"))
    return Step(
        id=name,
        method=method,
        path=unquote(path).strip("/"),
        query=parse_qsl(query, keep_blank_values=True),
        headers=headers,
        body=_body(name, method, headers, row.get("body")),
        depends_on=_names(row.get("dependsOn")),
    )


def _headers(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
        raise _bad("Invalid batch payload format: headers are an object of texts.")
    return {name.lower(): text for name, text in value.items()}


def _body(name: str, method: str, headers: Mapping[str, str], value: Any) -> Mapping[str, Any]:
    if method not in _WITH_BODY and value is None:
        return {}
    if "content-type" not in headers or value is None:
        raise _bad(f"Write request id : {name} does not contain Content-Type header or body.")
    if not isinstance(value, Mapping):
        raise _bad(f"Request id : {name} has a body that is no JSON object.")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _bad("Invalid batch payload format: dependsOn is a list of ids.")
    return tuple(one.lower() for one in value)


def _check_dependencies(steps: Sequence[Step]) -> None:
    """Allow no dependency, a strict series, or one request that all others depend on."""
    wanted = {step.depends_on for step in steps if step.depends_on}
    free = {step.id.lower() for step in steps if not step.depends_on}
    same = len(wanted) <= 1 and all(len(names) == 1 and names[0] in free for names in wanted)
    if not same and not _is_serial(steps):
        raise _bad("The dependencies of the batch are neither serial nor on one same request.")


def _is_serial(steps: Sequence[Step]) -> bool:
    names = [step.id.lower() for step in steps]
    expected = [(), *((name,) for name in names[:-1])]
    return [step.depends_on for step in steps] == expected


def _refuse_nested(_: GraphCall) -> GraphAnswer:
    raise _bad("A batch cannot be part of a batch.")


def _bad(message: str) -> GraphError:
    return bad_request(message, "BadRequest")


# `batch_endpoint.py` does a batch; only a batch inside a batch arrives at this handler.
ROUTES: tuple[Route, ...] = (route(OPERATION, "POST", r"\$batch", _refuse_nested),)
