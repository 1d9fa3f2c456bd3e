"""When each property of one application last changed, which delta queries ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields

from entra_emulator.directory.entities import ApplicationProperties
from entra_emulator.directory.replication import Change

CREATED, DELETED = "id", "deletedDateTime"
"""The properties whose changes are the creation, and the deletion or restoration."""
# Graph: delta queries tell nothing of navigation properties (concepts/delta-query-overview).
_NAVIGATION = frozenset({"owners"})


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    change: Change


class ChangeLog:
    """Names the properties that each change touched, as Graph spells them.

    It keeps what a reader may not have seen, and the last change of each property: a delta query
    can be older than the lag of all replicas.
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def add(self, names: Collection[str], change: Change) -> None:
        """Record a change of these properties."""
        if not names:
            return
        self._entries += [_Entry(name, change) for name in names]
        settled = [one for one in self._entries if one.change.settled_at() <= change.at]
        self._entries = [
            one for one in self._entries if not any(_covers(later, one) for later in settled)
        ]

    def __iter__(self) -> Iterator[tuple[str, Change]]:
        """Return the kept changes with the names of their properties."""
        return iter([(one.name, one.change) for one in self._entries])


def changed_names(old: ApplicationProperties, new: ApplicationProperties) -> frozenset[str]:
    """Return the names in Graph of the properties that differ, but for navigation properties."""
    names = {one.name for one in fields(old) if getattr(old, one.name) != getattr(new, one.name)}
    stored = {
        name
        for name in old.stored.keys() | new.stored.keys()
        if old.stored.get(name) != new.stored.get(name)
    }
    plain = {_graph_name(name) for name in names - _NAVIGATION - {"stored"}}
    return frozenset(plain | stored)


def _covers(later: _Entry, earlier: _Entry) -> bool:
    """Tell whether whoever missed the earlier change has missed the later one too.

    Every replica showed the earlier one before the later one was made.
    """
    return (
        later.name == earlier.name
        and later.change.sequence > earlier.change.sequence
        and earlier.change.settled_at() <= later.change.at
    )


def _graph_name(field: str) -> str:
    if field == "deleted":
        return DELETED
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)
