"""When a federated credential is created, repaired, announced, superseded and removed.

There is no value to keep, and so no Secret. Entra holds everything, and a description says
when its credential goes. Every change is make before break: nothing of ours goes before all
that the spec asks for is in place and usable. `lifecycle.py` puts the rules in order.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain import proof as signin
from appcredential.domain.actions import (
    Action,
    AnnotateServiceAccount,
    ApplyStatus,
    CreateFederated,
    DeleteFederated,
    PatchFederated,
    ProveFederated,
    ReadFederated,
    WriteOutput,
)
from appcredential.domain.facts.federated import FederatedFacts
from appcredential.domain.facts.told import names_application
from appcredential.domain.facts.trust_room import drifted, extra, room
from appcredential.domain.observed.federated import FederatedCredential, Issuer
from appcredential.domain.rules.reading import next_check, soonest
from appcredential.domain.spec.trusts import (
    Trust,
    build_description,
    marker_of,
    retire_time_of,
    service_account_of,
)

SUPERSEDED = "superseded"
"""The reason of a patch that only sets the time of removal; it needs no grant."""
UNMET_LOOK = timedelta(minutes=2)
"""How soon to read Entra again while a trust is not as wanted."""
MISSING_LOOK = timedelta(seconds=30)
"""How soon to look again for a missing ServiceAccount: the operator watches none."""


def federated_credentials_are_unread(facts: FederatedFacts) -> Action | None:
    """F1: the credentials were never read, long ago, or are doubted. A missing trust: sooner."""
    known, now, doubted = facts.known_time, facts.common.now, facts.doubted
    if known is None or now - known >= _max_age(facts):
        return _read(facts, _max_age(facts) / 2)  # a shared read, not the one we have
    return None if doubted is None else _read(facts, max(timedelta(0), now - doubted))


def _max_age(facts: FederatedFacts) -> timedelta:
    longest = facts.common.settings.directory_resync
    return longest if facts.is_met else min(UNMET_LOOK, longest)


def application_is_not_in_status(facts: FederatedFacts) -> Action | None:
    """F2: status names no application yet.

    A trust leaves no other trace in the cluster. Without this one, a resource that is deleted
    right after its trust was created would look as if it never had any.
    """
    return None if names_application(facts.common.resource.status) else ApplyStatus()


def deleted_neighbour_left_a_credential(facts: FederatedFacts) -> Action | None:
    """F3: take over the credential that a deleted resource of the namespace left, without a gap."""
    for trust in facts.trusts:
        credential = facts.holder(trust)
        if (
            credential is not None
            and not facts.waits(trust)
            and not facts.is_usable(credential)
            and facts.is_left_behind(credential)
        ):
            return _patch(facts, credential, trust, "taken over")
    return None


def federated_credential_was_edited(facts: FederatedFacts) -> Action | None:
    """F4: repair a credential of ours that somebody has edited, by its id."""
    for trust in facts.trusts:
        if facts.exists(trust) is not None or facts.waits(trust):
            continue
        credential = facts.holder(trust)
        if credential is not None and facts.is_ours(credential):
            return _patch(facts, credential, trust, "edited")
        edited = drifted(facts, trust) if credential is None else None
        if edited is not None:
            return _patch(facts, edited, trust, "edited")
    return None


def federated_credential_is_missing(facts: FederatedFacts) -> Action | None:
    """F5: create a missing credential, if Entra has room for all that are missing."""
    if not facts.common.is_granted or not room(facts).is_enough:
        return None
    for trust in facts.trusts:
        if facts.holder(trust) is not None or facts.waits(trust):
            continue
        if facts.obstacle(trust) is not None:
            continue
        name = facts.free_name(trust)
        text = build_description(facts.common.identity, facts.common.resource.owner, trust.pair)
        return _fresh(facts, CreateFederated(name, trust, text))
    return None


def exchange_is_due(facts: FederatedFacts) -> Action | None:
    """F6: prove the trust, one exchange at a time and far apart: Entra caches failures."""
    if (
        not facts.needs_proof
        or facts.is_proven
        or not facts.is_quiet_over
        or not facts.common.is_granted
    ):
        return None
    if facts.common.is_paused or facts.common.now < proof_time(facts):
        return None
    return _fresh(facts, ProveFederated(facts.trusts[0], facts.spec.account))


def proof_time(facts: FederatedFacts) -> datetime:
    """Return when the next exchange may be tried."""
    observation, proof = facts.common.observation, facts.proof
    if proof is None:
        return observation.now
    due = signin.next_try(proof, proof.attempt, observation.now, timedelta(0))
    return max(due, proof.last_try + observation.settings.federated_proof_spacing)


def service_account_is_not_annotated(facts: FederatedFacts) -> Action | None:
    """F7: the trust is usable: annotate the ServiceAccount for the webhook."""
    missing = facts.annotations.missing
    if not missing or not _may_tell(facts):
        return None
    return _fresh(facts, AnnotateServiceAccount(missing))


def output_config_map_differs(facts: FederatedFacts) -> Action | None:
    """F8: the trust is usable: write the output ConfigMap."""
    output = facts.output
    if output.is_done or output.is_foreign or output.is_unreadable or not _may_tell(facts):
        return None
    return _fresh(facts, WriteOutput(output.wanted))


def _may_tell(facts: FederatedFacts) -> bool:
    """Return whether workloads may learn of the trust now."""
    return facts.is_trusted and facts.common.is_granted and not facts.common.is_paused


def federated_credential_is_superseded(facts: FederatedFacts) -> Action | None:
    """F9: a credential of ours is not needed any more: set the time of its removal."""
    if not facts.is_settled:
        return None
    observation = facts.common.observation
    for c in extra(facts):
        mark = marker_of(c.description)
        attempt = mark.attempt if mark is not None else ""
        if retire_time_of(c.description) is None and not facts.just_written(attempt):
            due = facts.common.entra_now + observation.settings.federated_overlap
            text = build_description(observation.identity, observation.resource.owner, c.pair, due)
            trust = Trust(*c.pair, c.audiences[0] if c.audiences else "")
            return _fresh(facts, PatchFederated(c.id, trust, text, SUPERSEDED))
    return None


def superseded_credential_is_due(facts: FederatedFacts) -> Action | None:
    """F10: remove a superseded credential whose time is over; its replacement is usable."""
    if not facts.is_settled:
        return None
    for c in extra(facts):
        due = retire_time_of(c.description)
        if due is None or facts.common.entra_now < due or _was_just_removed(facts, c):
            continue
        account = service_account_of(c.subject, facts.common.resource.owner.namespace)
        # The annotations of the spec's own ServiceAccount stay, even with annotation None.
        return _fresh(
            facts, DeleteFederated(c.id, "" if account == facts.spec.account else account)
        )
    return None


def _was_just_removed(facts: FederatedFacts, credential: FederatedCredential) -> bool:
    removed = facts.common.memory.federated.removed.get(credential.id)
    return removed is not None and facts.common.now - removed < facts.common.settings.settle


def _patch(
    facts: FederatedFacts, credential: FederatedCredential, trust: Trust, why: str
) -> Action | None:
    """Change it into what the trust needs. Without a grant, nothing new may be trusted."""
    if not facts.common.is_granted:
        return None
    text = build_description(facts.common.identity, facts.common.resource.owner, trust.pair)
    return _fresh(facts, PatchFederated(credential.id, trust, text, why))


def _fresh(facts: FederatedFacts, action: Action) -> Action | None:
    """Return the action if the last read is fresh, else a read."""
    if facts.common.is_paused:
        return None
    return action if facts.is_fresh else _read(facts, facts.common.settings.freshness)


def _read(facts: FederatedFacts, max_age: timedelta) -> Action | None:
    return None if facts.common.is_paused else ReadFederated(max_age)


def next_federated_look(facts: FederatedFacts) -> datetime:
    """Return the earliest time at which a rule may match that does not match now."""
    return soonest(facts.common.observation, _times(facts))


def _times(facts: FederatedFacts) -> list[datetime]:
    observation = facts.common.observation
    times = [next_check(facts.common, is_well=facts.is_settled)]
    if facts.known_time is not None:
        times.append(facts.known_time + _max_age(facts))
    for trust in facts.trusts:
        end, failed = facts.quiet_end(trust), facts.failed(trust)
        times += [end] if end is not None else []
        times += [failed.retry_time] if failed is not None else []
    if facts.needs_proof and not facts.is_proven:
        times.append(proof_time(facts))
    if facts.spec.annotated_account and facts.seen.service_account is None:
        times.append(observation.now + MISSING_LOOK)
    if isinstance(facts.seen.issuer, Issuer):
        times.append(facts.seen.issuer.since + observation.settings.issuer_agreement)
    times += [
        t + observation.settings.settle for t in observation.memory.federated.written.values()
    ]
    skew = facts.common.entra_now - observation.now
    due = (retire_time_of(c.description) for c in extra(facts))
    times += [d - skew for d in due if d is not None]
    times += [
        t + observation.settings.settle for t in observation.memory.federated.removed.values()
    ]
    if observation.memory.retry_time is not None:
        times.append(observation.memory.retry_time)
    return times
