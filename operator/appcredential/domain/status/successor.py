"""Why no successor is issued and published, or no old credential removed."""

from __future__ import annotations

from datetime import datetime
from typing import Final, assert_never

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.patience import revocation_patience_ends
from appcredential.domain.facts.successor import is_at_limit, is_revoking, needs_successor
from appcredential.domain.observed.target import PendingState
from appcredential.domain.proof import Proof, SignInClass, is_failing_long
from appcredential.domain.status.adopted import unrevoked_problem
from appcredential.domain.status.refused_sign_ins import application_message, numbered
from appcredential.domain.status.retiring import is_any_held
from appcredential.domain.status.source import source_problem

_FREED_BY_PODS: Final = (
    "Pods may still use those that status.retiring says wait for them: restart these pods, and the "
    "credentials go. "
)


def successor_problem(facts: Facts) -> Problem | None:
    """Return what prevents a successor or a requested revocation.

    That nothing new is allowed is told at once. To hear of it when the renewal is due would be
    late. What another cluster issued and only people may revoke is told unless something that is
    due needs a person, too: what passes does not hide a leak.
    """
    withdrawn, is_due = _withdrawn(facts), _is_due(facts)
    cause = (withdrawn if is_due else None) or source_problem(facts)
    cause = cause or (_hindrance(facts) if is_due else None)
    if is_revoking(facts):
        blocked = _revocation_problem(facts, cause)
        return blocked if blocked is not None and blocked.stalled else withdrawn or blocked
    told = withdrawn or cause
    if cause is not None and told is not None and told.stalled:
        return told
    return unrevoked_problem(facts) or told


def _is_due(facts: Facts) -> bool:
    return needs_successor(facts) or facts.successor is not None


def _withdrawn(facts: Facts) -> Problem | None:
    """Return why grant or limits allow nothing new any more."""
    if facts.refusal is not None or not isinstance(facts.grant, Problem):
        return facts.refusal
    if facts.grant.reason is Reason.GRANT_UNKNOWN:
        return facts.memory.directory_problem or facts.grant
    return Problem(
        reason=Reason.GRANT_WITHDRAWN,
        message="No ApplicationGrant allows a new credential any more; the published one stays "
        "until it expires. Have it granted again, or move the workload to another application.",
    )


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
    """Return what is in the way of a successor that is due or on its way."""
    signing_in = sign_in_problem(facts)
    if signing_in is not None:
        return signing_in
    if facts.memory.directory_problem is not None:
        return facts.memory.directory_problem
    if facts.successor is None and is_at_limit(facts):
        return Problem(
            reason=Reason.CREDENTIAL_LIMIT,
            message="Several credentials of this resource exist besides the published one, so new "
            f"ones come slowly. {_FREED_BY_PODS if is_any_held(facts) else ''}Remove those that "
            "nobody uses from the application.",
        )
    return _given_up(facts)


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
    if proof.result.kind.may_pass and not is_failing_long(proof, facts.now):
        return None
    return Problem(
        reason=proof.result.reason,
        message=application_message(proof.result, facts.observation.directory_skew),
        stalled=_needs_person(facts, proof, proof.failing_since),
    )


def _needs_person(facts: Facts, proof: Proof, since: datetime) -> bool:
    """Return whether trying again will not help.

    What Entra refuses is tried until it is given up, and then made anew. Only when that one is
    refused as well is there something for a person to find out.
    """
    match proof.result.kind:
        case SignInClass.TRANSIENT | SignInClass.PROVEN:
            return False
        case SignInClass.NOT_YET:
            return facts.successor is not None and facts.successor.attempt_number > 1
        case (
            SignInClass.UNMATCHED
            | SignInClass.BLOCKED
            | SignInClass.APPLICATION
            | SignInClass.OPERATOR
            | SignInClass.UNCLASSIFIED
        ):
            return facts.now - since >= facts.settings.arrival_grace
        case _:
            assert_never(proof.result.kind)


def _given_up(facts: Facts) -> Problem | None:
    """Return why the last successor was given up, until the next one is tried."""
    pending, proof = facts.pending, facts.memory.pending_proof
    if pending is None or pending.state is not PendingState.ABANDONED or proof is None:
        return None
    is_its = proof.attempt == pending.attempt
    if not is_its or proof.refused_for < facts.settings.proof_budget:
        return None
    return Problem(reason=proof.result.reason, message=_given_up_message(proof))


def _given_up_message(proof: Proof) -> str:
    message = "Entra refused the last new credential until it was given up. Another one follows."
    return numbered(message, proof.result.code)
