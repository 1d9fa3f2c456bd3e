"""Decides the next step by which the operator renews its own certificate.

The order is what keeps it signed in: the successor is stored before Entra hears of it, signs in
several times before it takes the place of the one in use, and the one before is removed half of
`renewBefore` later. `addKey` and `removeKey` need a proof by a certificate that is valid
(learn.microsoft.com/graph/application-rollkey-prooftoken), so nothing is left for after its end.
Each step is decided from what was read just now: whoever continues after a crash needs to know
nothing else.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.entra import CERTIFICATE_LAG
from appcredential.domain.own import problems, subject
from appcredential.domain.own.actions import (
    Discard,
    Forget,
    Look,
    Note,
    OwnAction,
    OwnDecision,
    Publish,
    Register,
    Remove,
    SignIn,
    Stage,
    Wait,
)
from appcredential.domain.own.observed import OwnObservation, OwnPair
from appcredential.domain.own.secret import MOST_ADDED, OwnRecords
from appcredential.domain.proof import SignInClass, next_try
from appcredential.domain.rotation import Schedule, is_overdue, schedule
from appcredential.domain.spec.model import RotationSpec

LOOK_AGAIN: Final = timedelta(minutes=1)
"""How soon to look again at what only somebody else can change."""

_BACKDATED: Final = timedelta(minutes=10)
"""More than by how much a certificate begins before it is made."""


def decide(o: OwnObservation) -> OwnDecision:
    """Return the next step."""
    ours = _ours(o)
    plan = _plan(o, o.main)
    renewal = o.main.start if _is_borrowed(o, ours) else plan.renewal_time
    if ours is not None and ours.main != o.main.thumbprint:
        return OwnDecision(Note(), renewal)
    if ours is not None and ours.client not in {"", o.client} and o.in_use == o.main.thumbprint:
        return OwnDecision(_leave(o, ours), renewal)
    is_due = o.now >= renewal
    found = _renew(o, ours, is_due=is_due)
    if isinstance(found, Problem):
        return OwnDecision(_retire(o, ours, plan) or Wait(_later(o)), renewal, found)
    action = found or _retire(o, ours, plan) or Wait(renewal)
    return OwnDecision(action, renewal, _worry(o, plan) if is_due else None)


def _leave(o: OwnObservation, ours: OwnRecords) -> OwnAction:
    """Strike what is on another app registration than the identity names by now.

    On this one a person added the certificate in use, so that it stays there.
    """
    kept = {o.successor.thumbprint} if o.successor is not None else set()
    return Forget(frozenset(ours.added) - kept, left_on=ours.client)


def _worry(o: OwnObservation, plan: Schedule) -> Problem | None:
    """Return what is wrong although a renewal goes on."""
    refused = problems.refused_sign_in(o.proof.result) if o.proof is not None else None
    return refused or (problems.OVERDUE if is_overdue(plan, o.now) else None)


def is_copied(o: OwnObservation) -> bool:
    """Return whether another installation made what the Secret holds.

    It removes that once its own successor has signed in: so this one needs another at once.
    """
    return o.records is not None and _ours(o) is None


def _is_borrowed(o: OwnObservation, ours: OwnRecords | None) -> bool:
    """Return whether another installation will remove the certificate in use.

    Who copies nothing but the content of a Secret leaves the records behind.
    """
    is_made_elsewhere = subject.is_made_elsewhere(o.main.subject, o.cluster, o.tenant)
    return is_made_elsewhere or is_copied(o) or (ours is not None and ours.is_borrowed)


def overlap(plan: Schedule, lifetime: timedelta) -> timedelta:
    """Return how long a former certificate stays: at most half of the time between renewals."""
    return min(plan.renew_before, lifetime - plan.renew_before) / 2


def _renew(
    o: OwnObservation, ours: OwnRecords | None, *, is_due: bool
) -> OwnAction | Problem | None:
    successor = o.successor if ours is not None else None  # a copied one is somebody else's
    added = ours.added if ours is not None else ()
    if successor is None:
        return _stage(o, ours) if is_due else None
    if successor.thumbprint == o.main.thumbprint:
        return Discard()
    is_used = o.in_use == successor.thumbprint
    # Beside a main one that is not known to sign in, it may be all that still does.
    is_spare = o.main.is_valid(o.now) and o.in_use == o.main.thumbprint
    is_wanted = is_due or (is_used and o.main.thumbprint in added)
    if not is_wanted or (is_spare and o.now >= _plan(o, successor).renewal_time):
        return Discard() if is_spare else None
    if (is_used and not o.main.is_valid(o.now)) or _is_proven(o, successor):
        return Publish()
    return _prove(o, successor)


def takes_from_others(o: OwnObservation, action: OwnAction) -> bool:
    """Return whether another EntraTenant with this Secret might lose what it signs in with.

    It may name the Secret since the successor was made. Once the main one has ended there is
    nothing to lose.
    """
    return isinstance(action, Stage) or (isinstance(action, Publish) and o.main.is_valid(o.now))


def _stage(o: OwnObservation, ours: OwnRecords | None) -> OwnAction | Problem:
    blocked = _blocked(o)
    if blocked is not None:
        return blocked
    return problems.TOO_MANY if ours is not None and len(ours.added) >= MOST_ADDED else Stage()


def _prove(o: OwnObservation, successor: OwnPair) -> OwnAction | Problem:
    """Add it where Entra does not know it, and sign in with it.

    One that another process left may have been added already, although its answer was lost and
    a lagging replica does not list it: a sign-in tells.
    """
    if o.is_clock_doubtful:
        return problems.CLOCK
    if o.is_new:
        return _register(o, successor)
    is_refused = o.proof is not None and o.proof.result.kind is SignInClass.NOT_YET
    if is_refused and (o.asked is None or o.now - o.asked >= CERTIFICATE_LAG):
        if o.keys is None:
            return Look()
        is_listed = successor.thumbprint in {key.shown for key in o.keys}
        if not is_listed and (_is_lost(o) or not _is_too_long(o, successor)):
            return _register(o, successor)
    due = next_try(o.proof, successor.thumbprint, o.now, _spacing(o))
    if o.now < due:
        return Wait(due)
    return SignIn()


def _register(o: OwnObservation, successor: OwnPair) -> OwnAction | Problem:
    """Add one that Entra does not know; or drop it, where a shorter one is wanted by now.

    A policy of Entra may refuse the longer one for as long as there is one.
    """
    return _blocked(o) or (Discard() if _is_too_long(o, successor) else Register())


def _is_too_long(o: OwnObservation, successor: OwnPair) -> bool:
    return successor.end - successor.start > o.longest + _BACKDATED


def _is_lost(o: OwnObservation) -> bool:
    """Return whether no answer that was lost can have added it: each replica would know it."""
    return o.proof is not None and o.proof.refused_for >= CERTIFICATE_LAG


def _blocked(o: OwnObservation) -> OwnAction | Problem | None:
    """Return why the certificate in use cannot vouch for another one."""
    if not o.main.is_valid(o.now):
        return problems.EXPIRED
    if o.is_clock_doubtful:
        return problems.CLOCK
    return None if o.in_use == o.main.thumbprint else Wait(_later(o))


def _retire(o: OwnObservation, ours: OwnRecords | None, plan: Schedule) -> OwnAction | None:
    """Remove what this cluster added before, once it is certain that nobody signs in with it."""
    kept = {o.main.thumbprint, *([o.successor.thumbprint] if o.successor is not None else [])}
    former = set(ours.added) - kept if ours is not None else set()
    if ours is None or not former:
        return None
    due = ours.since + overlap(plan, plan.end - o.main.start)
    if o.now < due:
        return Wait(min(due, plan.renewal_time))
    if o.in_use != o.main.thumbprint or o.is_clock_doubtful:
        return Wait(_later(o))
    if o.keys is None:
        return Look()
    listed = {key.shown for key in o.keys}
    if o.main.thumbprint not in listed:
        return Wait(_later(o))  # a lagging replica, or somebody removed it: nothing goes on that
    for key in o.keys:
        if key.shown in former:
            return Remove(key.key_id)
    return Forget(frozenset(former))


def _ours(o: OwnObservation) -> OwnRecords | None:
    records = o.records
    if records is None or (records.cluster, records.tenant) != (o.cluster, o.tenant):
        return None
    return records


def _plan(o: OwnObservation, pair: OwnPair) -> Schedule:
    known = o.expires if pair is o.main and o.expires is not None else pair.end
    rotation = RotationSpec(renew_before=o.rotation.renew_before)
    end = min(pair.end, known)
    return schedule(rotation, o.rotation.lifetime, pair.start, end, pair.thumbprint)


def _is_proven(o: OwnObservation, successor: OwnPair) -> bool:
    settings, proof = o.settings, o.proof
    return (
        proof is not None
        and proof.attempt == successor.thumbprint
        and proof.proves(o.now, count=settings.next_proof_count, max_age=settings.proof_max_age)
    )


def _spacing(o: OwnObservation) -> timedelta:
    """Return the time between two sign-ins, so that several replicas answer."""
    return o.settings.next_proof_spread_max / max(o.settings.next_proof_count - 1, 1)


def _later(o: OwnObservation) -> datetime:
    return o.now + LOOK_AGAIN
