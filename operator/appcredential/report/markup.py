"""HTML in which every value is escaped: only templates written here are markup."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Final, LiteralString

from appcredential.domain.shown_text import plain, when
from appcredential.domain.times import format_time


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


NOTHING: Final = Markup("")


def fill(template: LiteralString, **values: str | float) -> Markup:
    """Return a template with its values, of which all but `Markup` are escaped.

    Args:
        template: HTML with `{name}` for each value; a value in an attribute stands in quotes.
        values: by name.
    """
    return Markup(template.format(**{name: _safe(value) for name, value in values.items()}))


def joined(parts: Iterable[Markup]) -> Markup:
    """Return pieces of HTML one after the other."""
    return Markup("".join(parts))


def moment(time: datetime | None, now: datetime) -> Markup:
    """Return a time in UTC, and how far away it is."""
    if time is None:
        return Markup('<span class="none">–</span>')
    return fill(
        '<time datetime="{exact}">{day} {clock}</time> <small>{away}</small>',
        exact=format_time(time),
        day=time.date().isoformat(),
        clock=f"{time:%H:%M}",
        away=when(time, now),
    )


def stamp(time: datetime) -> Markup:
    """Return a time in UTC alone."""
    return fill(
        '<time datetime="{exact}">{day} {clock} UTC</time>',
        exact=format_time(time),
        day=time.date().isoformat(),
        clock=f"{time:%H:%M}",
    )


def _safe(value: str | float) -> str:
    if isinstance(value, Markup):
        return value
    return escape(plain(value), quote=True) if isinstance(value, str) else str(value)
