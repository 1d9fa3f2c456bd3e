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
    IssuedCredential,
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
REQUIRED_READS = 3
READ_SPACING = timedelta(seconds=5)
REPAIRED = "repaired"
"""Why T is written when nothing but its rendering differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One action, the status that is true now, and when to look again."""

    action: Action
    status: dict[str, Any]
    look_again: datetime


def decide(observation: Observation) -> Decision:
    """Return the one thing to do next for an observation."""
    for gate in GATES:
        action = gate(observation)
        if action is not None:
            return _at_gate(observation, action)
    spec, tenant, application = (
        observation.resource.spec,
        observation.tenant,
        observation.application,
    )
    assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - the gates hold it
    assert isinstance(tenant, Tenant)  # noqa: S101
    assert isinstance(application, Application)  # noqa: S101
    facts = assess(observation, spec, tenant, application)
    return (
        _decide_federated(facts)
        if spec.type is CredentialType.FEDERATED_IDENTITY
        else _decide(facts)
    )


def _decide(facts: Facts) -> Decision:
    """Client secrets and certificates."""
    if facts.spec.mode is Mode.OBSERVE:
        return _settle(
            facts.observation, project(facts.observation, facts, OBSERVING), next_look(facts)
        )
    status = project(facts.observation, facts, None)
    for rule in RULES:
        action = rule(facts)
        if action is not None:
            return Decision(action=action, status=status, look_again=facts.now)
    return _settle(facts.observation, status, next_look(facts))


def _decide_federated(common: Facts) -> Decision:
    """Federated credentials: the same gates, rules of their own."""
    observation, observes = common.observation, common.spec.mode is Mode.OBSERVE
    status = project(observation, common, OBSERVING if observes else None)
    facts = assess_federated(common)
    if isinstance(facts, Problem):
        return _at_problem(common, facts, status)
    for rule in FEDERATED_RULES:
        action = rule(facts)
        if action is not None and (not observes or isinstance(action, ReadFederated)):
            return Decision(action=action, status=status, look_again=observation.now)
    return _settle(observation, status, _soonest(observation, federated_times(facts)))


def _at_problem(facts: Facts, problem: Problem, status: dict[str, Any]) -> Decision:
    """What is to be trusted cannot be said or done; somebody may cure that in Entra."""
    observation, soon = facts.observation, facts.settings.arrival_grace
    is_old = observation.now - facts.application.read_time >= soon
    if problem.reason is Reason.NOT_MULTI_TENANT and is_old and not facts.is_paused:
        return Decision(action=ReadApplication(soon / 2), status=status, look_again=observation.now)
    return _settle(observation, status, observation.now + soon)


def _at_gate(observation: Observation, action: Action) -> Decision:
    if not isinstance(action, Hold):
        return Decision(
            action=action, status=dict(observation.resource.status), look_again=observation.now
        )
    times = gate_times(observation)
    leaves = observation.resource.deletion_time is not None and not action.problem.stalled
    if observation.blocked is not None or leaves:
        return Decision(
            action=Sleep(), status=dict(observation.resource.status), look_again=min(times)
        )
    return _settle(observation, project(observation, None, action.problem), min(times))


def _settle(observation: Observation, status: dict[str, Any], look_again: datetime) -> Decision:
    """23: status differs, else sleep."""
    action = ApplyStatus() if needs_write(observation.resource.status, status) else Sleep()
    return Decision(action=action, status=status, look_again=look_again)


# --- the rules, in order -------------------------------------------------------------------


def pending_is_a_copy(facts: Facts) -> Action | None:
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


def pending_is_done(facts: Facts) -> Action | None:
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


def retiring_is_done(facts: Facts) -> Action | None:
    """9: drop entries of the published key, gone ones, and ones that are not ours."""
    kept = tuple(r for r in facts.retiring if not _is_dropped(facts, r))
    return (
        None
        if kept == facts.retiring
        else _write_target(facts, "retiring entry done", retiring=kept)
    )


def _is_dropped(facts: Facts, r: Retiring) -> bool:
    if facts.published is not None and r.key_id == facts.published.key_id:
        return True
    if r.removed is not None and facts.memory.absences.get(r.key_id, 0) >= _ABSENT_READS:
        return True
    return facts.is_listed(r.key_id) and r.key_id not in facts.ours


def stranded(facts: Facts) -> Action | None:
    """10: a credential of ours in no record was presumably published once: full overlap."""
    if facts.target is None:
        return None
    known = {r.key_id for r in facts.retiring}
    found = [
        c
        for c in facts.ours.values()
        if not is_published(facts, c.key_id)
        and c.key_id not in known
        and not facts.is_pending(c)
        and not facts.is_abandoned(c)
    ]
    if not found:
        return None
    if not facts.is_fresh:
        return _read_again(facts, facts.settings.freshness)
    new = tuple(
        Retiring(key_id=c.key_id, end=c.end, since=facts.now, cause=RetireCause.STRANDED)
        for c in found
    )
    return _write_target(facts, "stranded credential noted", retiring=facts.retiring + new)


def rendering_differs(facts: Facts) -> Action | None:
    """11: T's value is intact, but what stands around it is not as wanted."""
    t = facts.target
    if t is None or t.value is None or facts.published is None or facts.now < repair_time(facts):
        return None
    derived = facts.certificate_inputs.derived
    if derived_names(facts.spec) - derived.keys():
        return None  # source or password cannot be read: what T holds of them stays
    wanted = render(facts.spec, facts.tenant, t.value, publication(facts), t, None, derived=derived)
    if is_rendered(t, wanted) and t.data.keys() >= facts.spec.secret.data.keys():
        return None
    return _write_target(facts, REPAIRED)


def repair_time(facts: Facts) -> datetime:
    """Return when T may be repaired again: something that alters our writes would make a loop."""
    recent = [t for t in facts.memory.repairs if facts.now - t < _REPAIR_MEMORY]
    if not recent:
        return facts.now
    doublings: int = 1 << (len(recent) - 1)
    return recent[-1] + min(_REPAIR_PAUSE * doublings, _REPAIR_PAUSE_CAP)


def revocation_due(facts: Facts) -> Action | None:
    """12: what T holds meets revokeIssuedBefore and signs in now: older ones go, whatever else.

    Without such a successor nothing goes. P's own attempt is no concern of this rule.
    """
    if not facts.has_valid_published or is_revoked(facts, _published(facts).not_before):
        return None
    leaked = (
        r
        for r in facts.retiring
        if r.key_id in facts.ours and is_revoked(facts, facts.ours[r.key_id].start)
    )
    action = _first(_proven_removal(facts, r) for r in leaked)
    return replace(action, is_revocation=True) if isinstance(action, Remove) else action


def orphan(facts: Facts) -> Action | None:
    """13: an attempt that is proven unpublished is removed early."""
    found = (c.key_id for c in facts.ours.values() if facts.is_abandoned(c))
    return _first(_removal(facts, key, None) for key in found)


def intent_interrupted(facts: Facts) -> Action | None:
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
        return None if facts.is_fresh else _read_again(facts, facts.settings.freshness)
    return Register()


def _too_long(facts: Facts, p: Pending) -> str | None:
    """Say so when spec, grant and tenant have come to allow less since it was made."""
    assert p.credential is not None  # noqa: S101 - callers checked
    too_long = p.credential.expires - p.credential.not_before > facts.lifetime + timedelta(
        minutes=1
    )
    return "longer than what is allowed now" if too_long else None


def minted_is_useless(facts: Facts) -> Action | None:
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


def sign_in_due(facts: Facts) -> Action | None:
    """16: prove the successor, one sign-in at a time."""
    p = facts.successor
    if p is None or not facts.is_granted or not facts.requires_proof or _is_proven(facts, p):
        return None
    if facts.certificate_inputs.keystore_problem is not None:
        return None  # it could not be published: proving it again and again helps nobody
    due = signin.next_try(facts.memory.pending_proof, p.attempt, facts.now, facts.proof_spacing)
    return SignInPending() if facts.now >= due else None


def publishable(facts: Facts) -> Action | None:
    """17: the successor is proven: give it to the workloads."""
    p = facts.successor
    if p is None or not facts.is_granted or facts.certificate_inputs.keystore_problem is not None:
        return None
    if facts.requires_proof:
        return Publish() if _is_proven(facts, p) else None
    if facts.now < unproven_publish_time(facts, p):
        return None
    return (
        _publish_after_reads(facts, p)
        if facts.spec.type is CredentialType.CERTIFICATE
        else Publish()
    )


def _publish_after_reads(facts: Facts, p: Pending) -> Action | None:
    """Publish a certificate that nobody can prove once it is listed: a list may have lost it.

    While workloads use T, in three reads in a row, as replicas may know of it or not.
    """
    minted = p.credential
    assert minted is not None  # noqa: S101 - rule 15 deleted it
    wanted = REQUIRED_READS if facts.is_in_use else 1
    if facts.is_fresh and len(facts.memory.consecutive_reads.get(minted.key_id, ())) >= wanted:
        return Publish()
    return _read_again(facts, READ_SPACING / 2) if facts.now >= _next_spaced_read(facts) else None


def _is_proven(facts: Facts, p: Pending) -> bool:
    proof = facts.memory.pending_proof
    return (
        proof is not None
        and proof.attempt == p.attempt
        and proof.proves(facts.now, count=facts.proof_count, max_age=facts.settings.proof_max_age)
    )


def published_seems_gone(facts: Facts) -> Action | None:
    """18a: the published key is not listed; only failing sign-ins make that believable."""
    if not seems_gone(facts) or is_gone(facts) or facts.published is None or not facts.is_granted:
        return None
    if not facts.can_published_sign_in:
        return (
            _read_again(facts, READ_SPACING / 2) if facts.now >= _next_spaced_read(facts) else None
        )
    if not facts.is_fresh:
        return _read_again(facts, facts.settings.freshness)
    due = signin.next_try(
        facts.memory.published_proof, facts.published.attempt, facts.now, signin.SLOW_RETRY
    )
    return SignInPublished() if facts.now >= due else None


def _next_spaced_read(facts: Facts) -> datetime:
    """Return when the application may be looked at once more, by another replica if possible."""
    return facts.application.read_time + READ_SPACING


def successor_needed(facts: Facts) -> Action | None:
    """18: mint. The intent is written first: the mutex and the journal."""
    p = facts.pending
    if p is not None and p.state is not PendingState.ABANDONED:
        return None
    if not facts.is_granted or not needs_successor(facts) or facts.now < mint_time(facts):
        return None
    if facts.certificate_inputs.keystore_problem is not None:
        return None
    if not facts.is_fresh:
        return _read_again(facts, facts.settings.freshness)
    number = p.attempt_number + 1 if p is not None else 1
    return Mint(number, _carried(facts, p), facts.lifetime)


def _carried(facts: Facts, p: Pending | None) -> tuple[Abandoned, ...]:
    """Return P's journal with its own attempt, if fenced from Intent within the hour."""
    if p is None:
        return ()
    return p.abandoned + _journal_entry(facts, p)


def _journal_entry(facts: Facts, p: Pending) -> tuple[Abandoned, ...]:
    young = facts.now - p.intent_time < facts.settings.journal_window
    if p.fenced_from_intent and young:
        return (Abandoned(attempt=Attempt(p.attempt), time=p.intent_time),)
    return ()


def pending_is_unneeded(facts: Facts) -> Action | None:
    """19: an Abandoned P is journaled into T before it goes."""
    p, t = facts.pending, facts.target
    if p is None or t is None or p.state is not PendingState.ABANDONED or needs_successor(facts):
        return None
    carried = _carried(facts, p)[-MAX_ABANDONED:]
    attempts = {a.attempt for a in carried}
    if attempts <= {a.attempt for a in t.abandoned}:
        return DeletePending("nothing is needed")
    journal = (*(a for a in t.abandoned if a.attempt not in attempts), *carried)
    return _write_target(facts, "attempt journaled", abandoned=journal[-MAX_ABANDONED:])


def removal_seen(facts: Facts) -> Action | None:
    """20: a retiring credential is absent in a direct read."""
    gone = {r.key_id for r in facts.retiring if r.removed is None and not facts.is_listed(r.key_id)}
    if not gone:
        return None
    if not facts.is_fresh:
        return _read_again(facts, facts.settings.freshness)
    noted = tuple(replace(r, removed=facts.now) if r.key_id in gone else r for r in facts.retiring)
    return _write_target(facts, "removal noted", retiring=noted)


def expired(facts: Facts) -> Action | None:
    """21: expired by Entra's time, plus a margin; also what no record names, as without T."""
    grace = facts.settings.expired_grace
    past = {
        r.key_id: r.cause for r in facts.retiring if facts.entra_now >= real_end(facts, r) + grace
    }
    lost = (k for k, c in facts.ours.items() if facts.entra_now >= c.end + grace)
    causes = {**dict.fromkeys(lost, RetireCause.STRANDED), **past}
    return _first(_removal(facts, key, cause) for key, cause in causes.items())


def retirement_due(facts: Facts) -> Action | None:
    """22: the overlap is over and what T holds signs in now and lives longer."""
    due = (
        r for r in facts.retiring if facts.now >= retire_time(facts, r) and _may_retire(facts, r)
    )
    return _first(_proven_removal(facts, r) for r in due)


def _may_retire(facts: Facts, r: Retiring) -> bool:
    """Tell whether T's credential is a good survivor, and early removal still worth it."""
    if facts.published is None or facts.schedule is None or not facts.has_valid_published:
        return False
    keep, end = max(facts.settings.min_remaining, facts.schedule.overlap / 10), real_end(facts, r)
    return (
        end - facts.entra_now >= keep
        and facts.published.not_before <= facts.entra_now
        and facts.published.expires >= end + facts.schedule.overlap
    )


def _proven_removal(facts: Facts, r: Retiring) -> Action | None:
    """Remove by a fresh read, but first sign in with T's value, when a try is due."""
    if not facts.can_published_sign_in:
        return _remove_after_reads(facts, r)
    proof, attempt = facts.memory.published_proof, _published(facts).attempt
    is_proven = (
        proof is not None
        and proof.attempt == attempt
        and proof.proves(facts.now, count=1, max_age=facts.settings.freshness)
    )
    if not is_proven and facts.now < signin.next_try(proof, attempt, facts.now, timedelta(0)):
        return None
    removal = _removal(facts, r.key_id, r.cause)
    if not isinstance(removal, Remove):
        return removal
    if not facts.is_listed(_published(facts).key_id):
        return None
    return removal if is_proven else SignInPublished()


def _remove_after_reads(facts: Facts, r: Retiring) -> Action | None:
    """Remove when T's certificate, whose key is elsewhere, was listed in three reads in a row."""
    if len(facts.memory.consecutive_reads.get(_published(facts).key_id, ())) >= REQUIRED_READS:
        return _removal(facts, r.key_id, r.cause)
    return _read_again(facts, READ_SPACING / 2) if facts.now >= _next_spaced_read(facts) else None


def _published(facts: Facts) -> IssuedCredential:
    assert facts.published is not None  # noqa: S101 - callers checked
    return facts.published


def _first(found: Iterable[Action | None]) -> Action | None:
    """Return the first that does not merely wait."""
    return next((action for action in found if action is not None), None)


def _removal(facts: Facts, key: KeyId, cause: RetireCause | None) -> Action | None:
    """Remove a listed credential of our exact marker, by a fresh read, not twice in a row.

    Whatever the records say, never the published one nor the pending one.
    """
    credential = facts.ours.get(key)
    if credential is None or is_published(facts, key) or facts.is_pending(credential):
        return None
    removed = facts.memory.removals.get(key)
    if facts.is_paused or (removed is not None and facts.now - removed < facts.settings.settle):
        return None
    if not facts.is_fresh:
        return _read_again(facts, facts.settings.freshness)
    if removed is not None and facts.application.read_time < removed:
        return _read_again(facts, facts.now - removed)  # what we have was read before it went
    return Remove(key, facts.attempt_of(credential), cause)


def absence_unconfirmed(facts: Facts) -> Action | None:
    """9b: a removed entry needs three direct reads, a settle time apart, to be dropped."""
    spacing = facts.settings.settle / _ABSENT_READS
    if _awaits_absence(facts) and facts.now - facts.application.read_time >= spacing:
        return _read_again(facts, spacing / 2)  # a shared read, but not the one we have
    return None


def _awaits_absence(facts: Facts) -> bool:
    """Tell whether more reads could confirm that a removed credential is gone."""
    return any(
        r.removed is not None
        and not facts.is_listed(r.key_id)
        and facts.memory.absences.get(r.key_id, 0) < _ABSENT_READS
        for r in facts.retiring
    )


def _read_again(facts: Facts, max_age: timedelta) -> Action | None:
    """Read the application, unless the directory asked us to stay away: then just wait."""
    return None if facts.is_paused else ReadApplication(max_age)


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


def next_look(facts: Facts) -> datetime:
    """Return the earliest time at which some rule may match that does not match now."""
    observation = facts.observation
    times = [
        observation.now + observation.settings.secret_check,
        facts.application.read_time + observation.settings.directory_resync,
    ]
    times += _pending_times(facts)
    if facts.schedule is not None:
        times += [_ours(facts, facts.schedule.renewal_time), _ours(facts, facts.schedule.end)]
    times += [retire_time(facts, r) for r in facts.retiring]
    times += [
        _ours(facts, real_end(facts, r) + observation.settings.expired_grace)
        for r in facts.retiring
    ]
    times += [_ours(facts, c.end + observation.settings.expired_grace) for c in facts.ours.values()]
    times.append(repair_time(facts))
    times += [
        removed + observation.settings.settle for removed in observation.memory.removals.values()
    ]
    if _awaits_absence(facts):
        times.append(facts.application.read_time + observation.settings.settle / _ABSENT_READS)
    proof = observation.memory.published_proof
    if proof is not None and facts.retiring:
        times.append(
            signin.next_try(proof, proof.attempt, observation.now, observation.settings.settle)
        )
    if observation.memory.retry_time is not None:
        times.append(observation.memory.retry_time)
    if observation.target is not None and observation.target.handed_over is not None:
        times.append(observation.target.handed_over.until)
    if needs_successor(facts) and (facts.pending is None or facts.pending.fenced_from_intent):
        times.append(mint_time(facts))
    times += _source_times(facts)
    return _soonest(observation, times)


def _source_times(facts: Facts) -> list[datetime]:
    """Return when what others bring is worth another look; nothing tells of it."""
    times = []
    if (
        facts.certificate_inputs.problem is not None
        or facts.certificate_inputs.keystore_problem is not None
    ):
        times.append(facts.now + facts.settings.settle)
    if facts.certificate_inputs.supplied is not None:
        times.append(_ours(facts, facts.certificate_inputs.supplied.start))
    if not facts.can_published_sign_in and (facts.retiring or seems_gone(facts)):
        times.append(_next_spaced_read(facts))
    return times


def _pending_times(facts: Facts) -> list[datetime]:
    p, observation = facts.pending, facts.observation
    times: list[datetime] = []
    if p is not None and p.state is PendingState.INTENT:
        times.append(p.intent_time + observation.settings.intent_respect)
    if p is not None and p.state is PendingState.ABANDONED:
        times.append(mint_time(facts))
    if facts.successor is not None and p is not None and facts.requires_proof:
        times.append(
            signin.next_try(
                observation.memory.pending_proof, p.attempt, observation.now, facts.proof_spacing
            )
        )
    elif facts.successor is not None:
        times.append(unproven_publish_time(facts, facts.successor))
        if facts.spec.type is CredentialType.CERTIFICATE:
            times.append(_next_spaced_read(facts))
    if seems_gone(facts) and facts.published is not None:
        times.append(
            signin.next_try(
                observation.memory.published_proof,
                facts.published.attempt,
                observation.now,
                signin.SLOW_RETRY,
            )
        )
    return times + _issued_before_times(facts)


def _issued_before_times(facts: Facts) -> list[datetime]:
    """Return when an `…IssuedBefore` comes into force, and when it may again be obeyed."""
    rotation, target, policy = facts.spec.rotation, facts.target, facts.settings
    asked = [
        _ours(facts, time)
        for time in (rotation.rotate_issued_before, rotation.revoke_issued_before)
        if time is not None
    ]
    if asked and target is not None and target.published_time is not None:
        asked.append(target.published_time + policy.issued_before_spacing)
    if rotation.revoke_issued_before is not None:
        asked.append(revocation_patience_ends(facts))
    return asked


def _ours(facts: Facts, entra_time: datetime) -> datetime:
    """Return when Entra's clock shows a time, by our clock: a look before then finds nothing."""
    return entra_time - (facts.entra_now - facts.now)


def _soonest(observation: Observation, times: list[datetime]) -> datetime:
    """Return the earliest future time; a past one means a rule waits on something unseen."""
    return min(
        (t for t in times if t > observation.now),
        default=observation.now + observation.settings.secret_check,
    )


def _write_target(
    facts: Facts,
    reason: str,
    *,
    retiring: tuple[Retiring, ...] | None = None,
    abandoned: tuple[Abandoned, ...] | None = None,
) -> Action | None:
    t = facts.target
    if t is None or t.value is None:
        return None  # a damaged T is written by the publish that replaces its value
    return WriteTarget(
        reason,
        retiring if retiring is not None else t.retiring,
        abandoned if abandoned is not None else t.abandoned,
    )


def publication(facts: Facts) -> Publication:
    """Return what T records about the credential it holds now."""
    t, published = facts.target, facts.published
    assert t is not None  # noqa: S101 - callers checked
    assert published is not None  # noqa: S101
    return Publication(
        owner=str(facts.resource.owner),
        cluster=t.annotations.get(CLUSTER) or facts.identity.cluster,
        tenant_id=facts.tenant.tenant_id,
        object_id=facts.application.object_id,
        credential=published,
        verified_time=t.verified_time,
        published_time=t.published_time or t.creation_time,
        retiring=t.retiring,
        abandoned=t.abandoned,
        taken_from=t.taken_from,
        handed_over=still_handed_over(t, facts.now),
    )
