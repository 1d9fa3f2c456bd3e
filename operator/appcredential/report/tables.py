"""The tables of the page: credentials by what they have in common, applications, and all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from appcredential.domain.attention import headline
from appcredential.domain.shown_text import span
from appcredential.domain.times import format_time
from appcredential.report.drawing import COLOURS, bar, dot
from appcredential.report.markup import NOTHING, Markup, fill, joined, moment
from appcredential.report.rows import Row
from appcredential.report.summary import (
    AGES,
    ApplicationCount,
    Group,
    Judged,
    age,
    applications,
    groups,
)

MOST_GROUPS: Final = 12
MOST_APPLICATIONS: Final = 40
MOST_ROWS: Final = 1000
_LAST: Final = "~"
"""Comes after every time when rows are sorted."""


def by_kind(found: Sequence[Judged], team_label: str, now: datetime) -> Markup:
    """Return how many credentials each team, tenant, type and age has.

    Args:
        found: all.
        team_label: the key of the label that names teams; empty for none.
        now: the present time.
    """
    teams = f"team (label {team_label}, or else namespace)" if team_label else "namespace"
    kinds: tuple[tuple[str, Callable[[Row], str]], ...] = (
        (teams, lambda row: row.team),
        ("EntraTenant", lambda row: row.tenant),
        ("type", lambda row: row.type or "unknown"),
    )
    tables = [_grouped(name, groups(found, key)) for name, key in kinds]
    by_age = groups(found, lambda row: age(row, now))
    by_age.sort(key=lambda group: AGES.index(group.name))
    tables.append(_grouped("age of what is published", by_age))
    return fill('<div class="quarters">{tables}</div>', tables=joined(tables))


def _grouped(name: str, found: Sequence[Group]) -> Markup:
    shown, left = found[:MOST_GROUPS], found[MOST_GROUPS:]
    most = max((group.count for group in shown), default=1)
    rows = [_group(group, most) for group in shown]
    if left:
        rest = Group(
            f"{len(left)} others", sum(g.count for g in left), sum(g.needing for g in left)
        )
        rows.append(_group(rest, max(most, rest.count)))
    return fill(
        '<div class="wide" tabindex="0" role="group" aria-label="By {name}"><table>'
        '<caption>By {name}</caption><thead><tr><th scope="col">name</th>'
        '<th scope="col" class="n">all</th><th scope="col" class="n">need a person</th>'
        "<td></td></tr></thead><tbody>{rows}</tbody></table></div>",
        name=name,
        rows=joined(rows),
    )


def _group(group: Group, most: int) -> Markup:
    return fill(
        '<tr><th scope="row">{name}</th><td class="n">{count}</td><td class="n {css}">{needing}'
        "</td><td>{bar}</td></tr>",
        name=group.name,
        count=group.count,
        css="t-bad" if group.needing else "t-calm",
        needing=group.needing,
        bar=bar(group.count / most, "work", ""),
    )


def others(rows: Sequence[Row], *, is_whole: bool) -> Markup:
    """Return the applications that have foreign or expired credentials.

    Args:
        rows: all.
        is_whole: whether they are those of the whole cluster.
    """
    found = applications(rows)
    if not found:
        return Markup("<p>Status tells of no foreign and no expired credentials.</p>")
    shown = found[:MOST_APPLICATIONS]
    partly = (
        NOTHING
        if is_whole
        else Markup(" Those of AppCredentials that this page leaves out count as foreign.")
    )
    return fill(
        "<p>{foreign} foreign and {expired} expired credentials in {number} applications, as of "
        "the last write of each status. The operator never touches a foreign one.{partly}</p>"
        '<div class="wide" tabindex="0" role="group" aria-label="Foreign and expired credentials">'
        "<table><caption>Applications with foreign or expired credentials: {shown} of {number}"
        '</caption><thead><tr><th scope="col">application</th><th scope="col">EntraTenant</th>'
        '<th scope="col" class="n">ours</th><th scope="col" class="n">foreign</th>'
        '<th scope="col" class="n">expired</th></tr></thead><tbody>{rows}</tbody></table></div>',
        foreign=sum(count.foreign for count in found),
        expired=sum(count.expired for count in found),
        number=len(found),
        partly=partly,
        shown=len(shown),
        rows=joined(map(_application, shown)),
    )


def _application(count: ApplicationCount) -> Markup:
    return fill(
        '<tr><th scope="row">{name}</th><td>{tenant}</td><td class="n">{ours}</td>'
        '<td class="n">{foreign}</td><td class="n {css}">{expired}</td></tr>',
        name=count.name,
        tenant=count.tenant,
        ours=count.ours,
        foreign=count.foreign,
        css="t-warn" if count.expired else "t-calm",
        expired=count.expired,
    )


def everything(found: Sequence[Judged], now: datetime) -> Markup:
    """Return the table of all, or of those that need attention first.

    Args:
        found: in the order of attention.
        now: the present time.
    """
    shown = found[:MOST_ROWS]
    told = "what needs attention first, then what ends first"
    if len(shown) < len(found):
        told += (
            f"; {len(found) - len(shown)} that need the least attention are left out here, and "
            "counted above"
        )
    names = ("name", "state", "ends", "renewal", "type", "team", "EntraTenant", "application")
    heads = (fill('<th scope="col">{name}</th>', name=name) for name in (*names, "age"))
    return fill(
        '<p id="tools" hidden><label>Search <input type="search" autocomplete="off"></label> '
        '<output aria-live="polite"></output></p>'
        '<div class="wide" tabindex="0" role="group" aria-label="All credentials"><table>'
        "<caption>{shown} of {all} AppCredentials: {told}</caption>"
        "<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>",
        shown=len(shown),
        all=len(found),
        told=told,
        heads=joined(heads),
        rows=joined(_row(judged, now) for judged in shown),
    )


def _row(judged: Judged, now: datetime) -> Markup:
    row, situation = judged.row, judged.row.situation
    return fill(
        '<tr><th scope="row">{name}<small>{namespace}</small></th>'
        '<td class="state" data-key="{rank}">{dot}{reason}</td>'
        '<td data-key="{ends_key}">{ends}{life}</td><td data-key="{due_key}">{due}</td>'
        "<td>{type}</td><td>{team}</td><td>{tenant}</td><td>{application}</td>"
        '<td data-key="{born_key}">{born}</td></tr>',
        name=row.name,
        namespace=row.namespace,
        rank=f"{judged.attention.value}",
        dot=dot(COLOURS[judged.attention]),
        reason=headline(situation, now),
        ends_key=_key(situation.expires),
        ends=moment(situation.expires, now),
        life=_life(judged, now),
        due_key=_key(situation.renewal),
        due=moment(situation.renewal, now),
        type=row.type,
        team=row.team,
        tenant=row.tenant,
        application=row.application or row.client_id,
        born_key=_key(row.created),
        born=span(now - row.created) if row.created is not None else "",
    )


def _key(time: datetime | None) -> str:
    return _LAST if time is None else format_time(time)


def _life(judged: Judged, now: datetime) -> Markup:
    start, end = judged.row.start, judged.row.situation.expires
    if start is None or end is None or end <= start:
        return NOTHING
    left = min(1.0, max(0.0, (end - now) / (end - start)))
    return bar(left, COLOURS[judged.attention], "life")
