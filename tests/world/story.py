"""Tells a history as a story that a person can follow, with the command that plays it again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from tests.world.histories import Plan, play
from tests.world.observer import BrokenPromiseError

_SHORT = (
    (r"/apis/[a-z.]+/v\w+/", ""),
    (r"/api/v1/", ""),
    (r"namespaces/[\w-]+/", ""),
    (r"appcredential-pending-\w+", "(pending)"),
    (r"secrets/orders-entra", "secrets/orders-entra (target)"),
)


def tell(plan: Plan) -> str:
    """Play a history; return its story."""
    lines: list[str] = []
    try:
        play(plan, lines.append)
    except BrokenPromiseError as exc:
        end = f"=> BROKEN, {exc.oracle}: {exc.what}"
    else:
        end = "=> no promise was broken"
    told = "\n".join(_told(lines))
    return f"{told}\n{end}\nAgain: {command(plan)}"


def command(plan: Plan) -> str:
    """Return the command that plays a history again."""
    return f"python -m tests.world --replay '{plan}'"


def _told(lines: list[str]) -> Iterator[str]:
    """Yield the lines without what is read again and again while nothing happens."""
    for is_read, group in groupby(lines, _is_read):
        found = [_short(line) for line in group]
        if is_read and len(found) > 2:
            yield f"{found[0][:11]}    … {len(found)} reads"
        else:
            yield from found


def _is_read(line: str) -> bool:
    return ": GET " in line or line.endswith((": probe", ": read application", ": read federated"))


def _short(line: str) -> str:
    for pattern, text in _SHORT:
        line = re.sub(pattern, text, line)
    return line
