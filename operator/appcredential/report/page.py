"""The whole page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appcredential.domain.attention import attention, in_order
from appcredential.report.markup import Markup, fill, joined, moment, stamp
from appcredential.report.rows import Row
from appcredential.report.sections import states, stuck, times
from appcredential.report.style import POLICY, SCRIPT, STYLE
from appcredential.report.summary import Judged
from appcredential.report.tables import by_kind, everything, others
from appcredential.report.timeline import is_renewed

_SECTIONS: Final = (
    ("stuck", "What needs a person"),
    ("times", "What ends when"),
    ("kinds", "Whose they are"),
    ("others", "Foreign and expired credentials"),
    ("all", "All credentials"),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What the rows are, for the reader of the page.

    Attributes:
        scope: of which namespaces they are, in words.
        is_whole: whether they are those of the whole cluster.
        team_label: the key of the label that names teams; empty for none.
        told: a sentence about who made the page, and from what.
        read: when what it shows was read whole, if that is not now.
    """

    scope: str
    is_whole: bool
    team_label: str
    told: str
    read: datetime | None = None


def render(rows: Iterable[Row], origin: Origin, now: datetime) -> str:
    """Return the page: one document that needs nothing else.

    Its size has a bound, however many rows there are: it counts all, and says what it leaves out.

    Args:
        rows: in any order.
        origin: what they are.
        now: the present time.
    """
    found = [Judged(row, attention(row.situation, now)) for row in in_order(rows, now)]
    plain_rows = [judged.row for judged in found]
    contents = (
        stuck(found, now),
        times(found, now),
        by_kind(found, origin.team_label, now),
        others(plain_rows, is_whole=origin.is_whole),
        everything(found, now),
    )
    sections = (
        fill(
            '<section id="{id}" aria-labelledby="{id}-title"><h2 id="{id}-title">{title}</h2>'
            "{content}</section>",
            id=name,
            title=title,
            content=content,
        )
        for (name, title), content in zip(_SECTIONS, contents, strict=True)
    )
    links = (
        fill('<li><a href="#{id}">{title}</a></li>', id=name, title=title)
        for name, title in _SECTIONS
    )
    return fill(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        "<title>AppCredentials of {scope}</title><style>{style}</style></head><body>"
        '<a class="skip" href="#stuck">Skip to what needs a person</a>'
        '<header><h1>AppCredentials of {scope}</h1><p class="soft">As of {now}. {told}{read}</p>'
        '<p class="verdict">{verdict}</p>'
        '<nav aria-label="Sections"><ul>{links}</ul></nav></header>'
        "<main>{states}{sections}</main>"
        "<footer><p>All times are UTC. The page shows what status says, and no value of any "
        "credential.</p></footer><script>{script}</script></body></html>\n",
        policy=POLICY,
        scope=origin.scope,
        style=Markup(STYLE),
        now=stamp(now),
        told=origin.told,
        read=_read(origin, now),
        verdict=_verdict(found, now),
        links=joined(links),
        states=states(found),
        sections=joined(sections),
        script=Markup(SCRIPT),
    )


def _read(origin: Origin, now: datetime) -> Markup:
    if origin.read is None:
        return Markup("")
    return fill(
        " All of them were last listed at {time}; changes since then come by watches.",
        time=moment(origin.read, now),
    )


def _verdict(found: Sequence[Judged], now: datetime) -> Markup:
    """Return the page in a sentence or two."""
    if not found:
        return Markup("There are no AppCredentials.")
    needing = sum(judged.needs_a_person for judged in found)
    if needing:
        told = fill(
            '<span class="bad"><b>{needing} of {all} need a person.</b></span>',
            needing=needing,
            all=len(found),
        )
    else:
        told = fill("<b>None of {all} needs a person.</b>", all=len(found))
    ahead = [
        (expires, judged.row)
        for judged in found
        if (expires := judged.row.situation.expires) is not None
        and expires > now
        and not is_renewed(judged.row.situation)
    ]
    if not ahead:
        return told
    expires, row = min(ahead, key=lambda entry: entry[0])
    return fill(
        "{told} The next credential to end without a successor is {namespace}/{name}: {ends}.",
        told=told,
        namespace=row.namespace,
        name=row.name,
        ends=moment(expires, now),
    )
