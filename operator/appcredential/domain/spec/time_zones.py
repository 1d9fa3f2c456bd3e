"""The time zones of the IANA database, as the package `tzdata` has them.

They are data that is installed with the code: a name means the same on every replica, whatever the
image or the node has of its own (docs/decisions/0017).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

_PACKAGE: Final = "tzdata"


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all zones, links included."""
    return frozenset(files(_PACKAGE).joinpath("zones").read_text(encoding="ascii").split())


@cache
def time_zone(name: str) -> ZoneInfo:
    """Return a zone, read once in the life of the process.

    Args:
        name: one of `zone_names`, so that nobody names another file, and what is kept is bounded.
    """
    with files(_PACKAGE).joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
