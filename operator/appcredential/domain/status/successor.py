"""Why no successor is issued and published, or no old credential removed."""

from __future__ import annotations

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.patience import revocation_patience_ends
from appcredential.domain.facts.successor import is_at_limit, is_revoking, needs_successor
from appcredential.domain.proof import Proof, SignInClass, is_failing_long
from appcredential.domain.status.refused_sign_ins import application_message
from appcredential.domain.status.source import source_problem


def successor_problem(facts: Facts) -> Problem | None:
    """Return what prevents a needed successor or a requested revocation."""
    cause = source_problem(facts) or _hindrance(facts)
    return cause if not is_revoking(facts) else _revocation_problem(facts, cause)


def _revocation_problem(facts: Facts, cause: Problem | None) -> Problem | None:
    """Return the problem of a leak that stays open: a person must act soon."""
    cause = cause or facts.memory.directory_problem or _survivor_problem(facts)
    if cause is None or (not cause.stalled and facts.now < revocation_patience_ends(facts)):
        return cause
    return Problem(
        reason=Reason.REVOCATION_BLOCKED,
        message="A credential that revokeIssuedBefore should revoke stays valid, because nothing "
        f"is removed without a proven successor. {cause.message}",
    )


def _survivor_problem(facts: Facts) -> Problem | None:
    """Return why the published credential, which must survive the revocation, fails to sign in."""
    proof, published = facts.memory.published_proof, facts.published
    if proof is None or published is None or proof.attempt != published.attempt:
        return None
    if proof.failing_since is None:
        return None
    reason = proof.result.reason
    return Problem(reason=reason, message=application_message(proof.result), stalled=False)


def _hindrance(facts: Facts) -> Problem | None:
    if facts.refusal is not None:
        return facts.refusal
    if not needs_successor(facts) and facts.successor is None:
        return None
    if isinstance(facts.grant, Problem):
        return Problem(
            reason=Reason.GRANT_WITHDRAWN,
            message="No ApplicationGrant allows a new credential any more; the published one "
            "stays until it expires.",
        )
    signing_in = sign_in_problem(facts)
    if signing_in is not None:
        return signing_in
    if facts.memory.directory_problem is not None:
        return facts.memory.directory_problem
    if facts.successor is None and is_at_limit(facts):
        return Problem(
            reason=Reason.CREDENTIAL_LIMIT,
            message="Several credentials of this resource exist besides the published one, so new "
            "ones come slowly. Remove those that nobody uses from the application.",
        )
    return None


def pending_proof(facts: Facts | None) -> Proof | None:
    """Return the run of sign-ins with the successor while it fails."""
    proof = facts.memory.pending_proof if facts is not None else None
    if (
        facts is None
        or proof is None
        or facts.successor is None
        or proof.attempt != facts.successor.attempt
    ):
        return None
    return proof if proof.failing_since is not None else None


def sign_in_problem(facts: Facts) -> Problem | None:
    """Return why the successor does not sign in, once that is more than a passing failure."""
    proof = pending_proof(facts)
    if proof is None or proof.failing_since is None:
        return None
    long = is_failing_long(proof, facts.now)
    if proof.result.kind.may_pass and not long:
        return None
    grace = facts.now - proof.failing_since >= facts.settings.arrival_grace
    stalled = grace and proof.result.kind is not SignInClass.TRANSIENT
    reason = proof.result.reason
    return Problem(reason=reason, message=application_message(proof.result), stalled=stalled)
