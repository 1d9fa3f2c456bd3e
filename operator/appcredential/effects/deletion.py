"""Finalizer and scheduled revocation: what makes the deletion of a resource wait for us."""

from __future__ import annotations

from collections.abc import Iterable

from appcredential.domain import actions as act
from appcredential.domain.facts.deletion import completed, name_of, scheduled_revocation
from appcredential.effects.context import Step


async def set_finalizer(action: act.AddFinalizer | act.ReleaseFinalizer, step: Step) -> None:
    """Add or remove our finalizer.

    Raises:
        ConflictError: the resource is not as observed any more.
    """
    present = isinstance(action, act.AddFinalizer)
    tools, resource = step.tools, step.observation.resource
    found = await tools.kube.resources.set_finalizer(resource, present=present)
    step.state.resource.set(found, tools.clock.monotonic())


async def read_crd(step: Step) -> None:
    """Look whether the CRD itself is being deleted."""
    step.state.crd_deleted = await step.tools.kube.resources.is_crd_deleted()


async def schedule_revocation(step: Step) -> None:
    """Write the ConfigMap that says what is to be revoked after the grace period.

    What an earlier life of the resource left to be revoked is in it, or is not to be revoked.

    Raises:
        ConflictError: another process wrote it meanwhile.
    """
    wanted = scheduled_revocation(step.observation)
    name, revocations = name_of(wanted), step.tools.kube.revocations
    others = [other for other in step.observation.revocation_names if other != name]
    live = await revocations.get(name)
    found = [live, *[await revocations.get(other) for other in others]]
    wanted = completed(wanted, (earlier for earlier in found if earlier is not None))
    written = await revocations.put(name, wanted, live)
    step.tools.open_revocations.note(name, written)
    await _drop(step, others)


async def cancel_revocation(step: Step) -> None:
    """Delete these ConfigMaps: the resource is back.

    Raises:
        ConflictError: another process wrote one meanwhile.
    """
    await _drop(step, step.observation.revocation_names)


async def _drop(step: Step, names: Iterable[str]) -> None:
    revocations = step.tools.kube.revocations
    for name in names:
        live = await revocations.get(name)
        if live is not None:
            await revocations.delete(name, live)
        step.tools.open_revocations.note(name, None)
