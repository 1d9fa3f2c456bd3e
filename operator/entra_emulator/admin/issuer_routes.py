"""The admin API's requests about issuers, and the documents that hosted issuers publish.

A hosted issuer publishes the usual documents below `/emulator/issuers/{name}`. If its URL is
exactly that address, other programs can verify its tokens too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from entra_emulator.admin import issuers
from entra_emulator.admin.action import Action, Answer
from entra_emulator.admin.errors import AdminError
from entra_emulator.admin.seed import IssuerSeed, read_document
from entra_emulator.issuers.fetch import DISCOVERY
from entra_emulator.issuers.trusted import HostedIssuer
from entra_emulator.responses import WORLD, json_response
from entra_emulator.world import World


def _list(world: World, _: Mapping[str, str], __: Any) -> Answer:
    return 200, [issuers.show_issuer(one) for one in world.issuers]


def _add(world: World, _: Mapping[str, str], body: Any) -> Answer:
    return 201, issuers.add_issuer(world, read_document(IssuerSeed, body))


def _remove(world: World, names: Mapping[str, str], _: Any) -> Answer:
    issuers.remove_issuer(world, names["issuer"])
    return 204, None


def _sign(world: World, names: Mapping[str, str], body: Any) -> Answer:
    wish = read_document(issuers.TokenWish, body)
    return 201, issuers.sign_token(world, names["issuer"], wish)


def _rotate(world: World, names: Mapping[str, str], body: Any) -> Answer:
    wish = read_document(issuers.KeyWish, body)
    return 201, issuers.rotate_key(world, names["issuer"], wish)


ISSUER_ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("GET", "issuers", _list),
    ("POST", "issuers", _add),
    ("DELETE", "issuers/{issuer}", _remove),
    ("POST", "issuers/{issuer}/tokens", _sign),
    ("POST", "issuers/{issuer}/keys", _rotate),
)


def issuer_routes() -> list[web.RouteDef]:
    """Return the routes of the documents that hosted issuers publish."""
    base = "/emulator/issuers/{issuer}"
    return [web.get(base + DISCOVERY, _configuration), web.get(f"{base}/jwks", _keys)]


async def _configuration(request: web.Request) -> web.Response:
    issuer = _hosted(request)
    if issuer is None:
        return json_response(404, {"error": "there is no such hosted issuer"}, {})
    base = f"{request.scheme}://{request.host}/emulator/issuers/{issuer.name}"
    document = {
        "issuer": issuer.url,
        "jwks_uri": f"{base}/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    return json_response(200, document, {})


async def _keys(request: web.Request) -> web.Response:
    issuer = _hosted(request)
    if issuer is None:
        return json_response(404, {"error": "there is no such hosted issuer"}, {})
    return json_response(200, issuer.jwks(), {})


def _hosted(request: web.Request) -> HostedIssuer | None:
    try:
        return issuers.find_hosted(request.app[WORLD], request.match_info["issuer"])
    except AdminError:
        return None
