"""Has FederatedIdentities reconciled when the cluster's issuer, or a watched document, changed.

Both are the same for all of them, so that one look serves all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.federated import Issuer, IssuerDocument
from appcredential.domain.status.problems_kube import DISCOVERY_UNREAD
from appcredential.gather.state import ResourceStates
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.ports.kube import IssuerSource
from appcredential.ports.local import IssuerDocumentSource
from appcredential.runtime.ready import Key
from appcredential.runtime.this_process import ThisProcess


class IssuerLooks:
    """Compares issuer and documents with those of the look before. For one event loop.

    Args:
        wake: has a key reconciled soon.
    """

    def __init__(
        self,
        *,
        process: ThisProcess,
        states: ResourceStates,
        issuer: IssuerSource,
        documents: IssuerDocumentSource,
        wake: Callable[[Key], None],
    ) -> None:
        self._process = process
        self._states = states
        self._issuer = issuer
        self._documents = documents
        self._wake = wake
        self._issuer_seen: Issuer | Problem | None = None
        self._documents_seen: Mapping[str, IssuerDocument] = {}

    async def run_once(self) -> None:
        """Look once, if any settled FederatedIdentity may rest on them."""
        if self._process.guard.problem() is not None:
            return
        users = [
            Key(APP_CREDENTIALS, owner.namespace, owner.name)
            for owner, state in self._states.settled()
            if state.resource.value is not None and state.resource.value.is_federated
        ]
        if not users:
            return
        if await self._has_changed():
            for key in users:
                self._wake(key)

    async def _has_changed(self) -> bool:
        issuer, documents = await self._issuer.current(), dict(self._documents.known())
        if issuer == DISCOVERY_UNREAD:  # no answer is no news
            issuer = self._issuer_seen or issuer
        before = self._issuer_seen, self._documents_seen
        self._issuer_seen, self._documents_seen = issuer, documents
        return before[0] is not None and before != (issuer, documents)
