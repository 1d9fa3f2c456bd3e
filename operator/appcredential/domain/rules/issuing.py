"""Rules that issue a successor, prove it and publish it."""

from __future__ import annotations

from appcredential.domain import proof as signin
from appcredential.domain.actions import (
    Action,
    ApplyStatus,
    Mint,
    Publish,
    SignInPending,
    SignInPublished,
)
from appcredential.domain.facts.content import content_problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import confirming_time, is_gone, seems_gone
from appcredential.domain.facts.successor import (
    mint_time,
    needs_reads,
    needs_successor,
    seems_vanished,
    unproven_publish_time,
)
from appcredential.domain.facts.told import names_application
from appcredential.domain.facts.windows import awaited_opening, is_only_waiting
from appcredential.domain.observed.memory import READ_SPACING, REQUIRED_READS
from appcredential.domain.observed.target import Pending, PendingState
from appcredential.domain.rules.pending import carried_attempts
from appcredential.domain.rules.reading import next_spaced_read, read_again


def revocation_is_still_open(facts: Facts) -> Action | None:
    """6a: a revocation is open until status names the application: write that first."""
    is_open = facts.observation.revocation_uid is not None
    return ApplyStatus() if is_open and not names_application(facts.resource.status) else None


def successor_sign_in_is_due(facts: Facts) -> Action | None:
    """16: prove the successor by a sign-in, one at a time."""
    successor = facts.successor
    if (
        successor is None
        or not facts.is_granted
        or not facts.requires_proof
        or _is_proven(facts, successor)
    ):
        return None
    if content_problem(facts) is not None:
        return None  # it could not be published, so that a proof would be in vain
    if is_only_waiting(facts):
        return None  # it is proven anew when the window opens
    due = signin.next_try(
        facts.memory.pending_proof, successor.attempt, facts.now, facts.proof_spacing
    )
    return SignInPending() if facts.now >= due else None


def successor_is_publishable(facts: Facts) -> Action | None:
    """17: publish a successor that is proven, or needs no proof and has waited, in a window."""
    successor = facts.successor
    if successor is None or not facts.is_granted or content_problem(facts) is not None:
        return None
    is_held = awaited_opening(facts) is not None
    if facts.requires_proof:
        return Publish() if not is_held and _is_proven(facts, successor) else None
    if is_held:
        return _read_spaced(facts) if seems_vanished(facts, successor) else None
    if facts.now < unproven_publish_time(facts, successor):
        return None
    return _publish_after_reads(facts, successor) if needs_reads(facts, successor) else Publish()


def _publish_after_reads(facts: Facts, pending: Pending) -> Action | None:
    """Publish what no sign-in proves only after repeated reads list it.

    While workloads use the target Secret, three reads in a row must list it, because not every
    replica may know it yet.
    """
    minted = pending.credential
    assert minted is not None  # noqa: S101 - else rule 15 deletes the Secret
    wanted = REQUIRED_READS if facts.is_in_use else 1
    if facts.is_fresh and len(facts.memory.consecutive_reads.get(minted.key_id, ())) >= wanted:
        return Publish()
    return _read_spaced(facts)


def _read_spaced(facts: Facts) -> Action | None:
    return read_again(facts, READ_SPACING / 2) if facts.now >= next_spaced_read(facts) else None


def _is_proven(facts: Facts, pending: Pending) -> bool:
    proof = facts.memory.pending_proof
    return (
        proof is not None
        and proof.attempt == pending.attempt
        and proof.proves(facts.now, count=facts.proof_count, max_age=facts.settings.proof_max_age)
    )


def published_credential_seems_gone(facts: Facts) -> Action | None:
    """18a: the published key is not listed: sign in, since only failures confirm that."""
    if not seems_gone(facts) or is_gone(facts) or facts.published is None:
        return None
    if not facts.can_published_sign_in:
        return _read_spaced(facts)
    if not facts.is_fresh:
        return read_again(facts, facts.settings.freshness)
    return SignInPublished() if facts.now >= confirming_time(facts) else None


def successor_is_needed(facts: Facts) -> Action | None:
    """18: issue a successor. The intent comes first: it is both mutex and journal.

    Status names the application even before: a namespace that is deleted takes the intent along,
    and whatever else could tell a later process that something has to be revoked.
    """
    pending = facts.pending
    if pending is not None and pending.state is not PendingState.ABANDONED:
        return None
    if not facts.is_granted or not needs_successor(facts) or facts.now < mint_time(facts):
        return None
    if content_problem(facts) is not None:
        return None
    issued = facts.memory.issued
    if issued is not None and facts.application.read_time < issued:
        return read_again(facts, facts.now - issued)  # no replica has shown that one since
    if not facts.is_fresh:
        return read_again(facts, facts.settings.freshness)
    if not names_application(facts.resource.status):
        return ApplyStatus()
    number = pending.attempt_number + 1 if pending is not None else 1
    return Mint(number, carried_attempts(facts, pending), facts.lifetime)
