"""A workload that signs in all the time: with what is published, and with what it once loaded."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Final, Self

from tests.process.signing import SignIns
from tests.process.workloads import OVERLAP, Workload, value_of

_EVERY: Final = 0.3
_OVERLAP: Final = OVERLAP - 1  # times in annotations have whole seconds


class Watcher:
    """Signs in in a thread, until it is left, and keeps what was refused.

    The value that was loaded at the beginning must work until the overlap after the
    publish of a successor is over, and the published one always. `clashes` holds what
    must not be, without any value.
    """

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._loaded = workload.value()
        self._last_seen = time.time()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {workload.name}")
        self.tries = 0
        self.clashes: list[str] = []

    def _run(self) -> None:
        try:
            with self._workload.sign_ins() as sign_ins:
                while not self._stop.wait(_EVERY):
                    self._look(sign_ins)
        except Exception as error:  # noqa: BLE001 - a watcher that ended has seen nothing
            self.clashes.append(f"the watcher ended: {type(error).__name__}: {error}")

    def _look(self, sign_ins: SignIns) -> None:
        read = time.time()
        target = self._workload.target()
        if not target:
            self.clashes.append("there is no Secret")
            return
        published = value_of(target)
        if published == self._loaded:
            self._last_seen = read
        else:
            self._try(sign_ins, "loaded", self._loaded, self._last_seen + _OVERLAP)
        self._try(sign_ins, "published", published, read + _OVERLAP)

    def _try(self, sign_ins: SignIns, which: str, value: str, until: float) -> None:
        """Sign in with a value that must work until a moment; later answers say nothing."""
        if time.time() >= until:
            return
        refusal = sign_ins.refusal(value)
        self.tries += 1
        if refusal and time.time() < until:
            self.clashes.append(f"the {which} value was refused: {refusal}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
