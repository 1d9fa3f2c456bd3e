"""When the operator's own credential ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from appcredential.cli.doctor.findings import Finding, Gravity, fine
from appcredential.cli.text import when
from appcredential.domain.rotation import is_late

_SOON: Final = timedelta(days=14)


def ending(
    about: str, end: datetime, now: datetime, remedy: str, renewal: datetime | None = None
) -> Finding:
    """Return what the end of a credential means.

    Args:
        about: the credential, in a few words.
        end: aware.
        now: aware.
        remedy: how to replace it.
        renewal: when the operator replaces it, aware; None where nothing says that it will.
    """
    if end <= now:
        return Finding(Gravity.BROKEN, about, f"It ended {when(end, now)}.", remedy)
    text = f"It ends {when(end, now)}."
    if renewal is not None and renewal < end:
        if is_late(renewal, end, now):
            text = f"{text} Its renewal was due {when(renewal, now)}."
            return Finding(Gravity.RISK, about, text, remedy)
        begins = "was due" if renewal <= now else "is due"
        return fine(about, f"{text} Its renewal {begins} {when(renewal, now)}.")
    if end - now < _SOON:
        return Finding(Gravity.RISK, about, text, remedy)
    return fine(about, text)
