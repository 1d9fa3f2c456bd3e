"""Issuing tokens for client credentials: the rules in the order in which Entra applies them.

Pure apart from the state it reads. The way in which a client proves itself is
one function per kind of credential.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from entra_emulator.application_record import ApplicationRecord
from entra_emulator.assertions import ASSERTION_TYPE, check_assertion, read_assertion
from entra_emulator.entities import (
    ApplicationView,
    Audience,
    PasswordCredential,
    ServicePrincipal,
    Tenant,
)
from entra_emulator.graph_time import Ticks, ticks_of
from entra_emulator.replication import ReadKind, Sees
from entra_emulator.resources import Resource, find_resource, resource_name
from entra_emulator.secret_text import SecretText
from entra_emulator.token_errors import TokenError
from entra_emulator.world import World

_TENANT_NAME = re.compile(r"[A-Za-z0-9-]+|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LIFETIME = timedelta(seconds=3600)
BY_SECRET, BY_ASSERTION = "1", "2"
CHALLENGE_CLAIM = "xms_emulator_nbf"
"""Holds the `nbf` of a claims challenge that the token was asked for with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """The form of a token request; what is not understood was dropped before."""

    tenant: str
    own_host: str
    own_addresses: tuple[str, ...] = ()
    grant_type: str | None = None
    client_id: str | None = None
    client_secret: SecretText | None = None
    client_assertion: SecretText | None = None
    client_assertion_type: str | None = None
    scope: str | None = None
    claims: str | None = None


def issue_token(world: World, request: TokenRequest) -> dict[str, Any]:
    """Return the body of a successful answer.

    Raises:
        TokenError: the first rule that the request breaks.
    """
    now = world.clock.now()
    tenant = find_tenant(world, request.tenant)
    _check_grant(request)
    client_id = _required(request.client_id, "client_id")
    sees = world.replicas.reader(ReadKind.TOKEN, now)
    record, view = _client(world, tenant, client_id, sees, now)
    principal = _principal(world, tenant, view, sees)
    resource = _resource(world, tenant, request)
    proved_by = _check_credential(record, view, request, sees, now)
    claims = {**_claims(principal, resource, now), "appidacr": proved_by}
    challenge = _challenge_time(request.claims)
    if challenge is not None:
        claims[CHALLENGE_CLAIM] = challenge
    seconds = int(_LIFETIME.total_seconds()) - 1
    return {
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": world.signer.sign(claims),
    }


def find_tenant(world: World, name: str) -> Tenant:
    """Return the tenant of a path, by id or domain.

    Raises:
        TokenError: 900023 for a name that cannot be one, 90002 for an unknown one.
    """
    if not _TENANT_NAME.fullmatch(name):
        raise TokenError(900023, tenant=name)
    tenant = world.directory.tenant(name)
    if tenant is None:
        raise TokenError(90002 if "." in name or _is_guid(name) else 900023, tenant=name)
    return tenant


def _is_guid(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True


def _check_grant(request: TokenRequest) -> None:
    grant_type = _required(request.grant_type, "grant_type")
    if grant_type != "client_credentials":
        raise TokenError(70003, name=grant_type)


def _required(value: str | None, name: str) -> str:
    if not value:
        raise TokenError(900144, name=name)
    return value


def _client(
    world: World, tenant: Tenant, client_id: str, sees: Sees, now: datetime
) -> tuple[ApplicationRecord, ApplicationView]:
    """Return the application of a client, its home being this tenant or it being installed here."""
    record = world.directory.application_of(client_id)
    unknown = TokenError(700016, app=client_id, tenant=tenant.display_name)
    if record is None:
        raise unknown
    view = record.view(sees, now)
    if view is None or view.properties.deleted is not None:
        raise unknown
    foreign = record.tenant_id != tenant.id
    installed = world.directory.principal_of(tenant.id, client_id) is not None
    if foreign and (view.properties.sign_in_audience is Audience.MY_ORG or not installed):
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
    scope = _required(request.scope, "scope")
    name = resource_name(scope)
    if name is None:
        raise TokenError(70011, name=scope)
    resource = find_resource(world.directory, name, request.own_host)
    here = resource is not None and (
        resource.is_graph or world.directory.principal_of(tenant.id, resource.app_id) is not None
    )
    if resource is None or not here:
        raise TokenError(500011, name=name, tenant=tenant.display_name)
    return resource


def _check_credential(
    record: ApplicationRecord,
    view: ApplicationView,
    request: TokenRequest,
    sees: Sees,
    now: datetime,
) -> str:
    """Accept exactly one kind of credential; return how the token says which it was."""
    secret, assertion = request.client_secret, request.client_assertion
    if (secret is None) == (assertion is None):
        raise TokenError(7000218)
    if secret is not None:
        _check_secret(record, view, secret, sees, now)
        return BY_SECRET
    if assertion is not None:
        _check_assertion(view, assertion, request, now)
    return BY_ASSERTION


def _check_assertion(
    view: ApplicationView, text: SecretText, request: TokenRequest, now: datetime
) -> None:
    if request.client_assertion_type != ASSERTION_TYPE:
        raise TokenError(900144, name="client_assertion_type")
    assertion = read_assertion(text.reveal())
    if assertion.issuer != view.app_id:
        # Somebody else's assertion needs a federated identity credential; there is none.
        raise TokenError(700211, name=assertion.issuer)
    check_assertion(
        assertion,
        client_id=view.app_id,
        audiences=request.own_addresses,
        keys=view.keys,
        now=now.timestamp(),
    )


def _check_secret(
    record: ApplicationRecord,
    view: ApplicationView,
    secret: SecretText,
    sees: Sees,
    now: datetime,
) -> None:
    """Accept a started, unexpired secret that this replica knows.

    A secret that has not reached this replica is refused like a wrong one. For
    an application with an expired secret the field reports "expired" instead,
    which is why 7000222 says nothing about a fresh secret.
    """
    known = view.passwords
    instant = ticks_of(now)
    matching = [one for one in known if one.digest.matches(secret)]
    if any(one.start <= instant < one.end for one in matching):
        return
    fresh = any(one.digest.matches(secret) for one in record.pending_passwords(sees))
    only_expired = any(_expired(one, instant) for one in matching)
    if only_expired or (fresh and any(_expired(one, instant) for one in known)):
        raise TokenError(7000222, app=record.app_id)
    raise TokenError(7000215, app=record.app_id)


def _expired(password: PasswordCredential, instant: Ticks) -> bool:
    return password.end <= instant


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
    """Return the `nbf` of a claims challenge; other claims (`xms_cc`) are accepted unread."""
    try:
        document = msgspec.json.decode(claims or "{}", type=dict[str, Any])
        return int(document["access_token"]["nbf"]["value"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None
