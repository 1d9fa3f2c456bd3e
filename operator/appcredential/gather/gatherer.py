"""Reads everything about one AppCredential, into one observation."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.clocks import by_this_clock
from appcredential.domain.facts.deletion import is_unbegun, open_uid, own_revocations
from appcredential.domain.facts.issued import name_of_own, recorded
from appcredential.domain.facts.times_ahead import meet
from appcredential.domain.marker import Owner
from appcredential.domain.observed.certificate import CertificateInputs
from appcredential.domain.observed.federated import Federation
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.ownership import NOT_LOOKED, Ownership
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.observed.workloads import Restarts
from appcredential.domain.rules.gates import is_admitted
from appcredential.domain.rules.gates_deletion import is_settling
from appcredential.domain.spec.model import AppCredentialSpec, TenantId
from appcredential.gather.derived import derived_of
from appcredential.gather.federation import FederationReader
from appcredential.gather.granted import TagReads, granted
from appcredential.gather.sources import ClusterSources, LocalSources
from appcredential.gather.state import ResourceState
from appcredential.gather.target import SecretsReader
from appcredential.ports.session import Access
from appcredential.runtime.this_process import ThisProcess

_UNUSABLE_FOR_ONE: Final = 4


class Gatherer:
    """Fills observations: reads anew what is too old, and takes the rest from the state."""

    def __init__(self, process: ThisProcess, cluster: ClusterSources, local: LocalSources) -> None:
        self._process = process
        self._cluster = cluster
        self._local = local
        self._secrets = SecretsReader(process, cluster.secrets, cluster.resources)
        self._federation = FederationReader(process, cluster, local)
        self._tag_reads = TagReads(process.clock.monotonic)

    async def gather(self, owner: Owner, state: ResourceState) -> Observation | None:
        """Return what a decision about this resource may look at.

        Args:
            owner: its namespace and name.
            state: what this process holds of it; what is read is noted there.

        Returns:
            The observation; None when the resource does not exist.

        Raises:
            SecretForbiddenError: no role lets the operator read Secrets there.
            AppCredentialError: the API server did not answer, or refused.
        """
        if state.clock.was_set(self._process.clock):
            state.forget_times()
        resource = await self._read_resource(owner, state)
        if resource is None:
            return None
        spec = resource.spec if isinstance(resource.spec, AppCredentialSpec) else None
        federation = await self._read_own(resource, spec, state)
        access = self._local.access(spec.tenant) if spec is not None else None
        revocations = self._revocations(resource, access, state)
        allowed = granted(resource, access, state, self._local.grants, self._tag_reads)
        observation = Observation(
            now=self._process.clock.now(),
            settings=self._process.settings,
            identity=self._process.identity,
            holder=self._process.holder,
            process_started=self._process.started,
            blocked=self._process.guard.problem(resource.owner.namespace),
            directory_skew=access.session.directory.skew() if isinstance(access, Access) else None,
            cluster_skew=self._cluster.skew(),
            resource=resource,
            tenant=access.tenant if isinstance(access, Access) else access or _NO_TENANT,
            grant=allowed.grant,
            may_read_tags=allowed.may_read_tags,
            tags_seen=allowed.tags_seen,
            target=state.target.value,
            pending=state.pending.value,
            revocation_uid=open_uid(revocations.values(), resource.uid),
            revocation_names=tuple(revocations),
            crd_deleted=state.crd_deleted,
            application=state.application,
            memory=state.memory,
            target_owner=state.target_owner.value,
            federation=federation,
            is_untouched=self._is_untouched(resource, state),
            has_begun=state.has_begun,
            open_revocations=self._open_revocations(resource),
            standing=self._local.standing(owner),
            unpublished_attempt=self._unpublished(state),
            pods=state.pods,
            awaits_pods=state.awaits_pods,
            restarts=_restarts(state),
            ownership=self._ownership(spec),
        )
        state.memory = by_this_clock(meet(observation), observation.directory_skew)
        observation = self._with_record(replace(observation, memory=state.memory))
        inputs = await self._read_certificate_inputs(state, observation)
        return observation if inputs is None else replace(observation, certificate_inputs=inputs)

    async def _read_own(
        self, resource: Resource, spec: AppCredentialSpec | None, state: ResourceState
    ) -> Federation | None:
        """Read both Secrets, or what a FederatedIdentity has instead."""
        if is_settling(resource, self._process.clock.now(), self._process.settings):
            return None  # nothing is done or said before its time, so nothing needs to be known
        if spec is not None and spec.type.is_federated:
            return await self._federation.read(resource.owner, state, spec)
        await self._secrets.read(resource.owner, state, spec)
        await self._secrets.read_target_owner(resource.owner, state)
        return None

    def _with_record(self, observation: Observation) -> Observation:
        if not isinstance(observation.resource.spec, AppCredentialSpec):
            return observation
        records, name = self._local.records, name_of_own(observation)
        return replace(
            observation,
            recorded=recorded(observation, records.find(name)),
            is_record_refused=records.is_refused(name, self._process.clock.monotonic()),
            unowned_records=records.unowned_in(observation.resource.owner.namespace),
        )

    async def _read_resource(self, owner: Owner, state: ResourceState) -> Resource | None:
        now = self._process.clock.monotonic()
        if not state.resource.is_fresh(now, state.bound(self._process.settings)):
            found = await self._cluster.resources.get(owner)
            held = state.resource.value
            if found is not None and held is not None and found.uid != held.uid:
                state.start_anew()  # same name, another resource
            elif found is not None and held is not None and found.generation != held.generation:
                state.spec_changed()
            if found is not None and is_unbegun(found):
                state.unbegun_term = self._process.terms.begun
            state.resource.set(found, now)
        return state.resource.value

    def _is_untouched(self, resource: Resource, state: ResourceState) -> bool:
        """Return whether nobody began anything.

        Clocks alone do not tell: the resource was also seen in this term before anybody could.
        """
        process = self._process
        saw_it = state.unbegun_term == process.terms.begun
        return saw_it and not state.has_begun and process.led_before(resource.creation_time)

    def _ownership(self, spec: AppCredentialSpec | None) -> Ownership:
        return NOT_LOOKED if spec is None else self._local.ownership(spec.tenant, spec.client_id)

    def _unpublished(self, state: ResourceState) -> str:
        """Return the attempt that certainly nobody published; in another term others may have."""
        attempt, term = state.made or ("", None)
        return attempt if term == self._process.terms.begun else ""

    async def _read_certificate_inputs(
        self, state: ResourceState, observation: Observation
    ) -> CertificateInputs | None:
        """Read what a certificate is made from; None where a gate keeps the operator from it.

        Nothing of a source is read or parsed for a resource that no grant allows: who may
        create one must not have the operator read objects or work through hostile bytes.
        """
        spec = observation.resource.spec
        if not isinstance(spec, AppCredentialSpec) or not spec.type.is_certificate:
            return None
        if not is_admitted(observation):
            return None
        now, held = self._process.clock.monotonic(), state.certificate_inputs
        if held.value is None or not held.is_fresh(now, state.bound(self._process.settings)):
            reader, namespace = (
                self._cluster.certificate_inputs,
                observation.resource.owner.namespace,
            )
            held.set(await reader.read(namespace, spec.certificate, state.held_inputs), now)
        derived = await derived_of(spec, state.target.value, state.held_inputs)
        return replace(held.value or CertificateInputs(), derived=derived)

    def _open_revocations(self, resource: Resource) -> int:
        """Count those of the namespace; only a deletion asks.

        One whose tenant cannot be used may never end, so that it counts as a quarter: it should
        hold nothing up, but without any bound it could be repeated for ever.
        """
        if resource.deletion_time is None:
            return 0
        waiting = self._local.open_revocations.of_namespace(resource.owner.namespace)
        usable = sum(isinstance(self._local.access(r.tenant), Access) for r in waiting)
        return usable + (len(waiting) - usable) // _UNUSABLE_FOR_ONE

    def _revocations(
        self, resource: Resource, access: Access | Problem | None, state: ResourceState
    ) -> dict[str, Revocation]:
        if not isinstance(resource.spec, AppCredentialSpec):
            return {}
        recorded = (s.tenant_id for s in (state.target.value, state.pending.value) if s is not None)
        reached = (access.tenant.tenant_id,) if isinstance(access, Access) else ()
        return own_revocations(
            self._local.open_revocations.of(resource.owner),
            resource.owner,
            resource.spec,
            tenant_ids={*reached, *recorded} - {""},
            led_to=self._led_to,
        )

    def _led_to(self, tenant: str) -> TenantId | None:
        access = self._local.access(tenant)
        return access.tenant.tenant_id if isinstance(access, Access) else None


def _restarts(state: ResourceState) -> Restarts:
    return Restarts(
        seen=state.workloads, is_awaited=state.awaits_workloads, patched=dict(state.restarted)
    )


# A placeholder: an unusable spec names none, and the gates judge that first.
_NO_TENANT = Problem(reason=Reason.TENANT_NOT_FOUND, message="Not looked at.", stalled=False)
