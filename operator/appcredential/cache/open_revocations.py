"""The scheduled revocations that are not finished, by the name of their ConfigMap."""

from __future__ import annotations

from appcredential.cache.written_meanwhile import WrittenMeanwhile
from appcredential.domain.facts.deletion import name_of
from appcredential.domain.facts.revocation import leads_to, needs_directory
from appcredential.domain.marker import Owner
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.shards import WHOLE, Shard
from appcredential.domain.spec.model import ClientId
from appcredential.ports.own_config_maps import Revocations


class OpenRevocations:
    """Listed by `refresh`; between two lists kept up to date with what this process writes.

    One list per poll serves every AppCredential, so that a pass over one of them reads no
    ConfigMap only to learn that nothing is scheduled. The ConfigMap is read live before
    anything is done about it.

    Args:
        revocations: where they are kept.
        shard: the part of the cluster that this process works on; what is scheduled in others is
            known, too, and may be out of date.
    """

    def __init__(self, revocations: Revocations, shard: Shard = WHOLE) -> None:
        self._revocations = revocations
        self._shard = shard
        self._open: dict[str, Revocation] = {}
        self._by_owner: dict[Owner, set[str]] = {}
        self._written = WrittenMeanwhile[Revocation]()

    async def refresh(self) -> None:
        """List all of them anew.

        What this process writes meanwhile may be missing from the list, and counts.
        """
        with self._written.listing() as written:
            found = await self._revocations.list()
        self._open, self._by_owner = {}, {}
        for name, revocation in {**{name_of(r): r for r in found}, **written}.items():
            self._set(name, revocation)

    def find(self, name: str) -> Revocation | None:
        """Return an open revocation by its name."""
        return self._open.get(name)

    def of(self, owner: Owner) -> dict[str, Revocation]:
        """Return the open revocations of resources of this name."""
        return {name: self._open[name] for name in self._by_owner.get(owner, ())}

    def note(self, name: str, revocation: Revocation | None) -> None:
        """Record that this process wrote a revocation, or with None that it deleted one."""
        self._written.note(name, revocation)
        self._set(name, revocation)

    def _set(self, name: str, revocation: Revocation | None) -> None:
        old = self._open.pop(name, None)
        if old is not None:
            self._by_owner[old.owner].discard(name)
        if revocation is not None:
            self._open[name] = revocation
            self._by_owner.setdefault(revocation.owner, set()).add(name)

    def items(self) -> tuple[tuple[str, Revocation], ...]:
        """Return those that this process works on with their names, as they are now."""
        return tuple((n, r) for n, r in self._open.items() if self._is_own(r))

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

    def needing(self, tenant: str, tenant_id: str) -> list[Owner]:
        """Return the deleted owners that only this EntraTenant lets revoke; see `leads_to`.

        Those of all shards count.
        """
        return [
            revocation.owner
            for revocation in self._open.values()
            if leads_to(tenant, tenant_id, revocation) and needs_directory(revocation)
        ]

    def of_namespace(self, namespace: str) -> tuple[Revocation, ...]:
        """Return those of the deleted resources of a namespace."""
        return tuple(r for r in self._open.values() if r.owner.namespace == namespace)

    @property
    def count(self) -> int:
        """How many revocations this process has not finished; asked often."""
        if self._shard.count == 1:
            return len(self._open)
        return sum(map(self._is_own, self._open.values()))

    def _is_own(self, revocation: Revocation) -> bool:
        return self._shard.serves(revocation.owner.namespace)
