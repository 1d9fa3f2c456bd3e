"""Plays through what is done with values: in Entra, the pending and the target Secret. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from appcredential.cli.plan.assuming import Stand, listed
from appcredential.cli.plan.steps import PlanEndsError
from appcredential.domain import actions as act
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.publication import publication
from appcredential.domain.marker import attempt_id
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Pending, PendingState, Target
from appcredential.domain.promised import required
from appcredential.domain.proof import Proof
from appcredential.domain.secret.content import render
from appcredential.domain.secret.records import Publication, read_target
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId

NEW: Final = "(new)"
"""What stands for ids that Entra or the API server will choose."""
DEPENDS: Final = "Then it depends on what comes of it"


def minted(action: act.Mint, observation: Observation, facts: Facts, stand: Stand) -> Observation:
    """Return it with a pending Secret that holds a new value; Entra lists a client secret."""
    held, number = observation.pending, action.attempt_number
    uid = held.uid if held is not None else NEW
    attempt = attempt_id(observation.identity, uid, number)
    value = stand.value(facts.spec)
    supplied = facts.supplied
    start = facts.entra_now.replace(microsecond=0)
    made = IssuedCredential(
        key_id=KeyId(NEW),
        attempt=attempt,
        value_sha256=value.sha256(),
        not_before=start if supplied is None else supplied.start,
        expires=start + action.lifetime if supplied is None else supplied.end,
    )
    is_certificate = facts.spec.type.is_certificate
    pending = Pending(
        uid=uid,
        resource_version=NEW,
        owner=str(observation.resource.owner),
        tenant_id=facts.tenant.tenant_id,
        object_id=facts.application.object_id,
        attempt=attempt,
        attempt_number=number,
        holder=observation.holder,
        state=PendingState.INTENT if is_certificate else PendingState.MINTED,
        intent_time=observation.now,
        credential=made,
        value=value,
        abandoned=action.abandoned,
    )
    memory = observation.memory.issues(observation.now)
    found = replace(observation, pending=pending, memory=memory, has_begun=True)
    return found if is_certificate else with_listed(found, made)


def with_listed(observation: Observation, made: IssuedCredential) -> Observation:
    """Return it with a credential that Entra lists."""
    application = required(observation.application)
    others = tuple(c for c in application.credentials if c.key_id != made.key_id)
    shown = (*others, listed(observation, made))
    return replace(observation, application=replace(application, credentials=shown))


def proven(observation: Observation, facts: Facts) -> Observation:
    """Return it after as many sign-ins as prove a value, so far apart as they have to be."""
    pending, count = required(facts.successor), facts.proof_count
    now = observation.now + (count - 1) * facts.proof_spacing
    proof = Proof(attempt=pending.attempt, successes=count, last_try=now, last_success=now)
    memory = replace(observation.memory, pending_proof=proof)
    return replace(observation, now=now, memory=memory)


def signed_in(observation: Observation, facts: Facts) -> Observation:
    """Return it after a sign-in with what is published: what Entra lists is taken to sign in."""
    published = required(facts.published)
    if not facts.is_listed(published.key_id):
        raise PlanEndsError(f"{DEPENDS}: whether the published credential still signs in.")
    now = observation.now
    proof = Proof(attempt=published.attempt, successes=1, last_try=now, last_success=now)
    return replace(observation, memory=replace(observation.memory, published_proof=proof))


def rewritten(action: act.WriteTarget, observation: Observation, facts: Facts) -> Observation:
    """Return it with the target Secret written again around its value."""
    records = replace(publication(facts), retiring=action.retiring, abandoned=action.abandoned)
    if action.is_restarted:
        records = replace(records, restart_since=None)
    value = required(required(facts.target).value)
    return written(observation, facts, records, value)


def written(
    observation: Observation, facts: Facts, records: Publication, value: SecretValue
) -> Observation:
    """Return it with the target Secret as these records and the spec want it."""
    derived, live = facts.certificate_inputs.derived, facts.live
    wanted = render(
        facts.spec, facts.tenant, value, records, live, lambda _: value, derived=derived
    )
    found, now = read_target(wanted.annotations), observation.now
    base = live or Target(
        name=facts.spec.secret.name,
        uid=NEW,
        resource_version=NEW,
        creation_time=now,
        deletion_time=None,
        type="Opaque",
        immutable=False,
        owner="",
        tenant_id=facts.tenant.tenant_id,
        object_id=facts.application.object_id,
        published=None,
        value=None,
        verified_time=None,
        published_time=None,
    )
    target = replace(
        base,
        owner=found.owner,
        tenant_id=found.tenant_id,
        object_id=found.object_id,
        published=records.credential,
        value=value,
        verified_time=found.verified_time,
        published_time=found.published_time,
        retiring=found.retiring,
        abandoned=found.abandoned,
        taken_from=found.taken_from,
        handed_over=found.handed_over,
        restart_since=found.restart_since,
        data=wanted.data,
        labels=wanted.labels,
        annotations=wanted.annotations,
    )
    return replace(observation, target=target, target_owner=None)


def removed(observation: Observation, key_id: KeyId) -> Observation:
    """Return it without a credential in Entra."""
    application = required(observation.application)
    left = tuple(c for c in application.credentials if c.key_id != key_id)
    return replace(
        observation,
        application=replace(application, credentials=left),
        memory=observation.memory.removed(key_id, observation.now),
    )
