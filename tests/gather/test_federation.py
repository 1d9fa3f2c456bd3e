"""What a FederatedIdentity's observation holds of issuers."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.federated import Issuer, IssuerDocument
from appcredential.gather.federation import FederationReader
from appcredential.gather.state import ResourceState
from tests.support.builders import NOW, OWNER
from tests.support.clock import HandClock
from tests.support.federated import ISSUER, OTHER, federated_spec

READ = {OTHER.issuer: IssuerDocument(status=403)}


class Sources:
    """The sources that this spec leads to: the cluster's issuer, revocations and documents."""

    async def current(self) -> Issuer:
        return Issuer(url=ISSUER, since=NOW)

    def leaving(self, _namespace: str, _client_id: str) -> frozenset[str]:
        return frozenset()

    def known(self) -> Mapping[str, IssuerDocument]:
        return READ


async def test_what_was_read_of_issuers_is_observed() -> None:
    sources = Sources()
    process: Any = SimpleNamespace(clock=HandClock(), settings=LifecycleSettings())
    cluster: Any = SimpleNamespace(issuer=sources)
    local: Any = SimpleNamespace(open_revocations=sources, documents=sources)
    reader = FederationReader(process, cluster, local)
    found = await reader.read(OWNER, ResourceState(), federated_spec(OTHER))
    assert found.documents == READ
