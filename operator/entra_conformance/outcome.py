"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How what was seen compares with what was expected."""

    AGREES = "agrees"
    DIFFERS = "differs"
    FAILED = "failed"
    SKIPPED = "skipped"


class CannotCheckError(Exception):
    """A check could not come to what it checks; the text says why."""


class NotApplicableError(Exception):
    """A check needs something that this run was not given; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a check saw.

    Attributes:
        text: compared with what the check expects.
        note: a measurement, which is shown and not compared.
    """

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A check after it was run; no text holds a value."""

    number: str
    title: str
    expected: str
    seen: str
    verdict: Verdict
    note: str = ""
    seconds: float = 0.0
