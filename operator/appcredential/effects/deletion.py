"""Finalizer and scheduled revocation: what makes the deletion of a resource wait for us."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from appcredential.domain import actions as act
from appcredential.domain.facts.deletion import (
    completed,
    name_of,
    own_target,
    scheduled_note,
    scheduled_revocation,
)
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.secret.revocation_time import with_revocation_time
from appcredential.effects.context import Step
from appcredential.effects.events import about, subject_of
from appcredential.errors import AppCredentialError

log = logging.getLogger(__name__)


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
    await _tell(step, written)


async def _tell(step: Step, revocation: Revocation) -> None:
    """Say in the namespace when the revocation comes. It comes whether or not that succeeds."""
    note = scheduled_note(revocation)
    if note is None:
        return
    subject = subject_of(step.observation.resource)
    await step.tools.kube.events.emit(subject, "RevocationScheduled", note, warning=False)
    await _mark(step, revocation.due)


async def _mark(step: Step, due: datetime | None) -> None:
    """Write into our target Secret when it goes, or take that away. Failing is no failure."""
    live, owner = own_target(step.observation), step.observation.resource.owner
    if live is None or live.immutable or live.deletion_time is not None:
        return
    wanted = with_revocation_time(live, due)
    if wanted is None:
        return
    try:
        written = await step.tools.kube.secrets.put_target(owner.namespace, live.name, live, wanted)
    except AppCredentialError as exc:
        log.info("revocation time not noted", extra={"error": str(exc), **about(owner)})
        step.state.target.drop()
        return
    step.state.target.set(written, step.tools.clock.monotonic())


async def cancel_revocation(step: Step) -> None:
    """Delete these ConfigMaps: the resource is back.

    Raises:
        ConflictError: another process wrote one meanwhile.
    """
    await _mark(step, None)  # first: after a crash in between, this comes again
    await _drop(step, step.observation.revocation_names)


async def _drop(step: Step, names: Iterable[str]) -> None:
    revocations = step.tools.kube.revocations
    for name in names:
        live = await revocations.get(name)
        if live is not None:
            await revocations.delete(name, live)
        step.tools.open_revocations.note(name, None)
