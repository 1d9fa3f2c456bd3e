"""What no decision may do, whatever was observed: judged by these words, not by the rules'."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.believed import believed
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.marker import attempt_id, parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.pods import PodUsers
from appcredential.domain.observed.target import (
    Abandoned,
    Pending,
    PendingState,
    RetireCause,
    Retiring,
    Target,
)
from appcredential.domain.observed.workloads import Progress, Workload
from appcredential.domain.restart_actions import RestartWorkload
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    KeyId,
    Mode,
    RetireWhen,
    VerificationMode,
)
from tests.domain.worlds.loop import promise
from tests.support.builders import HOUR, MINUTE, SECOND, facts
from tests.support.windows import is_open, next_close

Promise = Callable[[Observation, Decision], None]

EFFECTS: Final = (
    act.DeletePending,
    act.WriteTarget,
    act.Remove,
    act.Fence,
    act.SignInPending,
    act.SignInPublished,
    act.Publish,
    act.Mint,
    RestartWorkload,
)
"""What changes Entra or a Secret, or is seen in a sign-in log."""


def check(observation: Observation, promises: Iterable[Promise]) -> Decision:
    """Decide, and raise for the first of these promises that the decision breaks.

    They judge by what Entra says of a record, where it lists the credential.
    """
    decision = decide(observation)
    observation = believed(observation)
    for each in promises:
        each(observation, decision)
    return decision


# --- what is removed -----------------------------------------------------------------------


def only_ours_is_removed(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.Remove):
        return
    found = _listed(observation, d.action.key_id)
    promise(found is not None, "only what is listed is removed")
    marker = parse_marker(found.display_name if found is not None else None)
    promise(marker is not None, "nothing without our marker is removed")
    if marker is None:
        return
    r = observation.resource.owner
    promise(marker.owner == r.hash, "nothing of another resource is removed")
    promise(marker.cluster == observation.identity.cluster, "nothing of another cluster is removed")
    promise(
        marker.attempt[:4] == observation.identity.system, "nothing of a cloned cluster is removed"
    )
    promise(marker.attempt == d.action.attempt, "what was judged is what is removed")


def what_workloads_use_stays(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.Remove):
        return
    t, p, key = observation.target, observation.pending, d.action.key_id
    promise(t is None or t.published is None or t.published.key_id != key, "the published stays")
    if p is not None and _is_in_vain(observation, p):
        return
    promise(p is None or p.attempt != d.action.attempt, "the pending one stays")
    promise(
        p is None or p.credential is None or p.credential.key_id != key, "the pending key stays"
    )


def _is_in_vain(observation: Observation, p: Pending) -> bool:
    """Return whether nobody ever had P's attempt, and nobody ever will: T is another's."""
    t = observation.target
    is_anothers = t is not None and not _is_ours_to_write(observation, t)
    certain = p.fenced_from_intent or p.attempt == observation.unpublished_attempt
    return is_anothers and certain and not _spec(observation).is_supplied


def a_removal_rests_on_a_read_just_made(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.Remove | act.Mint):
        return
    read = observation.application
    age = observation.now - read.read_time if read is not None else HOUR
    promise(age <= 15 * SECOND, "no write to Entra rests on an old read")
    wait = observation.memory.retry_time
    promise(wait is None or wait <= observation.now, "Entra is left alone as long as it asked for")


def a_removal_has_its_reason(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.Remove):
        return
    found = _listed(observation, d.action.key_id)
    assert found is not None
    known = {
        e.attempt for e in (*_abandoned(observation.own_target), *_abandoned(observation.pending))
    }
    p = observation.pending
    if p is not None and p.state is PendingState.ABANDONED and _is_in_vain(observation, p):
        known |= {p.attempt}
    if d.action.attempt in known or _entra_now(observation) >= found.end + 10 * MINUTE:
        return
    t = observation.own_target
    entry = next((r for r in _retiring(observation) if r.key_id == found.key_id), None)
    promise(t is not None and entry is not None, "what still works is removed only when retiring")
    if t is not None and entry is not None:
        if not _is_leaked(observation, found.start):
            _retires_in_time(observation, t, entry)
            promise(_lives_longer(t, found), "what workloads read lives longer")
        _has_a_survivor(observation, t, is_revocation=d.action.is_revocation)


def a_restart_has_its_reason(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, RestartWorkload):
        return
    t, wanted = observation.own_target, _spec(observation)
    promise(wanted.rotation.restart is not None, "only who asks for it is restarted")
    promise(wanted.mode is Mode.MANAGE and not wanted.suspend, "nobody is restarted meanwhile")
    since = t.restart_since if t is not None else None
    promise(since is not None, "nobody is restarted without a publish")
    assert since is not None
    promise(_entra_now(observation) - since >= 3 * MINUTE, "new pods read what was published")
    promise(not isinstance(observation.grant, Problem), "nobody is restarted without a grant")
    assert t is not None
    promise(t.value is not None, "what new pods read is intact")
    proof, held = observation.memory.published_proof, t.published
    signed = proof.last_success if proof is not None and proof.successes else None
    is_its = proof is not None and held is not None and proof.attempt == held.attempt
    promise(
        is_its and signed is not None and observation.now - signed <= 2 * MINUTE,
        "what new pods read signs in",
    )
    is_shut = not is_open(wanted.rotation.windows, _entra_now(observation))
    left = [r for r in _retiring(observation) if r.cause is RetireCause.REPLACED]
    is_needed = not any(_listed(observation, r.key_id) and r.removed is None for r in left)
    is_free = not wanted.rotation.windows or not is_shut or is_needed
    if not is_free:
        closes = next_close(wanted.rotation.windows, _entra_now(observation))
        ends = any(_end_of(observation, r) < closes for r in left)
        promise(ends, "nobody is restarted outside the windows")
    _is_the_only_one(observation, since, d.action.workload)


def _is_the_only_one(observation: Observation, since: datetime, chosen: Workload) -> None:
    seen, now = observation.restarts.seen, observation.now
    assert seen is not None
    assert not isinstance(seen.found, Problem)
    promise(now - seen.time <= 15 * SECOND, "no restart rests on an old look")
    done = {w.uid for w in seen.found if any(since < s <= now for s in w.stamps)}
    promise(chosen.uid not in done, "nobody is restarted twice")
    busy = {Progress.UNDER_WAY, Progress.FAILED}
    others = [w for w in seen.found if w.uid in done and w.progress in busy]
    promise(not others, "one after the other, and none after a failure")


def _end_of(observation: Observation, entry: Retiring) -> datetime:
    found = _listed(observation, entry.key_id)
    return found.end if found is not None else entry.end


def _is_leaked(observation: Observation, issued: datetime) -> bool:
    """Return whether a person asked for the revocation of what was issued then."""
    before = _spec(observation).rotation.revoke_issued_before
    return before is not None and before <= _entra_now(observation) and issued < before


def _lives_longer(t: Target, leaves: Credential) -> bool:
    return t.published is not None and t.published.expires > leaves.end


def _retires_in_time(observation: Observation, t: Target, entry: Retiring) -> None:
    wanted, plan = _spec(observation), facts(observation).schedule
    promise(wanted.rotation.retire_when is not RetireWhen.EXPIRED, "Expired is never early")
    is_restarting = wanted.rotation.restart is not None and t.restart_since is not None
    promise(not is_restarting, "nothing goes that workloads hold until they are restarted")
    if wanted.rotation.retire_when is RetireWhen.ROLLED_OUT:
        _is_rolled_out(observation, wanted.secret.name, entry)
    promise(
        plan is not None and _entra_now(observation) >= entry.since + plan.overlap,
        "the overlap is kept",
    )
    at = t.published_time or t.creation_time
    promise(observation.now - at >= 10 * MINUTE, "nothing goes within ten minutes of a publish")


def _is_rolled_out(observation: Observation, secret: str, entry: Retiring) -> None:
    promise(entry.secret == secret, "workloads found what goes in this Secret alone")
    ahead = 10 * MINUTE if entry.ahead is None else entry.ahead
    seen, last = observation.pods, entry.since + 90 * SECOND + ahead
    promise(seen is not None and secret in seen.secrets, "the pods were looked at")
    assert seen is not None
    promise(isinstance(seen.found, PodUsers), "unreadable pods are pods")
    assert isinstance(seen.found, PodUsers)
    promise(observation.now - seen.time <= 15 * SECOND, "no removal rests on an old look at pods")
    promise(seen.began >= last, "a look before the publish tells of no later pod")
    promise(all(pod.created >= last for pod in seen.found.users), "no pod is from before")


def _has_a_survivor(observation: Observation, t: Target, *, is_revocation: bool) -> None:
    held, proof = t.published, observation.memory.published_proof
    promise(t.value is not None and held is not None, "what workloads read is intact")
    if held is None:
        return
    promise(held.not_before <= _entra_now(observation), "what workloads read is valid already")
    # What is due to go goes also while a revocation waits for its successor.
    is_leaked = is_revocation and _is_leaked(observation, held.not_before)
    promise(not is_leaked, "what workloads read is no leaked one")
    promise(_listed(observation, held.key_id) is not None, "what workloads read is listed")
    signed = proof.last_success if proof is not None and proof.successes else None
    is_its = proof is not None and proof.attempt == held.attempt
    promise(
        is_its and signed is not None and observation.now - signed <= 15 * SECOND,
        "what workloads read signed in just now",
    )


# --- what is issued and published ----------------------------------------------------------


def only_the_proven_is_published(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.Publish):
        return
    p, t = observation.pending, observation.own_target
    promise(p is not None and p.state is PendingState.MINTED, "only a minted one is published")
    assert p is not None
    promise(p.value is not None and p.credential is not None, "only an intact one is published")
    promise(not _is_copy(observation, p), "no copy is published")
    promise(not isinstance(observation.grant, Problem), "nothing is published without a grant")
    promise(p.attempt not in {e.attempt for e in _abandoned(t)}, "nothing given up is published")
    held = t.published if t is not None else None
    if held is not None and p.credential is not None:
        promise(p.credential.not_before >= held.not_before, "nothing older is published")
        promise(
            p.credential.key_id not in {r.key_id for r in _retiring(observation)},
            "nothing that retires is",
        )
    if _spec(observation).verification.mode is VerificationMode.REQUIRED:
        _is_proven(observation, p)
    elif _has_valid(observation):
        promise(observation.now - p.intent_time >= 30 * SECOND, "an unproven one settles first")


def _is_proven(observation: Observation, p: Pending) -> None:
    run, count = observation.memory.pending_proof, 5 if _has_valid(observation) else 3
    promise(run is not None and run.attempt == p.attempt, "its own proof counts")
    assert run is not None
    promise(run.successes >= count, "only what signed in often enough is published")
    last = run.last_success
    promise(last is not None and observation.now - last <= 2 * MINUTE, "only a young proof counts")


def only_the_needed_is_issued(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.Mint):
        return
    p, f = observation.pending, facts(observation)
    promise(not isinstance(observation.grant, Problem), "nothing is issued without a grant")
    promise(p is None or p.state is PendingState.ABANDONED, "one successor at a time")
    promise(d.action.attempt_number == (p.attempt_number + 1 if p else 1), "no attempt twice")
    ceilings = (f.spec.lifetime, f.tenant.limits.max_lifetime, _granted(observation))
    low = all(c is None or d.action.lifetime <= c for c in ceilings)
    promise(low, "no longer than spec, grant and tenant allow")
    t, asked = observation.own_target, f.spec.rotation
    before = asked.rotate_issued_before or asked.revoke_issued_before
    if t is None or f.schedule is None or before is not None:
        return
    held = t.published
    fine = (
        _has_valid(observation)
        and held is not None
        and _listed(observation, held.key_id) is not None
    )
    promise(
        not fine or f.entra_now >= f.schedule.renewal_time,
        "nothing is issued before it is due",
    )


def only_a_hopeless_one_is_given_up(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.Fence):
        return
    p, run = observation.pending, observation.memory.pending_proof
    promise(p is not None and p.state is not PendingState.ABANDONED, "there is one to give up")
    assert p is not None
    if p.state is PendingState.INTENT:
        in_flight = p.holder != observation.holder and observation.now - p.intent_time < MINUTE
        promise(not in_flight, "another's mint in flight is left alone")
    elif "sign in" in d.action.reason:
        refused = run is not None and run.refused_since is not None and run.refusals > 1
        promise(refused, "only refusals of the credential itself count against it")


def only_a_worthless_pending_secret_is_deleted(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.DeletePending):
        return
    p, t = observation.pending, observation.own_target
    assert p is not None
    if _is_copy(observation, p) or (p.state is PendingState.MINTED and p.credential is None):
        return
    if p.state is PendingState.ABANDONED and _is_in_vain(observation, p):
        promise(_is_gone(observation, p), "what was made in vain is not forgotten")
        return
    promise(t is not None, "without T, P is all there is")
    assert t is not None
    if p.state is PendingState.ABANDONED or p.attempt in {e.attempt for e in t.abandoned}:
        return
    held = t.published
    done = held is not None and p.attempt == held.attempt
    retired = p.credential is not None and p.credential.key_id in {r.key_id for r in t.retiring}
    older = (
        p.credential is not None and held is not None and p.credential.not_before < held.not_before
    )
    promise(done or retired or older, "a successor on its way is kept")


def _is_gone(observation: Observation, p: Pending) -> bool:
    """Return whether a read, well after it was made, lists nothing of its attempt."""
    read = observation.application
    if read is None or read.read_time - p.intent_time < 30 * SECOND:
        return False
    markers = [parse_marker(c.display_name) for c in read.credentials]
    return p.attempt not in {
        m.attempt for m in markers if m and m.owner == observation.resource.owner.hash
    }


def an_interrupted_attempt_is_not_forgotten(observation: Observation, d: Decision) -> None:
    """Check that an orphan stays known until it is removed."""
    p, t = observation.pending, observation.target
    if not isinstance(d.action, act.Mint | act.DeletePending) or p is None:
        return
    if (
        not p.fenced_from_intent
        or observation.now - p.intent_time >= HOUR
        or _is_copy(observation, p)
        or (_is_in_vain(observation, p) and _is_gone(observation, p))
    ):
        return
    if isinstance(d.action, act.Mint):
        promise(p.attempt in {e.attempt for e in d.action.abandoned}, "what was fenced is noted")
    held = t.published if t is not None else None
    if isinstance(d.action, act.DeletePending) and (held is None or p.attempt != held.attempt):
        promise(p.attempt in {e.attempt for e in _abandoned(t)}, "what was fenced is noted first")


# --- what is written to the Secret ---------------------------------------------------------


def records_are_kept(observation: Observation, d: Decision) -> None:
    if not isinstance(d.action, act.WriteTarget):
        return
    t = observation.target
    promise(t is not None and t.value is not None, "only an intact T is written again")
    assert t is not None
    promise(t.owner == str(observation.resource.owner), "only our own T is written")
    after = {r.key_id: r for r in d.action.retiring}
    for entry in t.retiring:
        if entry.key_id in after:
            same = replace(after[entry.key_id], removed=entry.removed) == entry
            promise(same, "an entry's overlap is not begun anew")
        else:
            promise(_may_be_dropped(observation, t, entry), "what retires is not forgotten")
    full = len(d.action.abandoned) >= 5
    kept = set(t.abandoned) <= set(d.action.abandoned)
    promise(kept or full, "what was given up is not forgotten")
    promise(len(d.action.abandoned) <= max(5, len(t.abandoned)), "the journal is bounded")


def _may_be_dropped(observation: Observation, t: Target, entry: Retiring) -> bool:
    found = _listed(observation, entry.key_id)
    if t.published is not None and t.published.key_id == entry.key_id:
        return True
    if found is not None:
        return not _is_ours(observation, found) or _is_noted_gone(observation, entry)
    return _is_noted_gone(observation, entry)


def _is_noted_gone(observation: Observation, entry: Retiring) -> bool:
    return entry.removed is not None and observation.memory.absences.get(entry.key_id, 0) >= 3


# --- who may act at all --------------------------------------------------------------------


def nothing_is_done_where_nothing_may_be(observation: Observation, d: Decision) -> None:
    r, t = observation.resource, observation.target
    skewed = observation.directory_skew is not None and abs(observation.directory_skew) > 5 * MINUTE
    if observation.blocked is not None or skewed:
        idle = isinstance(d.action, act.Sleep | act.ApplyStatus)
        promise(idle, "nothing is done while blocked or with clocks apart")
    if not isinstance(d.action, EFFECTS):
        return
    promise(r.deletion_time is None, "nothing is done while being deleted")
    promise(r.has_finalizer, "nothing is done before the finalizer is there")
    is_recorded = observation.recorded is Recorded.CURRENT or observation.unowned_records >= 500
    promise(is_recorded or not isinstance(d.action, act.Mint), "nothing is issued unrecorded")
    gives_up = isinstance(d.action, act.Fence | act.DeletePending)
    gives_up_beside = gives_up and t is not None and not _is_ours_to_write(observation, t)
    is_open = observation.revocation_uid is not None and not gives_up_beside
    promise(not is_open, "nothing is done while a deletion is open")
    promise(isinstance(r.spec, AppCredentialSpec), "nothing is done for an unusable spec")
    looks = isinstance(d.action, act.SignInPublished)
    promise(looks or not _spec(observation).suspend, "nothing is done while suspended")
    if t is not None and not _is_ours_to_write(observation, t):
        p = observation.pending
        gives_up = isinstance(d.action, act.Fence | act.DeletePending | act.Remove)
        promise(gives_up and p is not None, "nothing is done beside a foreign Secret")
        return
    promise(t is None or not t.immutable, "nothing is done for a Secret that cannot be written")


def _is_ours_to_write(observation: Observation, t: Target) -> bool:
    """Judge whether T is ours, or may become ours by a write."""
    if t.owner == str(observation.resource.owner):
        return True
    return not t.immutable and t.type == "Opaque" and _may_take(observation, t)


def _may_take(observation: Observation, t: Target) -> bool:
    """Judge whether another's Secret may become ours; what was taken from us may not."""
    r, seen, read = observation.resource, observation.target_owner, observation.application
    wants = t.owner == f"{r.owner.namespace}/{_spec(observation).secret.take_over_from}"
    had = next((e for e in t.taken_from if e.owner == str(r.owner)), None)
    if wants and (had is None or had.uid != r.uid or had.generation < r.generation):
        return True
    is_kept = seen is not None and seen.absent_since is None
    if not is_kept and t.annotations.get("appcredential.io/adopt") == str(r.owner):
        return True
    is_gone = seen is not None and seen.absent_since is not None
    is_lasting = (
        is_gone
        and seen is not None
        and observation.now - (seen.absent_since or observation.now) >= 2 * MINUTE
    )
    is_same = read is not None and t.object_id == read.object_id
    return is_lasting and is_same and t.tenant_id == facts(observation).tenant.tenant_id


def anothers_secret_is_never_written(observation: Observation, d: Decision) -> None:
    t = observation.target
    if isinstance(d.action, act.WriteTarget):
        promise(
            t is not None and t.owner == str(observation.resource.owner),
            "only our own T is written",
        )
    if isinstance(d.action, act.Publish) and t is not None:
        mine = t.owner == str(observation.resource.owner) or _may_take(observation, t)
        promise(mine, "only what may be taken is published to")
        promise(t.type == "Opaque", "no Secret of another type is published to")


def no_call_without_a_grant(observation: Observation, d: Decision) -> None:
    issued = observation.pending is not None or (
        observation.own_target is not None and observation.own_target.published
    )
    if isinstance(observation.grant, Problem) and not issued:
        is_unknown = observation.grant.reason is Reason.GRANT_UNKNOWN and observation.may_read_tags
        looks = is_unknown and isinstance(d.action, act.ReadApplication)
        quiet = not isinstance(d.action, (act.ReadApplication, *EFFECTS))
        promise(quiet or looks, "without a grant not one call is made, but one for tags")


def a_sign_in_has_something_to_try(observation: Observation, d: Decision) -> None:
    if isinstance(d.action, act.SignInPending):
        p = observation.pending
        promise(p is not None and p.value is not None, "there is a value to sign in with")
        promise(not isinstance(observation.grant, Problem), "no sign-in without a grant")
        mode = _spec(observation).verification.mode
        promise(mode is VerificationMode.REQUIRED, "no sign-in where none is wanted")
    if isinstance(d.action, act.SignInPublished):
        promise(
            observation.target is not None and observation.target.value is not None,
            "there is a value in T",
        )


# --- the decision itself -------------------------------------------------------------------


def it_looks_again(observation: Observation, d: Decision) -> None:
    if isinstance(d.action, act.Sleep | act.ApplyStatus):
        is_first = _names_the_application_first(observation, d)
        promise(is_first or d.look_again > observation.now, "it never spins")
        promise(d.look_again <= observation.now + HOUR, "it never sleeps for good")


def status_is_true(observation: Observation, d: Decision) -> None:
    if d.status == observation.resource.status:
        return
    found = {c["type"]: c["status"] for c in d.status["conditions"]}
    promise({"Ready", "Verified", "Expiring"} <= found.keys(), "three conditions are always told")
    promise(not {"Reconciling", "Stalled"} <= found.keys(), "it passes by itself or it does not")
    ready = found["Ready"] == "True"
    promise(not ready or _has_valid(observation), "Ready is true only of what works")
    promise("canary" not in repr(d.status), "no value is told")
    told = d.status.get("credential", {}).get("keyId")
    own = observation.own_target
    published = own.published.key_id if own is not None and own.published is not None else None
    is_left_over = told is None and own is not None and _is_left_over(observation, own)
    promise(told == published or is_left_over, "what workloads read is told")
    generations = {c.get("observedGeneration", -1) for c in d.status["conditions"]}
    promise(generations == {d.status["observedGeneration"]}, "one generation is told")


def _is_left_over(observation: Observation, own: Target) -> bool:
    """Judge whether T was published before this resource was made, for another application."""
    r = observation.resource
    named = r.status.get("application", {}).get("objectId")
    published = own.published_time or own.creation_time
    skew = observation.cluster_skew or timedelta(0)
    return published + skew < r.creation_time and named != own.object_id


_AFTER_STATUS: Final = (act.Sleep, act.RecordIssued, act.TakeOverRecord, act.CancelRevocation)
"""What comes once status names the application: the record that outlives the resource has its
object id from there, and only then is an earlier revocation cancelled. The same turn does it."""


def status_settles(observation: Observation, d: Decision) -> None:
    if isinstance(d.action, act.ApplyStatus):
        written = replace(observation, resource=replace(observation.resource, status=d.status))
        again = decide(written)
        settles = isinstance(again.action, _AFTER_STATUS) or _names_the_application_first(
            observation, d
        )
        promise(settles and again.action != d.action, "a status is written once")


def _names_the_application_first(observation: Observation, d: Decision) -> bool:
    """Return whether what is done next waits for this status, which a deletion looks at."""
    named = "application" in d.status and "application" not in observation.resource.status
    return named and isinstance(d.action, act.ApplyStatus) and d.look_again == observation.now


def it_depends_on_nothing_else(observation: Observation, d: Decision) -> None:
    promise(decide(replace(observation)) == d, "the same observation, the same decision")
    read = observation.application
    if read is None:
        return
    turned = replace(observation, application=replace(read, credentials=read.credentials[::-1]))
    again = decide(turned)
    promise(type(again.action) is type(d.action), "the order of a list decides nothing")
    promise(again.status == d.status, "the order of a list tells nothing")


PROMISES: Final[tuple[Promise, ...]] = (
    only_ours_is_removed,
    what_workloads_use_stays,
    a_removal_rests_on_a_read_just_made,
    a_removal_has_its_reason,
    a_restart_has_its_reason,
    only_the_proven_is_published,
    only_the_needed_is_issued,
    only_a_hopeless_one_is_given_up,
    only_a_worthless_pending_secret_is_deleted,
    an_interrupted_attempt_is_not_forgotten,
    records_are_kept,
    nothing_is_done_where_nothing_may_be,
    anothers_secret_is_never_written,
    no_call_without_a_grant,
    a_sign_in_has_something_to_try,
    it_looks_again,
    status_is_true,
)
AGAIN: Final[tuple[Promise, ...]] = (status_settles, it_depends_on_nothing_else)
"""What shows only when it is decided again."""


def _listed(observation: Observation, key: KeyId) -> Credential | None:
    found = observation.application.credentials if observation.application is not None else ()
    return next((c for c in found if c.key_id == key), None)


def _is_ours(observation: Observation, c: Credential) -> bool:
    marker = parse_marker(c.display_name)
    return (
        marker is not None
        and (marker.cluster, marker.owner)
        == (observation.identity.cluster, observation.resource.owner.hash)
        and marker.attempt[:4] == observation.identity.system
    )


def _is_copy(observation: Observation, p: Pending) -> bool:
    """Return whether P was restored, or belongs to another application."""
    f = facts(observation)
    return (
        p.attempt != attempt_id(observation.identity, p.uid, p.attempt_number)
        or p.tenant_id != f.tenant.tenant_id
        or p.object_id != f.application.object_id
    )


def _spec(observation: Observation) -> AppCredentialSpec:
    assert isinstance(observation.resource.spec, AppCredentialSpec)
    return observation.resource.spec


def _granted(observation: Observation) -> timedelta | None:
    return None if isinstance(observation.grant, Problem) else observation.grant.max_lifetime


def _retiring(observation: Observation) -> tuple[Retiring, ...]:
    return observation.own_target.retiring if observation.own_target is not None else ()


def _abandoned(held: Target | Pending | None) -> tuple[Abandoned, ...]:
    return held.abandoned if held is not None else ()


def _entra_now(observation: Observation) -> datetime:
    return observation.now + (observation.directory_skew or timedelta(0))


def _has_valid(observation: Observation) -> bool:
    t = observation.own_target
    held = t.published if t is not None and t.value is not None else None
    return held is not None and held.expires > _entra_now(observation)
