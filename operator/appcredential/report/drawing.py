"""The pictures of the timeline, as SVG. Each has the same in words, or a table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.attention import Attention
from appcredential.domain.shown_text import when
from appcredential.report.markup import NOTHING, Markup, fill, joined
from appcredential.report.summary import Judged
from appcredential.report.timeline import Span, Timeline, is_renewed

_WIDTH: Final = 960
_UP, _DOWN, _LABELS = 84, 48, 22
_BASE: Final = _UP + 16
_GAP: Final = 5
_LANE: Final = 20
_NAMES, _ENDS = 250, 84
_LETTERS: Final = 38
_TICKS: Final = 6
_MARK: Final = 3
"""How wide the least of a bar is: also what is over has one."""
_LEAST: Final = timedelta(hours=1)

COLOURS: Final = {
    Attention.BROKEN: "bad",
    Attention.STALLED: "bad",
    Attention.EXPIRING: "warn",
    Attention.WORKING: "work",
    Attention.PAUSED: "calm",
    Attention.FINE: "good",
}
"""The name of the colour for each; what it says always stands beside it in words."""


def dot(colour: str) -> Markup:
    """Return a dot that repeats what stands beside it."""
    return fill(
        '<svg viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5"'
        ' class="f-{colour}"/></svg>',
        colour=colour,
    )


def bar(share: float, colour: str, css: str) -> Markup:
    """Return a bar of which a share is full."""
    return fill(
        '<svg class="{css}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8" rx="2"/>'
        '<rect class="f-{colour}" width="{width}" height="8" rx="2"/></svg>',
        css=css,
        colour=colour,
        width=round(100 * share, 1),
    )


def counts(made: Timeline) -> Markup:
    """Draw the spans: above the line what ends, below it the successors that are due."""
    spans = made.every()
    width = _WIDTH / len(spans)
    most = max(1, *(max(s.renewed + s.ending, s.renewals) for s in spans))
    columns = (_column(span, number * width, width, most) for number, span in enumerate(spans))
    labels = (
        _label(_when(span, number, made), (number + 0.5) * width)
        for number, span in enumerate(spans)
        if number in {0, len(spans) - 1} or (number % 5 == 1 and number < len(spans) - 2)
    )
    return fill(
        '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="spans">{columns}'
        '<line class="axis" x1="0" x2="{width}" y1="{base}" y2="{base}"/>'
        '<line class="now" x1="{now}" x2="{now}" y1="0" y2="{bottom}"/>{labels}</svg>',
        width=_WIDTH,
        height=_BASE + _DOWN + _LABELS + 14,
        base=_BASE,
        now=round(width, 1),
        bottom=_BASE + _DOWN + 14,
        columns=joined(columns),
        labels=joined(labels),
    )


def _column(span: Span, left: float, width: float, most: int) -> Markup:
    x, wide = round(left + _GAP, 1), round(width - 2 * _GAP, 1)
    renewed, ending = (_height(n, most, _UP) for n in (span.renewed, span.ending))
    due = _height(span.renewals, most, _DOWN)
    middle, ends = round(left + width / 2, 1), span.renewed + span.ending
    return joined(
        (
            _box(x, _BASE - renewed, wide, renewed, "calm"),
            _box(x, _BASE - renewed - ending, wide, ending, "bad"),
            _box(x, _BASE + 1, wide, due, "work"),
            _number(ends, middle, _BASE - renewed - ending - 4),
            _number(span.renewals, middle, _BASE + due + 11),
        )
    )


def _height(count: int, most: int, room: int) -> float:
    return round(max(2.0, room * count / most), 1) if count else 0.0


def _box(x: float, y: float, width: float, height: float, colour: str) -> Markup:
    if height <= 0 or width <= 0:
        return NOTHING
    return fill(
        '<rect x="{x}" y="{y}" width="{width}" height="{height}" class="f-{colour}"/>',
        x=round(x, 1),
        y=round(y, 1),
        width=round(width, 1),
        height=round(height, 1),
        colour=colour,
    )


def _number(count: int, x: float, y: float) -> Markup:
    if not count:
        return NOTHING
    return fill(
        '<text class="num" x="{x}" y="{y}" text-anchor="middle">{count}</text>',
        x=x,
        y=round(y, 1),
        count=count,
    )


def _when(span: Span, number: int, made: Timeline) -> str:
    if span.begin is None:
        return "over"
    if number > len(made.spans):
        return "later"
    return "now" if number == 1 else _day(span.begin, made.length)


def _day(time: datetime, length: timedelta) -> str:
    return f"{time:%H:%M}" if length < timedelta(days=1) else time.date().isoformat()


def _label(text: str, x: float) -> Markup:
    return fill(
        '<text x="{x}" y="{y}" text-anchor="middle">{text}</text>',
        x=round(x, 1),
        y=_BASE + _DOWN + _LABELS + 8,
        text=text,
    )


def lanes(found: Sequence[Judged], now: datetime) -> Markup:
    """Draw a line for each credential, from its start to its end.

    Args:
        found: of rows whose credential has an end.
        now: the present time.
    """
    ends = [judged.row.situation.expires or now for judged in found]
    ahead = max(_LEAST, max(ends, default=now) - now)
    axis = _Axis(now - ahead / 3, now + ahead)
    bottom = 16 + _LANE * len(found)
    drawn = (_lane(judged, 16 + _LANE * number, axis, now) for number, judged in enumerate(found))
    return fill(
        '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="lanes">{ticks}{drawn}'
        '<line class="now" x1="{x}" x2="{x}" y1="12" y2="{bottom}"/>'
        '<text x="{x}" y="9" text-anchor="middle">now</text></svg>',
        width=_WIDTH,
        height=bottom + 18,
        ticks=joined(_ticks(axis, now, ahead, bottom)),
        drawn=joined(drawn),
        x=axis.at(now),
        bottom=bottom,
    )


class _Axis:
    """Where times are on a lane."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self._begin, self._length = begin, end - begin

    def at(self, time: datetime) -> float:
        share = min(1.0, max(0.0, (time - self._begin) / self._length))
        return round(_NAMES + share * (_WIDTH - _NAMES - _ENDS), 1)


def _ticks(axis: _Axis, now: datetime, ahead: timedelta, bottom: int) -> list[Markup]:
    times = [now + number * ahead / _TICKS for number in range(1, _TICKS + 1)]
    return [
        fill(
            '<line class="axis" x1="{x}" x2="{x}" y1="12" y2="{bottom}"/>'
            '<text x="{x}" y="{y}" text-anchor="middle">{text}</text>',
            x=axis.at(time),
            bottom=bottom,
            y=bottom + 13,
            text=_day(time, ahead / _TICKS),
        )
        for time in times
    ]


def _lane(judged: Judged, top: int, axis: _Axis, now: datetime) -> Markup:
    row, situation = judged.row, judged.row.situation
    end = situation.expires or now
    begin, over = axis.at(row.start or now), axis.at(end)
    left = max(axis.at(now), begin)
    # Of what is held, no successor is due when status says so.
    renewal = situation.renewal if is_renewed(situation) or judged.needs_a_person else None
    colour = f"f-{COLOURS[judged.attention]}"
    name = f"{row.namespace}/{row.name}"
    return fill(
        '<text class="name" x="0" y="{text}">{name}</text>{life}{left}{tick}'
        '<text x="{ends}" y="{text}">{away}</text>',
        text=top + 12,
        name=name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…",
        life=_rounded(begin, top + 5, max(2.0, over - begin), "track"),
        left=_rounded(min(left, over - _MARK), top + 5, max(_MARK, over - left), colour),
        tick=NOTHING if renewal is None else _tick(axis.at(renewal), top),
        ends=_WIDTH - _ENDS + 10,
        away=when(end, now),
    )


def _rounded(x: float, y: int, width: float, css: str) -> Markup:
    if width <= 0:
        return NOTHING
    return fill(
        '<rect x="{x}" y="{y}" width="{width}" height="8" rx="2" class="{css}"/>',
        x=x,
        y=y,
        width=round(width, 1),
        css=css,
    )


def _tick(x: float, top: int) -> Markup:
    return fill(
        '<line class="tick" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>',
        x=x,
        top=top + 3,
        bottom=top + 15,
    )
