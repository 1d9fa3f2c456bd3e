"""Logging: one JSON object per line on standard output, and the level of each logger."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OURS: Final = "appcredential"


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


def configure(level: str) -> None:
    """Log to standard output. Libraries log nothing below WARNING, even when we log DEBUG.

    Their DEBUG output holds headers and bodies, and with them secrets. So the level is set for
    our own loggers only, and any other library stays quiet, too.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    libraries = max(logging.WARNING, logging.getLevelNamesMapping()[level])
    logging.basicConfig(level=libraries, handlers=[handler], force=True)
    logging.getLogger(_OURS).setLevel(level)
    # It comes with the Graph SDK and warns about its own set-up, which is not used.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
