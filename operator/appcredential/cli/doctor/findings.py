"""What a check says: something is wrong, was not checked, or is fine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Gravity(IntEnum):
    """How grave a finding is; the gravest is the lowest."""

    BROKEN = 0
    """Workloads have no valid credential, or the operator does nothing."""
    WRONG = 1
    """A person has to act; what is published still works."""
    RISK = 2
    """Nothing fails yet."""
    ADVICE = 3
    """Worth a look; it may be as somebody wants it."""
    UNCHECKED = 4
    """Nothing is known of it."""
    FINE = 5
    """It was checked, and is as it should be."""

    @property
    def is_wrong(self) -> bool:
        """Whether something is wrong."""
        return self <= Gravity.RISK

    @property
    def word(self) -> str:
        """The gravity as programs read it."""
        return _WORDS[self]


_WORDS: Final = {
    Gravity.BROKEN: "broken",
    Gravity.WRONG: "wrong",
    Gravity.RISK: "risk",
    Gravity.ADVICE: "advice",
    Gravity.UNCHECKED: "not checked",
    Gravity.FINE: "fine",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, fit for a terminal.

    Attributes:
        gravity: how grave it is.
        about: the object or the subject, in a few words.
        text: what was found.
        remedy: a command to type or a value to set; empty where there is nothing to do.
    """

    gravity: Gravity
    about: str
    text: str
    remedy: str = ""


def in_order(found: Iterable[Finding]) -> list[Finding]:
    """Return findings with the gravest first; those of one gravity stay as they are."""
    return sorted(found, key=lambda finding: finding.gravity)


def unchecked(about: str, why: str, remedy: str = "") -> Finding:
    """Return what says that something is not known."""
    return Finding(Gravity.UNCHECKED, about, f"not checked: {why}", remedy)


def fine(about: str, text: str) -> Finding:
    """Return what says that something is as it should be."""
    return Finding(Gravity.FINE, about, text)
