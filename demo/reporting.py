"""What the demonstration shows: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console


class Reporter(Protocol):
    """Where the story is told."""

    def chapter(self, title: str) -> None:
        """Begin a part."""
        ...

    def say(self, line: str) -> None:
        """Tell one fact."""
        ...

    def seen(self, step: str) -> None:
        """Tick a step off."""
        ...

    def waiting(self, what: str) -> None:
        """Show what is being waited for; replaced by the next call."""
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
        """See `Reporter`: only a change is a line here."""
        if what != self._waiting:
            self._waiting = what
            self._line(f".. {what}")

    def _line(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:6.1f}s {text}", flush=True)


class LiveReporter:
    """Colours, and one line at the bottom that lives."""

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
        """Keep the living line while the story runs."""
        with self._status:
            yield


@contextmanager
def reporter() -> Iterator[Reporter]:
    """Yield the reporter that fits where the output goes."""
    if not sys.stdout.isatty():
        yield PlainReporter()
        return
    live = LiveReporter(Console())
    with live.live():
        yield live
