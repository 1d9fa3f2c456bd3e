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
_LINES: Final = 5
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


class RateLimit(logging.Filter):
    """Lets each message of a logger pass five times a minute.

    The next one that passes says in the key `suppressed` how many did not.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record passes."""
        # The messages of asyncio are whole; what differs among them begins on the second line.
        message = str(record.msg).partition("\n")[0]
        now = self._monotonic()
        if len(self._seen) >= _MESSAGES:
            self._seen.clear()
        since, count = self._seen.get(message, (now, 0))
        if now - since >= _WINDOW_SECONDS:
            record.suppressed = max(0, count - _LINES)
            since, count = now, 0
        self._seen[message] = (since, count + 1)
        return count < _LINES


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
    # It comes with the Graph SDK and warns about its own set-up, which is not used.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
