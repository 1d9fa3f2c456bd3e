"""Logging: one JSON object per line on standard output, and the level of each logger."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OURS: Final = "appcredential"
_CLIENTS_CAUSE: Final = ("asyncio", "aiohttp.server")
"""Loggers in which whoever connects to us can cause lines."""
_RESOURCES_CAUSE: Final = ("effects.application", "effects.signin", "entra.translate")
"""Loggers in which each resource causes lines. An outage or a lost permission fails all at once."""
_KIND: Final = ("operation", "reason", "aadsts", "code", "outcome")
_TOLD_APART: Final = 3
_LONGEST: Final = 500
AUDIT: Final = "appcredential.audit"
"""The logger of changes of credentials."""
_LINES: Final = 5
_LINES_OF_A_FAILURE: Final = 30
_WINDOW_SECONDS: Final = 60.0
_MESSAGES: Final = 100


_SURROUNDINGS: Final[ContextVar[Mapping[str, str]]] = ContextVar("surroundings")


@contextmanager
def within(**keys: str) -> Iterator[None]:
    """Give these keys to every line that is logged inside, also far below.

    An adapter that logs what a server answered does not know for which resource it asked.
    """
    token = _SURROUNDINGS.set({**_SURROUNDINGS.get({}), **keys})
    try:
        yield
    finally:
        _SURROUNDINGS.reset(token)


class Surroundings(logging.Filter):
    """Adds the keys of `within` to each record that does not have them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add them; every record passes."""
        for key, value in _SURROUNDINGS.get({}).items():
            vars(record).setdefault(key, value)
        return True


class JsonFormatter(logging.Formatter):
    """Renders a record with its extra keys as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            **{k: v for k, v in vars(record).items() if k not in _STANDARD},
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def message_of(record: logging.LogRecord) -> str:
    """Return what counts as one message: its first line, without what is put into it."""
    # The messages of asyncio are whole; what differs among them begins on the second line.
    return str(record.msg).partition("\n")[0]


def failure_of(record: logging.LogRecord) -> str:
    """Return what counts as one kind of failed call, whatever the resource.

    That is the message, its operation, HTTP status and code. Text of a server counts for nothing.
    """
    arguments = record.args if isinstance(record.args, tuple) else ()
    keys = (vars(record).get(name, "") for name in _KIND)
    return "\n".join(map(str, (message_of(record), *arguments[:_TOLD_APART], *keys)))[:_LONGEST]


class RateLimit(logging.Filter):
    """Lets each message of a logger pass so many times a minute.

    The next one that passes says in the key `suppressed` how many did not.

    Args:
        monotonic: the time in seconds.
        kind: what counts as one message.
        lines: how many pass.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        kind: Callable[[logging.LogRecord], str] = message_of,
        lines: int = _LINES,
    ) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._kind = kind
        self._lines = lines
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record passes. Who asks for DEBUG wants all of it."""
        if record.levelno < logging.INFO:
            return True
        message = self._kind(record)
        now = self._monotonic()
        if len(self._seen) >= _MESSAGES:
            self._seen.clear()
        since, count = self._seen.get(message, (now, 0))
        if now - since >= _WINDOW_SECONDS:
            record.suppressed = max(0, count - self._lines)
            since, count = now, 0
        self._seen[message] = (since, count + 1)
        return count < self._lines


def configure(level: str) -> None:
    """Log to standard output. Libraries log nothing below WARNING, even when we log DEBUG.

    Their DEBUG output holds headers and bodies, and with them secrets. So the level is set for
    our own loggers only, and any other library stays quiet, too.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(Surroundings())
    libraries = max(logging.WARNING, logging.getLevelNamesMapping()[level])
    logging.basicConfig(level=libraries, handlers=[handler], force=True)
    logging.getLogger(_OURS).setLevel(level)
    for name in _CLIENTS_CAUSE:
        logger = logging.getLogger(name)
        logger.filters = [RateLimit()]
    for name in _RESOURCES_CAUSE:
        logger = logging.getLogger(f"{_OURS}.{name}")
        logger.filters = [RateLimit(kind=failure_of, lines=_LINES_OF_A_FAILURE)]
    # Who wants few lines still wants to know what was done to credentials.
    logging.getLogger(AUDIT).setLevel(logging.INFO)
    # It comes with the Graph SDK and warns about its own set-up, which is not used.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
