"""The steps of a Graph request, without HTTP: route, authenticate, charge, apply faults, do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import PERSONAL_AUDIENCES
from entra_emulator.errors.graph import GraphError, unauthenticated, wrong_method
from entra_emulator.faults.effects import commits_first, graph_effect, over_quota
from entra_emulator.faults.engine import ActiveRule, Incoming
from entra_emulator.faults.quotas import Charge, throttle_headers
from entra_emulator.graph import (
    applications,
    batch,
    deleted_items,
    delta,
    federated,
    keys,
    owners,
    passwords,
    policies,
    principal_owners,
    reports,
    service_principals,
)
from entra_emulator.graph.authentication import Authenticated, authenticate
from entra_emulator.graph.call import GraphAnswer, GraphCall, Route, addressed_record
from entra_emulator.graph.odata_query import is_small_page, single_options
from entra_emulator.graph.reports import BETA
from entra_emulator.world import World

# A new collection of Graph brings a module with routes, and is added here. Of several that match,
# the first one counts: `delta` is no id.
ROUTES: tuple[Route, ...] = (
    *delta.ROUTES,
    *applications.ROUTES,
    *passwords.ROUTES,
    *keys.ROUTES,
    *federated.ROUTES,
    *owners.ROUTES,
    *policies.ROUTES,
    *service_principals.ROUTES,
    *principal_owners.ROUTES,
    *deleted_items.ROUTES,
    *reports.ROUTES,
    *batch.ROUTES,
)

_EVENTUAL = "eventual"
# No source names the units of `delta`; it reads what a list reads.
_DOUBLE = frozenset({"application.list", "application.delta"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest:
    """A decoded request; its path is relative to the root and has no doubled slashes.

    `consistency` is the `ConsistencyLevel` header.
    """

    method: str
    path: str
    root: str
    query: Sequence[tuple[str, str]]
    body: Mapping[str, Any]
    authorization: str | None
    preferences: frozenset[str] = frozenset()
    consistency: str = ""


@dataclass(slots=True, kw_only=True)
class Trace:
    """Facts about a request that are found on the way, for the log and the headers."""

    operation: str = "unknown"
    tenant: str = ""
    app_id: str = ""
    caller_app_id: str = ""
    fault: str = ""
    units: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A request after routing and authentication."""

    route: Route
    call: GraphCall
    incoming: Incoming
    record: ApplicationRecord | None


def admit(world: World, request: GraphRequest, trace: Trace) -> Admitted:
    """Route and authenticate a request.

    Raises:
        GraphError: an unknown path, a wrong method, an option twice, or an invalid token.
    """
    now = world.clock.now()
    found, params = find_route(request.method, request.path)
    trace.operation = found.operation
    query = single_options(request.query)
    trace.units = _units(found, query)
    authenticated = authenticate(world.signer, request.authorization, now)
    caller = authenticated.caller
    if world.directory.tenant(caller.tenant_id) is None:
        raise unauthenticated("CompactToken validation failed with reason code: 80049228.")
    trace.tenant, trace.caller_app_id = caller.tenant_id, caller.app_id
    record = _subject(world, found, caller.tenant_id, params)
    trace.app_id = record.app_id if record else ""
    call = GraphCall(
        world=world,
        caller=caller,
        root=request.root,
        now=now,
        params=params,
        query=query,
        body=request.body,
        preferences=request.preferences,
        is_eventual=request.consistency.lower() == _EVENTUAL,
    )
    incoming = _incoming(found, authenticated, record, now)
    return Admitted(route=found, call=call, incoming=incoming, record=record)


def perform(world: World, admitted: Admitted, trace: Trace) -> GraphAnswer:
    """Charge a request to the quotas, apply faults and do it, all at one instant.

    Raises:
        GraphError: the error of a fault rule, a quota or the operation.
        HtmlFault: a fault rule answers as a gateway.
        Silence: a fault rule gives no answer.
    """
    headers = _charged(world, admitted, trace)
    active = world.faults.decide(admitted.incoming)
    if active is not None:
        trace.fault = active.rule.id
        _apply_fault(world, admitted, active, trace)
    answer = _done(world, admitted)
    return replace(answer, headers={**answer.headers, **headers})


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the operation for a method and path, and the named parts of the path.

    What v1.0 has, beta has too; but for batches, whose requests would have to be of beta.
    """
    stable = path.removeprefix(BETA)
    matches = [
        (one, one.pattern.fullmatch(path) or (_in_beta(one) and one.pattern.fullmatch(stable)))
        for one in ROUTES
    ]
    known = [(one, match) for one, match in matches if match]
    if not known:
        segment = path.rsplit("/", 1)[-1]
        raise GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
    for one, match in known:
        if one.method == method:
            return one, {k: v for k, v in match.groupdict().items() if v is not None}
    raise wrong_method()


def _in_beta(one: Route) -> bool:
    return one.operation != batch.OPERATION


def _subject(
    world: World, found: Route, tenant_id: str, params: Mapping[str, str]
) -> ApplicationRecord | None:
    """Return the application that a request addresses; None if it addresses none."""
    if found.operation.startswith("servicePrincipal"):
        return None
    return addressed_record(world, tenant_id, params)


def _incoming(
    found: Route, authenticated: Authenticated, record: ApplicationRecord | None, now: datetime
) -> Incoming:
    return Incoming(
        operation=found.operation,
        now=now,
        writes=found.writes,
        tenant=authenticated.caller.tenant_id,
        app_names=frozenset({record.id, record.app_id} if record else ()),
        challenge_time=authenticated.challenge_time,
    )


def _apply_fault(world: World, admitted: Admitted, active: ActiveRule, trace: Trace) -> None:
    if commits_first(active):
        _done(world, admitted)
    raise graph_effect(active, trace.tenant, trace.caller_app_id)


def _done(world: World, admitted: Admitted) -> GraphAnswer:
    answer = admitted.route.handler(admitted.call)
    if admitted.incoming.writes:
        world.faults.wrote(admitted.incoming)
    return answer


def _charged(world: World, admitted: Admitted, trace: Trace) -> dict[str, str]:
    """Charge the request to the quotas; return their headers."""
    record = admitted.record
    personal = record is not None and record.properties.sign_in_audience in PERSONAL_AUDIENCES
    writes = admitted.route.writes
    charge = Charge(
        tenant_id=trace.tenant,
        app_id=trace.caller_app_id,
        units=trace.units,
        writes=int(writes),
        personal_write=writes and personal,
        key_credentials="keyCredentials" in admitted.call.query.get("$select", ""),
    )
    verdict = world.quotas.charge(charge, admitted.call.now)
    if verdict is None:
        return {}
    if verdict.refused:
        raise over_quota(verdict)
    return throttle_headers(verdict)


def _units(found: Route, query: Mapping[str, str]) -> int:
    """Return the resource units of a request; lists of applications cost two."""
    units = 2 if found.operation in _DOUBLE else 1
    if "$select" in query:
        units -= 1
    if is_small_page(query):
        units -= 1
    return max(units, 1)
