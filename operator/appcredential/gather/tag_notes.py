"""What this process holds of the tags of one resource's application."""

from __future__ import annotations

from dataclasses import dataclass

from appcredential.domain.observed.asker import Consent


@dataclass(slots=True)
class TagNotes:
    """What was seen of the tags, and whether they are waited for.

    Attributes:
        consent: as last seen, by a list or a direct read; None before.
        is_awaited: nothing but a tag keeps the resource from being granted.
        may_be_read: the application may be read for them, and was not yet.
    """

    consent: Consent | None = None
    is_awaited: bool = False
    may_be_read: bool = False
