"""The admin API over HTTP: plain JSON under `/emulator/`, one action per route.

It has no authentication: anybody who can reach it may do everything. So it belongs on a loopback
address or inside a test cluster.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from aiohttp import web

from entra_emulator.admin import actions, lookup, principals, views
from entra_emulator.admin.action import Action, Answer
from entra_emulator.admin.cloud import METADATA_PATH, cloud_metadata
from entra_emulator.admin.credential_routes import CREDENTIAL_ACTIONS
from entra_emulator.admin.errors import AdminError, unknown
from entra_emulator.admin.issuer_routes import ISSUER_ACTIONS
from entra_emulator.admin.policy_routes import POLICY_ACTIONS
from entra_emulator.admin.seed import (
    ApplicationSeed,
    ForeignPrincipalSeed,
    TenantSeed,
    read_document,
)
from entra_emulator.directory.entities import Permission
from entra_emulator.faults.documents import faults_from, rule_from
from entra_emulator.request_log import as_json
from entra_emulator.responses import WORLD, json_response
from entra_emulator.world import World

# Two hundred years: more than any test needs, and no sum leaves the calendar.
_Seconds = Annotated[float, msgspec.Meta(ge=-6.4e9, le=6.4e9)]


class _OperatorRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    permissions: tuple[Permission, ...]


class _OwnersRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    owners: tuple[str, ...]


class _ClockRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    move_seconds: _Seconds | None = None
    offset_seconds: _Seconds | None = None
    now: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    stopped: bool | None = None


def _create_tenant(world: World, _: Mapping[str, str], body: Any) -> Answer:
    return 201, actions.create_tenant(world, read_document(TenantSeed, body))


def _list_tenants(world: World, _: Mapping[str, str], __: Any) -> Answer:
    return 200, [views.show_tenant(world, tenant) for tenant in world.directory.tenants()]


def _show_tenant(world: World, names: Mapping[str, str], _: Any) -> Answer:
    return 200, views.show_tenant(world, lookup.find_tenant(world, names["tenant"]))


def _delete_tenant(world: World, names: Mapping[str, str], _: Any) -> Answer:
    actions.delete_tenant(world, names["tenant"])
    return 204, None


def _create_application(world: World, names: Mapping[str, str], body: Any) -> Answer:
    seed = read_document(ApplicationSeed, body)
    return 201, actions.create_application(world, names["tenant"], seed)


def _list_applications(world: World, names: Mapping[str, str], _: Any) -> Answer:
    tenant = lookup.find_tenant(world, names["tenant"])
    return 200, [views.show_application(one) for one in world.directory.applications(tenant.id)]


def _create_operator(world: World, names: Mapping[str, str], body: Any) -> Answer:
    permissions = read_document(_OperatorRequest, body).permissions
    return 201, actions.create_operator(world, names["tenant"], permissions)


def _list_principals(world: World, names: Mapping[str, str], _: Any) -> Answer:
    tenant = lookup.find_tenant(world, names["tenant"])
    return 200, [views.show_principal(one) for one in world.directory.principals(tenant.id)]


def _put_principal(world: World, names: Mapping[str, str], body: Any) -> Answer:
    seed = read_document(ForeignPrincipalSeed, body)
    return 200, principals.put_principal(world, names["tenant"], seed)


def _delete_principal(world: World, names: Mapping[str, str], _: Any) -> Answer:
    principals.delete_principal(world, names["tenant"], names["principal"])
    return 204, None


def _show_application(world: World, names: Mapping[str, str], _: Any) -> Answer:
    return 200, views.show_application(lookup.find_application(world, names["app"]))


def _change_application(world: World, names: Mapping[str, str], body: Any) -> Answer:
    actions.change_application(world, names["app"], read_document(dict[str, Any], body))
    return 204, None


def _delete_application(world: World, names: Mapping[str, str], _: Any) -> Answer:
    actions.delete_application(world, names["app"])
    return 204, None


def _set_owners(world: World, names: Mapping[str, str], body: Any) -> Answer:
    actions.set_owners(world, names["app"], read_document(_OwnersRequest, body).owners)
    return 204, None


def _show_faults(world: World, _: Mapping[str, str], __: Any) -> Answer:
    return 200, views.show_faults(world)


def _set_faults(world: World, _: Mapping[str, str], body: Any) -> Answer:
    world.set_faults(faults_from(body))
    return 200, views.show_faults(world)


def _clear_faults(world: World, _: Mapping[str, str], __: Any) -> Answer:
    world.clear_faults()
    return 204, None


def _add_rule(world: World, _: Mapping[str, str], body: Any) -> Answer:
    return 201, {"id": world.faults.add(rule_from(body), world.clock.now())}


def _remove_rule(world: World, names: Mapping[str, str], _: Any) -> Answer:
    if not world.faults.remove(names["rule"]):
        raise unknown("rule", names["rule"])
    return 204, None


def _show_clock(world: World, _: Mapping[str, str], __: Any) -> Answer:
    return 200, views.show_clock(world)


def _set_clock(world: World, _: Mapping[str, str], body: Any) -> Answer:
    request = read_document(_ClockRequest, body)
    clock = world.clock
    if request.stopped is not None:
        (clock.stop if request.stopped else clock.resume)()
    if request.now is not None:
        clock.set_to(request.now)
    if request.offset_seconds is not None:
        clock.move(timedelta(seconds=request.offset_seconds) - clock.offset)
    if request.move_seconds is not None:
        clock.move(timedelta(seconds=request.move_seconds))
    return 200, views.show_clock(world)


def _show_requests(world: World, names: Mapping[str, str], _: Any) -> Answer:
    entries = world.log.entries(names.get("operation"), names.get("appId"))
    return 200, as_json(entries)


def _show_counts(world: World, _: Mapping[str, str], __: Any) -> Answer:
    return 200, world.log.counts()


def _reset_requests(world: World, _: Mapping[str, str], __: Any) -> Answer:
    world.log.reset()
    return 204, None


def _health(_: World, __: Mapping[str, str], ___: Any) -> Answer:
    return 200, {"status": "ok"}


ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("GET", "healthz", _health),
    ("GET", "tenants", _list_tenants),
    ("POST", "tenants", _create_tenant),
    ("GET", "tenants/{tenant}", _show_tenant),
    ("DELETE", "tenants/{tenant}", _delete_tenant),
    ("GET", "tenants/{tenant}/applications", _list_applications),
    ("POST", "tenants/{tenant}/applications", _create_application),
    ("POST", "tenants/{tenant}/operators", _create_operator),
    ("GET", "tenants/{tenant}/servicePrincipals", _list_principals),
    ("PUT", "tenants/{tenant}/servicePrincipals", _put_principal),
    ("DELETE", "tenants/{tenant}/servicePrincipals/{principal}", _delete_principal),
    ("GET", "applications/{app}", _show_application),
    ("PATCH", "applications/{app}", _change_application),
    ("DELETE", "applications/{app}", _delete_application),
    *CREDENTIAL_ACTIONS,
    *ISSUER_ACTIONS,
    ("PUT", "applications/{app}/owners", _set_owners),
    *POLICY_ACTIONS,
    ("GET", "faults", _show_faults),
    ("PUT", "faults", _set_faults),
    ("DELETE", "faults", _clear_faults),
    ("POST", "faults/rules", _add_rule),
    ("DELETE", "faults/rules/{rule}", _remove_rule),
    ("GET", "clock", _show_clock),
    ("PUT", "clock", _set_clock),
    ("GET", "requests", _show_requests),
    ("GET", "requests/counts", _show_counts),
    ("DELETE", "requests", _reset_requests),
)


def admin_routes() -> list[web.RouteDef]:
    """Return the routes of the admin API."""
    routes = [
        web.route(method, f"/emulator/{path}", _handler(action)) for method, path, action in ACTIONS
    ]
    return [*routes, web.get(METADATA_PATH, cloud_metadata)]


def _handler(action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            body = msgspec.json.decode(await request.read() or b"{}")
            names = {**request.query, **request.match_info}
            status, answer = action(request.app[WORLD], names, body)
        except AdminError as error:
            return json_response(error.status, {"error": error.message}, {})
        except msgspec.DecodeError as error:
            return json_response(400, {"error": str(error)}, {})
        if answer is None:
            return web.Response(status=status)
        return json_response(status, answer, {})

    return handle
