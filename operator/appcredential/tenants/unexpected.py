"""What is done about an error that nobody expected from a tenant's session."""

from __future__ import annotations

import logging
import traceback

from appcredential.domain.conditions import Problem
from appcredential.domain.status.problems_tenant import session_failed

log = logging.getLogger(__name__)


def told(name: str, error: Exception) -> Problem:
    """Log where an error came from, and return the Problem for the tenant.

    The log has no text of the error: libraries may quote the operator's own credential there.
    """
    frames = "".join(traceback.format_tb(error.__traceback__))
    cause = {"tenant": name, "error": type(error).__name__, "trace": frames}
    log.error("the tenant's session failed", extra=cause)
    return session_failed(error)
