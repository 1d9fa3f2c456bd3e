"""The sections of the page that show what needs a person, and the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from appcredential.domain.attention import Attention, headline
from appcredential.domain.shown_text import when
from appcredential.domain.times import format_time
from appcredential.report.advice import commands, why
from appcredential.report.drawing import COLOURS, counts, dot, lanes
from appcredential.report.markup import NOTHING, Markup, fill, joined, moment
from appcredential.report.summary import Judged
from appcredential.report.timeline import Span, Timeline, timeline

MOST_STUCK: Final = 100
MOST_LANES: Final = 24
_NAMES: Final = {
    Attention.BROKEN: "no valid credential",
    Attention.STALLED: "stalled; what is published works",
    Attention.EXPIRING: "no successor, although it is time",
    Attention.WORKING: "work under way, or not looked at yet",
    Attention.PAUSED: "suspended, or only observed",
    Attention.FINE: "fine",
}


def states(found: Sequence[Judged]) -> Markup:
    """Return how many resources are in each state."""
    numbers = {kind: sum(j.attention is kind for j in found) for kind in Attention}
    cards = (
        fill(
            '<div class="{css}"><dt>{name}</dt><dd>{number}</dd></div>',
            css=COLOURS[kind] if numbers[kind] else "zero",
            name=name,
            number=numbers[kind],
        )
        for kind, name in _NAMES.items()
    )
    return fill('<dl class="states">{cards}</dl>', cards=joined(cards))


def stuck(found: Sequence[Judged], now: datetime) -> Markup:
    """Return what needs a person: why, and what to type.

    Args:
        found: in the order of attention.
        now: the present time.
    """
    needing = [judged for judged in found if judged.needs_a_person]
    if not needing:
        return Markup("<p>Nothing needs a person.</p>")
    shown = needing[:MOST_STUCK]
    left_out = NOTHING
    if len(needing) > len(shown):
        left_out = fill(
            "<p>{number} more need a person. They are less urgent than these.</p>",
            number=len(needing) - len(shown),
        )
    items = joined(_stuck(judged, now) for judged in shown)
    return fill('<ul class="stuck">{items}</ul>{left_out}', items=items, left_out=left_out)


def _stuck(judged: Judged, now: datetime) -> Markup:
    row = judged.row
    waits = fill("<p>Waits for {waits}.</p>", waits=row.waits_for) if row.waits_for else NOTHING
    return fill(
        '<li class="{css}"><div><h3>{namespace}/{name} <span class="t-{css}">{reason}</span></h3>'
        "<p>{why}</p>{waits}<p>{ends}</p></div><pre><code>{commands}</code></pre></li>",
        css=COLOURS[judged.attention],
        namespace=row.namespace,
        name=row.name,
        reason=headline(row.situation, now),
        why=why(row, now),
        waits=waits,
        ends=_ends(judged, now),
        commands=joined(_line(text) for text in commands(row, now)),
    )


def _line(text: str) -> Markup:
    return fill("{text}\n", text=text)


def _ends(judged: Judged, now: datetime) -> Markup:
    expires = judged.row.situation.expires
    if expires is None and judged.row.is_federated:
        return Markup('<span class="soft">FederatedIdentity: nothing of it ends.</span>')
    if expires is None:
        return Markup('<span class="soft">Nothing is published.</span>')
    word = "ended" if expires <= now else "ends"
    return fill(
        '<span class="soft">{type}, {word} {ends}</span>',
        type=judged.row.type or "credential",
        word=word,
        ends=moment(expires, now),
    )


def times(found: Sequence[Judged], now: datetime) -> Markup:
    """Return the timeline: counted, and of the credentials that end next."""
    made = timeline([judged.row for judged in found], now)
    with_end = [judged for judged in found if judged.row.situation.expires is not None]
    if not with_end:
        return Markup("<p>No credential with an end is published.</p>")
    with_end.sort(key=lambda judged: judged.row.situation.expires or now)
    return joined((_counted(made, now), _one_by_one(with_end, now)))


def _counted(made: Timeline, now: datetime) -> Markup:
    without = sum(span.ending for span in made.every() if span is not made.past)
    return fill(
        '<figure><figcaption id="spans">Ends and renewals by {unit}: {over} ended already, '
        "{without} will end without a successor</figcaption>"
        '<div class="wide" tabindex="0" role="group" aria-labelledby="spans">{drawn}</div>{key}'
        "<details><summary>The same as a table</summary>{table}</details></figure>",
        unit=made.unit,
        over=made.past.ending,
        without=without,
        drawn=counts(made),
        key=_key(
            ("calm", "ends; a successor is due before"),
            ("bad", "ends, or has ended, and no successor is due"),
            ("work", "a successor is due (below the line)"),
        ),
        table=_table(made, now),
    )


def _table(made: Timeline, now: datetime) -> Markup:
    rows = [_counts_row("before", made.past)]
    rows += [_counts_row(_from(span, now), span) for span in made.spans if _is_used(span)]
    rows.append(_counts_row("after that", made.later))
    return fill(
        "<table><caption>What ends and what is renewed, by {unit}; without those in which "
        'nothing happens</caption><thead><tr><th scope="col">from</th>'
        '<th scope="col" class="n">end, a successor is due before</th>'
        '<th scope="col" class="n">end without one</th>'
        '<th scope="col" class="n">successors due</th></tr></thead>'
        "<tbody>{rows}</tbody></table>",
        unit=made.unit,
        rows=joined(rows),
    )


def _is_used(span: Span) -> bool:
    return bool(span.renewed or span.ending or span.renewals)


def _from(span: Span, now: datetime) -> str:
    return "" if span.begin is None else f"{format_time(span.begin)} ({when(span.begin, now)})"


def _counts_row(name: str, span: Span) -> Markup:
    return fill(
        '<tr><th scope="row">{name}</th><td class="n">{renewed}</td><td class="n">{ending}</td>'
        '<td class="n">{renewals}</td></tr>',
        name=name,
        renewed=span.renewed,
        ending=span.ending,
        renewals=span.renewals,
    )


def _one_by_one(with_end: Sequence[Judged], now: datetime) -> Markup:
    shown = with_end[:MOST_LANES]
    of = fill(" of {number}", number=len(with_end)) if len(with_end) > len(shown) else NOTHING
    return fill(
        '<figure><figcaption id="lanes">The credentials that end first: {number}{of}</figcaption>'
        '<div class="wide" tabindex="0" role="group" aria-labelledby="lanes">{drawn}</div>{key}'
        "<details><summary>The same as a table</summary>{table}</details></figure>",
        number=len(shown),
        of=of,
        drawn=lanes(shown, now),
        key=_key(
            ("good", "left of its life; at the tick, a successor is due"),
            ("warn", "no successor, although it is time"),
            ("bad", "stalled, or over"),
            ("calm", "suspended"),
            ("work", "work under way"),
        ),
        table=_lanes_table(shown, now),
    )


def _lanes_table(shown: Sequence[Judged], now: datetime) -> Markup:
    rows = (
        fill(
            '<tr><th scope="row">{namespace}/{name}</th><td>{reason}</td><td>{ends}</td>'
            "<td>{due}</td></tr>",
            namespace=judged.row.namespace,
            name=judged.row.name,
            reason=headline(judged.row.situation, now),
            ends=moment(judged.row.situation.expires, now),
            due=moment(judged.row.situation.renewal, now),
        )
        for judged in shown
    )
    return fill(
        "<table><caption>The credentials that end first</caption><thead><tr>"
        '<th scope="col">name</th><th scope="col">state</th><th scope="col">ends</th>'
        '<th scope="col">renewal</th></tr></thead><tbody>{rows}</tbody></table>',
        rows=joined(rows),
    )


def _key(*entries: tuple[str, str]) -> Markup:
    items = (fill("<li>{dot}{text}</li>", dot=dot(css), text=text) for css, text in entries)
    return fill('<ul class="key" aria-label="Colours">{items}</ul>', items=joined(items))
