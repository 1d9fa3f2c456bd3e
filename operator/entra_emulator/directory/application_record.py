"""One application with its history of changes, and so with what each replica shows of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Generic, TypeVar

from entra_emulator.directory.change_log import CREATED, ChangeLog, changed_names
from entra_emulator.directory.entities import (
    ApplicationProperties,
    ApplicationView,
    FederatedCredential,
    KeyCredential,
    PasswordCredential,
)
from entra_emulator.directory.federated_history import FederatedHistory
from entra_emulator.directory.replication import Change, Sees, sees_all
from entra_emulator.values.instants import Ticks

C = TypeVar("C", PasswordCredential, KeyCredential)
_PASSWORDS, _KEYS = frozenset({"passwordCredentials"}), frozenset({"keyCredentials"})
_NAVIGATION: frozenset[str] = frozenset()
"""Federated credentials: no delta query tells of them."""


class ApplicationRecord:
    """Keeps the versions of the properties, and each credential with its changes.

    Credentials are not part of a version, because a replica can show a later credential before
    an earlier one.
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
        self._passwords = _Credentials[PasswordCredential]()
        self._keys = _Credentials[KeyCredential]()
        self._federated = FederatedHistory()
        self._settled_at = change.settled_at()
        self._truth: ApplicationView | None = None
        self.changes = ChangeLog()
        self.changes.add({CREATED}, change)

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
        """Return what a reader sees; None while its replica does not know the application."""
        if now >= self._settled_at:
            return self.truth()
        known = [properties for change, properties in self._versions if sees(change)]
        return self._build(known[-1], sees) if known else None

    def update(self, properties: ApplicationProperties, change: Change) -> None:
        """Replace the properties."""
        self._committed(change, changed_names(self.properties, properties))
        self._versions = [*self._unsettled_versions(change.at), (change, properties)]

    def add_password(self, password: PasswordCredential) -> None:
        """Add a credential."""
        self._committed(password.added, _PASSWORDS)
        self._passwords.add(password)

    def remove_password(self, key_id: str, change: Change) -> bool:
        """Mark a credential as removed; return whether there was one."""
        if not self._passwords.remove(key_id, change):
            return False
        self._committed(change, _PASSWORDS)
        return True

    def pending_passwords(self, sees: Sees) -> list[PasswordCredential]:
        """Return the existing secrets that a reader does not see yet."""
        return self._passwords.pending(sees)

    def add_key(self, key: KeyCredential) -> None:
        """Add a certificate."""
        self._committed(key.added, _KEYS)
        self._keys.add(key)

    def remove_key(self, key_id: str, change: Change) -> bool:
        """Mark a certificate as removed; return whether there was one."""
        if not self._keys.remove(key_id, change):
            return False
        self._committed(change, _KEYS)
        return True

    def put_federated(self, credential: FederatedCredential, change: Change) -> None:
        """Add a federated credential, or replace the one with the same id."""
        self._committed(change, _NAVIGATION)
        self._federated.put(credential, change)

    def remove_federated(self, credential_id: str, change: Change) -> bool:
        """Mark a federated credential as removed; return whether there was one."""
        if not self._federated.remove(credential_id, change):
            return False
        self._committed(change, _NAVIGATION)
        return True

    def _build(self, properties: ApplicationProperties, sees: Sees) -> ApplicationView:
        return ApplicationView(
            id=self.id,
            app_id=self.app_id,
            tenant_id=self.tenant_id,
            ordinal=self.ordinal,
            created=self.created,
            properties=properties,
            passwords=self._passwords.visible(sees),
            keys=self._keys.visible(sees),
            federated=self._federated.visible(sees),
        )

    def _committed(self, change: Change, names: frozenset[str]) -> None:
        self._settled_at = max(self._settled_at, change.settled_at())
        self._truth = None
        self.changes.add(names, change)

    def _unsettled_versions(self, now: datetime) -> list[tuple[Change, ApplicationProperties]]:
        """Return the versions that some replica may still show."""
        settled = [i for i, (change, _) in enumerate(self._versions) if change.settled_at() <= now]
        return self._versions[settled[-1] if settled else 0 :]


class _Credentials(Generic[C]):
    """Credentials of one kind, with the changes that added and removed each."""

    def __init__(self) -> None:
        self._all: list[C] = []

    def add(self, credential: C) -> None:
        """Add a credential; forget those whose removal every replica shows."""
        now = credential.added.at
        self._all = [
            one for one in self._all if one.removed is None or one.removed.settled_at() > now
        ]
        self._all.append(credential)

    def remove(self, key_id: str, change: Change) -> bool:
        """Mark a credential as removed; return whether there was one."""
        for index, credential in enumerate(self._all):
            if credential.key_id == key_id and credential.removed is None:
                self._all[index] = replace(credential, removed=change)
                return True
        return False

    def visible(self, sees: Sees) -> tuple[C, ...]:
        """Return what a reader sees."""
        return tuple(
            one
            for one in self._all
            if sees(one.added) and not (one.removed is not None and sees(one.removed))
        )

    def pending(self, sees: Sees) -> list[C]:
        """Return the existing credentials that a reader does not see yet."""
        return [one for one in self._all if one.removed is None and not sees(one.added)]
