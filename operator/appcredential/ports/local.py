"""What the operator needs from its own process, as Protocols.

The adapters are `runtime/clock.py` and `cache/informer.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from appcredential.domain.spec.model import ApplicationGrantSpec


class Clock(Protocol):
    """Time. `now` is aware UTC; `monotonic` is seconds for deadlines."""

    def now(self) -> datetime:
        """Return the wall-clock time."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        ...


class GrantSource(Protocol):
    """The ApplicationGrants: as watched, and by a live list before each mint."""

    def known(self) -> dict[str, ApplicationGrantSpec]:
        """Return the valid grants as last seen."""
        ...

    async def live(self) -> dict[str, ApplicationGrantSpec]:
        """Return the valid grants by a list made now."""
        ...
