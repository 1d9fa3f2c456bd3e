"""Issue tokens for client credentials: Entra's rules in Entra's order."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, assert_never

import msgspec

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import ApplicationView, Audience, ServicePrincipal, Tenant
from entra_emulator.directory.replication import ReadKind, Sees
from entra_emulator.errors.tokens import TokenError
from entra_emulator.tokens.client_login import check_credential
from entra_emulator.tokens.request import TokenRequest, Version
from entra_emulator.tokens.resources import Resource, find_resource, resource_name
from entra_emulator.tokens.tenants import find_tenant
from entra_emulator.world import World

_LIFETIME = timedelta(seconds=3600)
CHALLENGE_CLAIM = "xms_emulator_nbf"
"""The claim that contains the `nbf` of the claims challenge in the token request."""


async def issue_token(world: World, request: TokenRequest) -> dict[str, Any]:
    """Return the body of a successful answer; waits only for keys of foreign issuers.

    Raises:
        TokenError: the first rule that the request breaks.
    """
    now = world.clock.now()
    _check_grant(request)
    tenant = find_tenant(world, request.tenant)
    client_id = _required(request.client_id, "client_id")
    sees = world.replicas.reader(ReadKind.TOKEN, now)
    record, view = _client(world, tenant, client_id, sees, now)
    principal = _principal(world, tenant, view, sees)
    resource = _resource(world, tenant, request)
    proved_by = await check_credential(world, record, view, request, sees, now)
    claims = {**_claims(principal, resource, now), "appidacr": proved_by}
    challenge = _challenge_time(request.claims)
    if challenge is not None:
        claims[CHALLENGE_CLAIM] = challenge
    return _answer(request.version, claims, world.signer.sign(claims))


def _answer(version: Version, claims: Mapping[str, Any], token: str) -> dict[str, Any]:
    seconds = int(_LIFETIME.total_seconds()) - 1
    match version:
        case Version.V2:
            return {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": token,
            }
        case Version.V1:
            # Every number is a string here.
            return {
                "token_type": "Bearer",
                "expires_in": str(seconds),
                "ext_expires_in": str(seconds),
                "expires_on": str(claims["exp"]),
                "not_before": str(claims["nbf"]),
                "resource": claims["aud"],
                "access_token": token,
            }
        case _:
            assert_never(version)


def _check_grant(request: TokenRequest) -> None:
    grant_type = _required(request.grant_type, "grant_type")
    if grant_type != "client_credentials":
        raise TokenError(70003, name=grant_type)
    # Recorded for a form without a client, at the path of a tenant that does not exist: Entra looks
    # for a credential before it looks at either (see 7000216 in errors/tokens.py).
    if not request.has_credential:
        raise TokenError(7000216)


def _required(value: str | None, name: str) -> str:
    if not value:
        raise TokenError(900144, name=name)
    return value


def _client(
    world: World, tenant: Tenant, client_id: str, sees: Sees, now: datetime
) -> tuple[ApplicationRecord, ApplicationView]:
    """Return the application of a client: of this tenant, or one for several tenants."""
    record = world.directory.application_of(client_id)
    unknown = TokenError(700016, app=client_id, tenant=tenant.display_name)
    if record is None:
        raise unknown
    view = record.view(sees, now)
    if view is None or view.properties.deleted is not None:
        raise unknown
    # One for several tenants is refused later (7000229) if it has no service principal here.
    at_home = record.tenant_id == tenant.id
    if not at_home and view.properties.sign_in_audience is Audience.MY_ORG:
        raise unknown
    return record, view


def _principal(world: World, tenant: Tenant, view: ApplicationView, sees: Sees) -> ServicePrincipal:
    principal = world.directory.principal_of(tenant.id, view.app_id)
    if principal is None or not sees(principal.created):
        raise TokenError(7000229, app=view.app_id, tenant=tenant.id)
    if view.properties.is_disabled or not principal.account_enabled:
        raise TokenError(7000112, app=view.app_id)
    return principal


def _resource(world: World, tenant: Tenant, request: TokenRequest) -> Resource:
    name = _resource_name(request)
    resource = find_resource(world, tenant.id, name, request.own_host)
    if resource is None:
        raise TokenError(500011, name=name, tenant=tenant.display_name)
    return resource


def _resource_name(request: TokenRequest) -> str:
    """Return the resource that the form names: as such in version 1, as a scope in version 2."""
    match request.version:
        case Version.V1:
            return _required(request.resource, "resource")
        case Version.V2:
            scope = _required(request.scope, "scope")
            name = resource_name(scope)
            if name is None:
                raise TokenError(70011, name=scope)
            return name
        case _:
            assert_never(request.version)


def _claims(principal: ServicePrincipal, resource: Resource, now: datetime) -> dict[str, Any]:
    issued = int(now.timestamp())
    return {
        "aud": resource.audience,
        "iss": f"https://sts.windows.net/{principal.tenant_id}/",
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(_LIFETIME.total_seconds()),
        "appid": principal.app_id,
        "idtyp": "app",
        "oid": principal.id,
        "sub": principal.id,
        "tid": principal.tenant_id,
        "roles": sorted(principal.permissions) if resource.is_graph else [],
        "uti": uuid.uuid4().hex[:22],
        "ver": "1.0",
    }


def _challenge_time(claims: str | None) -> int | None:
    """Return the `nbf` of a claims challenge; other claims (`xms_cc`) are ignored."""
    try:
        document = msgspec.json.decode(claims or "{}", type=dict[str, Any])
        return int(document["access_token"]["nbf"]["value"])
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, ValueError):
        return None
