"""The person's terminal: colours, width, what it can show, progress, and a pipe that is closed."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style as RichStyle
from rich.text import Text

from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.text import plain

LOOKS: Final = {
    Style.PLAIN: RichStyle(),
    Style.HEAD: RichStyle(bold=True),
    Style.GOOD: RichStyle(color="green"),
    Style.WARN: RichStyle(color="yellow"),
    Style.BAD: RichStyle(color="red", bold=True),
    Style.DIM: RichStyle(dim=True),
}

Show = Callable[[str], None]
"""Replaces the line that tells of the progress."""


class Terminal:
    """Where the tool writes: results to stdout; warnings, questions and progress to stderr."""

    def __init__(self) -> None:
        self._out, self._err = sys.stdout, sys.stderr
        for stream in (self._out, self._err):
            if isinstance(stream, io.TextIOWrapper):
                # What an encoding cannot show becomes "?" rather than an exception.
                stream.reconfigure(errors="replace")
        console = Console(file=self._out)
        self._has_colour = console.color_system is not None and not console.no_color
        self.width: int | None = console.width if self._out.isatty() else None
        self.unicode = _is_unicode(self._out)

    def lines(self, lines: Iterable[Line]) -> None:
        """Write lines of styled parts."""
        for line in lines:
            self._out.write("".join(map(self._styled, line)).rstrip(" ") + "\n")

    def text(self, text: str) -> None:
        """Write text that is fit for a terminal already."""
        self._out.write(text + "\n")

    def note(self, text: str) -> None:
        """Write a line for the person to stderr."""
        self._err.write(plain(text) + "\n")

    @contextmanager
    def progress(self, text: str) -> Iterator[Show]:
        """Show what long work is doing, if somebody sees it."""
        if not (self._err.isatty() and _is_unicode(self._err)):
            yield _unshown
            return
        with Console(stderr=True).status(Text(text)) as status:
            yield lambda shown: status.update(Text(plain(shown)))

    def _styled(self, part: Part) -> str:
        if not self._has_colour:
            return part.text
        return LOOKS[part.style].render(part.text, color_system=ColorSystem.STANDARD)


def _unshown(_text: str) -> None:
    """Show nothing."""


def _is_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"
