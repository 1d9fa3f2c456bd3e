"""What the status of a FederatedIdentity says where it differs from the other types'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from appcredential.domain.conditions import (
    Condition,
    ConditionType,
    Problem,
    Reason,
    format_time,
)
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.federated import (
    FederatedFacts,
    asked_trusts,
    assess_federated,
    federated_key,
    is_verified,
)
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.proof import SignInClass, is_failing_long
from appcredential.domain.rules.federated import PROVE, extra, is_full
from appcredential.domain.rules.gates import patience_ends
from appcredential.domain.signin_messages import SIGN_IN_MESSAGES
from appcredential.domain.spec.federated import CustomerManagedKeySource
from appcredential.domain.spec.model import AppCredentialSpec, CredentialType, VerificationMode
from appcredential.domain.spec.trusts import MAX_CREDENTIALS, build_description, retire_time_of

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


def is_federated(o: Observation) -> bool:
    """Tell whether the resource is of type FederatedIdentity, and that can be read."""
    spec = o.resource.spec
    return isinstance(spec, AppCredentialSpec) and spec.type is CredentialType.FEDERATED_IDENTITY


def federated_view(o: Observation, f: Facts | None, gate: Problem | None) -> FederatedView:
    """Return what to say; `f` is None, and `gate` says why, while a gate is closed."""
    found = assess_federated(f) if f is not None else None
    ff = found if isinstance(found, FederatedFacts) and found.listed is not None else None
    problem = gate or (found if isinstance(found, Problem) else None)
    if ff is not None and (problem is None or problem.reason is Reason.OBSERVING):
        own = _problem(ff)
        problem = own if problem is None or (own is not None and own.stalled) else problem
    if problem is None and ff is None:
        problem = o.memory.directory_problem  # nothing was read yet
    is_met = ff.is_settled if ff is not None else _is_still_met(o, problem)
    return FederatedView(
        problem=problem,
        ready=_ready(problem, is_met=is_met),
        verified=_verified(o, ff),
        expiring=Condition(
            type=ConditionType.EXPIRING,
            status="False",
            reason=Reason.NOT_DUE,
            message="A federated credential does not expire.",
        ),
    )


def _is_still_met(o: Observation, problem: Problem | None) -> bool:
    """Tell whether what status last told is what the spec asks for now."""
    if o.federation is None or (problem is not None and problem.reason in UNMET):
        return False
    if problem is not None and problem.reason is Reason.APPLICATION_NOT_FOUND and problem.stalled:
        return False
    status = o.resource.status
    conditions = status.get("conditions") or ()
    ready = [c for c in conditions if c.get("type") == "Ready" and c.get("status") == "True"]
    entries = status.get("federatedIdentities") or ()
    told = {(e.get("issuer"), e.get("subject"), e.get("audience")) for e in entries}
    asked = asked_trusts(o)
    if asked is None:  # nobody can say what is asked for: only that it is the same as before
        is_same = any(c.get("observedGeneration") == o.resource.generation for c in ready)
        return is_same and bool(told)
    return bool(ready) and bool(told) and asked <= told


_NOT_TRIED = {
    Reason.NOT_VERIFIABLE: "No exchange was tried: the operator has no token of that issuer, or "
    "spec.verification.mode does not ask for it.",
    Reason.NOT_VERIFIED: "No exchange was tried yet.",
}


def _verified(o: Observation, ff: FederatedFacts | None) -> Condition:
    status, reason = "Unknown", _not_tried(o)
    message = _NOT_TRIED[reason]
    proof = ff.proof if ff is not None and ff.needs_proof else None
    untried = _untried(o)
    if ff is not None and ff.needs_proof and ff.is_proven:
        status, reason = "True", Reason.PROVEN
        message = "A token of the ServiceAccount was exchanged for one of Entra."
    elif proof is not None and proof.failing_since is not None:
        reason = proof.result.reason
        message = SIGN_IN_MESSAGES[reason]
        is_judged = proof.result.kind in {SignInClass.UNMATCHED, SignInClass.APPLICATION}
        status = "False" if is_judged and is_failing_long(proof, o.now) else "Unknown"
    elif ff is not None and ff.needs_proof and untried is not None:
        reason, message = untried.reason, untried.message
    elif ff is None and is_verified(o.resource.status):
        status, reason = "True", Reason.PROVEN
        message = "A token of the ServiceAccount was exchanged for one of Entra."
    return Condition(type=ConditionType.VERIFIED, status=status, reason=reason, message=message)


def _untried(o: Observation) -> Problem | None:
    """Return what keeps an exchange from being tried at all."""
    return o.memory.directory_problem if o.memory.problem_operation == PROVE else None


def _not_tried(o: Observation) -> Reason:
    spec = o.resource.spec
    assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - it is of this type
    assert spec.federated is not None  # noqa: S101
    is_asked = spec.verification.mode is VerificationMode.REQUIRED
    return Reason.NOT_VERIFIED if is_asked and spec.federated.account else Reason.NOT_VERIFIABLE


def _proof_problem(ff: FederatedFacts) -> Problem | None:
    """Return what keeps a proof from coming, once it lasts."""
    proof = ff.proof
    if not ff.needs_proof or ff.is_proven or proof is None or proof.failing_since is None:
        return None
    reason = proof.result.reason
    return Problem(
        reason=reason,
        message=SIGN_IN_MESSAGES[reason],
        stalled=is_failing_long(proof, ff.f.o.now)
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


def _problem(ff: FederatedFacts) -> Problem | None:
    """Return what keeps the spec from being met, or should be known though it is."""
    directory = ff.f.o.memory.directory_problem
    return _trust_problem(ff) or directory or _around_problem(ff) or _proof_problem(ff)


def _trust_problem(ff: FederatedFacts) -> Problem | None:
    conflicts = [(t, c) for t in ff.trusts if (c := ff.obstacle(t)) is not None]
    if conflicts:
        trust, c = conflicts[0]
        mark = build_description(ff.f.o.identity, ff.f.o.resource.owner, trust.pair)
        return Problem(
            reason=Reason.CREDENTIAL_CONFLICT,
            message=f"The application has the federated credential {c.name}, which is not this "
            "resource's and is in the way. Remove it in Entra; or, to hand it over without a gap, "
            f"make its description begin with: {mark}",
        )
    is_unmet = any(ff.exists(t) is None for t in ff.trusts)
    if not ff.f.is_granted:
        return Problem(
            reason=Reason.GRANT_WITHDRAWN,
            message="No ApplicationGrant allows this trust any more, so nothing new is made. What "
            "exists stays: delete the resource to have it removed.",
        )
    if is_unmet and is_full(ff) and any(ff.holder(t) is None for t in ff.trusts):
        return Problem(
            reason=Reason.QUOTA_EXCEEDED,
            message=f"The application has {MAX_CREDENTIALS} federated credentials, which is all "
            "that Entra allows. Remove those that nobody needs, or use another application.",
        )
    return None


def _around_problem(ff: FederatedFacts) -> Problem | None:
    """Return what is wrong with the ServiceAccount or the output ConfigMap."""
    for found in (ff.seen.service_account, ff.seen.output):
        if isinstance(found, Problem):
            return found
    if ff.spec.wired and ff.service_account is None:
        o = ff.f.o
        return Problem(
            reason=Reason.SERVICE_ACCOUNT_NOT_FOUND,
            message=f"The ServiceAccount {ff.spec.wired} does not exist in this namespace. Create "
            "it, or set serviceAccount.annotation to None if nothing has to be annotated.",
            stalled=o.now >= patience_ends(o),
        )
    account = ff.service_account
    if account is not None and ff.has_foreign_annotation(account):
        return Problem(
            reason=Reason.ANNOTATION_CONFLICT,
            message=f"The ServiceAccount {account.name} is annotated for another application or "
            "tenant. Remove its annotations azure.workload.identity/client-id and tenant-id, or "
            "set serviceAccount.annotation to None.",
        )
    if ff.has_foreign_output:
        return Problem(
            reason=Reason.OUTPUT_CONFLICT,
            message=f"The ConfigMap {ff.spec.config_map} exists and is not this resource's, or is "
            "immutable. Choose another federatedIdentity.configMap.name, or delete it.",
        )
    return None


def federated_details(f: Facts) -> dict[str, Any]:
    """Return what status shows of the federated credentials themselves."""
    ff = assess_federated(f)
    if isinstance(ff, Problem) or ff.listed is None:
        old = f.o.resource.status
        return {k: old[k] for k in (*FEDERATED_DETAILS, "retiring") if k in old}
    found: dict[str, Any] = {}
    made = [c for c in (ff.exists(t) for t in ff.trusts) if c is not None]
    if made:
        found["federatedIdentities"] = [_entry(c) for c in made]
    retiring = [_retiring(c) for c in extra(ff) if retire_time_of(c.description) is not None]
    if retiring:
        found["retiring"] = retiring
    if ff.spec.config_map and ff.is_output_done:
        found["configMapRef"] = {"name": ff.spec.config_map}
    source = ff.spec.source
    if made and isinstance(source, CustomerManagedKeySource):
        found["customerManagedKey"] = federated_key(ff.f.spec.client_id, source)
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


def federated_count(f: Facts) -> dict[str, int]:
    """Return how many federated credentials the application has, when that was read."""
    listed = f.o.federation.listed if f.o.federation is not None else None
    return {"federated": len(listed.credentials)} if listed is not None else {}
