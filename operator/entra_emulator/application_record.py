"""One application with its history: what was changed when, and so what each replica shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from entra_emulator.entities import ApplicationProperties, ApplicationView, PasswordCredential
from entra_emulator.graph_time import Ticks
from entra_emulator.replication import Change, Sees, sees_all


class ApplicationRecord:
    """Keeps versions of the properties and every password with the changes that made it.

    Credentials are kept one by one and not as part of a version: a replica can
    know of a later credential and not yet of an earlier one.
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - Graph's name
        app_id: str,
        tenant_id: str,
        ordinal: int,
        created: Ticks,
        properties: ApplicationProperties,
        change: Change,
    ) -> None:
        self.id = id
        self.app_id = app_id
        self.tenant_id = tenant_id
        self.ordinal = ordinal
        self.created = created
        self._versions: list[tuple[Change, ApplicationProperties]] = [(change, properties)]
        self._passwords: list[PasswordCredential] = []
        self._settled_at = change.settled_at()
        self._truth: ApplicationView | None = None

    @property
    def properties(self) -> ApplicationProperties:
        """The authoritative properties."""
        return self._versions[-1][1]

    def truth(self) -> ApplicationView:
        """Return the authoritative state."""
        if self._truth is None:
            self._truth = self._build(self.properties, sees_all)
        return self._truth

    def view(self, sees: Sees, now: datetime) -> ApplicationView | None:
        """Return what a reader sees, or None while its replica does not know the application."""
        if now >= self._settled_at:
            return self.truth()
        known = [properties for change, properties in self._versions if sees(change)]
        return self._build(known[-1], sees) if known else None

    def update(self, properties: ApplicationProperties, change: Change) -> None:
        """Replace the properties."""
        self._committed(change)
        self._versions = [*self._unsettled_versions(change.at), (change, properties)]

    def add_password(self, password: PasswordCredential) -> None:
        """Add a credential."""
        self._committed(password.added)
        self._forget_removed(password.added.at)
        self._passwords.append(password)

    def remove_password(self, key_id: str, change: Change) -> bool:
        """Mark a credential as removed; return whether there was one."""
        for index, password in enumerate(self._passwords):
            if password.key_id == key_id and password.removed is None:
                self._committed(change)
                self._passwords[index] = replace(password, removed=change)
                return True
        return False

    def pending_passwords(self, sees: Sees) -> list[PasswordCredential]:
        """Return the credentials that exist but that a reader does not see yet."""
        return [one for one in self._passwords if one.removed is None and not sees(one.added)]

    def _build(self, properties: ApplicationProperties, sees: Sees) -> ApplicationView:
        return ApplicationView(
            id=self.id,
            app_id=self.app_id,
            tenant_id=self.tenant_id,
            ordinal=self.ordinal,
            created=self.created,
            properties=properties,
            passwords=tuple(one for one in self._passwords if _is_present(one, sees)),
        )

    def _committed(self, change: Change) -> None:
        self._settled_at = max(self._settled_at, change.settled_at())
        self._truth = None

    def _unsettled_versions(self, now: datetime) -> list[tuple[Change, ApplicationProperties]]:
        """Drop versions that no replica shows any more."""
        settled = [i for i, (change, _) in enumerate(self._versions) if change.settled_at() <= now]
        return self._versions[settled[-1] if settled else 0 :]

    def _forget_removed(self, now: datetime) -> None:
        self._passwords = [
            one for one in self._passwords if one.removed is None or one.removed.settled_at() > now
        ]


def _is_present(password: PasswordCredential, sees: Sees) -> bool:
    if password.removed is not None and sees(password.removed):
        return False
    return sees(password.added)
