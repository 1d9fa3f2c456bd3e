"""When a credential is minted, proven, published, retired and removed.

`decide` walks `gates.GATES` and then `RULES` from top to bottom; the first
match wins, and a rule that is only waiting does not match. The numbers are
those of docs/lifecycle.md. **T** is the target Secret, **P** the pending one,
"listed" means seen in the last direct read of the application.

Nearly every clause has a counterexample behind it that lost a sign-in in a
model. Absence in an old read is never evidence: a rule that acts on what Entra
lists asks for a fresh read first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from appcredential.domain import proof as signin
from appcredential.domain.actions import (
    Action,
    ApplyStatus,
    DeletePending,
    Fence,
    Hold,
    Mint,
    Publish,
    ReadApplication,
    ReadFederated,
    Register,
    Remove,
    SignInPending,
    SignInPublished,
    Sleep,
    WriteTarget,
)
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts, assess
from appcredential.domain.facts.federated import assess_federated
from appcredential.domain.facts.handover import still_handed_over
from appcredential.domain.facts.successor import (
    is_gone,
    is_published,
    is_revoked,
    issued_before,
    known_keys,
    mint_time,
    must_sign_in,
    needs_successor,
    real_end,
    retire_time,
    seems_gone,
    unproven_publish_time,
    usable_source,
)
from appcredential.domain.marker import Attempt, attempt_id
from appcredential.domain.observed.observation import (
    Abandoned,
    Application,
    Minted,
    Observation,
    Pending,
    PendingState,
    RetireCause,
    Retiring,
    Tenant,
)
from appcredential.domain.rotation import effective_renew_before
from appcredential.domain.rules.federated import FEDERATED_RULES, federated_times
from appcredential.domain.rules.gates import GATES, gate_times
from appcredential.domain.secret.content import (
    CLUSTER,
    MAX_ABANDONED,
    Publication,
    can_sign_in,
    derived_names,
    is_rendered,
    leaf_of,
    render,
    type_of,
)
from appcredential.domain.spec.model import AppCredentialSpec, CredentialType, KeyId, Mode
from appcredential.domain.status.projection import needs_write, project, revocation_patience_ends

_ABSENT_READS = 3
_REPAIR_PAUSE = timedelta(minutes=1)
_REPAIR_PAUSE_CAP = timedelta(hours=1)
_REPAIR_MEMORY = timedelta(hours=4)
OBSERVING = Problem(
    reason=Reason.OBSERVING,
    message="spec.mode is Observe: nothing is written to Entra or the cluster.",
    stalled=False,
)
SIGHTINGS = 3
SIGHTING = timedelta(seconds=5)
REPAIRED = "repaired"
"""Why T is written when nothing but its rendering differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One action, the status that is true now, and when to look again."""

    action: Action
    status: dict[str, Any]
    look_again: datetime


def decide(o: Observation) -> Decision:
    """Return the one thing to do next for an observation."""
    for gate in GATES:
        action = gate(o)
        if action is not None:
            return _at_gate(o, action)
    spec, tenant, application = o.resource.spec, o.tenant, o.application
    assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - the gates hold it
    assert isinstance(tenant, Tenant)  # noqa: S101
    assert isinstance(application, Application)  # noqa: S101
    f = assess(o, spec, tenant, application)
    return _decide_federated(f) if spec.type is CredentialType.FEDERATED_IDENTITY else _decide(f)


def _decide(f: Facts) -> Decision:
    """Client secrets and certificates."""
    if f.spec.mode is Mode.OBSERVE:
        return _settle(f.o, project(f.o, f, OBSERVING), next_look(f))
    status = project(f.o, f, None)
    for rule in RULES:
        action = rule(f)
        if action is not None:
            return Decision(action=action, status=status, look_again=f.o.now)
    return _settle(f.o, status, next_look(f))


def _decide_federated(f: Facts) -> Decision:
    """Federated credentials: the same gates, rules of their own."""
    o, observes = f.o, f.spec.mode is Mode.OBSERVE
    status = project(o, f, OBSERVING if observes else None)
    ff = assess_federated(f)
    if isinstance(ff, Problem):
        return _at_problem(f, ff, status)
    for rule in FEDERATED_RULES:
        action = rule(ff)
        if action is not None and (not observes or isinstance(action, ReadFederated)):
            return Decision(action=action, status=status, look_again=o.now)
    return _settle(o, status, _soonest(o, federated_times(ff)))


def _at_problem(f: Facts, problem: Problem, status: dict[str, Any]) -> Decision:
    """What is to be trusted cannot be said or done; somebody may cure that in Entra."""
    o, soon = f.o, f.o.policy.arrival_grace
    is_old = o.now - f.application.read_time >= soon
    if problem.reason is Reason.NOT_MULTI_TENANT and is_old and not f.is_paused:
        return Decision(action=ReadApplication(soon / 2), status=status, look_again=o.now)
    return _settle(o, status, o.now + soon)


def _at_gate(o: Observation, action: Action) -> Decision:
    if not isinstance(action, Hold):
        return Decision(action=action, status=dict(o.resource.status), look_again=o.now)
    times = gate_times(o)
    leaves = o.resource.deletion_time is not None and not action.problem.stalled
    if o.blocked is not None or leaves:
        return Decision(action=Sleep(), status=dict(o.resource.status), look_again=min(times))
    return _settle(o, project(o, None, action.problem), min(times))


def _settle(o: Observation, status: dict[str, Any], look_again: datetime) -> Decision:
    """23: status differs, else sleep."""
    action = ApplyStatus() if needs_write(o.resource.status, status) else Sleep()
    return Decision(action=action, status=status, look_again=look_again)


# --- the rules, in order -------------------------------------------------------------------


def pending_is_a_copy(f: Facts) -> Action | None:
    """7: P was restored (its uid gives another attempt) or is for another application."""
    p = f.pending
    if p is None:
        return None
    if p.attempt != attempt_id(f.o.identity, p.uid, p.attempt_number):
        return DeletePending("copy of another pending Secret")
    if p.tenant_id != f.tenant.tenant_id or p.object_id != f.application.object_id:
        return DeletePending("made for another application")
    if p.value is not None and type_of(p.value) is not f.spec.type:
        return DeletePending("of another type")
    return None


def pending_is_done(f: Facts) -> Action | None:
    """8: P was published, given up, is retiring, or is older than what T holds."""
    p, t = f.pending, f.o.target
    if p is None or t is None:
        return None
    if p.attempt in {a.attempt for a in t.abandoned}:
        return DeletePending("abandoned")
    if p.minted is not None and p.minted.key_id in {r.key_id for r in f.retiring}:
        return DeletePending("retiring")
    if f.published is None:
        return None
    if p.attempt == f.published.attempt:
        return DeletePending("published")
    if f.minted and p.minted and p.minted.not_before < f.published.not_before:
        return DeletePending("older than the published one")
    return None


def retiring_is_done(f: Facts) -> Action | None:
    """9: drop entries of the published key, gone ones, and ones that are not ours."""
    kept = tuple(r for r in f.retiring if not _is_dropped(f, r))
    return None if kept == f.retiring else _write_target(f, "retiring entry done", retiring=kept)


def _is_dropped(f: Facts, r: Retiring) -> bool:
    if f.published is not None and r.key_id == f.published.key_id:
        return True
    if r.removed is not None and f.o.memory.absences.get(r.key_id, 0) >= _ABSENT_READS:
        return True
    return f.is_listed(r.key_id) and r.key_id not in f.exact


def stranded(f: Facts) -> Action | None:
    """10: a credential of ours in no record was presumably published once: full overlap."""
    if f.o.target is None:
        return None
    known = {r.key_id for r in f.retiring}
    found = [
        c
        for c in f.exact.values()
        if not is_published(f, c.key_id)
        and c.key_id not in known
        and not f.is_pending(c)
        and not f.is_abandoned(c)
    ]
    if not found:
        return None
    if not f.is_fresh:
        return _read_again(f, f.o.policy.freshness)
    new = tuple(
        Retiring(key_id=c.key_id, end=c.end, since=f.o.now, cause=RetireCause.STRANDED)
        for c in found
    )
    return _write_target(f, "stranded credential noted", retiring=f.retiring + new)


def rendering_differs(f: Facts) -> Action | None:
    """11: T's value is intact, but what stands around it is not as wanted."""
    t = f.o.target
    if t is None or t.value is None or f.published is None or f.o.now < repair_time(f):
        return None
    derived = f.o.material.derived
    if derived_names(f.spec) - derived.keys():
        return None  # source or password cannot be read: what T holds of them stays
    wanted = render(f.spec, f.tenant, t.value, publication(f), t, None, derived=derived)
    if is_rendered(t, wanted) and t.data.keys() >= f.spec.secret.data.keys():
        return None
    return _write_target(f, REPAIRED)


def repair_time(f: Facts) -> datetime:
    """Return when T may be repaired again: something that alters our writes would make a loop."""
    recent = [t for t in f.o.memory.repairs if f.o.now - t < _REPAIR_MEMORY]
    if not recent:
        return f.o.now
    doublings: int = 1 << (len(recent) - 1)
    return recent[-1] + min(_REPAIR_PAUSE * doublings, _REPAIR_PAUSE_CAP)


def revocation_due(f: Facts) -> Action | None:
    """12: what T holds meets revokeIssuedBefore and signs in now: older ones go, whatever else.

    Without such a successor nothing goes. P's own attempt is no concern of this rule.
    """
    if not f.has_valid_published or is_revoked(f, _published(f).not_before):
        return None
    leaked = (
        r for r in f.retiring if r.key_id in f.exact and is_revoked(f, f.exact[r.key_id].start)
    )
    action = _first(_proven_removal(f, r) for r in leaked)
    return replace(action, is_revocation=True) if isinstance(action, Remove) else action


def orphan(f: Facts) -> Action | None:
    """13: an attempt that is proven unpublished is removed early."""
    found = (c.key_id for c in f.exact.values() if f.is_abandoned(c))
    return _first(_removal(f, key, None) for key in found)


def intent_interrupted(f: Facts) -> Action | None:
    """14: an intent that nobody works on any more; one that holds its value goes on."""
    p = f.pending
    if p is None or p.state is not PendingState.INTENT:
        return None
    is_mine = p.holder == f.o.holder
    is_old = f.o.now - p.intent_time >= f.o.policy.intent_respect
    if not (is_mine or is_old):
        return None
    return _registration(f, p) if p.is_staged else Fence("minting was interrupted")


def _registration(f: Facts, p: Pending) -> Action | None:
    """Register what P holds under its own key id: a lost answer costs nothing."""
    useless = _uselessness(f, p) or _too_long(f, p)
    if useless is not None:
        return Fence(useless)
    if f.is_paused or not f.is_granted:
        return None
    if not all(f.is_listed(key) for key in known_keys(f)):
        # No list may leave without them: whether they are gone is found out first.
        return None if f.is_fresh else _read_again(f, f.o.policy.freshness)
    return Register()


def _too_long(f: Facts, p: Pending) -> str | None:
    """Say so when spec, grant and tenant have come to allow less since it was made."""
    assert p.minted is not None  # noqa: S101 - callers checked
    too_long = p.minted.expires - p.minted.not_before > f.lifetime + timedelta(minutes=1)
    return "longer than what is allowed now" if too_long else None


def minted_is_useless(f: Facts) -> Action | None:
    """15: a successor that cannot or should not be published any more."""
    p = f.minted
    if p is None:
        return None
    if p.minted is None:
        # Not fenced: without a key id it would pass for one that never held a value.
        return DeletePending("its records are damaged")
    useless = _uselessness(f, p)
    if useless is not None:
        return Fence(useless)
    if f.requires_proof and _will_never_sign_in(f, p):
        return Fence("it does not sign in")
    return None


def _uselessness(f: Facts, p: Pending) -> str | None:
    assert p.minted is not None  # noqa: S101 - callers checked
    if p.value is None:
        return "its value is damaged"
    before = issued_before(f)
    if before is not None and p.minted.not_before < before:
        return "issued before what the spec's …IssuedBefore asks for"
    if not can_sign_in(p.value) and must_sign_in(f):
        return "its private key is elsewhere"
    brought = usable_source(f) if f.spec.is_brought else None
    if brought is not None and leaf_of(brought.value) != leaf_of(p.value):
        return "its source holds another one now"
    life = p.minted.expires - p.minted.not_before
    if p.minted.expires - f.entra_now < effective_renew_before(f.spec.rotation, life) / 2:
        return "too little of its life is left"
    return None


def _will_never_sign_in(f: Facts, p: Pending) -> bool:
    proof = f.o.memory.pending_proof
    if proof is None or proof.attempt != p.attempt:
        return False
    return proof.refused_for >= f.o.policy.proof_budget


def sign_in_due(f: Facts) -> Action | None:
    """16: prove the successor, one sign-in at a time."""
    p = f.minted
    if p is None or not f.is_granted or not f.requires_proof or _is_proven(f, p):
        return None
    if f.o.material.keystore_problem is not None:
        return None  # it could not be published: proving it again and again helps nobody
    due = signin.next_try(f.o.memory.pending_proof, p.attempt, f.o.now, f.proof_spacing)
    return SignInPending() if f.o.now >= due else None


def publishable(f: Facts) -> Action | None:
    """17: the successor is proven: give it to the workloads."""
    p = f.minted
    if p is None or not f.is_granted or f.o.material.keystore_problem is not None:
        return None
    if f.requires_proof:
        return Publish() if _is_proven(f, p) else None
    if f.o.now < unproven_publish_time(f, p):
        return None
    return _sighted_publish(f, p) if f.spec.type is CredentialType.CERTIFICATE else Publish()


def _sighted_publish(f: Facts, p: Pending) -> Action | None:
    """Publish a certificate that nobody can prove once it is listed: a list may have lost it.

    While workloads use T, in three reads in a row, as replicas may know of it or not.
    """
    minted = p.minted
    assert minted is not None  # noqa: S101 - rule 15 deleted it
    wanted = SIGHTINGS if f.is_in_use else 1
    if f.is_fresh and len(f.o.memory.sightings.get(minted.key_id, ())) >= wanted:
        return Publish()
    return _read_again(f, SIGHTING / 2) if f.o.now >= _next_sighting(f) else None


def _is_proven(f: Facts, p: Pending) -> bool:
    proof = f.o.memory.pending_proof
    return (
        proof is not None
        and proof.attempt == p.attempt
        and proof.proves(f.o.now, count=f.proof_count, max_age=f.o.policy.proof_max_age)
    )


def published_seems_gone(f: Facts) -> Action | None:
    """18a: the published key is not listed; only failing sign-ins make that believable."""
    if not seems_gone(f) or is_gone(f) or f.published is None or not f.is_granted:
        return None
    if not f.can_published_sign_in:
        return _read_again(f, SIGHTING / 2) if f.o.now >= _next_sighting(f) else None
    if not f.is_fresh:
        return _read_again(f, f.o.policy.freshness)
    due = signin.next_try(
        f.o.memory.published_proof, f.published.attempt, f.o.now, signin.SLOW_RETRY
    )
    return SignInPublished() if f.o.now >= due else None


def _next_sighting(f: Facts) -> datetime:
    """Return when the application may be looked at once more, by another replica if possible."""
    return f.application.read_time + SIGHTING


def successor_needed(f: Facts) -> Action | None:
    """18: mint. The intent is written first: the mutex and the journal."""
    p = f.pending
    if p is not None and p.state is not PendingState.ABANDONED:
        return None
    if not f.is_granted or not needs_successor(f) or f.o.now < mint_time(f):
        return None
    if f.o.material.keystore_problem is not None:
        return None
    if not f.is_fresh:
        return _read_again(f, f.o.policy.freshness)
    number = p.attempt_number + 1 if p is not None else 1
    return Mint(number, _carried(f, p), f.lifetime)


def _carried(f: Facts, p: Pending | None) -> tuple[Abandoned, ...]:
    """Return P's journal with its own attempt, if fenced from Intent within the hour."""
    if p is None:
        return ()
    return p.abandoned + _journal_entry(f, p)


def _journal_entry(f: Facts, p: Pending) -> tuple[Abandoned, ...]:
    young = f.o.now - p.intent_time < f.o.policy.journal_window
    if p.fenced_from_intent and young:
        return (Abandoned(attempt=Attempt(p.attempt), time=p.intent_time),)
    return ()


def pending_is_unneeded(f: Facts) -> Action | None:
    """19: an Abandoned P is journaled into T before it goes."""
    p, t = f.pending, f.o.target
    if p is None or t is None or p.state is not PendingState.ABANDONED or needs_successor(f):
        return None
    carried = _carried(f, p)[-MAX_ABANDONED:]
    attempts = {a.attempt for a in carried}
    if attempts <= {a.attempt for a in t.abandoned}:
        return DeletePending("nothing is needed")
    journal = (*(a for a in t.abandoned if a.attempt not in attempts), *carried)
    return _write_target(f, "attempt journaled", abandoned=journal[-MAX_ABANDONED:])


def removal_seen(f: Facts) -> Action | None:
    """20: a retiring credential is absent in a direct read."""
    gone = {r.key_id for r in f.retiring if r.removed is None and not f.is_listed(r.key_id)}
    if not gone:
        return None
    if not f.is_fresh:
        return _read_again(f, f.o.policy.freshness)
    noted = tuple(replace(r, removed=f.o.now) if r.key_id in gone else r for r in f.retiring)
    return _write_target(f, "removal noted", retiring=noted)


def expired(f: Facts) -> Action | None:
    """21: expired by Entra's time, plus a margin; also what no record names, as without T."""
    grace = f.o.policy.expired_grace
    past = {r.key_id: r.cause for r in f.retiring if f.entra_now >= real_end(f, r) + grace}
    lost = (k for k, c in f.exact.items() if f.entra_now >= c.end + grace)
    causes = {**dict.fromkeys(lost, RetireCause.STRANDED), **past}
    return _first(_removal(f, key, cause) for key, cause in causes.items())


def retirement_due(f: Facts) -> Action | None:
    """22: the overlap is over and what T holds signs in now and lives longer."""
    due = (r for r in f.retiring if f.o.now >= retire_time(f, r) and _may_retire(f, r))
    return _first(_proven_removal(f, r) for r in due)


def _may_retire(f: Facts, r: Retiring) -> bool:
    """Tell whether T's credential is a good survivor, and early removal still worth it."""
    if f.published is None or f.plan is None or not f.has_valid_published:
        return False
    keep, end = max(f.o.policy.min_remaining, f.plan.overlap / 10), real_end(f, r)
    return (
        end - f.entra_now >= keep
        and f.published.not_before <= f.entra_now
        and f.published.expires >= end + f.plan.overlap
    )


def _proven_removal(f: Facts, r: Retiring) -> Action | None:
    """Remove by a fresh read, but first sign in with T's value, when a try is due."""
    if not f.can_published_sign_in:
        return _sighted_removal(f, r)
    proof, attempt = f.o.memory.published_proof, _published(f).attempt
    is_proven = (
        proof is not None
        and proof.attempt == attempt
        and proof.proves(f.o.now, count=1, max_age=f.o.policy.freshness)
    )
    if not is_proven and f.o.now < signin.next_try(proof, attempt, f.o.now, timedelta(0)):
        return None
    removal = _removal(f, r.key_id, r.cause)
    if not isinstance(removal, Remove):
        return removal
    if not f.is_listed(_published(f).key_id):
        return None
    return removal if is_proven else SignInPublished()


def _sighted_removal(f: Facts, r: Retiring) -> Action | None:
    """Remove when T's certificate, whose key is elsewhere, was listed in three reads in a row."""
    if len(f.o.memory.sightings.get(_published(f).key_id, ())) >= SIGHTINGS:
        return _removal(f, r.key_id, r.cause)
    return _read_again(f, SIGHTING / 2) if f.o.now >= _next_sighting(f) else None


def _published(f: Facts) -> Minted:
    assert f.published is not None  # noqa: S101 - callers checked
    return f.published


def _first(found: Iterable[Action | None]) -> Action | None:
    """Return the first that does not merely wait."""
    return next((action for action in found if action is not None), None)


def _removal(f: Facts, key: KeyId, cause: RetireCause | None) -> Action | None:
    """Remove a listed credential of our exact marker, by a fresh read, not twice in a row.

    Whatever the records say, never the published one nor the pending one.
    """
    credential = f.exact.get(key)
    if credential is None or is_published(f, key) or f.is_pending(credential):
        return None
    removed = f.o.memory.removals.get(key)
    if f.is_paused or (removed is not None and f.o.now - removed < f.o.policy.settle):
        return None
    if not f.is_fresh:
        return _read_again(f, f.o.policy.freshness)
    if removed is not None and f.application.read_time < removed:
        return _read_again(f, f.o.now - removed)  # what we have was read before it went
    return Remove(key, f.attempt_of(credential), cause)


def absence_unconfirmed(f: Facts) -> Action | None:
    """9b: a removed entry needs three direct reads, a settle time apart, to be dropped."""
    spacing = f.o.policy.settle / _ABSENT_READS
    if _awaits_absence(f) and f.o.now - f.application.read_time >= spacing:
        return _read_again(f, spacing / 2)  # a shared read, but not the one we have
    return None


def _awaits_absence(f: Facts) -> bool:
    """Tell whether more reads could confirm that a removed credential is gone."""
    return any(
        r.removed is not None
        and not f.is_listed(r.key_id)
        and f.o.memory.absences.get(r.key_id, 0) < _ABSENT_READS
        for r in f.retiring
    )


def _read_again(f: Facts, max_age: timedelta) -> Action | None:
    """Read the application, unless the directory asked us to stay away: then just wait."""
    return None if f.is_paused else ReadApplication(max_age)


RULES = (
    pending_is_a_copy,  # 7
    pending_is_done,  # 8
    retiring_is_done,  # 9
    stranded,  # 10
    rendering_differs,  # 11
    revocation_due,  # 12
    orphan,  # 13
    intent_interrupted,  # 14
    minted_is_useless,  # 15
    sign_in_due,  # 16
    publishable,  # 17
    published_seems_gone,  # 18, looking
    successor_needed,  # 18
    pending_is_unneeded,  # 19
    removal_seen,  # 20
    expired,  # 21
    retirement_due,  # 22
    absence_unconfirmed,  # 9, looking
)


def next_look(f: Facts) -> datetime:
    """Return the earliest time at which some rule may match that does not match now."""
    o = f.o
    times = [o.now + o.policy.secret_check, f.application.read_time + o.policy.directory_resync]
    times += _pending_times(f)
    if f.plan is not None:
        times += [_ours(f, f.plan.renewal_time), _ours(f, f.plan.end)]
    times += [retire_time(f, r) for r in f.retiring]
    times += [_ours(f, real_end(f, r) + o.policy.expired_grace) for r in f.retiring]
    times += [_ours(f, c.end + o.policy.expired_grace) for c in f.exact.values()]
    times.append(repair_time(f))
    times += [removed + o.policy.settle for removed in o.memory.removals.values()]
    if _awaits_absence(f):
        times.append(f.application.read_time + o.policy.settle / _ABSENT_READS)
    proof = o.memory.published_proof
    if proof is not None and f.retiring:
        times.append(signin.next_try(proof, proof.attempt, o.now, o.policy.settle))
    if o.memory.retry_time is not None:
        times.append(o.memory.retry_time)
    if o.target is not None and o.target.handed_over is not None:
        times.append(o.target.handed_over.until)
    if needs_successor(f) and (f.pending is None or f.pending.fenced_from_intent):
        times.append(mint_time(f))
    times += _source_times(f)
    return _soonest(o, times)


def _source_times(f: Facts) -> list[datetime]:
    """Return when what others bring is worth another look; nothing tells of it."""
    times = []
    if f.o.material.problem is not None or f.o.material.keystore_problem is not None:
        times.append(f.o.now + f.o.policy.settle)
    if f.o.material.brought is not None:
        times.append(_ours(f, f.o.material.brought.start))
    if not f.can_published_sign_in and (f.retiring or seems_gone(f)):
        times.append(_next_sighting(f))
    return times


def _pending_times(f: Facts) -> list[datetime]:
    p, o = f.pending, f.o
    times: list[datetime] = []
    if p is not None and p.state is PendingState.INTENT:
        times.append(p.intent_time + o.policy.intent_respect)
    if p is not None and p.state is PendingState.ABANDONED:
        times.append(mint_time(f))
    if f.minted is not None and p is not None and f.requires_proof:
        times.append(signin.next_try(o.memory.pending_proof, p.attempt, o.now, f.proof_spacing))
    elif f.minted is not None:
        times.append(unproven_publish_time(f, f.minted))
        if f.spec.type is CredentialType.CERTIFICATE:
            times.append(_next_sighting(f))
    if seems_gone(f) and f.published is not None:
        times.append(
            signin.next_try(o.memory.published_proof, f.published.attempt, o.now, signin.SLOW_RETRY)
        )
    return times + _issued_before_times(f)


def _issued_before_times(f: Facts) -> list[datetime]:
    """Return when an `…IssuedBefore` comes into force, and when it may again be obeyed."""
    rotation, target, policy = f.spec.rotation, f.o.target, f.o.policy
    asked = [
        _ours(f, time)
        for time in (rotation.rotate_issued_before, rotation.revoke_issued_before)
        if time is not None
    ]
    if asked and target is not None and target.published_time is not None:
        asked.append(target.published_time + policy.issued_before_spacing)
    if rotation.revoke_issued_before is not None:
        asked.append(revocation_patience_ends(f))
    return asked


def _ours(f: Facts, entra_time: datetime) -> datetime:
    """Return when Entra's clock shows a time, by our clock: a look before then finds nothing."""
    return entra_time - (f.entra_now - f.o.now)


def _soonest(o: Observation, times: list[datetime]) -> datetime:
    """Return the earliest future time; a past one means a rule waits on something unseen."""
    return min((t for t in times if t > o.now), default=o.now + o.policy.secret_check)


def _write_target(
    f: Facts,
    reason: str,
    *,
    retiring: tuple[Retiring, ...] | None = None,
    abandoned: tuple[Abandoned, ...] | None = None,
) -> Action | None:
    t = f.o.target
    if t is None or t.value is None:
        return None  # a damaged T is written by the publish that replaces its value
    return WriteTarget(
        reason,
        retiring if retiring is not None else t.retiring,
        abandoned if abandoned is not None else t.abandoned,
    )


def publication(f: Facts) -> Publication:
    """Return what T records about the credential it holds now."""
    t, published = f.o.target, f.published
    assert t is not None  # noqa: S101 - callers checked
    assert published is not None  # noqa: S101
    return Publication(
        owner=str(f.o.resource.owner),
        cluster=t.annotations.get(CLUSTER) or f.o.identity.cluster,
        tenant_id=f.tenant.tenant_id,
        object_id=f.application.object_id,
        credential=published,
        verified_time=t.verified_time,
        published_time=t.published_time or t.creation_time,
        retiring=t.retiring,
        abandoned=t.abandoned,
        taken_from=t.taken_from,
        handed_over=still_handed_over(t, f.o.now),
    )
