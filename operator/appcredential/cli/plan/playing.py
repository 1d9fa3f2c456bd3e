"""Plays an action through on an observation, as if all had gone well. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final, assert_never

from appcredential.cli.plan import playing_trusts
from appcredential.cli.plan.assuming import Stand, listed
from appcredential.cli.plan.steps import PlanEndsError
from appcredential.domain import actions as act
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.publication import next_publication, publication
from appcredential.domain.lifecycle import Decision
from appcredential.domain.marker import attempt_id
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import IssuedCredential, Pending, PendingState, Target
from appcredential.domain.promised import required
from appcredential.domain.proof import Proof
from appcredential.domain.restart_actions import ReadWorkloads, RestartWorkload
from appcredential.domain.secret.content import render
from appcredential.domain.secret.records import Publication, read_target
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId

NEW: Final = "(new)"
"""What stands for ids that Entra or the API server will choose."""
_DEPENDS: Final = "Then it depends on what comes of it"


def play(decision: Decision, observation: Observation, stand: Stand) -> Observation:  # noqa: C901, PLR0912
    """Return the observation after an action that went well.

    Reads are not for this function.

    Args:
        decision: with the action.
        observation: on which it rests.
        stand: for values that are not known.

    Raises:
        PlanEndsError: nobody can say what comes of it.
    """
    action, resource = decision.action, observation.resource
    match action:
        case act.ApplyStatus():
            return replace(observation, resource=replace(resource, status=decision.status))
        case act.AddFinalizer():
            return replace(observation, resource=replace(resource, has_finalizer=True))
        case act.RecordIssued() | act.TakeOverRecord():
            return replace(observation, recorded=Recorded.CURRENT)
        case act.CancelRevocation():
            return replace(observation, revocation_uid=None, revocation_names=())
        case act.ScheduleRevocation():
            return replace(observation, revocation_uid=resource.uid)
        case act.ReleaseFinalizer():
            raise PlanEndsError("")
        case act.Mint():
            return _minted(action, observation, required(decision.facts), stand)
        case act.Register():
            return _registered(observation)
        case act.Fence() | act.DeletePending():
            return _ended(action, observation)
        case act.SignInPending():
            return _proven(observation, required(decision.facts))
        case act.Publish():
            facts = required(decision.facts)
            value = required(required(facts.pending).value)
            return _written(observation, facts, next_publication(facts, observation.now), value)
        case act.WriteTarget():
            return _rewritten(action, observation, required(decision.facts))
        case act.Remove(key_id):
            return _removed(observation, key_id)
        case act.SignInPublished():
            return _signed_in(observation, required(decision.facts))
        case RestartWorkload():
            raise PlanEndsError(f"{_DEPENDS}: how the workload rolls out.")
        case (
            act.CreateFederated()
            | act.PatchFederated()
            | act.DeleteFederated()
            | act.ProveFederated()
            | act.AnnotateServiceAccount()
            | act.WriteOutput()
        ):
            return playing_trusts.play(action, observation)
        case (
            act.Hold()
            | act.Sleep()
            | act.ReadCrd()
            | act.ReadApplication()
            | act.ReadPods()
            | act.ReadFederated()
            | ReadWorkloads()
        ):
            raise AssertionError("nothing is played of what changes nothing")
        case _:
            assert_never(action)


def _minted(action: act.Mint, observation: Observation, facts: Facts, stand: Stand) -> Observation:
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
    return found if is_certificate else _with_listed(found, made)


def _registered(observation: Observation) -> Observation:
    pending = required(observation.pending)
    found = replace(observation, pending=replace(pending, state=PendingState.MINTED))
    return _with_listed(found, required(pending.credential))


def _with_listed(observation: Observation, made: IssuedCredential) -> Observation:
    application = required(observation.application)
    others = tuple(c for c in application.credentials if c.key_id != made.key_id)
    shown = (*others, listed(observation, made))
    return replace(observation, application=replace(application, credentials=shown))


def _ended(action: act.Fence | act.DeletePending, observation: Observation) -> Observation:
    if isinstance(action, act.DeletePending):
        return replace(observation, pending=None)
    pending = replace(required(observation.pending), state=PendingState.ABANDONED)
    return replace(observation, pending=pending)


def _proven(observation: Observation, facts: Facts) -> Observation:
    """Return it after as many sign-ins as prove a value, so far apart as they have to be."""
    pending, count = required(facts.successor), facts.proof_count
    now = observation.now + (count - 1) * facts.proof_spacing
    proof = Proof(attempt=pending.attempt, successes=count, last_try=now, last_success=now)
    memory = replace(observation.memory, pending_proof=proof)
    return replace(observation, now=now, memory=memory)


def _signed_in(observation: Observation, facts: Facts) -> Observation:
    """Return it after a sign-in with what is published: what Entra lists is taken to sign in."""
    published = required(facts.published)
    if not facts.is_listed(published.key_id):
        raise PlanEndsError(f"{_DEPENDS}: whether the published credential still signs in.")
    now = observation.now
    proof = Proof(attempt=published.attempt, successes=1, last_try=now, last_success=now)
    return replace(observation, memory=replace(observation.memory, published_proof=proof))


def _rewritten(action: act.WriteTarget, observation: Observation, facts: Facts) -> Observation:
    records = replace(publication(facts), retiring=action.retiring, abandoned=action.abandoned)
    if action.is_restarted:
        records = replace(records, restart_since=None)
    value = required(required(facts.target).value)
    return _written(observation, facts, records, value)


def _written(
    observation: Observation, facts: Facts, records: Publication, value: SecretValue
) -> Observation:
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


def _removed(observation: Observation, key_id: KeyId) -> Observation:
    application = required(observation.application)
    left = tuple(c for c in application.credentials if c.key_id != key_id)
    return replace(
        observation,
        application=replace(application, credentials=left),
        memory=observation.memory.removed(key_id, observation.now),
    )


def after(observation: Observation, pause: timedelta) -> Observation:
    """Return the observation a while later, if nobody changes anything meanwhile."""
    return replace(observation, now=observation.now + pause)
