"""The reads of a plan: the first of each kind is made, all later ones show the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from appcredential.cli.plan.assuming import presumed_application, presumed_trusts
from appcredential.cli.plan.steps import PlanEndsError
from appcredential.cli.plan.unrolling import reread
from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.observed.entra import Application, Tenant
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.pods import SeenPods
from appcredential.domain.observed.workloads import SeenWorkloads, Workload
from appcredential.domain.promised import required
from appcredential.domain.restart_actions import ReadWorkloads
from appcredential.domain.status.problems_kube import pods_problem
from appcredential.domain.status.problems_restart import workloads_problem
from appcredential.entra.reader import Reader
from appcredential.errors import AppCredentialError, NotFoundError, UnusableListError
from appcredential.kube.client import KubeClient
from appcredential.kube.pods import KubePods
from appcredential.kube.workloads import KubeWorkloads
from appcredential.ports.entra import Directory

_NOW = timedelta(0)


class Reads:
    """Reads Entra and the cluster as the person; without a directory, the cluster tells of both.

    Attributes:
        unchecked: what could not be read, and was assumed.
    """

    def __init__(self, kube: KubeClient, directory: Directory | None) -> None:
        self._pods = KubePods(kube)
        self._workloads = KubeWorkloads(kube)
        self._directory = directory
        self.unchecked: list[str] = []

    async def with_policy(self, observation: Observation, reader: Reader | None) -> Observation:
        """Return the observation with Entra's default app management policy, if that is told."""
        tenant = observation.tenant
        if reader is None or not isinstance(tenant, Tenant):
            return observation
        try:
            policy = await reader.default_policy()
        except AppCredentialError as exc:
            self.unchecked.append(f"the tenant's app management policy: {exc}")
            return observation
        return replace(observation, tenant=replace(tenant, app_policy=policy))

    async def read(self, action: act.Action, observation: Observation) -> Observation:
        """Return what is known after a read; see `unrolling.Read`.

        Raises:
            PlanEndsError: Entra does not know the application.
        """
        federation = observation.federation
        if isinstance(action, act.ReadApplication) and observation.application is None:
            return await self._with_application(observation)
        if isinstance(action, act.ReadFederated) and federation and federation.listed is None:
            listed = await self._trusts(observation)
            memory = observation.memory.saw_federated(listed, observation.now)
            federation = replace(federation, listed=listed)
            return replace(observation, federation=federation, memory=memory)
        if isinstance(action, act.ReadPods) and _lacks_pods(observation, action.secrets):
            return replace(observation, pods=await self._users(observation, action.secrets))
        if isinstance(action, ReadWorkloads):
            return await self._with_workloads(action, observation)
        return await reread(action, observation)

    async def _with_application(self, observation: Observation) -> Observation:
        found = await self._application(observation)
        memory = observation.memory.saw_application(
            found, None, target=observation.target, pending=observation.pending
        )
        skew = self._directory.skew() if self._directory is not None else None
        return replace(observation, application=found, memory=memory, directory_skew=skew)

    async def _application(self, observation: Observation) -> Application:
        client_id = observation.usable_spec.client_id
        if self._directory is None:
            return presumed_application(observation)
        try:
            return await self._directory.application(client_id, _NOW)
        except NotFoundError as exc:
            raise PlanEndsError(
                f"ApplicationNotFound: Entra knows no application with the client id {client_id} "
                "in this tenant. Is it the client id, and not the object id?"
            ) from exc
        except AppCredentialError as exc:
            self.unchecked.append(f"what Entra lists for the application: {exc}")
            self._directory = None
            return presumed_application(observation)

    async def _trusts(self, observation: Observation) -> FederatedList:
        if self._directory is None:
            return presumed_trusts(observation)
        try:
            object_id = required(observation.application).object_id
            return await self._directory.federated(object_id, _NOW)
        except AppCredentialError as exc:
            self.unchecked.append(f"which trusts Entra lists for the application: {exc}")
            return presumed_trusts(observation)

    async def _users(self, observation: Observation, secrets: frozenset[str]) -> SeenPods:
        now, namespace = observation.now, observation.resource.owner.namespace
        try:
            found = (await self._pods.users(namespace, {secrets}))[secrets]
        except AppCredentialError as exc:
            self.unchecked.append(f"which pods use the Secret: {exc}")
            problem = pods_problem(exc)
            return SeenPods(secrets=secrets, began=now, time=now, found=problem)
        return SeenPods(secrets=secrets, began=now, time=now, found=found)

    async def _with_workloads(self, action: ReadWorkloads, observation: Observation) -> Observation:
        namespace, selection = observation.resource.owner.namespace, action.selection
        found: tuple[Workload, ...] | Problem | UnusableListError
        try:
            found = (await self._workloads.selected(namespace, {selection}))[selection]
        except AppCredentialError as exc:
            self.unchecked.append(f"which workloads are restarted: {exc}")
            found = workloads_problem(exc)
        shown = workloads_problem(found) if isinstance(found, UnusableListError) else found
        seen = SeenWorkloads(selection=selection, time=observation.now, found=shown)
        return replace(observation, restarts=replace(observation.restarts, seen=seen))


def _lacks_pods(observation: Observation, secrets: frozenset[str]) -> bool:
    return observation.pods is None or observation.pods.secrets != secrets
