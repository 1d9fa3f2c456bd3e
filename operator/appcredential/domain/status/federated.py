"""The conditions of a FederatedIdentity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appcredential.domain.conditions import Condition, ConditionType, Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.federated import FederatedFacts, assess_federated
from appcredential.domain.facts.issuer import asked_trusts
from appcredential.domain.facts.told import is_verified
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.operation import Operation
from appcredential.domain.proof import SignInClass, is_failing_long
from appcredential.domain.spec.federated import FederatedSpec
from appcredential.domain.spec.git_hub_source import EntityType, GitHubSource
from appcredential.domain.spec.model import AppCredentialSpec, VerificationMode
from appcredential.domain.status.adopted import adopted_trusts_note
from appcredential.domain.status.federated_problem import federated_problem
from appcredential.domain.status.issuer_document import document_warning
from appcredential.domain.status.not_owner import not_owner
from appcredential.domain.status.refused_published import (
    Refusal,
    refusal_of_trust,
    told_verdict,
)
from appcredential.domain.status.refused_sign_ins import application_message
from appcredential.domain.status.trust_problem import counted
from appcredential.domain.status.verdicts import PAUSED

UNMET: Final = frozenset({Reason.INVALID_SPEC, Reason.ISSUER_UNREACHABLE, Reason.NOT_MULTI_TENANT})
"""Problems with which no trust can be what this generation asks for."""


@dataclass(frozen=True, slots=True)
class FederatedView:
    """The problem of a FederatedIdentity, and its three conditions."""

    problem: Problem | None
    ready: Condition
    verified: Condition
    expiring: Condition


def federated_view(
    observation: Observation, common: Facts | None, gate: Problem | None
) -> FederatedView:
    """Return problem and conditions. `common` is None behind a closed gate; `gate` says why."""
    found = assess_federated(common) if common is not None else None
    facts = found if isinstance(found, FederatedFacts) and found.listed is not None else None
    problem = gate or (found if isinstance(found, Problem) else None)
    if facts is not None and (problem is None or problem.reason is Reason.OBSERVING):
        own = federated_problem(facts)
        problem = own if problem is None or (own is not None and own.stalled) else problem
    if problem is None and facts is None:
        problem = observation.memory.directory_problem  # nothing was read yet
    is_met = facts.is_settled if facts is not None else _is_still_met(observation, problem)
    refused = _refused(facts) if facts is not None else None
    if refused is not None and refused.is_for_everybody and is_met:
        problem, is_met = problem or refused.problem, False
    return FederatedView(
        problem=problem,
        ready=_ready(observation, facts, problem, is_met=is_met),
        verified=refused.verified if refused is not None else _verified(observation, facts),
        expiring=Condition.false(
            ConditionType.EXPIRING, Reason.NOT_DUE, "A federated credential does not expire."
        ),
    )


def _refused(facts: FederatedFacts) -> Refusal | None:
    """Return why exchanges fail that succeeded once."""
    if not facts.needs_proof:
        return None
    attempt, is_proven = facts.attempt(facts.trusts[0]), facts.is_proven
    return refusal_of_trust(facts.common.observation, attempt, was_proven=is_proven)


def _is_still_met(observation: Observation, problem: Problem | None) -> bool:
    """Return whether the trusts in status are those that the spec asks for now."""
    if observation.federation is None or (problem is not None and problem.reason in UNMET):
        return False
    if problem is not None and problem.reason is Reason.APPLICATION_NOT_FOUND:
        is_gone = problem.stalled or observation.memory.lacks_application
        if is_gone:
            return False
    status = observation.resource.status
    conditions = status.get("conditions") or ()
    ready = [c for c in conditions if c.get("type") == "Ready" and c.get("status") == "True"]
    entries = status.get("federatedIdentities") or ()
    told = {(e.get("issuer"), e.get("subject"), e.get("audience")) for e in entries}
    asked = asked_trusts(observation)
    if asked is None:  # the trusts are not known, only that the spec is the same as before
        is_same = any(c.get("observedGeneration") == observation.resource.generation for c in ready)
        return is_same and bool(told)
    return bool(ready) and bool(told) and asked <= told


_PROVEN: Final = Condition.true(
    ConditionType.VERIFIED,
    Reason.PROVEN,
    "A token of the ServiceAccount was exchanged for one of Entra.",
)
_NOT_TRIED = {
    Reason.NOT_VERIFIABLE: "No exchange was tried: the operator has no token of that issuer, or "
    "spec.verification.mode does not ask for it.",
    Reason.NOT_VERIFIED: "No exchange was tried yet.",
}


def _verified(observation: Observation, facts: FederatedFacts | None) -> Condition:
    kind = ConditionType.VERIFIED
    if facts is None:
        status = observation.resource.status
        return _PROVEN if is_verified(status) else told_verdict(status) or _untried(observation)
    if facts.needs_proof and facts.is_proven:
        return _PROVEN
    documents = facts.seen.documents
    warnings = (document_warning(t.issuer, documents.get(t.issuer)) for t in facts.trusts)
    if (warning := next(filter(None, warnings), None)) is not None:
        return warning
    if not facts.needs_proof:
        return _untried(observation)
    proof, obstacle = facts.proof, _obstacle(observation)
    if proof is not None and proof.failing_since is not None:
        reason = proof.result.reason
        is_judged = proof.result.kind in {SignInClass.UNMATCHED, SignInClass.APPLICATION}
        is_refused = is_judged and is_failing_long(proof, observation.now)
        of = Condition.false if is_refused else Condition.unknown
        return of(kind, reason, application_message(proof.result))
    if obstacle is not None:
        return Condition.unknown(kind, obstacle.reason, obstacle.message)
    return _untried(observation)


def _untried(observation: Observation) -> Condition:
    reason = _not_tried(observation)
    message = f"{_NOT_TRIED[reason]}{_hint(observation)}"
    return Condition.unknown(ConditionType.VERIFIED, reason, message)


def _hint(observation: Observation) -> str:
    """Return what only a person can compare: no list of environments shows their spelling."""
    source = _federated(observation).source
    entities = source.entities if isinstance(source, GitHubSource) else ()
    if all(entity.type is not EntityType.ENVIRONMENT for entity in entities):
        return ""
    return " Upper and lower case of an environment's name count: compare it with sub in a token."


def _obstacle(observation: Observation) -> Problem | None:
    """Return what prevents an exchange from being tried at all."""
    return (
        observation.memory.directory_problem
        if observation.memory.problem_operation is Operation.PROVE
        else None
    )


def _not_tried(observation: Observation) -> Reason:
    spec = observation.resource.spec
    assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - called for this type only
    is_asked = spec.verification.mode is VerificationMode.REQUIRED
    is_tried = is_asked and _federated(observation).account
    return Reason.NOT_VERIFIED if is_tried else Reason.NOT_VERIFIABLE


def _federated(observation: Observation) -> FederatedSpec:
    spec = observation.resource.spec
    assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - called for this type only
    assert spec.federated is not None  # noqa: S101
    return spec.federated


_TRUSTED = "Entra trusts the tokens that the spec names."


def _ready(
    observation: Observation,
    facts: FederatedFacts | None,
    problem: Problem | None,
    *,
    is_met: bool,
) -> Condition:
    kind = ConditionType.READY
    if is_met and problem is not None and problem.reason in PAUSED:
        return Condition.true(kind, problem.reason, f"{_TRUSTED} {problem.message}")
    if is_met:
        unowned = not_owner(observation, _TRUSTED)
        if unowned is not None:
            return Condition.true(kind, unowned.reason, f"{_TRUSTED} {unowned.message}")
        note = adopted_trusts_note(facts) if facts is not None else ""
        return Condition.true(kind, Reason.TRUSTED, f"{_TRUSTED}{note}")
    if problem is not None:
        return Condition.false(kind, problem.reason, problem.message)
    return Condition.false(kind, Reason.PROGRESSING, _progress(facts))


def _progress(facts: FederatedFacts | None) -> str:
    if facts is None or len(facts.trusts) == 1:
        return "The federated credential is being made, or waits until all of Entra knows it."
    return f"{counted(facts)} New ones wait until all of Entra knows them."
