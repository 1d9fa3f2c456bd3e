"""The demo's output: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console


class Reporter(Protocol):
    """Where the story is shown."""

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        ...

    def say(self, line: str) -> None:
        """Print one fact."""
        ...

    def seen(self, step: str) -> None:
        """Tick a step off."""
        ...

    def waiting(self, what: str) -> None:
        """Show what the story waits for, until the next call."""
        ...


class PlainReporter:
    """Lines with seconds since the start, for logs and CI."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._waiting = ""

    def chapter(self, title: str) -> None:
        """See `Reporter`."""
        self._line(f"== {title}")

    def say(self, line: str) -> None:
        """See `Reporter`."""
        self._line(f"   {line}")

    def seen(self, step: str) -> None:
        """See `Reporter`."""
        self._line(f"ok {step}")

    def waiting(self, what: str) -> None:
        """See `Reporter`; prints a line only when it changes."""
        if what != self._waiting:
            self._waiting = what
            self._line(f".. {what}")

    def _line(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:6.1f}s {text}", flush=True)


class LiveReporter:
    """Colours, and a status line at the bottom."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")

    def chapter(self, title: str) -> None:
        """See `Reporter`."""
        self._console.rule(f"[bold]{title}", align="left")

    def say(self, line: str) -> None:
        """See `Reporter`."""
        self._console.print(f"  {line}", highlight=False, markup=False)

    def seen(self, step: str) -> None:
        """See `Reporter`."""
        self._console.print(f"[green]✓[/green] {step}", highlight=False)

    def waiting(self, what: str) -> None:
        """See `Reporter`."""
        self._status.update(what)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the status line while the story runs."""
        with self._status:
            yield


@contextmanager
def reporter() -> Iterator[Reporter]:
    """Yield a live reporter for a terminal, else a plain one."""
    if not sys.stdout.isatty():
        yield PlainReporter()
        return
    live = LiveReporter(Console())
    with live.live():
        yield live
