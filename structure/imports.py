"""Import circles between the modules of a package."""

from __future__ import annotations

import ast

from structure.reading import Module


def arrows(found: list[Module]) -> dict[str, set[str]]:
    """Return which of the modules each module imports, also inside functions."""
    names = {module.name for module in found}
    graph: dict[str, set[str]] = {name: set() for name in names}
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names} & names
                whole = {node.module} & names if len(inner) < len(node.names) else set()
                graph[module.name] |= inner | whole
            elif isinstance(node, ast.Import):
                graph[module.name] |= {alias.name for alias in node.names} & names
    return {name: targets - {name} for name, targets in graph.items()}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or not."""
    reached = {name: _reachable(graph, name) for name in graph}
    found = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in graph
        if name in reached[name]
    }
    return [list(group) for group in sorted(found)]


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [*graph[start]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen
