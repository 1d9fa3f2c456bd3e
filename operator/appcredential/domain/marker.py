"""The marker in every credential we make: which ones are ours, and which we may remove.

Permanent wire format: a credential's `displayName`, of a federated one its
`description`, starts with `appcred1.<cluster>.<owner>.<attempt>`, then a space and
readable text, at most 90 characters in all (Entra cuts a key's name there). All parts
are SHA-256 in lower-case base32: cluster 8, owner 20, attempt 4 + 10 characters.

Users choose namespaces and names, so the owner has 100 bits: whoever finds a name with a
neighbour's hash could have the neighbour's credentials removed. With 50 bits that is a day's
work for one GPU.

Using a credential needs cluster and owner to match; the cluster may be one whose Secrets were
restored into this one, if a setting names it. Removing one needs this very cluster and the
kube-system part of the attempt to match too, so that a cloned cluster with the same configured
id removes nothing of its twin's, and no setting lets anybody remove another cluster's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NewType

Attempt = NewType("Attempt", str)
"""14 characters: 4 of the kube-system uid's hash, 10 of (pending Secret's uid, number)."""

PREFIX = "appcred1"
MAX_DISPLAY_NAME = 90
UNIQUE_HASH = 20
"""Characters of a hash that nobody can hit on purpose: 100 bits."""
_CLUSTER, _OWNER, _SYSTEM, _ATTEMPT = 8, UNIQUE_HASH, 4, 10
_MARKER = len(PREFIX) + _CLUSTER + _OWNER + _SYSTEM + _ATTEMPT + len("...")
MAX_DESCRIPTION = MAX_DISPLAY_NAME - _MARKER - len(" ")
"""What the marker and a blank leave for readable text."""


@lru_cache(maxsize=4096)
def short_hash(*parts: str, length: int) -> str:
    """Return the first `length` characters of the parts' SHA-256 in lower-case base32.

    Parts are joined by NUL, which no Kubernetes name, uid or GUID contains. Work on one resource
    asks for the same few hashes dozens of times.
    """
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:length]


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """Who we are to Entra.

    Attributes:
        cluster: hash of the configured cluster id, else of the kube-system uid.
        system: hash of the kube-system uid, always.
        cluster_id: what `cluster` is the hash of, for people.
        adopted: hashes of other clusters' ids: what these issued may be used, and never removed.
    """

    cluster: str
    system: str
    cluster_id: str = field(default="", compare=False)
    adopted: frozenset[str] = field(default=frozenset(), compare=False)

    @classmethod
    def of(
        cls, kube_system_uid: str, cluster_id: str = "", adopted: Iterable[str] = ()
    ) -> ClusterIdentity:
        """Derive the identity from the kube-system namespace's uid and the settings.

        Args:
            kube_system_uid: of this cluster.
            cluster_id: the configured one; empty for none.
            adopted: ids of the clusters to adopt from. This cluster's own among them means
                nothing.
        """
        found = cluster_id or kube_system_uid
        own = short_hash(found, length=_CLUSTER)
        return cls(
            cluster=own,
            system=short_hash(kube_system_uid, length=_SYSTEM),
            cluster_id=found,
            adopted=frozenset(short_hash(one, length=_CLUSTER) for one in adopted) - {own},
        )

    @property
    def whole(self) -> str:
        """Both hashes: another cluster differs in one of them, whatever its settings are."""
        return f"{self.cluster}.{self.system}"


@dataclass(frozen=True, slots=True)
class Owner:
    """The resource that a credential belongs to, by name: a restored one has a new uid."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def hash(self) -> str:
        """Twenty characters for this owner in markers and in the pending Secret's name."""
        return short_hash(self.namespace, self.name, length=_OWNER)


@dataclass(frozen=True, slots=True)
class Marker:
    """A parsed marker."""

    cluster: str
    owner: str
    attempt: Attempt

    def is_usable_by(self, identity: ClusterIdentity, owner: Owner) -> bool:
        """Return whether this resource may use the credential."""
        return self.cluster == identity.cluster and self.owner == owner.hash

    def is_adopted_by(self, identity: ClusterIdentity, owner: Owner) -> bool:
        """Return whether a cluster that we adopt from made it for the resource of this name."""
        return self.cluster in identity.adopted and self.owner == owner.hash

    def is_removable_by(self, identity: ClusterIdentity, owner: Owner) -> bool:
        """Return whether this resource of this very cluster made the credential."""
        return self.is_usable_by(identity, owner) and self.attempt.startswith(identity.system)


def attempt_id(identity: ClusterIdentity, pending_uid: str, number: int) -> Attempt:
    """Return the attempt of the pending Secret with that uid, for its `number`-th try."""
    return Attempt(identity.system + short_hash(pending_uid, str(number), length=_ATTEMPT))


def build_display_name(
    identity: ClusterIdentity, owner: Owner, attempt: Attempt, description: str
) -> str:
    """Return the `displayName` for a new credential: marker, then readable text."""
    marker = marker_text(identity, owner, attempt)
    return f"{marker} {description or owner}"[:MAX_DISPLAY_NAME].rstrip()


def marker_text(identity: ClusterIdentity, owner: Owner, attempt: Attempt) -> str:
    """Return the marker itself, as text."""
    return f"{PREFIX}.{identity.cluster}.{owner.hash}.{attempt}"


def parse_marker(display_name: str | None) -> Marker | None:
    """Read the marker at the start of a `displayName`; `None` when it is not one of ours."""
    head = (display_name or "").split(" ", 1)[0]
    parts = head.split(".")
    if len(parts) != 4 or parts[0] != PREFIX:
        return None
    _, cluster, owner, attempt = parts
    if (len(cluster), len(owner), len(attempt)) != (_CLUSTER, _OWNER, _SYSTEM + _ATTEMPT):
        return None
    return Marker(cluster, owner, Attempt(attempt))
