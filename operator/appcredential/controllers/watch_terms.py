"""How long a watch of metadata lasts, and when it begins anew after each way to end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from appcredential.errors import AppCredentialError, PermissionDeniedError, RejectedError
from appcredential.kube.outage import Outage

SOON_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 0.2
"""For a server that ends each connection at once."""
_CONNECTION: Final = timedelta(minutes=4)
"""Below the idle time-outs of load balancers."""
_RETRY_SECONDS: Final = 5.0
_FORBIDDEN_SECONDS: Final = 60.0


def connection_seconds(period: float) -> int:
    """Return how long one connection of a watch may last that is listed anew after `period`."""
    return int(min(_CONNECTION.total_seconds(), max(period, 1)))


async def term(
    watch: Callable[[], Awaitable[None]], refuse: Callable[[], None], outage: Outage
) -> float:
    """List and watch until that ends; return after how many seconds to begin anew.

    Args:
        watch: lists, and follows from there.
        refuse: tells that the right to do so is missing.
        outage: tells when such watches begin to fail.
    """
    try:
        await watch()
    except PermissionDeniedError:
        refuse()
        return _FORBIDDEN_SECONDS
    except RejectedError:  # such as 410: what it would go on from is too old
        return SOON_SECONDS
    except AppCredentialError as exc:
        outage.note_failure(exc)
        return _RETRY_SECONDS
    return 0.0
