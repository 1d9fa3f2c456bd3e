"""The part of OData's `$filter` that the directory's callers use.

`name eq 'value'`, `startswith(name,'value')`, `name in ('a','b')`, joined with
`and` or `or` (not both). Everything else is refused and never ignored, and so is more than 15
alternatives: the directory counts the values of an `in` as clauses joined with `or`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from entra_emulator.errors.graph import GraphError, bad_request

Test = Callable[[Mapping[str, Any]], bool]

_VALUE = r"'((?:[^']|'')*)'"
_EQUALS = re.compile(rf"(\w+) +eq +(?:{_VALUE}|(true|false|null))")
_STARTS = re.compile(rf"startswith\( *(\w+) *, *{_VALUE} *\)", re.IGNORECASE)
_IN = re.compile(rf"(\w+) +in +\(( *{_VALUE}(?: *, *{_VALUE})* *)\)")
_CONSTANTS = {"true": True, "false": False, "null": None}
# Splits at `and` and `or` outside of quotes.
_TOKEN = re.compile(r"'(?:[^']|'')*'|\s+(and|or)\s+")
_MOST_ALTERNATIVES = 15


def parse_filter(text: str, known: Collection[str]) -> Test:
    """Return the predicate of a filter.

    Raises:
        GraphError: 400 for another property or another form.
    """
    terms, joints = _split(text.strip())
    if len(set(joints)) > 1:
        raise _unsupported()
    if "or" in joints:
        _check_alternatives(len(terms))
    tests = [_term(term, known) for term in terms]
    combine = any if "or" in joints else all
    return lambda row: combine(test(row) for test in tests)


def wanted_values(text: str, name: str) -> tuple[str, ...] | None:
    """Return the values if the filter is just an `eq` or `in` of that name.

    An index can serve those.
    """
    if (match := _EQUALS.fullmatch(text.strip())) and match[1] == name and match[2] is not None:
        return (_unquoted(match[2]),)
    if (match := _IN.fullmatch(text.strip())) and match[1] == name:
        return _values(match[2])
    return None


def _split(text: str) -> tuple[list[str], list[str]]:
    terms: list[str] = []
    joints: list[str] = []
    start = 0
    for found in _TOKEN.finditer(text):
        if found[1]:
            terms.append(text[start : found.start()])
            joints.append(found[1])
            start = found.end()
    return [*terms, text[start:]], joints


def _term(text: str, known: Collection[str]) -> Test:
    if match := _EQUALS.fullmatch(text):
        value = _CONSTANTS[match[3]] if match[3] else _unquoted(match[2])
        return _equal(_known(match[1], known), {_folded(value)})
    if match := _STARTS.fullmatch(text):
        return _starting(_known(match[1], known), _unquoted(match[2]).lower())
    if match := _IN.fullmatch(text):
        values = _values(match[2])
        _check_alternatives(len(values))
        return _equal(_known(match[1], known), {_folded(value) for value in values})
    raise _unsupported()


def _values(listed: str) -> tuple[str, ...]:
    return tuple(_unquoted(value) for value in re.findall(_VALUE, listed))


def _check_alternatives(count: int) -> None:
    if count > _MOST_ALTERNATIVES:
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            "Too many child clauses specified in search filter expression containing 'OR'"
            f" operators: {count}. Max allowed: {_MOST_ALTERNATIVES}.",
        )


def _equal(name: str, values: set[Any]) -> Test:
    return lambda row: _folded(row.get(name)) in values


def _starting(name: str, prefix: str) -> Test:
    return lambda row: str(row.get(name) or "").lower().startswith(prefix)


def _known(name: str, known: Collection[str]) -> str:
    if name not in known:
        raise bad_request(f"Unsupported or invalid query filter clause for property '{name}'.")
    return name


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


def _folded(value: Any) -> Any:
    """Return a value for comparison: Graph ignores case in filters."""
    return value.lower() if isinstance(value, str) else value


def _unsupported() -> Exception:
    return bad_request("Unsupported or invalid query filter clause.")
