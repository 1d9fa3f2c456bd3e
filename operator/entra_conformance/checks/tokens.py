"""T: the token endpoint and its errors, by the caller's own application; nothing is written.

`other_tokens.py` has the rest of that letter.

Source: Microsoft's list of AADSTS codes, RFC 6749 (section 5.2), and recorded answers.
"""

from __future__ import annotations

from typing import Final

from entra_conformance.bench import Bench, unknown_id
from entra_conformance.check import Check
from entra_conformance.outcome import CannotCheckError

WRONG_SECRET: Final = "wrong-on-purpose-0000000000000000000000"


async def _discovery(bench: Bench) -> str:
    path = f"{bench.target.tenant}/v2.0/.well-known/openid-configuration"
    answer = await bench.client.get_url(path)
    endpoint = str(answer.member("token_endpoint"))
    named = {"issuer", "authorization_endpoint", "jwks_uri"} <= set(answer.body or {})
    end = "/oauth2/v2.0/token" if endpoint.endswith("/oauth2/v2.0/token") else "another path"
    return f"{answer.status}, {end}, {'all' if named else 'not all'} members"


async def _keys(bench: Bench) -> str:
    answer = await bench.client.get_url(f"{bench.target.tenant}/discovery/v2.0/keys")
    kinds = {str(key["kty"]) for key in answer.member("keys")}
    return f"{answer.status} {' '.join(sorted(kinds))}"


async def _sign_in(bench: Bench) -> str:
    answer = await bench.client.token(**bench.client.own_credential())
    if answer.status != 200:
        return answer.told(text=True)
    lasts = int(answer.member("expires_in")) > 0 and int(answer.member("ext_expires_in")) > 0
    answer.member("access_token")
    return f"200 {answer.member('token_type')}, {'lasts' if lasts else 'lasts no time'}"


async def _wrong_secret(bench: Bench) -> str:
    return (await bench.client.token(client_secret=WRONG_SECRET)).told(text=True)


async def _shape(bench: Bench) -> str:
    answer = await bench.client.token(client_secret=WRONG_SECRET)
    return " ".join(sorted(answer.body or {}))


async def _no_credential(bench: Bench) -> str:
    return (await bench.client.token()).told(text=True)


async def _unknown_client(bench: Bench) -> str:
    answer = await bench.client.token(client_id=unknown_id(), client_secret=WRONG_SECRET)
    told = answer.told(text=True)
    start, _, _ = told.partition(" was not found in the directory")
    return start


async def _unknown_tenant(bench: Bench) -> str:
    answer = await bench.client.token(unknown_id(), client_secret=WRONG_SECRET)
    if "AADSTS90002" not in answer.told():
        return answer.told(text=True)
    # Entra changed `invalid_request` to `invalid_tenant`: both were recorded.
    if answer.told().split()[1] not in {"invalid_tenant", "invalid_request"}:
        raise CannotCheckError(answer.told())
    return f"{answer.status} AADSTS90002"


async def _no_grant_type(bench: Bench) -> str:
    own = bench.client.own_credential()
    return (await bench.client.token(**own, grant_type="")).told(text=True)


async def _other_grant_type(bench: Bench) -> str:
    own = bench.client.own_credential()
    return (await bench.client.token(**own, grant_type="no_such_grant")).told()


async def _bare_scope(bench: Bench) -> str:
    own = bench.client.own_credential()
    return (await bench.client.token(**own, scope=f"{bench.target.graph}/User.Read")).told()


async def _two_resources(bench: Bench) -> str:
    own = bench.client.own_credential()
    scope = f"{bench.target.graph}/.default https://management.azure.com/.default"
    return (await bench.client.token(**own, scope=scope)).told()


async def _unknown_resource(bench: Bench) -> str:
    own = bench.client.own_credential()
    scope = "https://entra-conformance.invalid/.default"
    return (await bench.client.token(**own, scope=scope)).told()


async def _no_jwt(bench: Bench) -> str:
    answer = await bench.client.asserted("no.jwt")
    return answer.told().partition(" AADSTS")[0]


INVALID_SECRET: Final = (
    "401 invalid_client AADSTS7000215: Invalid client secret provided. Ensure the secret being sent"
    " in the request is the client secret value, not the client secret ID, for a secret added to"
    " app '<guid>'."
)
_NO_CREDENTIAL: Final = (
    "401 invalid_client AADSTS7000216: 'client_assertion', 'client_secret' or 'request' is required"
    " for the 'client_credentials' grant type."
)
_NO_GRANT: Final = (
    "400 invalid_request AADSTS900144: The request body must contain the following parameter:"
    " 'grant_type'."
)
_UNKNOWN_CLIENT: Final = (
    "400 unauthorized_client AADSTS700016: Application with identifier '<guid>'"
)
_MEMBERS: Final = "correlation_id error error_codes error_description error_uri timestamp trace_id"


CHECKS: tuple[Check, ...] = (
    Check(
        "T1",
        "discovery document of the tenant",
        "200, /oauth2/v2.0/token, all members",
        _discovery,
        writes=False,
    ),
    Check("T2", "keys of the tenant", "200 RSA", _keys, writes=False),
    Check("T3", "sign in with the given credential", "200 Bearer, lasts", _sign_in, writes=False),
    Check("T4", "a wrong secret", INVALID_SECRET, _wrong_secret, writes=False),
    Check("T5", "the members of an error", _MEMBERS, _shape, writes=False),
    Check("T6", "no credential", _NO_CREDENTIAL, _no_credential, writes=False),
    Check("T7", "an unknown client", _UNKNOWN_CLIENT, _unknown_client, writes=False),
    Check("T8", "an unknown tenant", "400 AADSTS90002", _unknown_tenant, writes=False),
    Check("T9", "no grant_type", _NO_GRANT, _no_grant_type, writes=False),
    Check(
        "T10",
        "another grant_type",
        "400 unsupported_grant_type AADSTS70003",
        _other_grant_type,
        writes=False,
    ),
    Check(
        "T11",
        "a scope that is not /.default",
        "400 invalid_scope AADSTS70011",
        _bare_scope,
        writes=False,
    ),
    Check(
        "T12",
        "the scopes of two resources",
        "400 invalid_scope AADSTS70011",
        _two_resources,
        writes=False,
    ),
    Check(
        "T13",
        "a resource that the tenant lacks",
        "400 invalid_resource AADSTS500011",
        _unknown_resource,
        writes=False,
    ),
    Check("T14", "an assertion that is no JWT", "401 invalid_client", _no_jwt, writes=False),
)
