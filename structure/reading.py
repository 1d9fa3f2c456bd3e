"""Reads the Python files of the tree once, as text and as syntax."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
OPERATOR: Final = ROOT / "operator"


@dataclass(frozen=True, slots=True)
class Module:
    """One file: its path from the root, its dotted name, its text and its syntax tree."""

    path: str
    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Lines of the file, blank ones included."""
        return len(self.text.splitlines())


Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(folder: Path, source_root: Path = ROOT) -> list[Module]:
    """Return the Python files below a folder, by path."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(source_root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text()
        found.append(Module(str(path.relative_to(ROOT)), name, text, ast.parse(text)))
    return found


def functions(module: Module) -> list[Function]:
    """Return all functions and methods of a file."""
    return [node for node in ast.walk(module.tree) if isinstance(node, Function)]


def code_lines(module: Module, function: Function) -> int:
    """Return the lines of a function without its docstring, comments and blank lines."""
    end = function.end_lineno or function.lineno
    lines = set(range(function.lineno, end + 1))
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    text = module.text.splitlines()
    return sum(bool(text[n - 1].strip()) and text[n - 1].lstrip()[0] != "#" for n in lines)
