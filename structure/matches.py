"""`match` statements, and the places that branch on the credential type."""

from __future__ import annotations

import ast

from structure.reading import Module


def open_matches(module: Module) -> list[int]:
    """Return the lines of `match` statements whose last case is not closed by `assert_never`.

    A `match` with a catch-all that does something lets a new member of the set through in
    silence; with `assert_never`, mypy names every place that must know of it.
    """
    found = (node for node in ast.walk(module.tree) if isinstance(node, ast.Match))
    return [node.lineno for node in found if not _is_closed(node)]


def count(module: Module) -> int:
    """Return how many `match` statements a file has."""
    return sum(isinstance(node, ast.Match) for node in ast.walk(module.tree))


def _is_closed(node: ast.Match) -> bool:
    last = node.cases[-1]
    is_catch_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
    call = last.body[0]
    return (
        is_catch_all
        and isinstance(call, ast.Expr)
        and isinstance(call.value, ast.Call)
        and isinstance(call.value.func, ast.Name)
        and call.value.func.id == "assert_never"
    )


def branches_on(module: Module, enum: str) -> int:
    """Return how often a file compares with, matches on, or keys a dict by a member of an enum."""
    return sum(_branches(node, enum) for node in ast.walk(module.tree))


def _branches(node: ast.AST, enum: str) -> bool:
    if isinstance(node, ast.Compare):
        return any(_names(part, enum) for part in (node.left, *node.comparators))
    if isinstance(node, ast.MatchValue):
        return _names(node.value, enum)
    if isinstance(node, ast.Dict):
        return any(key is not None and _names(key, enum) for key in node.keys)
    return False


def _names(node: ast.AST, enum: str) -> bool:
    return any(
        isinstance(inner, ast.Attribute)
        and isinstance(inner.value, ast.Name)
        and inner.value.id == enum
        for inner in ast.walk(node)
    )
