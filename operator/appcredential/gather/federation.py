"""Reads what a FederatedIdentity has instead of Secrets."""

from __future__ import annotations

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import Federation, OutputMap, ServiceAccount
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.trusts import retire_time_of
from appcredential.domain.status.problems_kube import account_problem, output_problem
from appcredential.errors import PermissionDeniedError
from appcredential.gather.sources import ClusterSources, LocalSources
from appcredential.gather.state import ResourceState
from appcredential.runtime.this_process import ThisProcess


class FederationReader:
    """Reads the ServiceAccount and the output ConfigMap, and adds what is known already."""

    def __init__(self, process: ThisProcess, cluster: ClusterSources, local: LocalSources) -> None:
        self._process = process
        self._cluster = cluster
        self._local = local

    async def read(self, owner: Owner, state: ResourceState, spec: AppCredentialSpec) -> Federation:
        """Return what was observed; a missing right is a Problem in it."""
        federated, now = spec.federated, self._process.clock.monotonic()
        account = federated.annotated_account if federated is not None else ""
        output = federated.config_map if federated is not None else ""
        bound = state.bound(self._process.settings)
        if account and not state.service_account.is_fresh(now, bound):
            state.service_account.set(await self._account(owner.namespace, account), now)
        if output and not state.output.is_fresh(now, bound):
            state.output.set(await self._output(owner.namespace, output), now)
        return Federation(
            issuer=await self._cluster.issuer.current(),
            listed=state.federated,
            service_account=state.service_account.value if account else None,
            output=state.output.value if output else None,
            leaving=self._local.open_revocations.leaving(owner.namespace, spec.client_id),
            neighbours=self._retiring_owners(owner, state),
            documents=self._local.documents.known(),
        )

    async def _account(self, namespace: str, name: str) -> ServiceAccount | Problem | None:
        try:
            return await self._cluster.service_accounts.get(namespace, name)
        except PermissionDeniedError as exc:
            return account_problem(exc)

    async def _output(self, namespace: str, name: str) -> OutputMap | Problem | None:
        try:
            return await self._cluster.outputs.get(namespace, name)
        except PermissionDeniedError as exc:
            return output_problem(exc)

    def _retiring_owners(self, owner: Owner, state: ResourceState) -> frozenset[str]:
        """Return the namespace's other owners, where some credential is past being wanted."""
        listed = state.federated.credentials if state.federated is not None else ()
        if not any(retire_time_of(c.description) is not None for c in listed):
            return frozenset()
        return frozenset(o.hash for o in self._local.owners(owner.namespace) if o != owner)
