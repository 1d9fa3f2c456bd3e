"""What the report keeps of an AppCredential: little, because an operator holds thousands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Any, Final

from appcredential.domain.attention import Situation, situation_of
from appcredential.domain.conditions import ConditionType
from appcredential.domain.document import ShownResource
from appcredential.domain.shown_text import plain

_MESSAGE: Final = 500
_NAME: Final = 253
"""The longest name of Kubernetes, and more than the longest display name of Entra that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One AppCredential. All text is one line without control characters.

    Attributes:
        namespace: its namespace.
        name: its name.
        situation: what says how much attention it needs.
        message: what its most urgent condition says; empty if all is well.
        team: the value of the label that names teams, or else the namespace.
        tenant: the name of its EntraTenant.
        type: of the credential.
        application: its display name; empty if status names none.
        client_id: the application's id.
        secret: the name of the Secret.
        start: from when the published credential is valid.
        created: when the AppCredential was created.
        waits_for: what a successor, or the oldest replaced credential, waits for.
        retiring: how many replaced credentials are still valid.
        managed: how many credentials of the application are this resource's.
        foreign: how many are not.
        expired: how many of both have expired.
    """

    namespace: str
    name: str
    situation: Situation
    message: str
    team: str
    tenant: str
    type: str
    application: str
    client_id: str
    secret: str
    start: datetime | None
    created: datetime | None
    waits_for: str
    retiring: int
    managed: int
    foreign: int
    expired: int

    @property
    def is_federated(self) -> bool:
        """Whether it publishes nothing that could end."""
        return self.type == "FederatedIdentity"


def row_of(document: Mapping[str, Any], team_label: str) -> Row:
    """Return the row of an AppCredential.

    Args:
        document: the object, of any form.
        team_label: the key of the label that names teams; empty for none.
    """
    resource = ShownResource(document)
    retiring = resource.entries("status", "retiring")
    waits = [resource.text("status", "pending", "waitingFor")]
    waits += [entry.text("waitingFor") for entry in retiring]
    team = _name(resource.at("metadata", "labels", team_label)) if team_label else ""
    return Row(
        namespace=intern(_name(resource.at("metadata", "namespace"))),
        name=_name(resource.at("metadata", "name")),
        situation=situation_of(resource),
        message=_message(resource),
        team=intern(team or _name(resource.at("metadata", "namespace"))),
        tenant=intern(_name(resource.at("spec", "tenantRef", "name")) or "default"),
        type=intern(_name(resource.at("spec", "type"))),
        application=intern(_name(resource.at("status", "application", "displayName"))),
        client_id=intern(_name(resource.at("spec", "application", "clientId"))),
        secret=_name(resource.at("status", "secretRef", "name")),
        start=resource.time("status", "credential", "startTime"),
        created=resource.time("metadata", "creationTimestamp"),
        waits_for=intern(plain(next(filter(None, waits), ""), _NAME)),
        retiring=len(retiring),
        managed=_count(resource, "managed"),
        foreign=_count(resource, "foreign"),
        expired=_count(resource, "expired"),
    )


def _name(value: object) -> str:
    return plain(value, _NAME)


def _message(resource: ShownResource) -> str:
    """Return what the condition says from which the headline is taken."""
    for kind in (ConditionType.STALLED, ConditionType.EXPIRING, ConditionType.RECONCILING):
        found = resource.condition(kind)
        if found is not None and found.status == "True":
            return intern(plain(found.message, _MESSAGE))
    ready = resource.condition(ConditionType.READY)
    is_well = ready is None or ready.status == "True"
    return "" if is_well else intern(plain(ready.message if ready else "", _MESSAGE))


def _count(resource: ShownResource, what: str) -> int:
    return max(0, resource.number("status", "inventory", what) or 0)
