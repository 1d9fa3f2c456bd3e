"""The entries of an application's `keyCredentials`, and the types that a change of them uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias

from appcredential.domain.observed.entra import CERTIFICATE_LAG
from appcredential.domain.spec.model import KeyId, ObjectId
from appcredential.ports.entra import NewCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """One entry as Graph shows it.

    Attributes:
        echo: its members exactly as in the answer, without `key`. Sent back, they keep the
            entry; a time with another number of digits would change it.
        content: base64 of the certificate, if the read asked for it.
    """

    key_id: KeyId
    echo: Mapping[str, Any]
    content: str | None = None


class Loss(StrEnum):
    """The findings of a confirmation; the values are labels of a metric."""

    RESTORED = "restored"
    """Our list lacked a foreign key that somebody had just added; it was put back."""
    NOT_RESTORED = "not_restored"
    """Our list lacked such a key, and it could not be put back."""
    REMOVED_BY_OTHERS = "removed_by_others"
    """A foreign key that our list held is gone: another writer removed it."""
    OURS_RESTORED = "ours_restored"
    """Another writer's list lacked the key that we had just added; it was added again."""


Report: TypeAlias = Callable[[ObjectId, KeyId, Loss], None]
"""Called with the application, the key and what became of it."""

Turn: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]
"""Holds an application's turn to be written."""


class KeyStore(Protocol):
    """The two requests that change the list."""

    async def read(self, object_id: ObjectId, *, with_content: bool) -> tuple[ListedKey, ...]:
        """Read the list directly.

        Args:
            object_id: the application.
            with_content: also ask for the certificates' bytes, which takes from a small quota
                of the whole tenant.
        """
        ...

    async def replace(
        self, object_id: ObjectId, entries: list[dict[str, Any]], *, deadline: float
    ) -> None:
        """Replace the whole list, unless `deadline` (monotonic) passes before it is sent.

        Raises:
            TooLateError: nothing was sent.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Times in seconds. `reads` is how often a change reads before it gives up."""

    between_reads: float = 2.0
    reads: int = 4
    remembered: float = CERTIFICATE_LAG.total_seconds()
    confirmed: tuple[float, ...] = (
        0,
        0.5,
        1,
        1.5,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        12,
        14,
        16,
        18,
        20,
        30,
        60,
    )
    content_tries: int = 12
    restore_tries: int = 30
    between_restores: float = 10.0
    read_to_write: float = 8.0


TIMING: Final = Timing()


def _moment(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def new_entry(new: NewCertificate) -> dict[str, Any]:
    """Return a new entry for Graph. Its times are whole seconds, so that an echo never differs."""
    return {
        "keyId": new.key_id,
        "displayName": new.display_name,
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "startDateTime": _moment(new.start),
        "endDateTime": _moment(new.end),
        "key": new.content,
    }
