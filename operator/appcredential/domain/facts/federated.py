"""What follows from the observation of a FederatedIdentity, so that its rules read as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.annotations import (
    CLIENT_ID_ANNOTATION,
    TENANT_ID_ANNOTATION,
    WIRED_BY_ANNOTATION,
    federated_key,
)
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.issuer import _cluster_issuer, _refusal
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import (
    FederatedCredential,
    FederatedList,
    Federation,
    OutputMap,
    ServiceAccount,
)
from appcredential.domain.observed.observation import Observation
from appcredential.domain.proof import Proof
from appcredential.domain.spec.federated import (
    CustomerManagedKeySource,
    FederatedSpec,
)
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.trusts import (
    MAX_CREDENTIALS,
    Trust,
    credential_name,
    marker_of,
    retire_time_of,
    trust_attempt,
    trusts,
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

    # --- the ServiceAccount and the output -------------------------------------------------

    @property
    def annotated_by(self) -> str:
        """Value of the annotation that says who wrote the others, and for which application."""
        return f"{self.common.resource.owner.name}/{self.common.spec.client_id}"

    @property
    def annotations(self) -> dict[str, str]:
        """What the ServiceAccount is to be annotated with."""
        return {
            CLIENT_ID_ANNOTATION: self.common.spec.client_id,
            TENANT_ID_ANNOTATION: self.common.tenant.tenant_id,
            WIRED_BY_ANNOTATION: self.annotated_by,
        }

    @property
    def service_account(self) -> ServiceAccount | None:
        """The ServiceAccount to annotate, when it is there and may be read."""
        found = self.seen.service_account
        return found if isinstance(found, ServiceAccount) else None

    @property
    def is_annotated_as_wanted(self) -> bool:
        """Nothing has to be annotated, or is annotated as wanted."""
        if not self.spec.annotated_account:
            return True
        account = self.service_account
        if account is None or self.has_foreign_annotation(account):
            return False
        return not self.missing_annotations(account)

    def missing_annotations(self, account: ServiceAccount) -> dict[str, str]:
        """Return what is to be written; nothing when all is well, or in the way."""
        if self.has_foreign_annotation(account):
            return {}
        held = account.annotations
        wanted = self.annotations
        ids = (CLIENT_ID_ANNOTATION, TENANT_ID_ANNOTATION)
        if all(held.get(k) == wanted[k] for k in ids) and WIRED_BY_ANNOTATION not in held:
            return {}  # a person wrote just the same: it stays theirs
        return {k: v for k, v in wanted.items() if held.get(k) != v}

    def has_foreign_annotation(self, account: ServiceAccount) -> bool:
        """Tell whether a value is another one and not what we wrote ourselves."""
        held = account.annotations
        client = held.get(CLIENT_ID_ANNOTATION, "")
        tenant = held.get(TENANT_ID_ANNOTATION, "")
        if client in {"", self.common.spec.client_id} and tenant in {
            "",
            self.common.tenant.tenant_id,
        }:
            return False
        name = self.common.resource.owner.name
        return held.get(WIRED_BY_ANNOTATION) != f"{name}/{client}"

    @property
    def wanted_output(self) -> dict[str, str]:
        """What the output ConfigMap holds, under the names that azure-identity reads."""
        source = self.spec.source
        found = {
            "AZURE_CLIENT_ID": str(self.common.spec.client_id),
            "AZURE_TENANT_ID": str(self.common.tenant.tenant_id),
            "AZURE_AUTHORITY_HOST": self.common.tenant.authority_host,
        }
        if isinstance(source, CustomerManagedKeySource):
            found |= federated_key(self.common.spec.client_id, source)
        return found

    @property
    def output(self) -> OutputMap | None:
        """The ConfigMap of the output's name, when it is there and may be read."""
        found = self.seen.output
        return found if isinstance(found, OutputMap) else None

    @property
    def has_foreign_output(self) -> bool:
        """Tell whether a ConfigMap of that name is not ours, nor left behind, or is immutable."""
        found = self.output
        if found is None:
            return False
        return found.immutable or not (self._owns(found) or self._is_left(found))

    def _owns(self, found: OutputMap) -> bool:
        return found.owner == str(self.common.resource.owner)

    def _is_left(self, found: OutputMap) -> bool:
        """Tell whether its owner was deleted: it goes with the trust that it tells of (F3)."""
        namespace, _, name = found.owner.partition("/")
        return Owner(namespace, name).hash in self.seen.leaving

    @property
    def is_output_done(self) -> bool:
        """Nothing has to be written, or is written as wanted."""
        if not self.spec.config_map:
            return True
        found = self.output
        if found is None or found.immutable or not self._owns(found):
            return False
        return all(found.data.get(k) == v for k, v in self.wanted_output.items())

    @property
    def is_settled(self) -> bool:
        """All that was asked for is there: what it replaces may go."""
        return self.is_trusted and self.is_annotated_as_wanted and self.is_output_done


def is_verified(status: Mapping[str, Any]) -> bool:
    """Tell whether status says that it was proven."""
    conditions = status.get("conditions") or ()
    return any(c.get("type") == "Verified" and c.get("status") == "True" for c in conditions)


def is_told(status: Mapping[str, Any], c: FederatedCredential) -> bool:
    """Tell whether status says of this credential, as it is, that it is ready for use."""
    ready = any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in status.get("conditions") or ()
    )
    told = {"id": c.id, "issuer": c.issuer, "subject": c.subject}
    entries = status.get("federatedIdentities") or ()
    same = any(
        told.items() <= dict(entry).items() and (entry.get("audience"),) == c.audiences
        for entry in entries
    )
    return ready and same


def assess_federated(facts: Facts) -> FederatedFacts | Problem:
    """Work out what is to be trusted, or why that cannot be said or done."""
    spec, seen = facts.spec.federated, facts.observation.federation
    assert spec is not None  # noqa: S101 - the parser gives each type its member
    assert seen is not None  # noqa: S101 - gathered for this type
    issuer = _cluster_issuer(facts.observation, spec, seen)
    refusal = issuer if isinstance(issuer, Problem) else _refusal(facts, spec, issuer)
    if isinstance(refusal, Problem):
        return refusal
    return FederatedFacts(
        common=facts,
        spec=spec,
        seen=seen,
        listed=seen.listed,
        trusts=trusts(
            spec,
            facts.resource.owner.namespace,
            str(issuer),
            cloud=facts.tenant.cloud,
            authority_host=facts.tenant.authority_host,
            tenant_id=facts.tenant.tenant_id,
        ),
    )


def asked_trusts(observation: Observation) -> frozenset[tuple[str, str, str]] | None:
    """Return what the spec asks to trust, by what status last told; None when nobody can say."""
    spec = observation.resource.spec
    if not isinstance(spec, AppCredentialSpec) or isinstance(observation.tenant, Problem):
        return None
    assert spec.federated is not None  # noqa: S101 - asked for this type only
    assert observation.federation is not None  # noqa: S101
    issuer = _cluster_issuer(observation, spec.federated, observation.federation)
    found = trusts(
        spec.federated,
        observation.resource.owner.namespace,
        issuer if isinstance(issuer, str) else "",
        cloud=observation.tenant.cloud,
        authority_host=observation.tenant.authority_host,
        tenant_id=observation.tenant.tenant_id,
    )
    return frozenset((*t.pair, t.audience) for t in found)


PROVE = "prove"
"""What stands in `Memory.problem_operation` when an exchange could not even be tried."""


def is_full(facts: FederatedFacts) -> bool:
    """Tell whether Entra would refuse one more for this application."""
    return len(facts.credentials) >= MAX_CREDENTIALS


def extra(facts: FederatedFacts) -> tuple[FederatedCredential, ...]:
    """Return ours that no trust asks for."""
    wanted = {t.pair for t in facts.trusts}
    return tuple(c for c in facts.ours if c.pair not in wanted)
