"""The record of one change of a credential, as the log and an Event's annotation hold it. Pure.

docs/audit.md documents the form. A record holds ids and names, never a value, and nothing that
Graph wrote but the ids of its answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from appcredential.domain.observed.actors import Actor
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.target import Retiring
from appcredential.domain.times import format_time
from appcredential.graph_call import GraphCall

VERSION: Final = 1
ANNOTATION: Final = "appcredential.io/audit"
"""The Event's annotation that holds the record as JSON."""


class Change(StrEnum):
    """What changed."""

    ISSUED = "Issued"
    """A credential was added to the application."""
    CHANGED = "Changed"
    """A federated credential was changed."""
    PUBLISHED = "Published"
    """Workloads find the credential from now on."""
    TAKEN_OVER = "TakenOver"
    """It was published into a Secret that another AppCredential owned."""
    ADOPTED = "Adopted"
    """It was published into a Secret that a person handed over, or that a deleted owner left."""
    RETIRED = "Retired"
    """A replaced credential was removed from the application."""
    REVOKED = "Revoked"
    """A credential was removed ahead of time, or after its AppCredential was deleted."""
    ORPHAN_REMOVED = "OrphanRemoved"
    """A credential that was never published was removed."""
    DISCARDED = "Discarded"
    """A credential whose value could not be kept was removed at once."""
    FENCED = "Fenced"
    """An attempt was given up: what it may have made is never published."""
    GONE = "Gone"
    """Reads of the application do not list a removed credential any more."""
    RESTORED = "Restored"
    """A certificate of another owner, lost between two writers, was put back."""
    LOST = "Lost"
    """A certificate of another owner is gone after a change of the list."""
    RESTARTED = "Restarted"
    """A workload was restarted, to read what was published."""


class Result(StrEnum):
    """How it went."""

    DONE = "Done"
    """It was answered as done."""
    UNKNOWN = "Unknown"
    """The answer was lost: it may have been done."""
    ABSENT = "Absent"
    """Graph does not know the credential: it is gone already, or that replica does not know it."""
    FOUND = "Found"
    """A later read shows that a call whose answer was lost had been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedResource:
    """The AppCredential. Its generation and actors are unknown once it is deleted."""

    namespace: str
    name: str
    uid: str
    generation: int = 0
    actors: tuple[Actor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedApplication:
    """The application, and as whom the operator called; what is not known is empty."""

    tenant: str
    tenant_id: str = ""
    client_id: str
    object_id: str = ""
    operator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedCredential:
    """The credential; what is not known, or does not exist for its type, is empty."""

    type: str
    key_id: str = ""
    attempt: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One change.

    Attributes:
        graph: the call that did it; None for what happens in Kubernetes.
        cause: why, in a word or a stable sentence of ours.
        object: what else was changed, such as `Secret/orders-entra`.
    """

    change: Change
    result: Result = Result.DONE
    resource: AuditedResource
    application: AuditedApplication
    credential: AuditedCredential
    graph: GraphCall | None = None
    cause: str = ""
    object: str = ""

    @property
    def event(self) -> str:
        """The log line's text, such as `orphan removed`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.change).lower()

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it; what is not known is left out."""
        resource, application = self.resource, self.application
        return _known(
            {
                "version": VERSION,
                "change": str(self.change),
                "result": str(self.result),
                "resource": {
                    "namespace": resource.namespace,
                    "name": resource.name,
                    "uid": resource.uid,
                    "generation": resource.generation,
                },
                "actors": [_actor(actor) for actor in resource.actors],
                "application": {
                    "tenant": application.tenant,
                    "tenantId": application.tenant_id,
                    "clientId": application.client_id,
                    "objectId": application.object_id,
                    "operatorClientId": application.operator,
                },
                "credential": {
                    "type": self.credential.type,
                    "keyId": self.credential.key_id,
                    "attempt": self.credential.attempt,
                    "name": self.credential.name,
                },
                "graph": _graph(self.graph),
                "cause": self.cause,
                "object": self.object,
            }
        )

    def annotation(self) -> str:
        """Return it as an annotation holds it."""
        return json.dumps(self.document(), separators=(",", ":"))


def _actor(actor: Actor) -> dict[str, str]:
    return {
        "manager": actor.manager,
        "operation": actor.operation,
        "time": format_time(actor.time),
    }


def _graph(call: GraphCall | None) -> dict[str, Any]:
    if call is None:
        return {}
    return {
        "operation": call.operation,
        "requestId": call.request_id,
        "clientRequestId": call.client_request_id,
    }


def _known(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without what is empty, at any depth."""
    found = {k: _known(v) if isinstance(v, dict) else v for k, v in document.items()}
    return {k: v for k, v in found.items() if v not in ("", 0, [], {})}


def newly_removed(before: Iterable[Retiring], after: Iterable[Retiring]) -> list[Retiring]:
    """Return the entries that are noted as removed now, and were not before."""
    noted = {entry.key_id for entry in before if entry.removed is not None}
    return [e for e in after if e.removed is not None and e.key_id not in noted]


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """A change of a federated credential whose answer was lost, until a read shows what it did.

    Attributes:
        description: as the change wrote it; empty for a removal.
        time: when the answer was lost.
    """

    record: AuditRecord
    description: str
    time: datetime


def was_done(lost: LostAnswer, found: FederatedList) -> bool:
    """Return whether a read shows that it was done; one from before, or that lags, shows nothing.

    Args:
        lost: the change.
        found: the application's federated credentials as that read has them.
    """
    listed = found.credentials
    if found.read_time <= lost.time:
        return False
    if lost.description:
        return any(c.description == lost.description for c in listed)
    return all(c.id != lost.record.credential.key_id for c in listed)
