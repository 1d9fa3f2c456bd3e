"""The documents that tell clients where the token endpoint and its keys are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from entra_emulator.errors.tokens import TokenError, error_body
from entra_emulator.responses import WORLD, dated, json_response, new_id, origin
from entra_emulator.tokens.tenants import ANY_TENANT, find_tenant

_TEMPLATE = "{tenantid}"
"""What Entra writes for the tenant in an issuer that is not known yet."""
# In the order of Entra's document.
_METHODS = ("client_secret_post", "private_key_jwt", "client_secret_basic")


async def handle_openid_configuration(request: web.Request) -> web.Response:
    """Answer with the discovery document of a tenant, or of any tenant."""
    return _answered(request, _configuration)


async def handle_openid_configuration_v1(request: web.Request) -> web.Response:
    """Answer with the discovery document of version 1 of the token endpoint."""
    return _answered(request, _configuration_v1)


def _answered(
    request: web.Request, document: Callable[[web.Request, str, str], dict[str, Any]]
) -> web.Response:
    """Return a document about the tenant in the path; its last arguments are path and tenant."""
    world = request.app[WORLD]
    name = request.match_info["tenant"]
    if name.lower() in ANY_TENANT:
        body = document(request, name.lower(), _TEMPLATE)
        return json_response(200, body, dated(world))
    try:
        tenant = find_tenant(world, name)
    except TokenError as error:
        failure = error_body(error, world.clock.now(), new_id(), new_id())
        return json_response(error.status, failure, dated(world))
    return json_response(200, document(request, tenant.id, tenant.id), dated(world))


async def handle_keys(request: web.Request) -> web.Response:
    """Answer with the key set that verifies access tokens."""
    world = request.app[WORLD]
    name = request.match_info["tenant"]
    issuer = f"https://sts.windows.net/{_TEMPLATE if name.lower() in ANY_TENANT else name}/"
    return json_response(200, world.signer.jwks(issuer), dated(world))


async def handle_keys_v1(request: web.Request) -> web.Response:
    """Answer with the same keys for version 1, where no key names an issuer."""
    world = request.app[WORLD]
    return json_response(200, {"keys": [world.signer.jwk()]}, dated(world))


async def handle_instance_discovery(request: web.Request) -> web.Response:
    """Answer instance discovery: this host is its own authority."""
    world = request.app[WORLD]
    tenant = _discovered_tenant(request.query.get("authorization_endpoint", ""))
    body = {
        "tenant_discovery_endpoint": (
            f"{origin(request)}/{tenant}/v2.0/.well-known/openid-configuration"
        ),
        "api-version": "1.1",
        "metadata": [
            {
                "preferred_network": request.host,
                "preferred_cache": request.host,
                "aliases": [request.host],
            }
        ],
    }
    return json_response(200, body, dated(world))


def _discovered_tenant(endpoint: str) -> str:
    """Return the tenant of an authorization URL such as `https://host/T/oauth2/v2.0/authorize`."""
    parts = endpoint.split("/")
    return parts[3] if len(parts) > 3 else "common"


def _configuration(request: web.Request, path: str, tenant_id: str) -> dict[str, Any]:
    base = f"{origin(request)}/{path}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": list(_METHODS),
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{origin(request)}/{tenant_id}/v2.0",
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "tenant_region_scope": None,
        "cloud_instance_name": request.host,
        "msgraph_host": request.host,
    }


def _configuration_v1(request: web.Request, path: str, tenant_id: str) -> dict[str, Any]:
    """Return the document that Azure's page on tokens for FHIR shows."""
    base = f"{origin(request)}/{path}"
    return {
        "token_endpoint": f"{base}/oauth2/token",
        "token_endpoint_auth_methods_supported": list(_METHODS),
        "jwks_uri": f"{origin(request)}/common/discovery/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": [
            "code",
            "id_token",
            "code id_token",
            "token id_token",
            "token",
        ],
        "scopes_supported": ["openid"],
        "issuer": f"https://sts.windows.net/{tenant_id}/",
        "microsoft_multi_refresh_token": True,
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/devicecode",
        "tenant_region_scope": None,
        "cloud_instance_name": request.host,
        "msgraph_host": request.host,
    }
