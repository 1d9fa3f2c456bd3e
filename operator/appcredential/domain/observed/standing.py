"""The place of an AppCredential among those of its namespace and application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Standing:
    """What the others amount to, as last seen.

    Attributes:
        served: how many others the operator already serves.
        ahead: how many others wait to be served and are older.
    """

    served: int
    ahead: int


ALONE: Final = Standing(served=0, ahead=0)
