"""When the operator's own credential ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from appcredential.cli.doctor.findings import Finding, Gravity, fine
from appcredential.cli.text import when

_SOON: Final = timedelta(days=14)


def ending(about: str, end: datetime, now: datetime, remedy: str) -> Finding:
    """Return what the end of a credential means.

    Args:
        about: the credential, in a few words.
        end: aware.
        now: aware.
        remedy: how to replace it.
    """
    if end <= now:
        return Finding(Gravity.BROKEN, about, f"It ended {when(end, now)}.", remedy)
    if end - now < _SOON:
        return Finding(Gravity.RISK, about, f"It ends {when(end, now)}.", remedy)
    return fine(about, f"It ends {when(end, now)}.")
