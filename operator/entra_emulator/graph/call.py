"""The input and the result of a Graph operation: plain values, no HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import ApplicationView
from entra_emulator.directory.replication import ReadKind
from entra_emulator.errors.graph import not_found
from entra_emulator.rules.permissions import Caller
from entra_emulator.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphAnswer:
    """A successful answer: a body of JSON, a plain text, or neither."""

    status: int
    body: Mapping[str, Any] | None = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCall:
    """One authenticated request.

    Args:
        root: the URL at which the caller reached Graph, without a trailing slash.
        params: the named parts of the path.
        query: the decoded query options; their names keep the `$`.
        body: the JSON object of the request; empty if there was none.
        preferences: the words of the `Prefer` header, in lower case.
        is_eventual: whether the request has `ConsistencyLevel: eventual`.
    """

    world: World
    caller: Caller
    root: str
    now: datetime
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    preferences: frozenset[str] = frozenset()
    is_eventual: bool = False

    @property
    def origin(self) -> str:
        """The URL of the service, without a version."""
        return self.root.rpartition("/")[0]

    def context(self, name: str) -> str:
        """Return the `@odata.context` of that name."""
        return f"{self.root}/$metadata#{name}"


def created(call: GraphCall, body: Mapping[str, Any], kind: str) -> GraphAnswer:
    """Return the 201 for a new object of the directory, with its `Location`.

    Recorded by azure-cli (role/tests/latest/recordings).
    """
    place = f"{call.origin}/v2/{call.caller.tenant_id}/directoryObjects/{body['id']}"
    location = f"{place}/Microsoft.DirectoryServices.{kind}"
    return GraphAnswer(status=201, body=body, headers={"Location": location})


Handler = Callable[[GraphCall], GraphAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation: its method and path, and its name in logs and fault rules."""

    operation: str
    method: str
    pattern: re.Pattern[str]
    handler: Handler

    @property
    def writes(self) -> bool:
        """Whether the operation can change something."""
        return self.method != "GET"


COUNT = r"(?P<count>/\$count)?"
"""The end of the path of a list whose rows may be counted."""


def route(operation: str, method: str, path: str, handler: Handler) -> Route:
    """Build a route.

    In the path, `{app}` and `{sp}` stand for all ways to address an application or a service
    principal, `{x}` for a name, and `!x` for an action, with or without its namespace
    (PowerShell's SDK writes the namespace).
    """
    pattern = path.replace(
        "{app}",
        r"applications(?:/(?P<id>[^/()]+)|\(appId='(?P<app_id>[^']*)'\)"
        r"|\(uniqueName='(?P<unique_name>[^']+)'\))",
    )
    pattern = pattern.replace(
        "{sp}", r"servicePrincipals(?:/(?P<id>[^/()]+)|\(appId='(?P<app_id>[^']*)'\))"
    )
    pattern = pattern.replace("!", r"(?:microsoft\.graph\.)?")
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/()]+)", pattern)
    return Route(
        operation=operation,
        method=method,
        pattern=re.compile(pattern),
        handler=handler,
    )


_NAMES = ("id", "app_id", "unique_name")


def addressed_record(
    world: World, tenant_id: str, params: Mapping[str, str]
) -> ApplicationRecord | None:
    """Return the authoritative record of the application in a path; None if there is none."""
    if app_id := params.get("app_id"):
        record = world.directory.application_of(app_id)
        return record if record is not None and record.tenant_id == tenant_id else None
    if unique_name := params.get("unique_name"):
        return world.directory.application_by_unique_name(tenant_id, unique_name)
    return world.directory.application(tenant_id, params.get("id", ""))


def seen_application(call: GraphCall) -> tuple[ApplicationRecord, ApplicationView]:
    """Return the application of a call, and what the chosen replica shows of it.

    Raises:
        GraphError: 404 if it does not exist, is deleted, or has not reached the replica.
    """
    name = next((call.params[key] for key in _NAMES if key in call.params), "")
    record = addressed_record(call.world, call.caller.tenant_id, call.params)
    sees = call.world.replicas.reader(ReadKind.APPLICATION, call.now)
    view = record.view(sees, call.now) if record else None
    if record is None or view is None or view.properties.deleted is not None:
        raise not_found(name)
    return record, view


def writable_application(call: GraphCall) -> tuple[ApplicationRecord, ApplicationView]:
    """Check that the caller may write; return the application and what the replica shows of it.

    The caller must be an owner both authoritatively and on the chosen replica. So a new owner is
    refused until the replica shows it, and a former owner is refused at once.

    Raises:
        GraphError: 403, or 404 as in `seen_application`.
    """
    call.caller.may_create()
    record, view = seen_application(call)
    if record.properties.deleted is not None:
        raise not_found(record.id)
    call.caller.may_write(record.properties)
    call.caller.may_write(view.properties)
    return record, view
