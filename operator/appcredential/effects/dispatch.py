"""Performs the action of a decision. Whether it is right was decided; here it is only done.

Each effect looks again, live, at what would make it harmful, and notes in the state what it
learnt. A failing call to Graph becomes a Problem in memory.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import assert_never

from appcredential.domain import actions as act
from appcredential.domain.action_names import leaves_traces, secret_write, writes_application
from appcredential.domain.restart_actions import ReadWorkloads, RestartWorkload
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.status.problems_entra import probe_age
from appcredential.effects import (
    application,
    certificate,
    client_secret,
    deletion,
    federated,
    removal,
    restart,
    signin,
    status,
    target,
)
from appcredential.effects.annotations import annotate, write_output
from appcredential.effects.context import Context, Step
from appcredential.graph_call import last_write, noting_writes


async def perform(step: Step) -> None:
    """Do what was decided; its action is neither Hold nor Sleep.

    Raises:
        ConflictError: something changed since it was decided; gather again.
        SecretForbiddenError, SecretRefusedError: a Secret cannot be read or written.
        NotYetError: others write to the application first; nothing was done.
        AppCredentialError: the API server did not answer, or refused.
    """
    with noting_writes(), _turn(step):
        step.state.has_begun |= leaves_traces(step.decision.action)
        await _dispatch(step)
        if last_write() is not None:
            spec = step.observation.usable_spec
            step.tools.note_written(spec.tenant, spec.client_id)
    state, before = step.state, step.observation.memory
    written = secret_write(step.decision.action)
    if written is not None:
        state.memory = state.memory.succeeded(written)
    max_age = probe_age(before.directory_problem, state.memory.directory_problem)
    if max_age is not None:
        step.tools.request_probe(step.observation.usable_spec.tenant, max_age)


def _turn(step: Step) -> AbstractContextManager[None]:
    """Hold the application's turn for an action that writes to it.

    It begins before the effect's own reads and writes, so that none of them waits for it.
    """
    facts = step.decision.facts
    if facts is None or not writes_application(step.decision.action, facts.spec.type):
        return nullcontext()
    directory = step.session().directory
    return directory.turn(facts.application.object_id, str(step.observation.resource.owner))


async def _dispatch(step: Step) -> None:  # noqa: C901, PLR0912 - every action, on two lines each
    match step.decision.action:
        case act.AddFinalizer() | act.ReleaseFinalizer() as action:
            await deletion.set_finalizer(action, step)
        case act.RecordIssued() | act.TakeOverRecord():
            await deletion.record_issued(step)
        case act.ReadCrd():
            await deletion.read_crd(step)
        case act.ScheduleRevocation():
            await deletion.schedule_revocation(step)
        case act.CancelRevocation():
            await deletion.cancel_revocation(step)
        case act.ApplyStatus():
            await status.apply_decided(step)
        case act.ReadApplication(max_age):
            await application.read_application(max_age, step)
        case act.ReadPods() | ReadWorkloads() | RestartWorkload() as action:
            await restart.see_to_workloads(action, step)
        case act.DeletePending():
            await target.delete_pending(step.context())
        case act.WriteTarget() as action:
            await target.write_target(action, step.context())
        case act.Publish():
            await target.publish(step.context())
        case act.Fence() as action:
            await target.fence(action, step.context())
        case act.Remove() as action:
            await removal.remove(action, step.context())
        case act.SignInPending() | act.SignInPublished() as action:
            await signin.sign_in(action, step.context())
        case act.Mint() as action:
            await _mint(action, step.context())
        case act.Register():
            await certificate.register(step.context())
        case act.ReadFederated(max_age):
            await federated.read(step.context(), max_age)
        case act.CreateFederated() | act.PatchFederated() as action:
            await federated.put(action, step.context())
        case act.DeleteFederated() as action:
            await federated.delete(action, step.context())
        case act.ProveFederated() as action:
            await signin.exchange(action, step.context())
        case act.AnnotateServiceAccount() as action:
            await annotate(action, step.context())
        case act.WriteOutput() as action:
            await write_output(action, step.context())
        case act.Hold() | act.Sleep():
            raise AssertionError("a gate that holds and sleep have no effect")
        case _:
            assert_never(step.decision.action)


async def _mint(action: act.Mint, context: Context) -> None:
    match context.facts.spec.type:
        case CredentialType.CLIENT_SECRET:
            await client_secret.mint(action, context)
        case CredentialType.CERTIFICATE:
            await certificate.stage(action, context)
        case CredentialType.FEDERATED_IDENTITY:
            raise AssertionError("a federated credential is created, it has no value to mint")
        case _:
            assert_never(context.facts.spec.type)
