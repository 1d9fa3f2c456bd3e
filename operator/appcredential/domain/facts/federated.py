"""What follows from the observation of a FederatedIdentity, so that its rules read as sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.annotations import AnnotationFacts
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.issuer import cluster_issuer, issuer_refusal, wanted_trusts
from appcredential.domain.facts.output import OutputFacts
from appcredential.domain.facts.told import is_told, is_verified
from appcredential.domain.observed.federated import (
    FederatedCredential,
    FederatedList,
    Federation,
)
from appcredential.domain.proof import Proof
from appcredential.domain.spec.federated import (
    FederatedSpec,
)
from appcredential.domain.spec.trusts import (
    MAX_CREDENTIALS,
    Trust,
    credential_name,
    marker_of,
    retire_time_of,
    trust_attempt,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedFacts:
    """An observation behind the gates, and what is to be trusted.

    Attributes:
        common: what every type has.
        listed: None before the first read.
        trusts: what the spec asks for, at least one.
    """

    common: Facts
    spec: FederatedSpec
    seen: Federation
    listed: FederatedList | None
    trusts: tuple[Trust, ...]

    @property
    def credentials(self) -> tuple[FederatedCredential, ...]:
        """All that the last read showed, whoever made them."""
        return self.listed.credentials if self.listed is not None else ()

    @property
    def is_fresh(self) -> bool:
        """They were read directly within the freshness bound."""
        observation = self.common.observation
        return (
            self.listed is not None
            and observation.now - self.listed.read_time <= observation.settings.freshness
        )

    @property
    def ours(self) -> tuple[FederatedCredential, ...]:
        """Those that this resource of this very cluster made."""
        return tuple(c for c in self.credentials if self.is_ours(c))

    def is_ours(self, c: FederatedCredential) -> bool:
        """Tell whether we made it, and so may change and remove it."""
        mark, observation = marker_of(c.description), self.common.observation
        return mark is not None and mark.is_removable_by(
            observation.identity, observation.resource.owner
        )

    def is_usable(self, c: FederatedCredential) -> bool:
        """Tell whether it is this resource's, made here or before a restore."""
        mark, observation = marker_of(c.description), self.common.observation
        return mark is not None and mark.is_usable_by(
            observation.identity, observation.resource.owner
        )

    def is_left_behind(self, c: FederatedCredential) -> bool:
        """Tell whether another resource of the namespace leaves it: deleted, or past wanting it."""
        mark, observation = marker_of(c.description), self.common.observation
        if mark is None:
            return False
        is_retiring = retire_time_of(c.description) is not None
        left = mark.owner in self.seen.leaving
        left = left or (is_retiring and mark.owner in self.seen.neighbours)
        return (
            left
            and mark.cluster == observation.identity.cluster
            and mark.attempt.startswith(observation.identity.system)
        )

    def holder(self, trust: Trust) -> FederatedCredential | None:
        """Return what has this issuer and subject, whoever made it."""
        return next((c for c in self.credentials if c.pair == trust.pair), None)

    def attempt(self, trust: Trust) -> str:
        """Return the last part of the marker that this trust's credential has."""
        return trust_attempt(self.common.identity, trust.pair)

    def exists(self, trust: Trust) -> FederatedCredential | None:
        """Return the credential that is as this trust wants it."""
        c = self.holder(trust)
        if c is None or not self.is_usable(c) or retire_time_of(c.description) is not None:
            return None
        return c if c.audiences == (trust.audience,) else None

    def drifted(self, trust: Trust) -> FederatedCredential | None:
        """Return one that we made for this trust and that somebody has edited."""
        wanted = {t.pair for t in self.trusts}
        attempt = self.attempt(trust)
        for c in self.ours:
            mark = marker_of(c.description)
            if mark is not None and mark.attempt == attempt and c.pair not in wanted:
                return c
        return None

    def obstacle(self, trust: Trust) -> FederatedCredential | None:
        """Return what is in the way: not ours, for the same issuer and subject or of the name."""
        c = self.holder(trust)
        if c is not None:
            return None if self.is_usable(c) or self.is_left_behind(c) else c
        name = credential_name(self.spec.name_prefix, trust).casefold()
        return next((n for n in self.credentials if n.name.casefold() == name), None)

    def just_written(self, attempt: str) -> bool:
        """Tell whether we wrote it so lately that a read may not show it yet."""
        observation = self.common.observation
        written = observation.memory.federated.written.get(attempt)
        return written is not None and observation.now - written < observation.settings.settle

    def quiet_end(self, trust: Trust) -> datetime | None:
        """Return when an exchange may be tried; None when it does not exist as wanted.

        A try that comes too early is remembered by Entra as a failure, for minutes.
        """
        c, observation = self.exists(trust), self.common.observation
        if c is None:
            return None
        memory = observation.memory.federated
        changed = memory.changed.get(self.attempt(trust))
        if changed is None and is_told(observation.resource.status, c):
            return observation.now
        since = changed or memory.seen.get(c.id, observation.now)
        return since + observation.settings.federated_quiet

    @property
    def is_quiet_over(self) -> bool:
        """Every trust exists as wanted, and is past its quiet time."""
        ends = [self.quiet_end(t) for t in self.trusts]
        return all(end is not None and end <= self.common.now for end in ends)

    @property
    def is_trusted(self) -> bool:
        """Workloads may use it: the quiet time is over, and a proof that is asked for was had."""
        return self.is_quiet_over and (not self.needs_proof or self.is_proven)

    @property
    def needs_proof(self) -> bool:
        """A proof is asked for, and there is a token to prove it with."""
        return self.common.requires_proof and bool(self.spec.account)

    @property
    def proof(self) -> Proof | None:
        """The run of exchanges for what is asked for now."""
        found, attempt = self.common.memory.pending_proof, self.attempt(self.trusts[0])
        return found if found is not None and found.attempt == attempt else None

    @property
    def is_proven(self) -> bool:
        """An exchange succeeded since it was changed, now or in an earlier process."""
        trust, observation = self.trusts[0], self.common.observation
        changed = observation.memory.federated.changed.get(self.attempt(trust))
        proof, c = self.proof, self.exists(trust)
        if proof is not None and proof.last_success is not None:
            return changed is None or proof.last_success >= changed
        if c is None or changed is not None:
            return False
        return is_told(observation.resource.status, c) and is_verified(observation.resource.status)

    @property
    def annotations(self) -> AnnotationFacts:
        """What follows for the ServiceAccount's annotations."""
        return AnnotationFacts(common=self.common, spec=self.spec, seen=self.seen.service_account)

    @property
    def output(self) -> OutputFacts:
        """What follows for the output ConfigMap."""
        return OutputFacts(common=self.common, spec=self.spec, seen=self.seen)

    @property
    def is_settled(self) -> bool:
        """All that was asked for is there: what it replaces may go."""
        return self.is_trusted and self.annotations.are_done and self.output.is_done


def assess_federated(facts: Facts) -> FederatedFacts | Problem:
    """Work out what is to be trusted, or why that cannot be said or done."""
    spec, seen = facts.spec.federated, facts.observation.federation
    assert spec is not None  # noqa: S101 - the parser gives each type its member
    assert seen is not None  # noqa: S101 - gathered for this type
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


def is_full(facts: FederatedFacts) -> bool:
    """Tell whether Entra would refuse one more for this application."""
    return len(facts.credentials) >= MAX_CREDENTIALS


def extra(facts: FederatedFacts) -> tuple[FederatedCredential, ...]:
    """Return ours that no trust asks for."""
    wanted = {t.pair for t in facts.trusts}
    return tuple(c for c in facts.ours if c.pair not in wanted)
