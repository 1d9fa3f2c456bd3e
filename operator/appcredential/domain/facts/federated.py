"""What follows from the observation of a FederatedIdentity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.adoption import is_adopted_trust
from appcredential.domain.facts.annotations import AnnotationFacts
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.issuer import cluster_issuer, issuer_refusal, wanted_trusts
from appcredential.domain.facts.output import OutputFacts
from appcredential.domain.facts.told import is_told, was_verified
from appcredential.domain.observed.federated import (
    FailedTrust,
    FederatedCredential,
    FederatedList,
    Federation,
)
from appcredential.domain.proof import Proof
from appcredential.domain.spec.federated import FederatedSpec
from appcredential.domain.spec.trusts import (
    Trust,
    credential_name,
    marker_of,
    retire_time_of,
    trust_attempt,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedFacts:
    """An observation behind the gates, and the trusts that the spec asks for.

    Attributes:
        common: the facts that every type has.
        listed: the application's federated credentials; None before the first read.
        trusts: what the spec asks Entra to trust; at least one.
    """

    common: Facts
    spec: FederatedSpec
    seen: Federation
    listed: FederatedList | None
    trusts: tuple[Trust, ...]

    @property
    def credentials(self) -> tuple[FederatedCredential, ...]:
        """All that the last read listed, also those that somebody else made."""
        return self.listed.credentials if self.listed is not None else ()

    @property
    def is_fresh(self) -> bool:
        """A direct read of them is not older than the freshness bound."""
        observation = self.common.observation
        return (
            self.listed is not None
            and observation.now - self.listed.read_time <= observation.settings.freshness
        )

    @property
    def is_met(self) -> bool:
        """All that the spec asks for is as wanted."""
        return all(self.exists(trust) is not None for trust in self.trusts)

    @property
    def known_time(self) -> datetime | None:
        """When Entra last showed them; no batch speaks for what is not as wanted."""
        if self.listed is None:
            return None
        return self.listed.known_time if self.is_met else self.listed.read_time

    @property
    def doubted(self) -> datetime | None:
        """When a batch showed something else since the direct read; None when none did."""
        return self.listed.doubted if self.listed is not None and self.listed.is_doubted else None

    @property
    def ours(self) -> tuple[FederatedCredential, ...]:
        """The listed ones that this resource made in this very cluster."""
        return tuple(c for c in self.credentials if self.is_ours(c))

    def is_ours(self, credential: FederatedCredential) -> bool:
        """Return whether this resource made it in this cluster, and so may change and remove it."""
        mark, observation = marker_of(credential.description), self.common.observation
        return mark is not None and mark.is_removable_by(
            observation.identity, observation.resource.owner
        )

    def is_usable(self, credential: FederatedCredential) -> bool:
        """Return whether it belongs to this resource, made here or before a restore."""
        mark, observation = marker_of(credential.description), self.common.observation
        return mark is not None and mark.is_usable_by(
            observation.identity, observation.resource.owner
        )

    def is_left_behind(self, credential: FederatedCredential) -> bool:
        """Return whether another resource of the namespace, deleted or changed, has left it."""
        mark, observation = marker_of(credential.description), self.common.observation
        if mark is None:
            return False
        is_retiring = retire_time_of(credential.description) is not None
        left = mark.owner in self.seen.leaving
        left = left or (is_retiring and mark.owner in self.seen.neighbours)
        return (
            left
            and mark.cluster == observation.identity.cluster
            and mark.attempt.startswith(observation.identity.system)
        )

    def holder(self, trust: Trust) -> FederatedCredential | None:
        """Return the credential with this issuer and subject, also if somebody else made it."""
        return next((c for c in self.credentials if c.pair == trust.pair), None)

    def attempt(self, trust: Trust) -> str:
        """Return the attempt in the marker of this trust's credential."""
        return trust_attempt(self.common.identity, trust.pair)

    def exists(self, trust: Trust) -> FederatedCredential | None:
        """Return the credential that is exactly as this trust needs it; None without one."""
        credential = self.holder(trust)
        if credential is None or retire_time_of(credential.description) is not None:
            return None
        may_use = self.is_usable(credential) or is_adopted_trust(self.common, credential)
        return credential if may_use and credential.audiences == (trust.audience,) else None

    def obstacle(self, trust: Trust) -> FederatedCredential | None:
        """Return what is in the way: another owner's, with the same issuer and subject or name."""
        credential = self.holder(trust)
        if credential is not None:
            is_own = self.is_usable(credential) or self.is_left_behind(credential)
            return None if is_own or self.exists(trust) is not None else credential
        name = credential_name(self.spec.name_prefix, trust).casefold()
        occupant = next((n for n in self.credentials if n.name.casefold() == name), None)
        return None if occupant is None or self.is_usable(occupant) else occupant

    def free_name(self, trust: Trust) -> str:
        """Return a name for this trust's credential, also if one of ours has the usual one.

        An edit made that one trust something else that the spec asks for: it stays in use.
        """
        taken = {c.name.casefold(): c.id for c in self.credentials}
        name = credential_name(self.spec.name_prefix, trust)
        while occupant := taken.pop(name.casefold(), ""):
            name = credential_name(self.spec.name_prefix, trust, occupant)
        return name

    def just_written(self, attempt: str) -> bool:
        """Return whether our last write is so recent that a read may not show it yet."""
        observation = self.common.observation
        written = observation.memory.federated.written.get(attempt)
        return written is not None and observation.now - written < observation.settings.settle

    def failed(self, trust: Trust) -> FailedTrust | None:
        """Return why Entra did not take this one trust when it was last asked; None if it did."""
        return self.common.memory.federated.failed.get(self.attempt(trust))

    def waits(self, trust: Trust) -> bool:
        """Return whether this trust is left alone for now, whatever becomes of the others."""
        failed, attempt = self.failed(trust), self.attempt(trust)
        is_pause = failed is not None and self.common.now < failed.retry_time
        return is_pause or self.just_written(attempt)

    def quiet_end(self, trust: Trust) -> datetime | None:
        """Return when an exchange may be tried; None when the credential is not as wanted.

        Entra caches a failed exchange for minutes, so no try may come too early.
        """
        credential, observation = self.exists(trust), self.common.observation
        if credential is None:
            return None
        memory = observation.memory.federated
        changed = memory.changed.get(self.attempt(trust))
        if changed is None and is_told(observation.resource.status, credential):
            return observation.now
        since = changed or memory.seen.get(credential.id, observation.now)
        return since + observation.settings.federated_quiet

    @property
    def is_quiet_over(self) -> bool:
        """Every trust exists as wanted and is past its quiet period."""
        ends = [self.quiet_end(t) for t in self.trusts]
        return all(end is not None and end <= self.common.now for end in ends)

    @property
    def is_trusted(self) -> bool:
        """Ready for workloads: the quiet period is over and any required proof succeeded."""
        return self.is_quiet_over and (not self.needs_proof or self.is_proven)

    @property
    def needs_proof(self) -> bool:
        """The spec requires a proof, and the operator can get a token for it."""
        return self.common.requires_proof and bool(self.spec.account)

    @property
    def proof(self) -> Proof | None:
        """The run of exchanges for the present trust; None before the first."""
        found, attempt = self.common.memory.pending_proof, self.attempt(self.trusts[0])
        return found if found is not None and found.attempt == attempt else None

    @property
    def is_proven(self) -> bool:
        """An exchange succeeded since the last change, in this or an earlier process."""
        trust, observation = self.trusts[0], self.common.observation
        changed = observation.memory.federated.changed.get(self.attempt(trust))
        proof, credential = self.proof, self.exists(trust)
        if proof is not None and proof.last_success is not None:
            return changed is None or proof.last_success >= changed
        if credential is None or changed is not None:
            return False
        return is_told(observation.resource.status, credential) and was_verified(
            observation.resource.status
        )

    @property
    def annotations(self) -> AnnotationFacts:
        """Which annotations the ServiceAccount has to have."""
        return AnnotationFacts(common=self.common, spec=self.spec, seen=self.seen.service_account)

    @property
    def output(self) -> OutputFacts:
        """What the output ConfigMap has to hold."""
        return OutputFacts(common=self.common, spec=self.spec, seen=self.seen)

    @property
    def is_settled(self) -> bool:
        """Everything that the spec asks for is in place: what it replaces may go."""
        return self.is_trusted and self.annotations.are_done and self.output.is_done


def assess_federated(facts: Facts) -> FederatedFacts | Problem:
    """Return the facts of a FederatedIdentity, or why its trust is unknown or impossible."""
    spec, seen = facts.spec.federated, facts.observation.federation
    assert spec is not None  # noqa: S101 - the parser gives each type its member
    assert seen is not None  # noqa: S101 - `gather/` reads it for this type
    issuer = cluster_issuer(facts.observation, spec, seen)
    refusal = issuer if isinstance(issuer, Problem) else issuer_refusal(facts, spec, issuer)
    if isinstance(refusal, Problem):
        return refusal
    return FederatedFacts(
        common=facts,
        spec=spec,
        seen=seen,
        listed=seen.listed,
        trusts=wanted_trusts(spec, facts.resource.owner, facts.tenant, str(issuer)),
    )
