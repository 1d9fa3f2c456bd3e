"""T, continued: other ways to sign in, other resources, version 1; nothing is written."""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import quote, urlsplit

from entra_conformance.bench import Bench
from entra_conformance.check import Check
from entra_conformance.checks.tokens import INVALID_SECRET, WRONG_SECRET
from entra_conformance.client import Answer
from entra_conformance.outcome import NotApplicableError

_ANY_TENANT: Final = ("organizations", "common")
# Their resources have other names.
_OTHER_CLOUDS: Final = ("login.microsoftonline.us", "login.partner.microsoftonline.cn")
_VAULT: Final = "https://vault.azure.net"
_DISCOVERY: Final = ".well-known/openid-configuration"


async def _header(bench: Bench) -> str:
    secret = bench.target.secret
    if secret is None:
        raise NotApplicableError("the suite signs in without a client secret")
    return _granted(await _basic(bench, secret.reveal()))


async def _wrong_header(bench: Bench) -> str:
    return (await _basic(bench, WRONG_SECRET)).told(text=True)


async def _basic(bench: Bench, secret: str) -> Answer:
    """Send id and secret in the header (RFC 6749, section 2.3.1)."""
    pair = ":".join(quote(one, safe="") for one in (bench.target.client_id, secret))
    encoded = bench.vault.keep(base64.b64encode(pair.encode()).decode())
    form = {"grant_type": "client_credentials", "scope": f"{bench.target.graph}/.default"}
    path = f"{bench.target.tenant}/oauth2/v2.0/token"
    return await bench.client.post_form(path, form, Authorization=f"Basic {encoded.reveal()}")


def _granted(answer: Answer) -> str:
    """Return what was granted, or the refusal."""
    if answer.status != 200:
        return answer.told(text=True)
    answer.member("access_token")
    return f"200 {answer.member('token_type')}"


async def _templates(bench: Bench) -> str:
    issuers = []
    for name in _ANY_TENANT:
        answer = await bench.client.get_url(f"{name}/v2.0/{_DISCOVERY}")
        issuers.append(urlsplit(str(answer.member("issuer"))).path)
    return ", ".join(issuers)


async def _no_tenant(bench: Bench) -> str:
    own = bench.client.own_credential()
    return ", ".join([(await bench.client.token(one, **own)).told() for one in _ANY_TENANT])


async def _openid_scopes(bench: Bench) -> str:
    """MSAL for Go and for Java send them with every request."""
    scope = f"{bench.target.graph}/.default openid profile offline_access"
    return _granted(await bench.client.token(**bench.client.own_credential(), scope=scope))


async def _resource_manager(bench: Bench) -> str:
    return await _token_for(bench, "https://management.azure.com")


async def _key_vault(bench: Bench) -> str:
    return await _token_for(bench, _VAULT)


async def _token_for(bench: Bench, resource: str) -> str:
    _check_cloud(bench)
    scope = f"{resource}/.default"
    return _granted(await bench.client.token(**bench.client.own_credential(), scope=scope))


def _check_cloud(bench: Bench) -> None:
    if urlsplit(bench.target.authority).hostname in _OTHER_CLOUDS:
        raise NotApplicableError("the resource is one of the public cloud")


async def _version_1(bench: Bench) -> str:
    _check_cloud(bench)
    secret = bench.target.secret
    if secret is None:
        raise NotApplicableError("the suite signs in without a client secret")
    form = {
        "grant_type": "client_credentials",
        "client_id": bench.target.client_id,
        "client_secret": secret.reveal(),
        "resource": _VAULT,
    }
    answer = await bench.client.post_form(f"{bench.target.tenant}/oauth2/token", form)
    if answer.status != 200:
        return answer.told(text=True)
    numbers = [answer.member(name) for name in ("expires_in", "expires_on", "not_before")]
    texts = all(isinstance(one, str) and one.isdigit() for one in numbers)
    asked = answer.member("resource") == _VAULT
    return (
        f"{_granted(answer)}, numbers {'as texts' if texts else 'in another form'},"
        f" {'the' if asked else 'another'} resource"
    )


async def _discovery_1(bench: Bench) -> str:
    answer = await bench.client.get_url(f"{bench.target.tenant}/{_DISCOVERY}")
    endpoint = urlsplit(str(answer.member("token_endpoint"))).path
    issuer = urlsplit(str(answer.member("issuer"))).hostname or ""
    path = "/oauth2/token" if endpoint.endswith("/oauth2/token") else "another path"
    return f"{answer.status}, {path}, issuer {issuer.partition('.')[0]}"


async def _keys_1(bench: Bench) -> str:
    answer = await bench.client.get_url(f"{bench.target.tenant}/discovery/keys")
    kinds = {str(key["kty"]) for key in answer.member("keys")}
    return f"{answer.status} {' '.join(sorted(kinds))}"


_TEMPLATES: Final = "/{tenantid}/v2.0, /{tenantid}/v2.0"
_NO_TENANT: Final = "400 invalid_request AADSTS50059"
_GRANTED: Final = "200 Bearer"
_GRANTED_1: Final = f"{_GRANTED}, numbers as texts, the resource"
_FOUND_1: Final = "200, /oauth2/token, issuer sts"


CHECKS: tuple[Check, ...] = (
    Check("T15", "the secret in the header (Basic)", _GRANTED, _header, writes=False),
    Check("T16", "a wrong secret in the header", INVALID_SECRET, _wrong_header, writes=False),
    Check("T17", "issuers of /organizations and /common", _TEMPLATES, _templates, writes=False),
    Check(
        "T18",
        "an application at /organizations, /common",
        f"{_NO_TENANT}, {_NO_TENANT}",
        _no_tenant,
        writes=False,
    ),
    Check("T19", "openid, profile beside the resource", _GRANTED, _openid_scopes, writes=False),
    Check("T20", "a token for Resource Manager", _GRANTED, _resource_manager, writes=False),
    Check("T21", "a token for Key Vault", _GRANTED, _key_vault, writes=False),
    Check("T22", "the endpoint of version 1", _GRANTED_1, _version_1, writes=False),
    Check("T23", "discovery document of version 1", _FOUND_1, _discovery_1, writes=False),
    Check("T24", "keys of version 1", "200 RSA", _keys_1, writes=False),
)
