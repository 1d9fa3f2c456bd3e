"""Has EntraTenants, and the AppCredentials that use them, reconciled soon."""

from __future__ import annotations

from collections.abc import Callable

from appcredential.kube.custom_resources import TENANTS
from appcredential.runtime.workqueue import Key


class TenantQueue:
    """Puts tenants and their users into the work queue.

    Args:
        users_of: returns the AppCredentials that name an EntraTenant.
        wake: has a key reconciled soon.
    """

    def __init__(self, users_of: Callable[[str], list[Key]], wake: Callable[[Key], None]) -> None:
        self._users_of = users_of
        self._wake = wake

    def has_users(self, name: str) -> bool:
        """Return whether an AppCredential names the tenant."""
        return bool(self._users_of(name))

    def users(self, name: str) -> list[str]:
        """Return the AppCredentials that name the tenant, as `namespace/name`, sorted."""
        return sorted(f"{key.namespace}/{key.name}" for key in self._users_of(name))

    def wake(self, name: str) -> None:
        """Have the tenant reconciled."""
        self._wake(Key(TENANTS, "", name))

    def wake_users(self, name: str) -> None:
        """Have all users of the tenant reconciled."""
        for user in self._users_of(name):
            self._wake(user)
