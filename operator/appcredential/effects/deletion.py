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
from appcredential.domain.facts.issued import issued_record, name_of_own
from appcredential.domain.marker import Owner
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.observed.target import Target
from appcredential.domain.secret.revocation_time import with_revocation_time
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.effects.context import Step
from appcredential.effects.events import about, subject_of_deleted
from appcredential.errors import AppCredentialError, ConflictError
from appcredential.ports.events import Events
from appcredential.ports.kube import Secrets

log = logging.getLogger(__name__)


async def set_finalizer(action: act.AddFinalizer | act.ReleaseFinalizer, step: Step) -> None:
    """Add or remove our finalizer. Before it goes, what it stood for is done: the record goes too.

    Raises:
        ConflictError: the resource, or its record, is not as observed any more.
    """
    present = isinstance(action, act.AddFinalizer)
    tools, resource = step.tools, step.observation.resource
    if not present and step.observation.recorded is not Recorded.OF_FORMER_LIFE:
        await _drop_record(step)
    found = await tools.kube.resources.set_finalizer(resource, present=present)
    step.state.resource.set(found, tools.clock.monotonic())


async def record_issued(step: Step) -> None:
    """Write what the record of the resource should say.

    Raises:
        ConflictError: another process wrote it meanwhile.
    """
    records = step.tools.records
    known = records.known.find(name_of_own(step.observation))
    await records.keep(issued_record(step.observation, known))


async def _drop_record(step: Step) -> None:
    if isinstance(step.observation.resource.spec, AppCredentialSpec):
        await step.tools.records.drop(name_of_own(step.observation))


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
    live = await _live(step, name)
    found = [live, *[await revocations.get(other) for other in others]]
    record = await _former_record(step)
    earlier = [left for left in (*found, record) if left is not None]
    try:
        written = await revocations.put(name, completed(wanted, earlier), live)
    except ConflictError:
        live = await _live(step, name, is_known=True)
        if live is None:
            raise
        written = await revocations.put(name, completed(wanted, [live, *earlier]), live)
    step.tools.open_revocations.note(name, written)
    await _drop(step, others)
    await _drop_record(step)
    if await announce(step.tools.kube.events, written):
        await _mark(step, written.due)


async def _live(step: Step, name: str, *, is_known: bool = False) -> Revocation | None:
    """Return what is scheduled under a name now, if that is known to be anything.

    Nearly always nothing is. What nobody knew of refuses to be created (409), and is known then.
    """
    tools = step.tools
    if not is_known and tools.open_revocations.find(name) is None:
        return None
    found = await tools.kube.revocations.get(name)
    tools.open_revocations.note(name, found)
    return found


async def _former_record(step: Step) -> Revocation | None:
    """Return what only the record of a former resource still tells."""
    if step.observation.recorded is not Recorded.OF_FORMER_LIFE:
        return None
    record = await step.tools.records.read(name_of_own(step.observation))
    return record.left if record is not None else None


async def announce(events: Events, revocation: Revocation) -> bool:
    """Say in the namespace when a revocation comes. It comes whether or not that succeeds.

    Returns:
        Whether there is anything to be said.
    """
    note = scheduled_note(revocation)
    if note is not None:
        subject = subject_of_deleted(revocation)
        await events.emit(subject, "RevocationScheduled", note, warning=False)
    return note is not None


async def _mark(step: Step, due: datetime | None) -> None:
    """Write into our target Secret when it goes, or take that away. Failing is no failure."""
    live, owner, target = (
        own_target(step.observation),
        step.observation.resource.owner,
        step.state.target,
    )
    try:
        written = await mark(step.tools.kube.secrets, owner, live, due)
    except AppCredentialError as exc:
        log.info("revocation time not noted", extra={"error": str(exc), **about(owner)})
        target.drop()
        return
    if written is not None:
        target.set(written, step.tools.clock.monotonic())


async def mark(
    secrets: Secrets, owner: Owner, live: Target | None, due: datetime | None
) -> Target | None:
    """Write into an owner's target Secret when it goes, or with None take that away.

    Returns:
        The Secret as it was written; None when nothing was to be written, or could be.

    Raises:
        AppCredentialError: it was not written, which is no failure.
    """
    if live is None or live.immutable or live.deletion_time is not None:
        return None
    wanted = with_revocation_time(live, due)
    if wanted is None:
        return None
    return await secrets.put_target(owner.namespace, live.name, live, wanted)


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
