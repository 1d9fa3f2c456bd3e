"""What decides who inherits a trust, held in memory."""

from __future__ import annotations

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.asker import Asker, Tags
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.spec.label_selector import Labels
from appcredential.domain.spec.model import ApplicationGrantSpec
from tests.support.builders import asker


class MemoryIssuer:
    """A ports.IssuerSource.

    Attributes:
        issuer: what it says.
    """

    def __init__(self, issuer: Issuer | Problem) -> None:
        self.issuer = issuer

    async def current(self) -> Issuer | Problem:
        return self.issuer


class MemoryGrants:
    """A ports.GrantSource: what was seen is what is there.

    Attributes:
        grants: by name.
        labels: of every namespace; None while they are not known.
    """

    def __init__(self, **grants: ApplicationGrantSpec) -> None:
        self.grants = grants
        self.labels: Labels | None = None

    def known(self) -> dict[str, ApplicationGrantSpec]:
        return dict(self.grants)

    async def live(self) -> dict[str, ApplicationGrantSpec]:
        return dict(self.grants)

    def asker(self, namespace: str, tags: Tags | None) -> Asker:
        return asker(namespace, labels=self.labels, tags=tags)

    async def live_asker(self, namespace: str, tags: Tags | None) -> Asker:
        return self.asker(namespace, tags)
