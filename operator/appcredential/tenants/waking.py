"""Has EntraTenants, and the AppCredentials that use them, reconciled soon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from appcredential.domain.marker import Owner
from appcredential.domain.status.cluster_kinds import Holders
from appcredential.kube.custom_resources import TENANTS
from appcredential.runtime.ready import Key


async def _nothing_to_list() -> None:
    """One process alone knows what it wrote."""


class TenantQueue:
    """Puts tenants and their users into the work queue.

    Args:
        users_of: returns the AppCredentials that name an EntraTenant.
        left_in: returns the deleted AppCredentials whose revocation needs an EntraTenant of this
            name and tenantId.
        wake: has a key reconciled soon.
        is_resumed: returns whether a first look at a resource is scheduled already.
        refresh_left: lists anew what `left_in` knows, where others write it as well.
    """

    def __init__(
        self,
        users_of: Callable[[str], list[Key]],
        left_in: Callable[[str, str], list[Owner]],
        wake: Callable[[Key], None],
        is_resumed: Callable[[Key], bool] = lambda _: False,
        refresh_left: Callable[[], Awaitable[None]] = _nothing_to_list,
    ) -> None:
        self._users_of = users_of
        self._left_in = left_in
        self._wake = wake
        self._is_resumed = is_resumed
        self.refresh_left = refresh_left

    def holders(self, name: str, tenant_id: str) -> Holders:
        """Return for what the tenant stays when it is deleted, each list sorted."""
        users = sorted(f"{key.namespace}/{key.name}" for key in self._users_of(name))
        return Holders(users, sorted({str(owner) for owner in self._left_in(name, tenant_id)}))

    def wake(self, name: str) -> None:
        """Have the tenant reconciled."""
        self._wake(Key(TENANTS, "", name))

    def wake_users(self, name: str) -> None:
        """Have all users of the tenant reconciled."""
        for user in self._users_of(name):
            self._wake(user)

    def go_on(self, name: str) -> None:
        """Have the users reconciled of a tenant that can be used again, or may be soon.

        Those that go on as their status says wait for their first look, which the budget of looks
        paces: a network that comes up late must not have thousands looked at at once.
        """
        for user in self._users_of(name):
            if not self._is_resumed(user):
                self._wake(user)
