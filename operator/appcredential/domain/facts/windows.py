"""Whether a successor waits for a window before it is published, and what keeps it from waiting."""

from __future__ import annotations

from appcredential.domain.facts.adoption import is_of_adopted_cluster
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import seems_gone
from appcredential.domain.facts.successor import is_revoked, seems_vanished
from appcredential.domain.facts.told import is_told_refused
from appcredential.domain.observed.target import IssuedCredential, Pending
from appcredential.domain.promised import required
from appcredential.domain.proof import Proof
from appcredential.domain.rotation import Schedule
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.windows import Opening


def awaited_opening(facts: Facts) -> Opening | None:
    """Return the window that a successor has to wait for; None if it may be published now."""
    opening = _closed_until(facts)
    return None if opening is None or _emergency(facts, opening) else opening


def override(facts: Facts) -> str | None:
    """Return why a successor is published outside all windows; None if that is not so."""
    opening = _closed_until(facts)
    return None if opening is None else _emergency(facts, opening)


def is_only_waiting(facts: Facts) -> bool:
    """Return whether a successor is proven, as far as it can be, and only waits for a window.

    Nothing is to be done for it until then, unless reads lack it: it may have been removed, and
    its own successor should be ready in time. Then a last sign-in proves it anew.
    """
    successor, proof = facts.successor, facts.memory.pending_proof
    if successor is None or awaited_opening(facts) is None:
        return False
    if not facts.requires_proof:
        return not seems_vanished(facts, successor)
    if proof is None or proof.attempt != successor.attempt or proof.successes < facts.proof_count:
        return False
    return not seems_vanished(facts, successor) or _has_signed_in_since(facts, successor, proof)


def _has_signed_in_since(facts: Facts, successor: Pending, proof: Proof) -> bool:
    """Return whether the successor signed in after the first read that lacked it."""
    key = required(successor.credential).key_id
    lacking, success = facts.memory.absent_since.get(key), proof.last_success
    return lacking is not None and success is not None and success >= lacking


def _closed_until(facts: Facts) -> Opening | None:
    """Return the next opening if all windows are closed and workloads use what is published.

    A first issue waits for nothing, and neither does what takes the place of a lost value, of an
    expired credential, of a certificate without its private key, or of another owner's. Of a
    successor whose private key is elsewhere, workloads have it already.
    """
    successor = facts.successor
    if successor is None or successor.value is None or not can_sign_in(successor.value):
        return None
    if not facts.has_valid_published or not facts.can_published_sign_in:
        return None
    opening = facts.opening
    return opening if opening is not None and opening.opens > facts.entra_now else None


def _emergency(facts: Facts, opening: Opening) -> str | None:
    """Return why workloads must not wait for a window that opens later."""
    published, schedule = facts.published, facts.schedule
    assert published is not None  # noqa: S101 - callers checked
    assert schedule is not None  # noqa: S101 - it follows from what is published
    if is_revoked(facts, published.not_before):
        return "spec.rotation.revokeIssuedBefore asks for it"
    if is_doubtful(facts, published):
        return "Entra refuses the published one, or does not list it"
    if facts.is_from_another_cluster and not is_of_adopted_cluster(facts.observation):
        return "another cluster issued the published one, and may remove it"
    if not _outlives(published, schedule, opening):
        return "the published one would have less than its overlap left when the next one closes"
    return None


def _outlives(published: IssuedCredential, schedule: Schedule, opening: Opening) -> bool:
    """Return whether what is published outlives the window by the overlap.

    Workloads have that long to take the successor up, wherever in the window it is published. Its
    real end counts: with a lifetime that was shortened since, it works for longer than is wanted.
    """
    return opening.closes + schedule.overlap <= published.expires


def is_doubtful(facts: Facts, published: IssuedCredential) -> bool:
    """Return whether anything speaks against the published credential, confirmed or not."""
    memory, attempt = facts.memory, published.attempt
    refused, proof = memory.refused, memory.published_proof
    return (
        seems_gone(facts)
        or (refused is not None and refused.attempt == attempt)
        or (proof is not None and proof.attempt == attempt and proof.refusals > 0)
        or is_told_refused(facts.resource.status, published.key_id)
    )
