"""What the status of a FederatedIdentity says where it differs from the other types'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from appcredential.domain.conditions import Condition, ConditionType, Problem, Reason
from appcredential.domain.facts.annotations import federated_key
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.federated import (
    PROVE,
    FederatedFacts,
    asked_trusts,
    assess_federated,
    extra,
    is_full,
    is_verified,
)
from appcredential.domain.facts.patience import patience_ends
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.proof import SignInClass, is_failing_long
from appcredential.domain.signin_messages import SIGN_IN_MESSAGES
from appcredential.domain.spec.federated import CustomerManagedKeySource
from appcredential.domain.spec.model import AppCredentialSpec, CredentialType, VerificationMode
from appcredential.domain.spec.trusts import MAX_CREDENTIALS, build_description, retire_time_of
from appcredential.domain.times import format_time

FEDERATED_DETAILS: Final = ("federatedIdentities", "configMapRef", "customerManagedKey")
"""What stays as it was last seen while a gate keeps us from looking."""

UNMET: Final = frozenset({Reason.INVALID_SPEC, Reason.ISSUER_UNREACHABLE, Reason.NOT_MULTI_TENANT})
"""Problems with which nothing can be what this generation asks for."""


@dataclass(frozen=True, slots=True)
class FederatedView:
    """The parts of a status: what stands in the way, and three conditions."""

    problem: Problem | None
    ready: Condition
    verified: Condition
    expiring: Condition


def is_federated(observation: Observation) -> bool:
    """Tell whether the resource is of type FederatedIdentity, and that can be read."""
    spec = observation.resource.spec
    return isinstance(spec, AppCredentialSpec) and spec.type is CredentialType.FEDERATED_IDENTITY


def federated_view(
    observation: Observation, common: Facts | None, gate: Problem | None
) -> FederatedView:
    """Return what to say; `f` is None, and `gate` says why, while a gate is closed."""
    found = assess_federated(common) if common is not None else None
    facts = found if isinstance(found, FederatedFacts) and found.listed is not None else None
    problem = gate or (found if isinstance(found, Problem) else None)
    if facts is not None and (problem is None or problem.reason is Reason.OBSERVING):
        own = _problem(facts)
        problem = own if problem is None or (own is not None and own.stalled) else problem
    if problem is None and facts is None:
        problem = observation.memory.directory_problem  # nothing was read yet
    is_met = facts.is_settled if facts is not None else _is_still_met(observation, problem)
    return FederatedView(
        problem=problem,
        ready=_ready(problem, is_met=is_met),
        verified=_verified(observation, facts),
        expiring=Condition(
            type=ConditionType.EXPIRING,
            status="False",
            reason=Reason.NOT_DUE,
            message="A federated credential does not expire.",
        ),
    )


def _is_still_met(observation: Observation, problem: Problem | None) -> bool:
    """Tell whether what status last told is what the spec asks for now."""
    if observation.federation is None or (problem is not None and problem.reason in UNMET):
        return False
    if problem is not None and problem.reason is Reason.APPLICATION_NOT_FOUND and problem.stalled:
        return False
    status = observation.resource.status
    conditions = status.get("conditions") or ()
    ready = [c for c in conditions if c.get("type") == "Ready" and c.get("status") == "True"]
    entries = status.get("federatedIdentities") or ()
    told = {(e.get("issuer"), e.get("subject"), e.get("audience")) for e in entries}
    asked = asked_trusts(observation)
    if asked is None:  # nobody can say what is asked for: only that it is the same as before
        is_same = any(c.get("observedGeneration") == observation.resource.generation for c in ready)
        return is_same and bool(told)
    return bool(ready) and bool(told) and asked <= told


_NOT_TRIED = {
    Reason.NOT_VERIFIABLE: "No exchange was tried: the operator has no token of that issuer, or "
    "spec.verification.mode does not ask for it.",
    Reason.NOT_VERIFIED: "No exchange was tried yet.",
}


def _verified(observation: Observation, facts: FederatedFacts | None) -> Condition:
    status, reason = "Unknown", _not_tried(observation)
    message = _NOT_TRIED[reason]
    proof = facts.proof if facts is not None and facts.needs_proof else None
    untried = _untried(observation)
    if facts is not None and facts.needs_proof and facts.is_proven:
        status, reason = "True", Reason.PROVEN
        message = "A token of the ServiceAccount was exchanged for one of Entra."
    elif proof is not None and proof.failing_since is not None:
        reason = proof.result.reason
        message = SIGN_IN_MESSAGES[reason]
        is_judged = proof.result.kind in {SignInClass.UNMATCHED, SignInClass.APPLICATION}
        status = "False" if is_judged and is_failing_long(proof, observation.now) else "Unknown"
    elif facts is not None and facts.needs_proof and untried is not None:
        reason, message = untried.reason, untried.message
    elif facts is None and is_verified(observation.resource.status):
        status, reason = "True", Reason.PROVEN
        message = "A token of the ServiceAccount was exchanged for one of Entra."
    return Condition(type=ConditionType.VERIFIED, status=status, reason=reason, message=message)


def _untried(observation: Observation) -> Problem | None:
    """Return what keeps an exchange from being tried at all."""
    return (
        observation.memory.directory_problem
        if observation.memory.problem_operation == PROVE
        else None
    )


def _not_tried(observation: Observation) -> Reason:
    spec = observation.resource.spec
    assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - it is of this type
    assert spec.federated is not None  # noqa: S101
    is_asked = spec.verification.mode is VerificationMode.REQUIRED
    return Reason.NOT_VERIFIED if is_asked and spec.federated.account else Reason.NOT_VERIFIABLE


def _proof_problem(facts: FederatedFacts) -> Problem | None:
    """Return what keeps a proof from coming, once it lasts."""
    proof = facts.proof
    if not facts.needs_proof or facts.is_proven or proof is None or proof.failing_since is None:
        return None
    reason = proof.result.reason
    return Problem(
        reason=reason,
        message=SIGN_IN_MESSAGES[reason],
        stalled=is_failing_long(proof, facts.common.now)
        and proof.result.kind is not SignInClass.TRANSIENT,
    )


_TRUSTED = "Entra trusts the tokens that the spec names."
_PAUSED = frozenset({Reason.SUSPENDED, Reason.OBSERVING})


def _ready(problem: Problem | None, *, is_met: bool) -> Condition:
    if is_met:
        reason = Reason.TRUSTED
        message = _TRUSTED
        if problem is not None and problem.reason in _PAUSED:
            reason, message = problem.reason, f"{_TRUSTED} {problem.message}"
        return Condition(type=ConditionType.READY, status="True", reason=reason, message=message)
    reason = Reason.PROGRESSING
    message = "The federated credential is being made, or waits until all of Entra knows it."
    if problem is not None:
        reason, message = problem.reason, problem.message
    return Condition(type=ConditionType.READY, status="False", reason=reason, message=message)


def _problem(facts: FederatedFacts) -> Problem | None:
    """Return what keeps the spec from being met, or should be known though it is."""
    directory = facts.common.memory.directory_problem
    return _trust_problem(facts) or directory or _around_problem(facts) or _proof_problem(facts)


def _trust_problem(facts: FederatedFacts) -> Problem | None:
    conflicts = [(t, c) for t in facts.trusts if (c := facts.obstacle(t)) is not None]
    if conflicts:
        trust, c = conflicts[0]
        mark = build_description(facts.common.identity, facts.common.resource.owner, trust.pair)
        return Problem(
            reason=Reason.CREDENTIAL_CONFLICT,
            message=f"The application has the federated credential {c.name}, which is not this "
            "resource's and is in the way. Remove it in Entra; or, to hand it over without a gap, "
            f"make its description begin with: {mark}",
        )
    is_unmet = any(facts.exists(t) is None for t in facts.trusts)
    if not facts.common.is_granted:
        return Problem(
            reason=Reason.GRANT_WITHDRAWN,
            message="No ApplicationGrant allows this trust any more, so nothing new is made. What "
            "exists stays: delete the resource to have it removed.",
        )
    if is_unmet and is_full(facts) and any(facts.holder(t) is None for t in facts.trusts):
        return Problem(
            reason=Reason.QUOTA_EXCEEDED,
            message=f"The application has {MAX_CREDENTIALS} federated credentials, which is all "
            "that Entra allows. Remove those that nobody needs, or use another application.",
        )
    return None


def _around_problem(facts: FederatedFacts) -> Problem | None:
    """Return what is wrong with the ServiceAccount or the output ConfigMap."""
    for found in (facts.seen.service_account, facts.seen.output):
        if isinstance(found, Problem):
            return found
    if facts.spec.annotated_account and facts.service_account is None:
        observation = facts.common.observation
        return Problem(
            reason=Reason.SERVICE_ACCOUNT_NOT_FOUND,
            message=f"The ServiceAccount {facts.spec.annotated_account} does not exist in this "
            "namespace. Create it, or set serviceAccount.annotation to None if nothing has to be "
            "annotated.",
            stalled=observation.now >= patience_ends(observation),
        )
    account = facts.service_account
    if account is not None and facts.has_foreign_annotation(account):
        return Problem(
            reason=Reason.ANNOTATION_CONFLICT,
            message=f"The ServiceAccount {account.name} is annotated for another application or "
            "tenant. Remove its annotations azure.workload.identity/client-id and tenant-id, or "
            "set serviceAccount.annotation to None.",
        )
    if facts.has_foreign_output:
        return Problem(
            reason=Reason.OUTPUT_CONFLICT,
            message=f"The ConfigMap {facts.spec.config_map} exists and is not this resource's, or "
            "is immutable. Choose another federatedIdentity.configMap.name, or delete it.",
        )
    return None


def federated_details(common: Facts) -> dict[str, Any]:
    """Return what status shows of the federated credentials themselves."""
    facts = assess_federated(common)
    if isinstance(facts, Problem) or facts.listed is None:
        old = common.resource.status
        return {k: old[k] for k in (*FEDERATED_DETAILS, "retiring") if k in old}
    found: dict[str, Any] = {}
    made = [c for c in (facts.exists(t) for t in facts.trusts) if c is not None]
    if made:
        found["federatedIdentities"] = [_entry(c) for c in made]
    retiring = [_retiring(c) for c in extra(facts) if retire_time_of(c.description) is not None]
    if retiring:
        found["retiring"] = retiring
    if facts.spec.config_map and facts.is_output_done:
        found["configMapRef"] = {"name": facts.spec.config_map}
    source = facts.spec.source
    if made and isinstance(source, CustomerManagedKeySource):
        found["customerManagedKey"] = federated_key(facts.common.spec.client_id, source)
    return found


def _entry(c: FederatedCredential) -> dict[str, str]:
    audience = c.audiences[0] if c.audiences else ""
    return {
        "id": c.id,
        "name": c.name,
        "issuer": c.issuer,
        "subject": c.subject,
        "audience": audience,
    }


def _retiring(c: FederatedCredential) -> dict[str, str]:
    due = retire_time_of(c.description)
    return {"keyId": c.id, **({"retireTime": format_time(due)} if due is not None else {})}


def federated_count(facts: Facts) -> dict[str, int]:
    """Return how many federated credentials the application has, when that was read."""
    listed = (
        facts.observation.federation.listed if facts.observation.federation is not None else None
    )
    return {"federated": len(listed.credentials)} if listed is not None else {}
