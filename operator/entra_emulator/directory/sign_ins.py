"""When each client secret and certificate last signed in, which Graph's report shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from entra_emulator.directory.entities import (
    ApplicationView,
    KeyCredential,
    PasswordCredential,
)
from entra_emulator.values.instants import Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The last sign-in with one credential; `ordinal` is its place in the report."""

    ordinal: int
    tenant_id: str
    app_id: str
    object_id: str
    credential: PasswordCredential | KeyCredential
    time: Ticks


class SignIns:
    """The last sign-in with each credential."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], SignIn] = {}

    def note(
        self, view: ApplicationView, credential: PasswordCredential | KeyCredential, time: Ticks
    ) -> None:
        """Record that a credential of an application signed in."""
        place = (view.id, credential.key_id)
        known = self._last.get(place)
        self._last[place] = SignIn(
            ordinal=known.ordinal if known is not None else len(self._last) + 1,
            tenant_id=view.tenant_id,
            app_id=view.app_id,
            object_id=view.id,
            credential=credential,
            time=time,
        )

    def of(self, tenant_id: str) -> Iterable[SignIn]:
        """Return those of a tenant's applications."""
        return [one for one in self._last.values() if one.tenant_id == tenant_id]
