"""What the operator needs from its own process, as Protocols.

The adapters are `runtime/clock.py`, `entra/projected_token.py`, `entra/issuer_documents.py` and
`cache/grants.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from appcredential.domain.observed.asker import Asker, Tags
from appcredential.domain.observed.federated import IssuerDocument
from appcredential.domain.spec.model import ApplicationGrantSpec, Cloud


class Clock(Protocol):
    """Time. `now` is aware UTC; `monotonic` is seconds for deadlines."""

    def now(self) -> datetime:
        """Return the wall-clock time."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        ...


class PodToken(Protocol):
    """The token that the kubelet projects into the operator's pod."""

    def is_configured(self, cloud: Cloud) -> bool:
        """Return whether the settings allow a sign-in with it to this cloud."""
        ...

    def read(self, cloud: Cloud) -> str:
        """Return the token for one sign-in to this cloud.

        Raises:
            OwnTokenError: there is none, or not one that may be sent to this cloud.
        """
        ...


class IssuerDocumentSource(Protocol):
    """The discovery documents of issuers that the settings list."""

    def known(self) -> Mapping[str, IssuerDocument]:
        """Return what issuers answered, by issuer; nothing of one that did not answer."""
        ...


class GrantSource(Protocol):
    """The ApplicationGrants: as watched, and by a list of our own before each mint."""

    def known(self) -> dict[str, ApplicationGrantSpec]:
        """Return the valid grants as last seen."""
        ...

    async def live(self) -> dict[str, ApplicationGrantSpec]:
        """Return the valid grants by a list that left a moment ago, at most two seconds."""
        ...

    def asker(self, namespace: str, tags: Tags | None) -> Asker:
        """Return a namespace as grants look at it, by what was last seen of it.

        Args:
            namespace: that asks.
            tags: of the application that it asks for; None while they are not known.
        """
        ...

    async def live_asker(self, namespace: str, tags: Tags | None) -> Asker:
        """Return the same by a read that leaves now, if any grant looks at labels.

        Raises:
            AppCredentialError: the namespace cannot be read, which tells nothing.
        """
        ...
