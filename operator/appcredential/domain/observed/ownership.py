"""Whether the operator owns the application of one resource, as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Ownership:
    """What was seen of it.

    Attributes:
        is_enough: the operator is an owner, or needs to be none; False when it is no owner, and
            None when that is not known.
        principal: the object id of the operator's service principal; empty when not known.
    """

    is_enough: bool | None = None
    principal: str = ""


NOT_LOOKED: Final = Ownership()
"""Nobody looked yet: what status says of it stays."""
