"""Prints the figures; ends with 1 when one that must hold does not.

What must hold: no import circle, no function over 50 code lines, `domain/lifecycle.py` at
most 150 lines, every `match` closed by `assert_never`. The others are a report.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from typing import Final

from structure.imports import arrows, circles
from structure.matches import branches_on, count, open_matches
from structure.reading import OPERATOR, ROOT, Module, code_lines, functions, modules

LONG_FILE: Final = 250
LONG_FUNCTION: Final = 50
LONG_LIFECYCLE: Final = 150


@dataclass(frozen=True, slots=True)
class Figure:
    """One row.

    Attributes:
        what: is counted.
        value: found now.
        target: for people.
        broken: it must hold, and does not.
        where: the places that count, for people.
    """

    what: str
    value: str
    target: str = ""
    broken: bool = False
    where: tuple[str, ...] = ()


def figures() -> list[Figure]:
    """Measure everything."""
    operator = modules(OPERATOR, OPERATOR)
    ours = [module for module in operator if module.name.startswith("appcredential")]
    tests = modules(ROOT / "tests")
    return [
        Figure("modules in operator/", str(len(operator))),
        _long_files(operator),
        _long_functions(operator),
        _constructors(operator),
        _lifecycle(ours),
        _matches(operator),
        _circles(operator),
        _typed_files(ours),
        _dispatches(ours),
        *_doubles(tests),
    ]


def _long_files(found: list[Module]) -> Figure:
    long = sorted((m for m in found if m.lines > LONG_FILE), key=lambda m: -m.lines)
    where = tuple(f"{m.path}: {m.lines}" for m in long)
    return Figure(f"files over {LONG_FILE} lines", str(len(long)), "<= 6", where=where)


def _long_functions(found: list[Module]) -> Figure:
    sizes = [(code_lines(m, f), m, f) for m in found for f in functions(m)]
    long = [(size, m, f) for size, m, f in sizes if size > LONG_FUNCTION]
    where = tuple(f"{m.path}:{f.lineno} {f.name}: {size}" for size, m, f in long)
    return Figure(
        f"functions over {LONG_FUNCTION} code lines",
        f"{len(long)} (longest {max(size for size, *_ in sizes)})",
        "0",
        broken=bool(long),
        where=where,
    )


def _constructors(found: list[Module]) -> Figure:
    sizes = [
        (len(f.args.args) + len(f.args.kwonlyargs) - 1, m, f)
        for m in found
        for f in functions(m)
        if f.name == "__init__"
    ]
    most = max(size for size, *_ in sizes)
    where = tuple(f"{m.path}:{f.lineno}: {size}" for size, m, f in sizes if size > 8)
    return Figure("parameters of a constructor, at most", str(most), "<= 8", where=where)


def _lifecycle(found: list[Module]) -> Figure:
    (lifecycle,) = (m for m in found if m.name == "appcredential.domain.lifecycle")
    target = f"<= {LONG_LIFECYCLE}"
    is_long = lifecycle.lines > LONG_LIFECYCLE
    return Figure("lines of domain/lifecycle.py", str(lifecycle.lines), target, broken=is_long)


def _matches(found: list[Module]) -> Figure:
    where = tuple(f"{m.path}:{line}" for m in found for line in open_matches(m))
    total = sum(map(count, found))
    value = f"{len(where)} of {total}"
    return Figure("`match` without assert_never", value, "0", broken=bool(where), where=where)


def _circles(found: list[Module]) -> Figure:
    where = tuple(" <-> ".join(group) for group in circles(arrows(found)))
    return Figure("import circles", str(len(where)), "0", broken=bool(where), where=where)


def _typed_files(found: list[Module]) -> Figure:
    places = {m.path: branches_on(m, "CredentialType") for m in found}
    where = tuple(f"{path}: {n}" for path, n in places.items() if n)
    value = f"{len(where)} ({sum(places.values())} places)"
    return Figure("files that branch on the credential type", value, "<= 10", where=where)


def _dispatches(found: list[Module]) -> Figure:
    """Outside of domain/, `match` statements over the actions of `decide`."""
    where = tuple(
        f"{m.path}:{node.lineno}"
        for m in found
        if ".domain." not in m.name
        for node in ast.walk(m.tree)
        if isinstance(node, ast.Match) and _is_over_actions(node)
    )
    return Figure("places that dispatch an action", str(len(where)), "1", where=where)


def _is_over_actions(node: ast.Match) -> bool:
    classes = [n.cls for n in ast.walk(node) if isinstance(n, ast.MatchClass)]
    return any(
        isinstance(c, ast.Attribute) and isinstance(c.value, ast.Name) and c.value.id == "act"
        for c in classes
    )


def _doubles(tests: list[Module]) -> list[Figure]:
    found = [(m, c) for m in tests for c in ast.walk(m.tree) if isinstance(c, ast.ClassDef)]

    def row(what: str, wanted: set[str], base: str = "") -> Figure:
        where = tuple(
            f"{m.path}: {c.name}"
            for m, c in found
            if wanted <= _methods(c) and (not base or base in _bases(c))
        )
        return Figure(what, str(len(where)), "1", where=where)

    return [
        row("in-memory API servers in tests/", {"async request"}, "KubeClient"),
        row("hand clocks in tests/", {"now", "monotonic"}),
        row("fake directories in tests/", {"async add_password", "async remove_password"}),
    ]


def _methods(cls: ast.ClassDef) -> set[str]:
    plain = {f.name for f in cls.body if isinstance(f, ast.FunctionDef)}
    return plain | {f"async {f.name}" for f in cls.body if isinstance(f, ast.AsyncFunctionDef)}


def _bases(cls: ast.ClassDef) -> set[str]:
    return {base.id for base in cls.bases if isinstance(base, ast.Name)}


def main() -> int:
    """Print a table, and below it the places of what has a target."""
    rows = figures()
    width = max(len(row.what) for row in rows)
    for row in rows:
        mark = "  BROKEN" if row.broken else ""
        target = f"  (target {row.target})" if row.target else ""
        sys.stdout.write(f"{row.what:<{width}}  {row.value}{target}{mark}\n")
    for row in rows:
        for place in row.where:
            sys.stdout.write(f"  {row.what}: {place}\n")
    return int(any(row.broken for row in rows))


if __name__ == "__main__":
    sys.exit(main())
