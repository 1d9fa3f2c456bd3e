"""The records of what was issued, by the name of their ConfigMap, and which have no resource."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from appcredential.cache.written_meanwhile import WrittenMeanwhile
from appcredential.domain.facts.issued import known_record, record_name
from appcredential.domain.facts.revocation import leads_to
from appcredential.domain.marker import Owner
from appcredential.domain.observed.issued import IssuedRecord, KnownRecord
from appcredential.domain.shards import WHOLE, Shard
from appcredential.domain.spec.model import ClientId, ObjectId, TenantId
from appcredential.ports.own_config_maps import IssuedRecords

_REFUSED_SECONDS: Final = 600.0


class KnownRecords:
    """Listed by `refresh`; between two lists kept up to date with what this process writes.

    There is one for each resource, so that little is held of each.

    Args:
        records: where they are kept.
        is_owned: returns whether an AppCredential that is known has this record.
        namespaces: those that are served; empty for all. What is recorded of others is left alone.
        cluster: this one, as `ClusterIdentity.whole` says: what a backup brought from another one
            is left alone as well.
        shard: the part of the cluster that this process works on; what is recorded in others is
            known, too, and may be out of date.
    """

    def __init__(
        self,
        records: IssuedRecords,
        is_owned: Callable[[KnownRecord], bool],
        namespaces: Collection[str],
        cluster: str,
        shard: Shard = WHOLE,
    ) -> None:
        self._records = records
        self._is_owned = is_owned
        self._namespaces = namespaces
        self._cluster = cluster
        self._shard = shard
        self._known: dict[str, KnownRecord] = {}
        self._by_owner: dict[Owner, set[str]] = {}
        self._written = WrittenMeanwhile[KnownRecord]()
        self._unowned: Counter[str] = Counter()
        self._refused: dict[str, float] = {}

    async def refresh(self) -> None:
        """List all of them anew.

        Raises:
            AppCredentialError: they could not be listed; what was known of them stays.
        """
        with self._written.listing() as written:
            found = {record_name(r.left): _held(r) async for r in self._records.each()}
        self._known, self._by_owner = {}, {}
        for name, record in {**found, **written}.items():
            self._set(name, record)

    def find(self, name: str) -> KnownRecord | None:
        """Return a record by its name."""
        return self._known.get(name)

    def note(self, name: str, record: IssuedRecord | None) -> None:
        """Record that this process wrote or read one, or with None that there is none."""
        known = _held(record) if record is not None else None
        self._written.note(name, known)
        self._set(name, known)

    def _set(self, name: str, record: KnownRecord | None) -> None:
        old = self._known.pop(name, None)
        if old is not None:
            names = self._by_owner[old.owner]
            names.discard(name)
            if not names:
                del self._by_owner[old.owner]
        if record is not None:
            self._known[name] = record
            self._by_owner.setdefault(record.owner, set()).add(name)

    def note_refusal(self, name: str, now: float) -> bool:
        """Record that the API server refused to have one written; return whether it is the first.

        Args:
            name: of the ConfigMap.
            now: by the monotonic clock, in seconds.
        """
        self._refused.pop(name, None)
        while self._refused and next(iter(self._refused.values())) <= now:
            del self._refused[next(iter(self._refused))]  # the oldest are the first to end
        is_first = not self._refused
        self._refused[name] = now + _REFUSED_SECONDS
        return is_first

    def is_refused(self, name: str, now: float) -> bool:
        """Return whether this one is not tried now. Others are: a quota refuses only new ones."""
        return self._refused.get(name, now) > now

    def unowned(self) -> dict[str, KnownRecord]:
        """Return those in this shard that no known AppCredential has, by name."""
        found = {
            name: record
            for name, record in self._known.items()
            if self._shard.serves(record.owner.namespace)
            and self._is_served(record)
            and not self._is_owned(record)
        }
        self._unowned = Counter(record.owner.namespace for record in found.values())
        return found

    def unowned_in(self, namespace: str) -> int:
        """Return how many of a namespace `unowned` found the last time."""
        return self._unowned[namespace]

    def is_replaced(self, record: KnownRecord) -> bool:
        """Return whether its resource lives on under another EntraTenant of the same directory.

        It has a record of its own then, and what that says of its deletion counts.
        """
        return any(
            (other.client_id, other.type, other.tenant_id)
            == (record.client_id, record.type, record.tenant_id)
            and other.tenant != record.tenant
            and self._is_owned(other)
            for other in map(self._known.__getitem__, self._by_owner.get(record.owner, ()))
        )

    def needing(self, tenant: str, tenant_id: str) -> list[Owner]:
        """Return the owners of those without a resource that only this EntraTenant lets revoke.

        See `leads_to`. Those of all shards count.
        """
        return [
            record.owner
            for record in self._known.values()
            if leads_to(tenant, tenant_id, record)
            and self._is_served(record)
            and not self._is_owned(record)
        ]

    def _is_served(self, record: KnownRecord) -> bool:
        is_here = not self._namespaces or record.owner.namespace in self._namespaces
        return is_here and record.cluster == self._cluster


def _held(record: IssuedRecord) -> KnownRecord:
    """Return what is held of a record; what many have in common is held once."""
    known, share = known_record(record), sys.intern
    return replace(
        known,
        owner=Owner(share(known.owner.namespace), known.owner.name),
        tenant=share(known.tenant),
        tenant_id=TenantId(share(known.tenant_id)),
        client_id=ClientId(share(known.client_id)),
        cluster=share(known.cluster),
        object_id=ObjectId(share(known.object_id)) if known.object_id else None,
    )
