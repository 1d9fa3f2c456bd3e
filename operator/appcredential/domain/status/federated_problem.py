"""Why a FederatedIdentity is not as its spec asks, in words for its owner."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.federated import FederatedFacts, extra, is_full
from appcredential.domain.facts.patience import patience_ends, patient
from appcredential.domain.facts.secret_conflict import READ_AGAIN
from appcredential.domain.observed.operation import Operation
from appcredential.domain.proof import Proof, SignInClass, is_failing_long
from appcredential.domain.spec.trusts import (
    MAX_CREDENTIALS,
    build_description,
    retire_time_of,
)
from appcredential.domain.status.refused_sign_ins import application_message


def federated_problem(facts: FederatedFacts) -> Problem | None:
    """Return why the spec is not met, or what its owner should know although it is."""
    return (
        _trust_problem(facts)
        or _directory_problem(facts)
        or _around_problem(facts)
        or _proof_problem(facts)
    )


def _directory_problem(facts: FederatedFacts) -> Problem | None:
    """Return why a call of Graph failed, while what it was to do is still to be done.

    The answer may have been lost of a call that took effect. Then nothing is tried again whose
    success would end the problem.
    """
    memory = facts.common.memory
    problem = memory.directory_problem
    if problem is None or _is_done(facts, memory.problem_operation):
        return None
    return patient(facts.common.observation, problem)


def _is_done(facts: FederatedFacts, operation: Operation | None) -> bool:
    times = [retire_time_of(c.description) for c in extra(facts)]
    if operation is Operation.MINT:
        return None not in times and all(facts.exists(t) is not None for t in facts.trusts)
    return operation is Operation.REMOVE and all(
        time is None or time > facts.common.entra_now for time in times
    )


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
    if facts.common.refusal is not None:
        return facts.common.refusal
    grant = facts.common.grant
    if isinstance(grant, Problem) and grant.reason is Reason.GRANT_UNKNOWN:
        return facts.common.memory.directory_problem or grant
    if isinstance(grant, Problem):
        return Problem(
            reason=Reason.GRANT_WITHDRAWN,
            message="No ApplicationGrant allows this trust any more, so nothing new is created. "
            "Existing trusts stay: delete the resource to have them removed.",
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
    if facts.spec.annotated_account and facts.annotations.account is None:
        observation = facts.common.observation
        return Problem(
            reason=Reason.SERVICE_ACCOUNT_NOT_FOUND,
            message=f"The ServiceAccount {facts.spec.annotated_account} does not exist in this "
            "namespace. Create it, or set serviceAccount.annotation to None if nothing has to be "
            "annotated.",
            stalled=observation.now >= patience_ends(observation),
        )
    if facts.annotations.are_foreign:
        return Problem(
            reason=Reason.ANNOTATION_CONFLICT,
            message=f"The ServiceAccount {facts.spec.annotated_account} is annotated for another "
            "application or tenant, or with a tenant-id alone. Remove its annotations "
            "azure.workload.identity/client-id and tenant-id, or set serviceAccount.annotation "
            "to None.",
        )
    return _output_problem(facts) if facts.output.is_foreign else None


def _output_problem(facts: FederatedFacts) -> Problem:
    """Return whose the output ConfigMap is, or how one that cannot be changed is changed."""
    name, namespace = facts.spec.config_map, facts.common.resource.owner.namespace
    if facts.output.is_frozen:
        get = f"kubectl get configmap {name} -n {namespace} -o yaml"
        message = (
            f"The ConfigMap {name} is immutable, so it cannot be brought up to date. Create it "
            f"again with what it holds: {get} | sed '/^immutable: true$/d' | kubectl replace "
            f"--force -f -. {READ_AGAIN}"
        )
    else:
        owner = facts.output.holder
        whose = f"AppCredential {namespace}/{owner}" if owner else "no AppCredential here"
        message = (
            f"The ConfigMap {name} exists and belongs to {whose}. Choose another "
            "federatedIdentity.configMap.name, or delete it."
        )
    return Problem(reason=Reason.OUTPUT_CONFLICT, message=message)


def _proof_problem(facts: FederatedFacts) -> Problem | None:
    """Return why the exchanges fail."""
    proof = facts.proof
    if not facts.needs_proof or facts.is_proven or proof is None or proof.failing_since is None:
        return None
    return Problem(
        reason=proof.result.reason,
        message=application_message(proof.result, facts.common.observation.directory_skew),
        stalled=_needs_person(facts, proof, proof.failing_since),
    )


def _needs_person(facts: FederatedFacts, proof: Proof, since: datetime) -> bool:
    """Return whether trying again will hardly help.

    Entra reads the new keys of an issuer by itself. That is given as long as a refused credential
    of the other types.
    """
    if proof.result.kind is SignInClass.TRANSIENT:
        return False
    if proof.result.reason is Reason.ISSUER_KEYS:
        return facts.common.now - since >= facts.common.settings.proof_budget
    return is_failing_long(proof, facts.common.now)
