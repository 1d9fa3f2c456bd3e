"""Rules about the pending Secret: copies, interrupted intents, successors that are of no use."""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.actions import (
    Action,
    DeletePending,
    Fence,
    Register,
)
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import known_keys
from appcredential.domain.facts.source import must_sign_in, usable_source
from appcredential.domain.facts.successor import (
    issued_before,
    needs_successor,
)
from appcredential.domain.marker import Attempt, attempt_id
from appcredential.domain.observed.target import (
    Abandoned,
    Pending,
    PendingState,
)
from appcredential.domain.rotation import effective_renew_before
from appcredential.domain.rules.reading import read_again
from appcredential.domain.rules.target import (
    write_target,
)
from appcredential.domain.secret.entries import MAX_ABANDONED
from appcredential.domain.secret.value import can_sign_in, leaf_of, type_of


def pending_secret_is_a_copy(facts: Facts) -> Action | None:
    """7: P was restored (its uid gives another attempt) or is for another application."""
    p = facts.pending
    if p is None:
        return None
    if p.attempt != attempt_id(facts.identity, p.uid, p.attempt_number):
        return DeletePending("copy of another pending Secret")
    if p.tenant_id != facts.tenant.tenant_id or p.object_id != facts.application.object_id:
        return DeletePending("made for another application")
    if p.value is not None and type_of(p.value) is not facts.spec.type:
        return DeletePending("of another type")
    return None


def pending_secret_is_done(facts: Facts) -> Action | None:
    """8: P was published, given up, is retiring, or is older than what T holds."""
    p, t = facts.pending, facts.target
    if p is None or t is None:
        return None
    if p.attempt in {a.attempt for a in t.abandoned}:
        return DeletePending("abandoned")
    if p.credential is not None and p.credential.key_id in {r.key_id for r in facts.retiring}:
        return DeletePending("retiring")
    if facts.published is None:
        return None
    if p.attempt == facts.published.attempt:
        return DeletePending("published")
    if facts.successor and p.credential and p.credential.not_before < facts.published.not_before:
        return DeletePending("older than the published one")
    return None


def intent_was_interrupted(facts: Facts) -> Action | None:
    """14: an intent that nobody works on any more; one that holds its value goes on."""
    p = facts.pending
    if p is None or p.state is not PendingState.INTENT:
        return None
    is_mine = p.holder == facts.holder
    is_old = facts.now - p.intent_time >= facts.settings.intent_respect
    if not (is_mine or is_old):
        return None
    return _registration(facts, p) if p.is_staged else Fence("minting was interrupted")


def _registration(facts: Facts, p: Pending) -> Action | None:
    """Register what P holds under its own key id: a lost answer costs nothing."""
    useless = _uselessness(facts, p) or _too_long(facts, p)
    if useless is not None:
        return Fence(useless)
    if facts.is_paused or not facts.is_granted:
        return None
    if not all(facts.is_listed(key) for key in known_keys(facts)):
        # No list may leave without them: whether they are gone is found out first.
        return None if facts.is_fresh else read_again(facts, facts.settings.freshness)
    return Register()


def _too_long(facts: Facts, p: Pending) -> str | None:
    """Say so when spec, grant and tenant have come to allow less since it was made."""
    assert p.credential is not None  # noqa: S101 - callers checked
    too_long = p.credential.expires - p.credential.not_before > facts.lifetime + timedelta(
        minutes=1
    )
    return "longer than what is allowed now" if too_long else None


def successor_is_useless(facts: Facts) -> Action | None:
    """15: a successor that cannot or should not be published any more."""
    p = facts.successor
    if p is None:
        return None
    if p.credential is None:
        # Not fenced: without a key id it would pass for one that never held a value.
        return DeletePending("its records are damaged")
    useless = _uselessness(facts, p)
    if useless is not None:
        return Fence(useless)
    if facts.requires_proof and _will_never_sign_in(facts, p):
        return Fence("it does not sign in")
    return None


def _uselessness(facts: Facts, p: Pending) -> str | None:
    assert p.credential is not None  # noqa: S101 - callers checked
    if p.value is None:
        return "its value is damaged"
    before = issued_before(facts)
    if before is not None and p.credential.not_before < before:
        return "issued before what the spec's …IssuedBefore asks for"
    if not can_sign_in(p.value) and must_sign_in(facts):
        return "its private key is elsewhere"
    supplied = usable_source(facts) if facts.spec.is_supplied else None
    if supplied is not None and leaf_of(supplied.value) != leaf_of(p.value):
        return "its source holds another one now"
    life = p.credential.expires - p.credential.not_before
    if (
        p.credential.expires - facts.entra_now
        < effective_renew_before(facts.spec.rotation, life) / 2
    ):
        return "too little of its life is left"
    return None


def _will_never_sign_in(facts: Facts, p: Pending) -> bool:
    proof = facts.memory.pending_proof
    if proof is None or proof.attempt != p.attempt:
        return False
    return proof.refused_for >= facts.settings.proof_budget


def carried_attempts(facts: Facts, p: Pending | None) -> tuple[Abandoned, ...]:
    """Return P's journal with its own attempt, if fenced from Intent within the hour."""
    if p is None:
        return ()
    return p.abandoned + _journal_entry(facts, p)


def _journal_entry(facts: Facts, p: Pending) -> tuple[Abandoned, ...]:
    young = facts.now - p.intent_time < facts.settings.journal_window
    if p.fenced_from_intent and young:
        return (Abandoned(attempt=Attempt(p.attempt), time=p.intent_time),)
    return ()


def pending_secret_is_unneeded(facts: Facts) -> Action | None:
    """19: an Abandoned P is journaled into T before it goes."""
    p, t = facts.pending, facts.target
    if p is None or t is None or p.state is not PendingState.ABANDONED or needs_successor(facts):
        return None
    carried = carried_attempts(facts, p)[-MAX_ABANDONED:]
    attempts = {a.attempt for a in carried}
    if attempts <= {a.attempt for a in t.abandoned}:
        return DeletePending("nothing is needed")
    journal = (*(a for a in t.abandoned if a.attempt not in attempts), *carried)
    return write_target(facts, "attempt journaled", abandoned=journal[-MAX_ABANDONED:])
