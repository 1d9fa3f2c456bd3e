"""When credentials end, and when successors are due: counted by spans of time, and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.attention import Situation
from appcredential.report.rows import Row

SPANS: Final = 26
"""So many spans of time are counted, besides what is over and what is later."""
_WITHIN: Final = 0.95
_DAY: Final = timedelta(days=1)
_UNITS: Final = (
    ("hour", timedelta(hours=1)),
    ("day", _DAY),
    ("week", 7 * _DAY),
    ("4 weeks", 28 * _DAY),
    ("13 weeks", 91 * _DAY),
)


@dataclass(slots=True)
class Span:
    """What happens within one span of time.

    Attributes:
        begin: of the span; None for what is over.
        renewed: how many credentials end for which a successor is due before.
        ending: how many end for which none is.
        renewals: how many successors are due.
    """

    begin: datetime | None
    renewed: int = 0
    ending: int = 0
    renewals: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """The spans one after the other: what is over first, what is later last.

    Attributes:
        unit: how long each is, in words.
        length: the same.
        past: what was due and is over.
        spans: from now on.
        later: all that comes after them.
    """

    unit: str
    length: timedelta
    past: Span
    spans: tuple[Span, ...]
    later: Span

    def every(self) -> tuple[Span, ...]:
        """Return all spans in order."""
        return (self.past, *self.spans, self.later)


def is_renewed(situation: Situation) -> bool:
    """Return whether a successor comes by itself before the published credential ends."""
    is_held = situation.is_suspended or situation.is_observed or situation.is_being_deleted
    return situation.renewal is not None and situation.stalled is None and not is_held


def timeline(rows: Sequence[Row], now: datetime) -> Timeline:
    """Count what happens when. The spans are as long as most of what is ahead needs."""
    situations = [row.situation for row in rows]
    ends = [s.expires for s in situations if s.expires is not None]
    unit, length = _unit([end - now for end in ends if end > now])
    made = Timeline(
        unit=unit,
        length=length,
        past=Span(None),
        spans=tuple(Span(now + number * length) for number in range(SPANS)),
        later=Span(now + SPANS * length),
    )
    for situation in situations:
        if situation.expires is not None:
            span = _span(made, situation.expires, now)
            if is_renewed(situation) and situation.expires > now:
                span.renewed += 1
            else:
                span.ending += 1
        if situation.renewal is not None and is_renewed(situation):
            _span(made, situation.renewal, now).renewals += 1
    return made


def _unit(ahead: list[timedelta]) -> tuple[str, timedelta]:
    for name, length in _UNITS:
        if sum(time < SPANS * length for time in ahead) >= _WITHIN * len(ahead):
            return name, length
    return _UNITS[-1]


def _span(made: Timeline, time: datetime, now: datetime) -> Span:
    if time <= now:
        return made.past
    number = (time - now) // made.length
    return made.spans[number] if number < SPANS else made.later
