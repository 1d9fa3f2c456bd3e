"""Logging: one JSON object a line on standard output, and which loggers may speak."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIET: Final = {
    # Each says something at INFO for every request or event.
    "kopf": logging.WARNING,
    "azure": logging.WARNING,
    "msal": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "h2": logging.WARNING,
    "hpack": logging.WARNING,
    "kubernetes": logging.WARNING,
    "aiohttp": logging.WARNING,
    "urllib3": logging.WARNING,
    "asyncio": logging.WARNING,
    "opentelemetry": logging.ERROR,
}


class JsonFormatter(logging.Formatter):
    """Renders a record with its extra keys as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **{k: v for k, v in vars(record).items() if k not in _STANDARD},
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str) -> None:
    """Log to standard output; libraries stay at WARNING even when we are at DEBUG.

    Their DEBUG output holds headers and bodies, and with them secrets.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
