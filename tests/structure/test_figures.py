"""What the figures count: long functions, circles, open matches, branches on a type."""

from __future__ import annotations

import ast

import pytest

from structure.__main__ import main
from structure.imports import circles
from structure.matches import branches_on, open_matches
from structure.reading import Module, code_lines, functions

LONG = '''
def f(a):
    """Docstrings do not count.

    Nor does this.
    """
    # nor do comments

    b = a
    return b
'''
CLOSED = """
match x:
    case A():
        pass
    case _:
        assert_never(x)
"""


def module(text: str) -> Module:
    return Module("sample.py", "sample", text, ast.parse(text))


def test_code_lines_are_those_of_code() -> None:
    sample = module(LONG)
    assert [code_lines(sample, f) for f in functions(sample)] == [3]


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, [["a", "b", "c"]]),
    ],
)
def test_a_circle_is_found(graph: dict[str, set[str]], found: list[list[str]]) -> None:
    assert circles(graph) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CLOSED, []),
        (CLOSED.replace("assert_never(x)", "pass"), [2]),
        (CLOSED.replace("case _", "case B()"), [2]),
    ],
)
def test_an_open_match_is_found(text: str, found: list[int]) -> None:
    assert open_matches(module(text)) == found


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("x is Kind.A", 1),
        ("x in {Kind.A, Kind.B}", 1),
        ("table = {Kind.A: 1}", 1),
        ("match x:\n  case Kind.A: pass", 1),
        ("make(type=Kind.A)", 0),
        ("x is Other.A", 0),
    ],
)
def test_a_branch_on_an_enum_is_counted(text: str, times: int) -> None:
    assert branches_on(module(text), "Kind") == times


def test_what_must_hold_is_printed_with_its_target(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    printed = capsys.readouterr().out
    for what in ("import circles", "lines of domain/lifecycle.py", "without assert_never"):
        assert what in printed
