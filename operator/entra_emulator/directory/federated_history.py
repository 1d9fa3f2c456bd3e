"""The federated credentials of one application with their history, so that replicas can lag."""

from __future__ import annotations

from entra_emulator.directory.entities import FederatedCredential
from entra_emulator.directory.replication import Change, Sees

_Version = tuple[Change, FederatedCredential | None]


class FederatedHistory:
    """Keeps the versions of each credential; the version None is its removal.

    Unlike secrets and certificates, Graph can change these in place. So a replica may still match
    tokens against a credential's former values.
    """

    def __init__(self) -> None:
        self._versions: dict[str, list[_Version]] = {}

    def put(self, credential: FederatedCredential, change: Change) -> None:
        """Add a credential, or replace the values of the one with the same id."""
        self._forget_settled(change)
        self._versions.setdefault(credential.id, []).append((change, credential))

    def remove(self, credential_id: str, change: Change) -> bool:
        """Mark a credential as removed; return whether there was one."""
        versions = self._versions.get(credential_id, [])
        if not versions or versions[-1][1] is None:
            return False
        versions.append((change, None))
        return True

    def visible(self, sees: Sees) -> tuple[FederatedCredential, ...]:
        """Return what a reader sees, in order of creation."""
        latest = (
            next((one for change, one in reversed(versions) if sees(change)), None)
            for versions in self._versions.values()
        )
        return tuple(one for one in latest if one is not None)

    def _forget_settled(self, change: Change) -> None:
        """Drop versions that no replica shows any more, and credentials that are gone on all."""
        now = change.at
        for credential_id, versions in list(self._versions.items()):
            settled = [i for i, (done, _) in enumerate(versions) if done.settled_at() <= now]
            kept = versions[settled[-1] if settled else 0 :]
            if len(kept) == 1 and settled and kept[0][1] is None:
                del self._versions[credential_id]
            else:
                self._versions[credential_id] = kept
