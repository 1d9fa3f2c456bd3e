"""Plays an action through on an observation, as if all had gone well. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from appcredential.cli.plan import playing_trusts
from appcredential.cli.plan.assuming import Stand
from appcredential.cli.plan.playing_values import (
    DEPENDS,
    minted,
    proven,
    removed,
    rewritten,
    signed_in,
    with_listed,
    written,
)
from appcredential.cli.plan.steps import PlanEndsError
from appcredential.domain import actions as act
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.publication import next_publication
from appcredential.domain.lifecycle import Decision
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState
from appcredential.domain.promised import required
from appcredential.domain.restart_actions import ReadWorkloads, RestartWorkload


def play(decision: Decision, observation: Observation, stand: Stand) -> Observation:
    """Return the observation after an action that went well.

    Reads are not for this function.

    Args:
        decision: with the action.
        observation: on which it rests.
        stand: for values that are not known.

    Raises:
        PlanEndsError: nobody can say what comes of it.
    """
    action = decision.action
    match action:
        case act.ApplyStatus():
            shown = replace(observation.resource, status=decision.status)
            return replace(observation, resource=shown)
        case (
            act.AddFinalizer()
            | act.RecordIssued()
            | act.TakeOverRecord()
            | act.CancelRevocation()
            | act.ScheduleRevocation()
        ):
            return _kept(action, observation)
        case act.ReleaseFinalizer() | RestartWorkload():
            is_gone = isinstance(action, act.ReleaseFinalizer)
            raise PlanEndsError("" if is_gone else f"{DEPENDS}: how the workload rolls out.")
        case act.Register() | act.Fence() | act.DeletePending():
            return _moved_on(action, observation)
        case (
            act.Mint()
            | act.SignInPending()
            | act.Publish()
            | act.WriteTarget()
            | act.Remove()
            | act.SignInPublished()
        ):
            return _in_entra_or_target(action, observation, required(decision.facts), stand)
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


def _kept(
    action: act.AddFinalizer
    | act.RecordIssued
    | act.TakeOverRecord
    | act.CancelRevocation
    | act.ScheduleRevocation,
    observation: Observation,
) -> Observation:
    """Return it with what is kept for a deletion."""
    resource = observation.resource
    match action:
        case act.AddFinalizer():
            return replace(observation, resource=replace(resource, has_finalizer=True))
        case act.RecordIssued() | act.TakeOverRecord():
            return replace(observation, recorded=Recorded.CURRENT)
        case act.CancelRevocation():
            return replace(observation, revocation_uid=None, revocation_names=())
        case act.ScheduleRevocation():
            return replace(observation, revocation_uid=resource.uid)
        case _:
            assert_never(action)


def _moved_on(
    action: act.Register | act.Fence | act.DeletePending, observation: Observation
) -> Observation:
    """Return it with the pending Secret in its next state."""
    pending = required(observation.pending)
    match action:
        case act.Register():
            moved = replace(observation, pending=replace(pending, state=PendingState.MINTED))
            return with_listed(moved, required(pending.credential))
        case act.Fence():
            return replace(observation, pending=replace(pending, state=PendingState.ABANDONED))
        case act.DeletePending():
            return replace(observation, pending=None)
        case _:
            assert_never(action)


def _in_entra_or_target(
    action: act.Mint
    | act.SignInPending
    | act.Publish
    | act.WriteTarget
    | act.Remove
    | act.SignInPublished,
    observation: Observation,
    facts: Facts,
    stand: Stand,
) -> Observation:
    match action:
        case act.Mint():
            return minted(action, observation, facts, stand)
        case act.SignInPending():
            return proven(observation, facts)
        case act.Publish():
            value = required(required(facts.pending).value)
            return written(observation, facts, next_publication(facts, observation.now), value)
        case act.WriteTarget():
            return rewritten(action, observation, facts)
        case act.Remove(key_id):
            return removed(observation, key_id)
        case act.SignInPublished():
            return signed_in(observation, facts)
        case _:
            assert_never(action)


def after(observation: Observation, pause: timedelta) -> Observation:
    """Return the observation a while later, if nobody changes anything meanwhile."""
    return replace(observation, now=observation.now + pause)
