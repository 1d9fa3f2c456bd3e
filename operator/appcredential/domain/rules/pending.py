"""Rules about the pending Secret: copies, interrupted intents, useless successors."""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.actions import Action, DeletePending, Fence, Register
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import known_keys
from appcredential.domain.facts.removed_certificate import is_refused
from appcredential.domain.facts.source import must_sign_in, usable_source
from appcredential.domain.facts.successor import is_vanished, issued_before, needs_successor
from appcredential.domain.marker import Attempt, attempt_id
from appcredential.domain.observed.target import Abandoned, Pending, PendingState
from appcredential.domain.rotation import effective_renew_before
from appcredential.domain.rules.reading import read_again
from appcredential.domain.rules.target import write_target
from appcredential.domain.secret.entries import MAX_ABANDONED
from appcredential.domain.secret.value import can_sign_in, leaf_of, type_of

_TAKEOVER = timedelta(minutes=1)
"""A process that was killed while it issued has a successor by then."""


def pending_secret_is_a_copy(facts: Facts) -> Action | None:
    """7: the pending Secret is a restored copy, or for another application or type."""
    pending = facts.pending
    if pending is None:
        return None
    if pending.attempt != attempt_id(facts.identity, pending.uid, pending.attempt_number):
        return DeletePending("copy of another pending Secret")
    if (
        pending.tenant_id != facts.tenant.tenant_id
        or pending.object_id != facts.application.object_id
    ):
        return DeletePending("made for another application")
    if pending.value is not None and type_of(pending.value) is not facts.spec.type:
        return DeletePending("of another type")
    return None


def pending_secret_is_done(facts: Facts) -> Action | None:
    """8: the pending Secret's credential was published, was given up, or is outdated."""
    pending, target = facts.pending, facts.target
    if pending is None or target is None:
        return None
    if pending.attempt in {a.attempt for a in target.abandoned}:
        return DeletePending("abandoned")
    if pending.credential is not None and pending.credential.key_id in {
        r.key_id for r in facts.retiring
    }:
        return DeletePending("retiring")
    if facts.published is None:
        return None
    if pending.attempt == facts.published.attempt:
        return DeletePending("published")
    if (
        facts.successor
        and pending.credential
        and pending.credential.not_before < facts.published.not_before
    ):
        return DeletePending("older than the published one")
    return None


def intent_was_interrupted(facts: Facts) -> Action | None:
    """14: nobody works on this intent any more: register its value, or fence it."""
    pending = facts.pending
    if pending is None or pending.state is not PendingState.INTENT:
        return None
    is_mine = pending.holder == facts.holder
    is_old = facts.now - pending.intent_time >= facts.settings.intent_respect
    if not (is_mine or is_old):
        return None
    return _registration(facts, pending) if pending.is_staged else Fence("minting was interrupted")


def _registration(facts: Facts, pending: Pending) -> Action | None:
    """Register the pending Secret's certificate under its own key id: a lost answer is harmless."""
    useless = _uselessness(facts, pending) or _too_long(facts, pending) or _removed(facts, pending)
    if useless is not None:
        return Fence(useless)
    if facts.is_paused or not facts.is_granted:
        return None
    if not all(facts.is_listed(key) for key in known_keys(facts)):
        # A list without these keys would remove them: first find out whether they are gone.
        return None if facts.is_fresh else read_again(facts, facts.settings.freshness)
    return Register()


def _removed(facts: Facts, pending: Pending) -> str | None:
    """Return why its certificate must not be registered, unless that is done already."""
    assert pending.credential is not None  # noqa: S101 - callers checked
    assert pending.value is not None  # noqa: S101 - callers checked
    if facts.is_listed(pending.credential.key_id) or not is_refused(facts, pending.value):
        return None
    return "somebody removed the certificate from the application"


def _too_long(facts: Facts, pending: Pending) -> str | None:
    """Return why it lives too long, if spec, grant and tenant allow less than before."""
    assert pending.credential is not None  # noqa: S101 - callers checked
    too_long = (
        pending.credential.expires - pending.credential.not_before
        > facts.lifetime + timedelta(minutes=1)
    )
    return "longer than what is allowed now" if too_long else None


def successor_is_useless(facts: Facts) -> Action | None:
    """15: give up a successor that cannot or should not be published any more."""
    successor = facts.successor
    if successor is None:
        return None
    if successor.credential is None:
        # Not fenced: without a key id it would look as if it never held a value.
        return DeletePending("its records are damaged")
    useless = _uselessness(facts, successor)
    if useless is not None:
        return Fence(useless)
    if facts.requires_proof and _will_never_sign_in(facts, successor):
        return Fence("it does not sign in")
    if not facts.requires_proof and is_vanished(facts, successor):
        return Fence("Entra does not list it any more")
    return None


def _uselessness(facts: Facts, pending: Pending) -> str | None:
    assert pending.credential is not None  # noqa: S101 - callers checked
    if pending.value is None:
        return "its value is damaged"
    before = issued_before(facts)
    if before is not None and pending.credential.not_before < before:
        return "issued before what the spec's …IssuedBefore asks for"
    if not can_sign_in(pending.value) and must_sign_in(facts):
        return "its private key is elsewhere"
    supplied = usable_source(facts) if facts.spec.is_supplied else None
    if supplied is not None and leaf_of(supplied.value) != leaf_of(pending.value):
        return "its source holds another one now"
    life = pending.credential.expires - pending.credential.not_before
    if (
        pending.credential.expires - facts.entra_now
        < effective_renew_before(facts.spec.rotation, life) / 2
    ):
        return "too little of its life is left"
    return None


def _will_never_sign_in(facts: Facts, pending: Pending) -> bool:
    proof = facts.memory.pending_proof
    if proof is None or proof.attempt != pending.attempt:
        return False
    return proof.refused_for >= facts.settings.proof_budget


def carried_attempts(facts: Facts, pending: Pending | None) -> tuple[Abandoned, ...]:
    """Return the abandoned attempts to carry on, with its own if fenced as a recent intent."""
    if pending is None:
        return ()
    return pending.abandoned + _journal_entry(facts, pending)


def _journal_entry(facts: Facts, pending: Pending) -> tuple[Abandoned, ...]:
    young = facts.now - pending.intent_time < facts.settings.journal_window
    if pending.fenced_from_intent and young and _is_known_unpublished(facts, pending):
        return (Abandoned(attempt=Attempt(pending.attempt), time=pending.intent_time),)
    return ()


def _is_known_unpublished(facts: Facts, pending: Pending) -> bool:
    """Return whether nobody can have published the attempt since its intent was written.

    An intent from well before this process began may come from a restored etcd, which forgot
    that it was published. Such an attempt counts as stranded.
    """
    began = facts.observation.process_started - _TAKEOVER
    return pending.holder == facts.holder or pending.intent_time >= began


def pending_secret_is_unneeded(facts: Facts) -> Action | None:
    """19: record an Abandoned pending Secret's attempts in the target Secret, then delete it."""
    pending, target = facts.pending, facts.target
    if (
        pending is None
        or target is None
        or pending.state is not PendingState.ABANDONED
        or needs_successor(facts)
    ):
        return None
    carried = carried_attempts(facts, pending)[-MAX_ABANDONED:]
    attempts = {a.attempt for a in carried}
    if attempts <= {a.attempt for a in target.abandoned}:
        return DeletePending("nothing is needed")
    journal = (*(a for a in target.abandoned if a.attempt not in attempts), *carried)
    return write_target(facts, "attempt journaled", abandoned=journal[-MAX_ABANDONED:])
