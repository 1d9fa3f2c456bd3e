"""The scheduled revocations that are not finished, by the name of their ConfigMap."""

from __future__ import annotations

from appcredential.domain.facts.deletion import name_of
from appcredential.domain.marker import Owner
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec.model import ClientId
from appcredential.ports.kube import Revocations


class OpenRevocations:
    """Listed by `refresh`; between two lists kept up to date with what this process writes.

    One list per poll serves every AppCredential, so that a pass over one of them reads no
    ConfigMap only to learn that nothing is scheduled. The ConfigMap is read live before
    anything is done about it.
    """

    def __init__(self, revocations: Revocations) -> None:
        self._revocations = revocations
        self._open: dict[str, Revocation] = {}
        self._by_owner: dict[Owner, set[str]] = {}

    async def refresh(self) -> None:
        """List all of them anew."""
        found = await self._revocations.list()
        self._open = {name_of(revocation): revocation for revocation in found}
        self._by_owner = {}
        for name, revocation in self._open.items():
            self._by_owner.setdefault(revocation.owner, set()).add(name)

    def find(self, name: str) -> Revocation | None:
        """Return an open revocation by its name."""
        return self._open.get(name)

    def of(self, owner: Owner) -> dict[str, Revocation]:
        """Return the open revocations of resources of this name."""
        return {name: self._open[name] for name in self._by_owner.get(owner, ())}

    def note(self, name: str, revocation: Revocation | None) -> None:
        """Record that this process wrote a revocation, or with None that it deleted one."""
        old = self._open.pop(name, None)
        if old is not None:
            self._by_owner[old.owner].discard(name)
        if revocation is not None:
            self._open[name] = revocation
            self._by_owner.setdefault(revocation.owner, set()).add(name)

    def items(self) -> tuple[tuple[str, Revocation], ...]:
        """Return all of them with their names, as they are now."""
        return tuple(self._open.items())

    def leaving(self, namespace: str, client_id: ClientId) -> frozenset[str]:
        """Return the hashes of the deleted owners whose federated credentials are to be revoked.

        Only of owners in this namespace, and for this application.
        """
        return frozenset(
            revocation.owner.hash
            for revocation in self._open.values()
            if revocation.type.is_federated
            and (revocation.owner.namespace, revocation.client_id) == (namespace, client_id)
        )

    def of_namespace(self, namespace: str) -> tuple[Revocation, ...]:
        """Return those of the deleted resources of a namespace."""
        return tuple(r for r in self._open.values() if r.owner.namespace == namespace)

    @property
    def count(self) -> int:
        """How many revocations are not finished."""
        return len(self._open)
