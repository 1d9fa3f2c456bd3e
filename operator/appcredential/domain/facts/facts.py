"""What follows from an observation, worked out once so that the rules read as sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from appcredential.domain.conditions import Problem
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import Attempt, ClusterIdentity, parse_marker
from appcredential.domain.observed.certificate import CertificateInputs, SuppliedCertificate
from appcredential.domain.observed.entra import Application, Credential, Grant, Tenant
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.target import (
    IssuedCredential,
    Pending,
    PendingState,
    Retiring,
    Target,
)
from appcredential.domain.rotation import Schedule
from appcredential.domain.secret.records import cluster_of
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.spec.model import AppCredentialSpec, KeyId, Mode, VerificationMode
from appcredential.domain.windows import Opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """An observation behind the gates: spec, tenant and application can be used.

    Attributes:
        observation: as gathered, but without a target Secret that is another's until now.
        taken: that target Secret, which belongs to another owner until the next publish.
        conflict: why that Secret is another's and stays so; None when it is not.
        refusal: why limits allow nothing new any more, although a grant matches or did.
        entra_now: the time by Entra's clock.
        lifetime: the lifetime to ask for now.
        published: the credential in our target Secret; None without one.
        schedule: when the published credential is renewed.
        opening: when a window is open next, or since when one is; None without windows.
        ours: listed credentials of the spec's type that carry our exact marker, by key id.
    """

    observation: Observation
    spec: AppCredentialSpec
    tenant: Tenant
    application: Application
    entra_now: datetime
    lifetime: timedelta
    published: IssuedCredential | None
    schedule: Schedule | None
    opening: Opening | None
    ours: dict[KeyId, Credential]
    taken: Target | None = None
    conflict: Problem | None = None
    refusal: Problem | None = None

    @property
    def now(self) -> datetime:
        """The time by the operator's clock."""
        return self.observation.now

    @property
    def settings(self) -> LifecycleSettings:
        """The timings that the rules use."""
        return self.observation.settings

    @property
    def memory(self) -> Memory:
        """What only this process remembers."""
        return self.observation.memory

    @property
    def resource(self) -> Resource:
        """The AppCredential."""
        return self.observation.resource

    @property
    def identity(self) -> ClusterIdentity:
        """The cluster's identity, as our markers carry it."""
        return self.observation.identity

    @property
    def holder(self) -> str:
        """The name of this process, as the pending Secret records it."""
        return self.observation.holder

    @property
    def grant(self) -> Grant | Problem:
        """The grant that matches now, or why nothing new is allowed."""
        return self.refusal or self.observation.grant

    @property
    def target(self) -> Target | None:
        """The target Secret, when it belongs to this resource."""
        return self.observation.target

    @property
    def certificate_inputs(self) -> CertificateInputs:
        """What the certificate and its files are made from."""
        return self.observation.certificate_inputs

    @property
    def supplied(self) -> SuppliedCertificate | None:
        """The certificate at the source that counts now."""
        found = self.certificate_inputs.supplied
        return found.current(self.entra_now) if found is not None else None

    @property
    def observes(self) -> bool:
        """The spec asks for reports only: with mode Observe, or while it is suspended."""
        return self.spec.mode is Mode.OBSERVE or self.resource.is_suspended

    @property
    def live(self) -> Target | None:
        """The target Secret, whether it is ours or about to be taken over."""
        return self.taken if self.taken is not None else self.target

    @property
    def is_in_use(self) -> bool:
        """Workloads may sign in with what the target Secret holds now."""
        return self.has_valid_published or self.taken is not None

    @property
    def pending(self) -> Pending | None:
        """The pending Secret."""
        return self.observation.pending

    @property
    def successor(self) -> Pending | None:
        """The pending Secret when it holds an issued credential (`Minted`)."""
        pending = self.observation.pending
        return pending if pending is not None and pending.state is PendingState.MINTED else None

    @property
    def retiring(self) -> tuple[Retiring, ...]:
        """The entries of our target Secret's `retiring` list."""
        return self.target.retiring if self.target is not None else ()

    @property
    def is_fresh(self) -> bool:
        """A direct read of the application is not older than the freshness bound."""
        return self.now - self.application.read_time <= self.settings.freshness

    @property
    def is_paused(self) -> bool:
        """A call to Graph failed, and the next one has to wait."""
        return self.memory.retry_time is not None and self.now < self.memory.retry_time

    @property
    def is_granted(self) -> bool:
        """A grant matches now, and limits allow what it grants."""
        return not isinstance(self.grant, Problem)

    @property
    def requires_proof(self) -> bool:
        """`verification.mode` is Required, and the successor's value can sign in."""
        pending = self.observation.pending
        is_provable = pending is None or pending.value is None or can_sign_in(pending.value)
        return self.spec.verification.mode is VerificationMode.REQUIRED and is_provable

    @property
    def can_published_sign_in(self) -> bool:
        """The published value can sign in: it is no certificate without its private key."""
        target = self.target
        return target is None or target.value is None or can_sign_in(target.value)

    @property
    def has_valid_published(self) -> bool:
        """Our target Secret holds an intact value that is valid by Entra's clock."""
        return (
            self.published is not None
            and self.target is not None
            and self.target.value is not None
            and self.published.expires > self.entra_now
        )

    @property
    def is_from_another_cluster(self) -> bool:
        """Another cluster's operator wrote the target Secret: a migration or a restored backup."""
        target = self.target
        written_by = cluster_of(target.annotations) if target is not None else ""
        return written_by not in {"", self.identity.cluster}

    def is_listed(self, key: KeyId) -> bool:
        """Return whether the last read listed this credential, also if somebody else made it."""
        return any(c.key_id == key for c in self.application.credentials)

    def attempt_of(self, credential: Credential) -> Attempt:
        """Return the attempt in a credential's marker; empty without a marker."""
        marker = parse_marker(credential.display_name)
        return marker.attempt if marker is not None else Attempt("")

    @property
    def abandoned_attempts(self) -> frozenset[str]:
        """The attempts that the target and the pending Secret record as abandoned.

        Whoever damaged a target Secret's other records may have written this one as well.
        """
        pending = self.observation.pending
        told = self.target.abandoned if self.target and self.published else ()
        entries = (*told, *(pending.abandoned if pending else ()))
        return frozenset(e.attempt for e in entries)

    def is_pending(self, credential: Credential) -> bool:
        """Return whether the pending Secret's attempt made this credential."""
        pending = self.observation.pending
        return pending is not None and pending.attempt == self.attempt_of(credential)

    def is_abandoned(self, credential: Credential) -> bool:
        """Return whether an attempt that was certainly never published made this credential.

        A record that says so of one that retires, or that status has told of, is wrong.
        """
        is_recorded = self.attempt_of(credential) in self.abandoned_attempts
        return is_recorded and credential.key_id not in self._served

    @property
    def _served(self) -> frozenset[KeyId]:
        status = self.resource.status
        told = (status.get("credential"), *(status.get("retiring") or ()))
        keys = {KeyId(entry.get("keyId", "")) for entry in told if isinstance(entry, dict)}
        return frozenset(keys | {r.key_id for r in self.retiring})

    @property
    def proof_count(self) -> int:
        """How many sign-ins in a row prove a successor."""
        policy = self.settings
        return policy.next_proof_count if self.is_in_use else policy.first_proof_count

    @property
    def proof_spacing(self) -> timedelta:
        """Time between two of them: a second, or so long that several replicas answer."""
        policy = self.settings
        if not self.is_in_use:
            return policy.first_proof_spacing
        low, high = policy.next_proof_spread_min, policy.next_proof_spread_max
        spread = min(max(self.lifetime / 40, low), high)
        return spread / max(policy.next_proof_count - 1, 1)
