"""Decides the next step by which the operator renews its own client secret.

The order is what keeps it signed in: the attempt is recorded before Graph is asked, the value is
stored as soon as Graph shows it, it signs in several times before it takes the place of the one in
use, and the one before is removed half of `renewBefore` later. Of an attempt whose value never
came, the entry with exactly its mark is removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from appcredential.domain.conditions import Problem
from appcredential.domain.own import problems
from appcredential.domain.own.actions import (
    Discard,
    Forget,
    Look,
    Note,
    Publish,
    Remove,
    SignIn,
    Stage,
    Wait,
)
from appcredential.domain.own.rotation import LOOK_AGAIN, overlap
from appcredential.domain.own.secret_observed import SecretObservation
from appcredential.domain.own.secret_records import (
    MOST_ASKED,
    MOST_MADE,
    SecretRecords,
    mark_of,
)
from appcredential.domain.proof import next_try
from appcredential.domain.rotation import Schedule, backoff, is_overdue, schedule
from appcredential.domain.spec.model import RotationSpec

SecretAction: TypeAlias = Stage | SignIn | Publish | Discard | Note | Look | Remove | Forget | Wait
ORPHANED: Final = timedelta(hours=1)
"""After so long no answer to an attempt comes any more, and each replica lists what it left."""

_FIRST_PAUSE: Final = timedelta(minutes=5)
"""Longer than a call may take: so no second one begins while the first may be under way."""


@dataclass(frozen=True, slots=True)
class SecretDecision:
    """The next step, when the client secret is due, and why nothing can go on, if that is so.

    Attributes:
        renewal: None when it is due whatever its end is, or its end is not known.
    """

    action: SecretAction
    renewal: datetime | None
    problem: Problem | None = None


def decide(o: SecretObservation) -> SecretDecision:
    """Return the next step."""
    ours, plan = o.ours(), _plan_of_main(o)
    renewal = plan.renewal_time if plan is not None and not ours.is_borrowed else None
    if (ours.main, ours.digest) != (ours.key_id_of(o.main), o.main):
        return SecretDecision(Note(), renewal)
    if ours.client != o.client and o.in_use == o.main:
        return SecretDecision(_leave(ours), renewal)
    is_due = o.in_use == o.main if plan is None else o.now >= plan.renewal_time
    found = _renew(o, ours, is_due=is_due or ours.is_borrowed)
    if isinstance(found, Problem):
        return SecretDecision(_retire(o, ours) or Wait(_later(o)), renewal, found)
    action = found or _retire(o, ours) or Wait(renewal or _later(o))
    return SecretDecision(action, renewal, _worry(o, plan) if is_due else None)


def _leave(ours: SecretRecords) -> SecretAction:
    """Strike what is on another app registration than the identity names by now."""
    gone = {one.key_id for one in ours.made} | {one.attempt for one in ours.asked}
    return Forget(frozenset(gone), left_on=ours.client)


def takes_from_others(o: SecretObservation, action: SecretAction) -> bool:
    """Return whether another EntraTenant with this Secret might lose what it signs in with.

    Once the main one does not sign in any more there is nothing to lose.
    """
    return isinstance(action, Stage | Publish) and o.in_use == o.main


def _worry(o: SecretObservation, plan: Schedule | None) -> Problem | None:
    """Return what is wrong although a renewal goes on."""
    refused = problems.refused_sign_in(o.proof.result) if o.proof is not None else None
    return refused or (problems.OVERDUE if plan and is_overdue(plan, o.now) else None)


def _renew(
    o: SecretObservation, ours: SecretRecords, *, is_due: bool
) -> SecretAction | Problem | None:
    successor = o.next_made()
    if successor is None:
        return _stage(o, ours) if is_due else None
    if o.successor == o.main:
        return Discard()
    # Beside a main one that does not sign in, it may be all that still does.
    is_spare = o.in_use == o.main
    is_old = o.now >= _plan(o, successor.start, successor.end, successor.key_id).renewal_time
    if is_spare and (not is_due or is_old or _is_unknown(o)):
        return Discard()
    if (not is_due and o.in_use != o.successor) or _may_be_new(o, ours):
        return None
    settings, proof = o.settings, o.proof
    if proof is not None and proof.proves(
        o.now, count=settings.next_proof_count, max_age=settings.proof_max_age
    ):
        return Publish()
    spacing = settings.next_proof_spread_max / max(settings.next_proof_count - 1, 1)
    due = next_try(proof, successor.key_id, o.now, spacing)
    return Wait(due) if o.now < due else SignIn()


def _may_be_new(o: SecretObservation, ours: SecretRecords) -> bool:
    """Return whether a person may have put the main one there just now, and Entra lags."""
    is_refused = not ours.main and o.in_use != o.main
    return is_refused and timedelta(0) <= o.now - ours.since < o.settings.proof_budget


def _is_unknown(o: SecretObservation) -> bool:
    """Return whether Entra has refused the successor for so long that it will never know it."""
    return o.proof is not None and o.proof.refused_for >= o.settings.proof_budget


def _stage(o: SecretObservation, ours: SecretRecords) -> SecretAction | Problem:
    """Ask for a successor, unless an attempt may be under way or too many came to nothing."""
    if o.is_clock_doubtful:
        return problems.CLOCK
    if o.in_use != o.main:
        return Wait(_later(o))
    if len(ours.made) >= MOST_MADE or len(ours.asked) >= MOST_ASKED:
        return problems.TOO_MANY_SECRETS
    if ours.asked:
        last = ours.asked[-1]
        due = last.at + backoff(len(ours.asked), _FIRST_PAUSE, ORPHANED, last.attempt)
        if last.at <= o.now + _FIRST_PAUSE and o.now < due:
            return _retire(o, ours) or Wait(due)
    return Stage()


def _retire(o: SecretObservation, ours: SecretRecords) -> SecretAction | None:
    """Remove what this cluster made and nobody signs in with, and what nobody ever could."""
    successor = o.next_made()
    kept = {ours.main, successor.key_id if successor is not None else ""}
    main = ours.of(o.main)
    # A policy of Entra may give it much less than was asked for.
    end = main.end if main is not None else ours.since + o.rotation.lifetime
    start = main.start if main is not None else ours.since
    plan = _plan(o, start, end, "")
    due = ours.since + overlap(plan, plan.end - start)
    ends = {one.key_id: due for one in ours.made if one.key_id not in kept}
    ends |= {one.attempt: one.at + ORPHANED for one in ours.asked}
    gone = frozenset(which for which, end in ends.items() if o.now >= end)
    if not gone:
        return None
    if o.in_use != o.main or o.is_clock_doubtful:
        return Wait(_later(o))
    if o.keys is None:
        return Look()
    if ours.main and ours.main not in {key.key_id for key in o.keys}:
        return Wait(_later(o))  # a lagging replica, or somebody removed it: nothing goes on that
    mark = mark_of(o.cluster, o.tenant, "")
    for key in o.keys:
        is_marked = key.display_name.startswith(mark)
        is_gone = key.key_id in gone or key.display_name.removeprefix(mark) in gone
        if is_marked and is_gone and key.key_id not in kept:
            return Remove(key.key_id)
    return Forget(gone)


def _plan_of_main(o: SecretObservation) -> Schedule | None:
    """Return the schedule of the one in use; None when its end is not known."""
    main = o.ours().of(o.main)
    if main is not None:
        return _plan(o, main.start, main.end, main.key_id)
    if o.expires is None:
        return None
    return _plan(o, o.expires - o.rotation.lifetime, o.expires, o.tenant)


def _plan(o: SecretObservation, start: datetime, end: datetime, seed: str) -> Schedule:
    rotation = RotationSpec(renew_before=o.rotation.renew_before)
    return schedule(rotation, o.rotation.lifetime, start, end, seed)


def _later(o: SecretObservation) -> datetime:
    return o.now + LOOK_AGAIN
