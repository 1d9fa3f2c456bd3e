"""Makes the records of changes, and writes them into the log: nothing else does.

A record is written after the change, so a crash in between leaves none; docs/audit.md says how
such a change is found.
"""

from __future__ import annotations

import logging

from appcredential.domain.audit import (
    ANNOTATION,
    AuditedApplication,
    AuditedCredential,
    AuditedResource,
    AuditRecord,
    Change,
    Result,
)
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec.model import CredentialType, ObjectId
from appcredential.effects.context import Context
from appcredential.errors import AppCredentialError
from appcredential.graph_call import GraphCall, last_write
from appcredential.ports.entra import CertificateLoss
from appcredential.ports.events import Events, EventSubject, Related
from appcredential.ports.session import Access, Session
from appcredential.runtime.logs import AUDIT

log = logging.getLogger(AUDIT)


def record(
    context: Context,
    change: Change,
    result: Result = Result.DONE,
    *,
    key_id: str = "",
    attempt: object = "",
    name: str = "",
    cause: str = "",
    object_: str = "",
    graph: GraphCall | None = None,
) -> AuditRecord:
    """Return the record of a change by an effect.

    Args:
        context: of the effect.
        change: what changed.
        result: how it went.
        key_id: of the credential; a federated one's id.
        attempt: in its marker.
        name: of a federated credential.
        cause: why, in our own words.
        object_: what else was changed.
        graph: the call that did it; by default the last write of this step that was answered.
    """
    facts, asked = context.facts, context.asked
    return AuditRecord(
        change=change,
        result=result,
        resource=_resource(facts.resource),
        application=AuditedApplication(
            tenant=facts.spec.tenant,
            tenant_id=facts.tenant.tenant_id,
            client_id=asked.application,
            object_id=asked.object_id,
            operator=asked.operator,
        ),
        credential=AuditedCredential(
            type=str(facts.spec.type), key_id=key_id, attempt=str(attempt), name=name
        ),
        graph=graph if graph is not None else last_write(),
        cause=cause,
        object=object_,
    )


def record_of_deleted(
    revocation: Revocation,
    session: Session,
    object_id: ObjectId,
    key_id: str,
    result: Result,
    error: AppCredentialError | None = None,
) -> AuditRecord:
    """Return the record of a removal after the AppCredential was deleted.

    Args:
        revocation: that asks for it.
        session: with the tenant.
        object_id: of the application.
        key_id: of the credential.
        result: how it went.
        error: what the call raised, if it did.
    """
    owner = revocation.owner
    return AuditRecord(
        change=Change.REVOKED,
        result=result,
        resource=AuditedResource(
            namespace=owner.namespace, name=owner.name, uid=revocation.resource_uid
        ),
        application=AuditedApplication(
            tenant=revocation.tenant,
            tenant_id=revocation.tenant_id,
            client_id=revocation.client_id,
            object_id=object_id,
            operator=session.client_id or "",
        ),
        credential=AuditedCredential(type=str(revocation.type), key_id=key_id),
        graph=lost_call(error) if error is not None else last_write(),
        cause="AppCredentialDeleted",
    )


def record_of_loss(
    resource: Resource, application: Application, access: Access, loss: CertificateLoss
) -> AuditRecord:
    """Return the record of a certificate of another owner that several writers lost."""
    operator = access.session.client_id
    return AuditRecord(
        change=Change.RESTORED if loss.is_restored else Change.LOST,
        resource=_resource(resource),
        application=AuditedApplication(
            tenant=access.tenant.name,
            tenant_id=access.tenant.tenant_id,
            client_id=application.client_id,
            object_id=application.object_id,
            operator=operator or "",
        ),
        credential=AuditedCredential(type=str(CredentialType.CERTIFICATE), key_id=loss.key_id),
    )


def write(found: AuditRecord) -> None:
    """Write a record into the log, of which no Event tells."""
    resource, credential = found.resource, found.credential
    keys = {"ns": resource.namespace, "obj": resource.name, "key_id": credential.key_id}
    told = {key: value for key, value in keys.items() if value}
    log.info(found.event, extra={**told, "audit": found.document()})


async def emit(
    events: Events, reason: str, note: str, found: AuditRecord, *, warning: bool = False
) -> None:
    """Write a record into the log and into an Event. Losing the Event is no failure."""
    write(found)
    kind, _, name = found.object.partition("/")
    resource = found.resource
    about = EventSubject(
        kind="AppCredential", namespace=resource.namespace, name=resource.name, uid=resource.uid
    )
    await events.emit(
        about,
        reason,
        note,
        warning=warning,
        annotations={ANNOTATION: found.annotation()},
        related=Related(kind, about.namespace, name) if name else None,
    )


def lost_call(error: AppCredentialError) -> GraphCall | None:
    """Return the call whose answer was lost: of one that cannot be read, Graph's id is known."""
    return error.graph if error.graph is not None else last_write()


def _resource(resource: Resource) -> AuditedResource:
    return AuditedResource(
        namespace=resource.owner.namespace,
        name=resource.owner.name,
        uid=resource.uid,
        generation=resource.generation,
        actors=resource.actors,
    )
