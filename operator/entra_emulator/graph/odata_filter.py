"""The part of OData's `$filter` that the directory's callers use.

`name eq 'value'`, `startswith(name,'value')`, `name in ('a','b')`, and for collections
`name/any(x:x eq 'value')`, joined with `and` or `or`, which parentheses group. Everything else is
refused and never ignored, and so is more than 15 alternatives: the directory counts the values of
an `in` as clauses joined with `or`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from entra_emulator.errors.graph import GraphError, bad_request, unsupported_query

Test = Callable[[Mapping[str, Any]], bool]

_VALUE = r"'((?:[^']|'')*)'"
_EQUALS = re.compile(rf"(\w+) +eq +(?:{_VALUE}|(true|false|null)\b)")
_STARTS = re.compile(rf"startswith\( *(\w+) *, *{_VALUE} *\)", re.IGNORECASE)
_IN = re.compile(rf"(\w+) +in +\(( *{_VALUE}(?: *, *{_VALUE})* *)\)")
_ANY = re.compile(
    rf"(\w+)/any\( *(\w+) *: *(?:\2 +eq +{_VALUE}|startswith\( *\2 *, *{_VALUE} *\)) *\)",
    re.IGNORECASE,
)
_JOINT = re.compile(r" +(and|or) +")
_OPEN, _CLOSE = re.compile(r"\( *"), re.compile(r" *\)")
_NAME = re.compile(r"\w+")
# Words of a filter that are no properties, to find the property that a refusal names.
_FUNCTIONS = frozenset({"startswith", "endswith", "contains", "not"})
_CONSTANTS = {"true": True, "false": False, "null": None}
_MOST_ALTERNATIVES = 15
# A bound of the emulator's own, because each level of parentheses is a level of the call stack.
_DEEPEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Filterable:
    """The properties of a type, and which of them `$filter` can compare.

    Args:
        type_name: the type in Graph's metadata, such as `application`.
        fields: all properties.
        single: those with one value.
        collections: those with a list of texts, for `any`.
    """

    type_name: str
    fields: Collection[str]
    single: Collection[str]
    collections: Collection[str] = frozenset()


def parse_filter(text: str, known: Filterable) -> Test:
    """Return the predicate of a filter.

    Raises:
        GraphError: 400 for another property or another form.
    """
    return _Parser(text.strip(), known).whole()


def wanted_values(text: str, name: str) -> tuple[str, ...] | None:
    """Return the values if the filter is just an `eq` or `in` of that name.

    An index can serve those.
    """
    if (match := _EQUALS.fullmatch(text.strip())) and match[1] == name and match[2] is not None:
        return (_unquoted(match[2]),)
    if (match := _IN.fullmatch(text.strip())) and match[1] == name:
        return _values(match[2])
    return None


@dataclass(frozen=True, slots=True)
class _Clause:
    """A part of a filter, and the alternatives that it counts for as part of an `or`."""

    test: Test
    alternatives: int = 1


class _Parser:
    """Reads a filter from left to right."""

    def __init__(self, text: str, known: Filterable) -> None:
        self._text = text
        self._known = known
        self._at = 0
        self._depth = 0

    def whole(self) -> Test:
        """Return the predicate of the whole text."""
        clause = self._joined()
        if self._at != len(self._text):
            raise self._refusal()
        return clause.test

    def _joined(self) -> _Clause:
        """Read clauses up to the end or a closing parenthesis.

        A mixture of `and` and `or` needs parentheses.
        """
        start = self._at
        clauses, joints = [self._clause()], set()
        while joint := self._match(_JOINT):
            joints.add(joint[1])
            clauses.append(self._clause())
        if len(joints) > 1:
            self._at = start
            raise self._refusal()
        tests = [clause.test for clause in clauses]
        if "and" in joints:
            return _Clause(lambda row: all(test(row) for test in tests))
        alternatives = sum(clause.alternatives for clause in clauses)
        _check_alternatives(alternatives)
        return _Clause(lambda row: any(test(row) for test in tests), alternatives)

    def _clause(self) -> _Clause:
        if self._match(_OPEN):
            return self._grouped()
        if match := self._match(_STARTS):
            return _Clause(_starting(self._single(match[1]), _folded(_unquoted(match[2]))))
        if match := self._match(_ANY):
            return self._any(match)
        if match := self._match(_EQUALS):
            value = _CONSTANTS[match[3]] if match[3] else _unquoted(match[2])
            return _Clause(_equal(self._single(match[1]), {_folded(value)}))
        if match := self._match(_IN):
            values = {_folded(value) for value in _values(match[2])}
            return _Clause(_equal(self._single(match[1]), values), len(_values(match[2])))
        raise self._refusal()

    def _grouped(self) -> _Clause:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._refusal()
        inner = self._joined()
        if not self._match(_CLOSE):
            raise self._refusal()
        self._depth -= 1
        return inner

    def _any(self, match: re.Match[str]) -> _Clause:
        name, exact, prefix = match[1], match[3], match[4]
        if name not in self._known.collections:
            raise self._unsupported(name)
        if prefix is None:
            wanted = _folded(_unquoted(exact))
            return _Clause(lambda row: any(_folded(one) == wanted for one in row.get(name) or ()))
        start = _folded(_unquoted(prefix))
        return _Clause(
            lambda row: any(_folded(one).startswith(start) for one in row.get(name) or ())
        )

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if match := pattern.match(self._text, self._at):
            self._at = match.end()
        return match

    def _single(self, name: str) -> str:
        if name not in self._known.single:
            raise self._unsupported(name)
        return name

    def _refusal(self) -> GraphError:
        """Return the error for the clause at this place; it names the clause's property."""
        words = _NAME.findall(self._text, self._at)
        name = next((word for word in words if word.lower() not in _FUNCTIONS), "")
        return self._unsupported(name)

    def _unsupported(self, name: str) -> GraphError:
        known = self._known
        if name and name not in known.fields and name not in known.single:
            return bad_request(
                f"Invalid filter clause: Could not find a property named '{name}' on type"
                f" 'microsoft.graph.{known.type_name}'.",
                "BadRequest",
            )
        if not name:
            return bad_request("Invalid filter clause", "BadRequest")
        resource = known.type_name[:1].upper() + known.type_name[1:]
        return unsupported_query(
            "Unsupported or invalid query filter clause specified for property"
            f" '{name}' of resource '{resource}'."
        )


def _values(listed: str) -> tuple[str, ...]:
    return tuple(_unquoted(value) for value in re.findall(_VALUE, listed))


def _check_alternatives(count: int) -> None:
    if count > _MOST_ALTERNATIVES:
        raise unsupported_query(
            "Too many child clauses specified in search filter expression containing 'OR'"
            f" operators: {count}. Max allowed: {_MOST_ALTERNATIVES}."
        )


def _equal(name: str, values: set[Any]) -> Test:
    return lambda row: _folded(row.get(name)) in values


def _starting(name: str, prefix: str) -> Test:
    return lambda row: str(row.get(name) or "").lower().startswith(prefix)


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


def _folded(value: Any) -> Any:
    """Return a value for comparison: Graph ignores case in filters."""
    return value.lower() if isinstance(value, str) else value
