"""What follows from an observation, worked out once so that the rules read as sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from appcredential.domain.conditions import Problem
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import Attempt, ClusterIdentity, parse_marker
from appcredential.domain.observed.certificate import CertificateInputs
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """An observation behind the gates: spec, tenant and application are known good.

    Attributes:
        observation: what was gathered, without a T that is to be taken over.
        taken: that T, another's until we publish.
        entra_now: the time by Entra's clock.
        lifetime: what we would ask for now.
        published: T's credential, None without an own T.
        plan: its renewal schedule.
        exact: listed credentials of the spec's type that carry our exact marker, by key id.
    """

    observation: Observation
    spec: AppCredentialSpec
    tenant: Tenant
    application: Application
    entra_now: datetime
    lifetime: timedelta
    published: IssuedCredential | None
    schedule: Schedule | None
    ours: dict[KeyId, Credential]
    taken: Target | None = None

    @property
    def now(self) -> datetime:
        """The time by our own clock."""
        return self.observation.now

    @property
    def settings(self) -> LifecycleSettings:
        """The timings that the rules use."""
        return self.observation.settings

    @property
    def memory(self) -> Memory:
        """What only this process knows."""
        return self.observation.memory

    @property
    def resource(self) -> Resource:
        """The AppCredential."""
        return self.observation.resource

    @property
    def identity(self) -> ClusterIdentity:
        """The cluster's, as our markers carry it."""
        return self.observation.identity

    @property
    def holder(self) -> str:
        """The name of this process, as the pending Secret records it."""
        return self.observation.holder

    @property
    def grant(self) -> Grant | Problem:
        """The grant that matches now, or why none does."""
        return self.observation.grant

    @property
    def target(self) -> Target | None:
        """The target Secret, when it is ours."""
        return self.observation.target

    @property
    def certificate_inputs(self) -> CertificateInputs:
        """What the certificate and its files are made of."""
        return self.observation.certificate_inputs

    @property
    def observes(self) -> bool:
        """The spec asks for reports only."""
        return self.spec.mode is Mode.OBSERVE

    @property
    def live(self) -> Target | None:
        """The Secret of T's name, ours or to be taken over."""
        return self.taken if self.taken is not None else self.target

    @property
    def is_in_use(self) -> bool:
        """Workloads may be signing in with what the Secret holds now."""
        return self.has_valid_published or self.taken is not None

    @property
    def pending(self) -> Pending | None:
        """P."""
        return self.observation.pending

    @property
    def successor(self) -> Pending | None:
        """P when it is `Minted`."""
        p = self.observation.pending
        return p if p is not None and p.state is PendingState.MINTED else None

    @property
    def retiring(self) -> tuple[Retiring, ...]:
        """T's retiring entries."""
        return self.target.retiring if self.target is not None else ()

    @property
    def is_fresh(self) -> bool:
        """The application was read directly within the freshness bound."""
        return self.now - self.application.read_time <= self.settings.freshness

    @property
    def is_paused(self) -> bool:
        """A call to the directory failed, and the next one has to wait."""
        return self.memory.retry_time is not None and self.now < self.memory.retry_time

    @property
    def is_granted(self) -> bool:
        """A grant matches now."""
        return not isinstance(self.grant, Problem)

    @property
    def requires_proof(self) -> bool:
        """`verification.mode` is Required, and the successor holds what it takes to sign in."""
        p = self.observation.pending
        is_provable = p is None or p.value is None or can_sign_in(p.value)
        return self.spec.verification.mode is VerificationMode.REQUIRED and is_provable

    @property
    def can_published_sign_in(self) -> bool:
        """T's value is enough to sign in: not a certificate whose key is elsewhere."""
        t = self.target
        return t is None or t.value is None or can_sign_in(t.value)

    @property
    def has_valid_published(self) -> bool:
        """T holds an intact value that has not expired by Entra's clock."""
        return (
            self.published is not None
            and self.target is not None
            and self.target.value is not None
            and self.published.expires > self.entra_now
        )

    @property
    def is_from_another_cluster(self) -> bool:
        """T says that another cluster's operator wrote it: a migration or a restored backup."""
        t = self.target
        written_by = cluster_of(t.annotations) if t is not None else ""
        return written_by not in {"", self.identity.cluster}

    def is_listed(self, key: KeyId) -> bool:
        """Tell whether the last read showed this credential, whoever made it."""
        return any(c.key_id == key for c in self.application.credentials)

    def attempt_of(self, credential: Credential) -> Attempt:
        """Return the attempt in a credential's marker, empty without one."""
        marker = parse_marker(credential.display_name)
        return marker.attempt if marker is not None else Attempt("")

    @property
    def abandoned_attempts(self) -> frozenset[str]:
        """T's and P's lists together."""
        observation = self.observation
        entries = (
            *(observation.target.abandoned if observation.target else ()),
            *(observation.pending.abandoned if observation.pending else ()),
        )
        return frozenset(e.attempt for e in entries)

    def is_pending(self, credential: Credential) -> bool:
        """Tell whether a credential was made by P's attempt: "pending" is equality of attempts."""
        p = self.observation.pending
        return p is not None and p.attempt == self.attempt_of(credential)

    def is_abandoned(self, credential: Credential) -> bool:
        """Tell whether a credential was made by an attempt that is proven unpublished."""
        return self.attempt_of(credential) in self.abandoned_attempts

    @property
    def proof_count(self) -> int:
        """Successes in a row that prove a successor."""
        policy = self.settings
        return policy.next_proof_count if self.is_in_use else policy.first_proof_count

    @property
    def proof_spacing(self) -> timedelta:
        """Time between two of them: a second, or spread so that several replicas answer."""
        policy = self.settings
        if not self.is_in_use:
            return policy.first_proof_spacing
        low, high = policy.next_proof_spread_min, policy.next_proof_spread_max
        spread = min(max(self.lifetime / 40, low), high)
        return spread / max(policy.next_proof_count - 1, 1)
