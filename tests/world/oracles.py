"""What must hold after each step, whatever happened. Each class is one promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tests.world.consumers import Consumers
from tests.world.observer import Observer
from tests.world.oracles_issue import Bounds, Needs, Publishing, Windows
from tests.world.oracles_removal import Removals, SignIns, Trusts
from tests.world.oracles_restart import Restarts
from tests.world.oracles_told import Leadership, Leaks, Ownership, Status

if TYPE_CHECKING:
    from tests.world.world import World

ORACLES: Final[dict[str, Callable[[World, Consumers], Observer]]] = {
    "Removals": Removals,
    "SignIns": SignIns,
    "Publishing": lambda w, _: Publishing(w),
    "Ownership": lambda w, _: Ownership(w),
    "Bounds": lambda w, _: Bounds(w),
    "Needs": lambda w, _: Needs(w),
    "Windows": lambda w, _: Windows(w),
    "Leaks": lambda w, _: Leaks(w),
    "Leadership": lambda w, _: Leadership(w),
    "Status": Status,
    "Trusts": lambda w, _: Trusts(w),
    "Restarts": Restarts,
}
