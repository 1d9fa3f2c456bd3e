"""One AppCredential that `import` proposes, and what a person wants of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.spec.model import CredentialType


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to, and as what.

    Attributes:
        name: of the AppCredentials; empty derives it from the application's.
        secret: the Secret that workloads read today; empty for none.
        secret_keys: more keys of it that hold the client secret today.
        preset: of the Secret's keys; empty for the default.
        as_type: what a client secret or certificate becomes; None keeps its type.
        identity: of the cluster's operator, as far as it is known.
    """

    namespace: str
    tenant_ref: str
    name: str = ""
    secret: str = ""
    secret_keys: Sequence[str] = ()
    preset: str = ""
    as_type: CredentialType | None = None
    identity: ClusterIdentity | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A comment, and a command for copying, in which nothing stands that others named."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One AppCredential, what to know about it, and what a grant must name for it.

    Attributes:
        before_managing: what to do between the two stages.
    """

    manifest: Mapping[str, Any]
    notes: Sequence[Note]
    before_managing: Note | None = None
    grant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def owner(self) -> Owner:
        """Namespace and name."""
        metadata = self.manifest["metadata"]
        return Owner(metadata["namespace"], metadata["name"])
