"""Says in the log once that something fails for now, and once that it works again."""

from __future__ import annotations

import logging

from appcredential.ports.local import Clock

log = logging.getLogger(__name__)


class Outage:
    """One line for a whole outage, however many requests fail in it. For one event loop.

    Args:
        begins: what the log says then.
        ends: the same.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        begins: str = "API server unreachable",
        ends: str = "API server reachable again",
    ) -> None:
        self._clock = clock
        self._begins, self._ends = begins, ends
        self._since: float | None = None
        self._failed = 0

    def note_failure(self, error: Exception) -> None:
        """Note a request that got no answer.

        Args:
            error: why; only its type is told, since its text may name what a proxy sent.
        """
        self._failed += 1
        if self._since is None:
            self._since = self._clock.monotonic()
            log.warning(self._begins, extra={"kind": type(error).__name__})

    def note_answer(self) -> None:
        """Note a request that got an answer, also one that refuses."""
        if self._since is None:
            return
        lasted = self._clock.monotonic() - self._since
        log.warning(
            self._ends,
            extra={"seconds": round(lasted, 1), "failed_requests": self._failed},
        )
        self._since, self._failed = None, 0
