"""When a federated credential is created, mended, wired, superseded and removed.

There is no value to keep, so there is no P and no T: what exists stands in Entra,
and when it is to go stands in its description. Every change is make before break:
nothing of ours goes before all that the spec asks for is there and usable.
`lifecycle.decide` walks the gates first; here too the first match wins, and a
rule that only waits does not match.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain import proof as signin
from appcredential.domain.actions import (
    Action,
    ApplyStatus,
    CreateFederated,
    DeleteFederated,
    PatchFederated,
    ProveFederated,
    ReadFederated,
    WireServiceAccount,
    WriteOutput,
)
from appcredential.domain.facts.federated import FederatedFacts
from appcredential.domain.observed.federated import FederatedCredential, Issuer
from appcredential.domain.spec.trusts import (
    MAX_CREDENTIALS,
    Trust,
    build_description,
    credential_name,
    marker_of,
    retire_time_of,
    service_account_of,
)

SUPERSEDED = "superseded"
"""Why a credential is given the time at which it goes; that needs no grant."""
PROVE = "prove"
"""What stands in `Memory.problem_operation` when an exchange could not even be tried."""
UNMET_LOOK = timedelta(minutes=2)
"""How soon to read Entra again while something is in the way there."""
MISSING_LOOK = timedelta(seconds=30)
"""How soon to look again for a ServiceAccount that is not there: none is watched."""


def unread(ff: FederatedFacts) -> Action | None:
    """F1: what exists was never read, or long ago; what is not met may be cured by anybody."""
    is_due = ff.listed is None or ff.f.o.now - ff.listed.read_time >= _max_age(ff)
    return _read(ff, _max_age(ff) / 2) if is_due else None  # a shared read, not the one we have


def _max_age(ff: FederatedFacts) -> timedelta:
    policy = ff.f.o.policy
    is_met = all(ff.exists(t) is not None for t in ff.trusts)
    return policy.directory_resync if is_met else min(UNMET_LOOK, policy.directory_resync)


def unannounced(ff: FederatedFacts) -> Action | None:
    """F2: status names no application yet.

    A trust leaves no trace in the cluster. Without this one, a resource that is deleted
    right after its trust was made would pass for one that never had any.
    """
    return None if ff.f.o.resource.status.get("application") else ApplyStatus()


def left_behind(ff: FederatedFacts) -> Action | None:
    """F3: a deleted resource of the namespace leaves just this one: taken over, without a gap."""
    for trust in ff.trusts:
        c, is_new = ff.holder(trust), ff.just_written(ff.attempt(trust))
        if c is not None and not is_new and not ff.is_usable(c) and ff.is_left_behind(c):
            return _patch(ff, c, trust, "taken over")
    return None


def edited(ff: FederatedFacts) -> Action | None:
    """F4: ours, but not as wanted: mended by its id."""
    for trust in ff.trusts:
        if ff.exists(trust) is not None or ff.just_written(ff.attempt(trust)):
            continue
        c = ff.holder(trust)
        if c is not None and ff.is_exact(c):
            return _patch(ff, c, trust, "edited")
        drifted = ff.drifted(trust) if c is None else None
        if drifted is not None:
            return _patch(ff, drifted, trust, "edited")
    return None


def missing(ff: FederatedFacts) -> Action | None:
    """F5: not there: created, while there is room for it."""
    for trust in ff.trusts:
        if ff.holder(trust) is not None or ff.just_written(ff.attempt(trust)):
            continue
        if not ff.f.is_granted or is_full(ff):
            return None
        if ff.obstacle(trust) is not None:
            continue
        name = credential_name(ff.spec.name_prefix, trust)
        text = build_description(ff.f.o.identity, ff.f.o.resource.owner, trust.pair)
        return _fresh(ff, CreateFederated(name, trust, text))
    return None


def is_full(ff: FederatedFacts) -> bool:
    """Tell whether Entra would refuse one more for this application."""
    return len(ff.credentials) >= MAX_CREDENTIALS


def proof_due(ff: FederatedFacts) -> Action | None:
    """F6: a proof is asked for: one exchange at a time, far apart: misses are remembered."""
    if not ff.needs_proof or ff.is_proven or not ff.is_quiet_over or not ff.f.is_granted:
        return None
    if ff.f.is_paused or ff.f.o.now < proof_time(ff):
        return None
    return _fresh(ff, ProveFederated(ff.trusts[0], ff.spec.account))


def proof_time(ff: FederatedFacts) -> datetime:
    """Return when the next exchange may be tried."""
    o, proof = ff.f.o, ff.proof
    if proof is None:
        return o.now
    due = signin.next_try(proof, proof.attempt, o.now, timedelta(0))
    return max(due, proof.last_try + o.policy.federated_proof_spacing)


def unwired(ff: FederatedFacts) -> Action | None:
    """F7: the trust is usable: the ServiceAccount may say so to the webhook."""
    account = ff.service_account
    if account is None or not _may_tell(ff):
        return None
    wanted = ff.missing_annotations(account)
    return _fresh(ff, WireServiceAccount(wanted)) if wanted else None


def output_differs(ff: FederatedFacts) -> Action | None:
    """F8: the same for the output ConfigMap."""
    is_unreadable = ff.seen.output is not None and ff.output is None
    if ff.is_output_done or ff.has_foreign_output or is_unreadable or not _may_tell(ff):
        return None
    return _fresh(ff, WriteOutput(ff.wanted_output))


def _may_tell(ff: FederatedFacts) -> bool:
    """Tell whether workloads may be told of the trust, and no refusal has to be waited out."""
    return ff.is_trusted and ff.f.is_granted and not ff.f.is_paused


def superseded(ff: FederatedFacts) -> Action | None:
    """F9: ours, and no longer asked for: its description says when it goes."""
    if not ff.is_settled:
        return None
    o = ff.f.o
    for c in extra(ff):
        mark = marker_of(c.description)
        attempt = mark.attempt if mark is not None else ""
        if retire_time_of(c.description) is None and not ff.just_written(attempt):
            due = ff.f.entra_now + o.policy.federated_overlap
            text = build_description(o.identity, o.resource.owner, c.pair, due)
            trust = Trust(*c.pair, c.audiences[0] if c.audiences else "")
            return _fresh(ff, PatchFederated(c.id, trust, text, SUPERSEDED))
    return None


def retirement_due(ff: FederatedFacts) -> Action | None:
    """F10: its time is over, and all that replaces it is there and usable."""
    if not ff.is_settled:
        return None
    for c in extra(ff):
        due = retire_time_of(c.description)
        if due is None or ff.f.entra_now < due or _was_just_removed(ff, c):
            continue
        account = service_account_of(c.subject, ff.f.o.resource.owner.namespace)
        # The spec's own is left alone, also where it is not to be annotated any more.
        return _fresh(ff, DeleteFederated(c.id, "" if account == ff.spec.account else account))
    return None


def extra(ff: FederatedFacts) -> tuple[FederatedCredential, ...]:
    """Return ours that no trust asks for."""
    wanted = {t.pair for t in ff.trusts}
    return tuple(c for c in ff.exact if c.pair not in wanted)


def _was_just_removed(ff: FederatedFacts, c: FederatedCredential) -> bool:
    removed = ff.f.o.memory.federated.removed.get(c.id)
    return removed is not None and ff.f.o.now - removed < ff.f.o.policy.settle


def _patch(ff: FederatedFacts, c: FederatedCredential, trust: Trust, why: str) -> Action | None:
    """Make it as wanted; whoever withdrew the grant wants nothing more to be trusted."""
    if not ff.f.is_granted:
        return None
    text = build_description(ff.f.o.identity, ff.f.o.resource.owner, trust.pair)
    return _fresh(ff, PatchFederated(c.id, trust, text, why))


def _fresh(ff: FederatedFacts, action: Action) -> Action | None:
    """Act on a read just made; else make one."""
    if ff.f.is_paused:
        return None
    return action if ff.is_fresh else _read(ff, ff.f.o.policy.freshness)


def _read(ff: FederatedFacts, max_age: timedelta) -> Action | None:
    return None if ff.f.is_paused else ReadFederated(max_age)


FEDERATED_RULES = (
    unread,  # F1
    unannounced,  # F2
    left_behind,  # F3
    edited,  # F4
    missing,  # F5
    proof_due,  # F6
    unwired,  # F7
    output_differs,  # F8
    superseded,  # F9
    retirement_due,  # F10
)


def federated_times(ff: FederatedFacts) -> list[datetime]:
    """Return the times at which a rule may match that does not match now."""
    o = ff.f.o
    times = [o.now + o.policy.secret_check]
    if ff.listed is not None:
        times.append(ff.listed.read_time + _max_age(ff))
    for trust in ff.trusts:
        end = ff.quiet_end(trust)
        times += [end] if end is not None else []
    if ff.needs_proof and not ff.is_proven:
        times.append(proof_time(ff))
    if ff.spec.wired and ff.seen.service_account is None:
        times.append(o.now + MISSING_LOOK)
    if isinstance(ff.seen.issuer, Issuer):
        times.append(ff.seen.issuer.since + o.policy.issuer_agreement)
    times += [t + o.policy.settle for t in o.memory.federated.written.values()]
    skew = ff.f.entra_now - o.now
    due = (retire_time_of(c.description) for c in extra(ff))
    times += [d - skew for d in due if d is not None]
    times += [t + o.policy.settle for t in o.memory.federated.removed.values()]
    if o.memory.retry_time is not None:
        times.append(o.memory.retry_time)
    return times
