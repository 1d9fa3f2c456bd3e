"""Kubernetes Events about an AppCredential, and the keys by which the log names it."""

from __future__ import annotations

from appcredential.domain.audit import AuditRecord
from appcredential.domain.marker import Owner
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.revocation import Revocation
from appcredential.effects import audit
from appcredential.effects.context import Context
from appcredential.ports.events import EventSubject


def subject_of(resource: Resource) -> EventSubject:
    """Return the AppCredential as an Event's subject."""
    return EventSubject(
        kind="AppCredential",
        namespace=resource.owner.namespace,
        name=resource.owner.name,
        uid=resource.uid,
    )


def subject_of_deleted(revocation: Revocation) -> EventSubject:
    """Return the AppCredential that a revocation is about as an Event's subject."""
    return EventSubject(
        kind="AppCredential",
        namespace=revocation.owner.namespace,
        name=revocation.owner.name,
        uid=revocation.resource_uid,
    )


def about(owner: Owner) -> dict[str, str]:
    """Return the log's keys for the resource with this name."""
    return {"ns": owner.namespace, "obj": owner.name}


async def emit(
    context: Context,
    reason: str,
    note: str,
    *,
    found: AuditRecord | None = None,
    warning: bool = False,
) -> None:
    """Write an Event about the resource. Losing one is no failure.

    Args:
        context: of the effect.
        reason: of the Event.
        note: its text.
        found: the record of a change, which goes into the log, too; None if it tells of none.
        warning: whether it is a Warning.
    """
    subject, events = subject_of(context.facts.resource), context.kube.events
    if found is None:
        await events.emit(subject, reason, note, warning=warning)
    else:
        await audit.emit(events, reason, note, found, warning=warning)
