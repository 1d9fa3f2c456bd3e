"""When to look again: the earliest time at which a rule may match that does not match now."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain import proof as signin
from appcredential.domain.facts.adoption import is_adopted
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.patience import revocation_patience_ends
from appcredential.domain.facts.published import ABSENT_READS, confirming_time, seems_gone
from appcredential.domain.facts.restart import is_restart_open
from appcredential.domain.facts.retirement import real_end, retire_time
from appcredential.domain.facts.rolled_out import is_held_by_pods, next_pod_look
from appcredential.domain.facts.successor import (
    is_revoking,
    mint_time,
    needs_reads,
    needs_successor,
    unproven_publish_time,
)
from appcredential.domain.facts.windows import awaited_opening, is_only_waiting
from appcredential.domain.observed.target import Pending, PendingState
from appcredential.domain.rules.discard import next_discard
from appcredential.domain.rules.reading import next_check, next_spaced_read, soonest
from appcredential.domain.rules.restart import restart_times
from appcredential.domain.rules.target import awaits_absence, noting_times, repair_time


def next_look(facts: Facts) -> datetime:
    """Return the earliest time at which a rule may match that does not match now."""
    observation = facts.observation
    times = [
        next_check(facts, is_well=_is_well(facts)),
        facts.application.known_time + observation.settings.directory_resync,
    ]
    times += _pending_times(facts)
    if facts.schedule is not None:
        times += [
            _by_our_clock(facts, facts.schedule.renewal_time),
            _by_our_clock(facts, facts.schedule.end),
        ]
    times += _retirement_times(facts) + restart_times(facts)
    times += [
        _by_our_clock(facts, c.end + observation.settings.expired_grace)
        for c in facts.ours.values()
    ]
    times.append(repair_time(facts))
    times += [
        removed + observation.settings.settle for removed in observation.memory.removals.values()
    ]
    if awaits_absence(facts):
        times.append(facts.application.read_time + observation.settings.settle / ABSENT_READS)
    proof = observation.memory.published_proof
    if proof is not None and facts.retiring:
        times.append(
            signin.next_try(proof, proof.attempt, observation.now, observation.settings.settle)
        )
    if observation.memory.retry_time is not None:
        times.append(observation.memory.retry_time)
    if observation.target is not None and observation.target.handed_over is not None:
        times.append(_by_our_clock(facts, observation.target.handed_over.until))
    if needs_successor(facts) and (facts.pending is None or facts.pending.fenced_from_intent):
        times.append(mint_time(facts))
    if (discarding := next_discard(facts)) is not None:
        times.append(discarding)
    times += _source_times(facts)
    return soonest(observation, times)


def _retirement_times(facts: Facts) -> list[datetime]:
    """Return when a replaced credential may go, at the latest, and when to look at its pods."""
    grace = facts.settings.expired_grace
    times = [_by_our_clock(facts, retire_time(facts, r)) for r in facts.retiring]
    times += [_by_our_clock(facts, real_end(facts, r) + grace) for r in facts.retiring]
    times += [_by_our_clock(facts, noted) for noted in noting_times(facts)]
    pods = next_pod_look(facts, facts.retiring)
    return times if pods is None else [*times, pods]


def _is_well(facts: Facts) -> bool:
    """Return whether all is as the spec asks, and only a change from outside makes work."""
    inputs = facts.certificate_inputs
    is_begun = facts.pending is not None or needs_successor(facts)
    is_in_flight = (is_begun and not is_only_waiting(facts)) or seems_gone(facts)
    is_hindered = facts.conflict is not None or inputs.problem or inputs.keystore_problem
    if not facts.has_valid_published or is_in_flight or is_hindered:
        return False
    return not is_revoking(facts) and _lists_what_is_recorded(facts)


def _lists_what_is_recorded(facts: Facts) -> bool:
    """Return whether Entra lists the published credential, and of ours only what may still stay."""
    is_kept = is_restart_open(facts)
    kept = {
        r.key_id
        for r in facts.retiring
        if is_kept or facts.entra_now < retire_time(facts, r) or is_held_by_pods(facts, r)
    }
    published = facts.published.key_id if facts.published is not None else None
    is_there = published is not None and (
        published in facts.ours or (is_adopted(facts) and facts.is_listed(published))
    )
    others = (c for key, c in facts.ours.items() if key not in kept | {published})
    return is_there and all(facts.is_pending(c) for c in others)


def _source_times(facts: Facts) -> list[datetime]:
    """Return when to look at supplied certificates again: no event tells of their change."""
    times = []
    if (
        facts.certificate_inputs.problem is not None
        or facts.certificate_inputs.keystore_problem is not None
    ):
        times.append(facts.now + facts.settings.settle)
    supplied = facts.certificate_inputs.supplied
    if supplied is not None:
        # Another one of the file may count from its own start on.
        times += [_by_our_clock(facts, c.start) for c in (supplied, *supplied.others)]
    if not facts.can_published_sign_in and (facts.retiring or seems_gone(facts)):
        times.append(next_spaced_read(facts))
    return times


def _pending_times(facts: Facts) -> list[datetime]:
    pending, observation = facts.pending, facts.observation
    times: list[datetime] = []
    if pending is not None and pending.state is PendingState.INTENT:
        times.append(pending.intent_time + observation.settings.intent_respect)
    if pending is not None and pending.state is PendingState.ABANDONED:
        times.append(mint_time(facts))
    if facts.successor is not None:
        times += _publish_times(facts, facts.successor)
    if seems_gone(facts) and facts.published is not None:
        times.append(confirming_time(facts))
    return times + _issued_before_times(facts)


def _publish_times(facts: Facts, successor: Pending) -> list[datetime]:
    """Return when a successor is proven or published."""
    opening = awaited_opening(facts)
    times = [] if opening is None else [_by_our_clock(facts, opening.opens)]
    if is_only_waiting(facts):
        return times
    if facts.requires_proof:
        proof, spacing = facts.memory.pending_proof, facts.proof_spacing
        return [*times, signin.next_try(proof, successor.attempt, facts.now, spacing)]
    times.append(unproven_publish_time(facts, successor))
    return [*times, next_spaced_read(facts)] if needs_reads(facts, successor) else times


def _issued_before_times(facts: Facts) -> list[datetime]:
    """Return when an `…IssuedBefore` comes into force, and when its spacing is over."""
    rotation, target, policy = facts.spec.rotation, facts.target, facts.settings
    asked = [
        _by_our_clock(facts, time)
        for time in (rotation.rotate_issued_before, rotation.revoke_issued_before)
        if time is not None
    ]
    if asked and target is not None and target.published_time is not None:
        asked.append(target.published_time + policy.issued_before_spacing)
    if rotation.revoke_issued_before is not None:
        asked.append(revocation_patience_ends(facts))
    return asked


def _by_our_clock(facts: Facts, entra_time: datetime) -> datetime:
    """Return a time of Entra's clock by our clock: an earlier look would find nothing."""
    return entra_time - (facts.entra_now - facts.now)
