"""A workload that signs in every second, and remembers each time that it could not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

_EVERY: Final = 1.0
_PATIENCE: Final = 30.0


class SigningIn:
    """Signs in in a thread for as long as it is entered.

    Args:
        sign_in: reads what a mounted Secret holds, and tells whether it signs in.

    Attributes:
        tries: how often it tried.
        failures: what went wrong, without any value.
    """

    def __init__(self, sign_in: Callable[[], bool]) -> None:
        self._sign_in = sign_in
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="workload", daemon=True)
        self.tries = 0
        self.failures: list[str] = []

    def _run(self) -> None:
        while not self._stop.wait(_EVERY):
            self.tries += 1
            try:
                if not self._sign_in():
                    self.failures.append("the sign-in was refused")
            except Exception as error:  # noqa: BLE001 - whatever it is, the workload is down
                self.failures.append(type(error).__name__)

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
        self._thread.join(_PATIENCE)
