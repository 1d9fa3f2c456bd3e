"""Breaks a rule of the core on purpose, so that a test can show that a promise catches it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from appcredential.domain import lifecycle
from appcredential.domain.actions import Action
from appcredential.domain.facts.facts import Facts

Rule = Callable[[Facts], Action | None]


def with_rule(m: pytest.MonkeyPatch, name: str, broken: Rule) -> None:
    """Put a broken rule in the place of the one with that name."""
    rules: Iterable[Rule] = lifecycle.RULES
    assert name in {r.__name__ for r in rules}
    m.setattr(lifecycle, "RULES", tuple(broken if r.__name__ == name else r for r in rules))


def within(m: pytest.MonkeyPatch, package: str, name: str, to: Any) -> None:
    """Replace a function wherever modules of one package of `domain/` use it by that name."""
    home = f"appcredential.domain.{package}"
    users = [
        module
        for path, module in sorted(sys.modules.items())
        if path.startswith(f"{home}.") and hasattr(module, name)
    ]
    assert users, f"nothing in {home} knows {name}"
    for module in users:
        m.setattr(module, name, to)


def in_rules(m: pytest.MonkeyPatch, name: str, to: Any) -> None:
    """Replace a function wherever the rules behind the gates use it."""
    within(m, "rules", name, to)
