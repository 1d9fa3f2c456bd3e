"""The token endpoint for client secrets: answers, the order of its rules, its errors."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from entra_emulator.errors.tokens import TABLE, TokenError
from entra_emulator.jose.jwt import decode_segment
from tests.support.emulator import READ_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser, is_guid

GRAPH = "https://graph.microsoft.com"
DAY = 86_400


def claims_of(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(decode_segment(answer.json()["access_token"].split(".")[1]))


def code_of(answer: httpx.Response) -> int:
    """Return the AADSTS number of an error; check that all parts of the body agree on it."""
    body = answer.json()
    [code] = body["error_codes"]
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert isinstance(code, int)
    return code


def with_secret(user: GraphUser, app: MadeApplication, secret: str) -> GraphUser:
    return GraphUser(user.emulator, user.http, app.tenant_id, app.app_id, secret)


def secret_of(app: MadeApplication, place: int = 0) -> str:
    secret = app.passwords[place].secret
    assert secret is not None
    return secret


def test_answer_of_a_success(user: GraphUser) -> None:
    """R4."""
    answer = user.sign_in()
    body = answer.json()
    assert set(body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == body["ext_expires_in"] == 3599
    assert answer.headers["Cache-Control"] == "no-store, no-cache"
    assert answer.headers["content-type"].startswith("application/json")


def test_claims_are_those_of_an_application_token(user: GraphUser, emulator: Emulator) -> None:
    emulator.stop_clock()
    claims = claims_of(user.sign_in())
    now = int(emulator.now().timestamp())
    principal = user.get(f"servicePrincipals(appId='{user.client_id}')")["id"]
    uti = claims.pop("uti")
    assert uti
    assert claims == {
        "aud": GRAPH,
        "iss": f"https://sts.windows.net/{user.tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "appid": user.client_id,
        "appidacr": "1",
        "idtyp": "app",
        "oid": principal,
        "sub": principal,
        "tid": user.tenant,
        "roles": ["Application.ReadWrite.OwnedBy"],
        "ver": "1.0",
    }


def test_every_token_is_another_one(user: GraphUser, emulator: Emulator) -> None:
    emulator.stop_clock()
    first, second = (user.sign_in().json()["access_token"] for _ in range(2))
    assert first != second


def test_tenant_is_known_by_id_and_domain(emulator: Emulator, http: httpx.Client) -> None:
    tenant = emulator.create_tenant(domains=["contoso.example"])
    client_id, secret = emulator.create_operator(tenant)
    for name in (tenant, tenant.upper(), "contoso.example", "Contoso.Example"):
        caller = GraphUser(emulator, http, name, client_id, secret)
        assert claims_of(caller.sign_in())["tid"] == tenant


def test_client_id_may_be_in_upper_case(user: GraphUser) -> None:
    assert claims_of(user.sign_in(client_id=user.client_id.upper()))["appid"] == user.client_id


def test_fields_that_libraries_add_are_tolerated(user: GraphUser) -> None:
    """T6, T7."""
    challenge = '{"access_token":{"xms_cc":{"values":["CP1"]}}}'
    answer = user.sign_in(claims=challenge, client_info="1", **{"x-client-SKU": "MSAL"})
    assert answer.status_code == 200


@pytest.mark.parametrize("claims", ["{", "[]", "5", '{"access_token":5}', '{"access_token":{}}'])
def test_claims_that_say_nothing_are_tolerated(user: GraphUser, claims: str) -> None:
    """T6."""
    assert user.sign_in(claims=claims).status_code == 200


WRONG: Mapping[str, tuple[Mapping[str, str], int]] = {
    "no grant type": ({"grant_type": ""}, 900144),
    "another grant type": ({"grant_type": "password"}, 70003),
    "no client": ({"client_id": ""}, 900144),
    "unknown client": ({"client_id": str(uuid4())}, 700016),
    "no scope": ({"scope": ""}, 900144),
    "a single permission": ({"scope": f"{GRAPH}/Application.Read.All"}, 70011),
    "two scopes": ({"scope": f"{GRAPH}/.default https://vault.azure.net/.default"}, 70011),
    "no resource": ({"scope": "/.default"}, 70011),
    "unknown resource": ({"scope": "https://nowhere.example/.default"}, 500011),
    "no secret": ({"client_secret": ""}, 7000216),
    "wrong secret": ({"client_secret": "wrong"}, 7000215),
}


@pytest.mark.parametrize(("form", "code"), WRONG.values(), ids=WRONG.keys())
def test_error_of_a_wrong_field(user: GraphUser, form: Mapping[str, str], code: int) -> None:
    """R4: number, status and OAuth error agree with the table."""
    answer = user.sign_in(**form)
    assert code_of(answer) == code
    assert answer.status_code == TABLE[code].status
    assert answer.json()["error"] == TABLE[code].error


def test_rules_are_applied_in_the_order_of_entra(user: GraphUser) -> None:
    """R4: after a correction, the answer shows the next error."""
    faults = {
        "grant_type": "password",
        "client_id": str(uuid4()),
        "scope": "wrong",
        "client_secret": "wrong",
    }
    codes = []
    for mended in ("", "grant_type", "client_id", "scope", "client_secret"):
        faults.pop(mended, None)
        answer = user.sign_in(**faults)
        codes.append(code_of(answer) if answer.status_code != 200 else 200)
    assert codes == [70003, 700016, 70011, 7000215, 200]


@pytest.mark.parametrize("name", ["contoso.example", "undefined", "common"])
def test_no_credential_is_noticed_before_client_and_tenant(user: GraphUser, name: str) -> None:
    """R4: the form that test recordings of Azure's SDK for JavaScript (2021) show, with the answer.

    It names no client, and was sent to the path of a tenant called `undefined`.
    """
    url = f"{user.emulator.url}/{name}/oauth2/v2.0/token"
    form = {
        "response_type": "token",
        "grant_type": "client_credentials",
        "scope": "https://cognitiveservices.azure.com/.default",
    }
    answer = user.http.post(url, data=form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert code_of(answer) == 7000216
    assert answer.json()["error_description"].startswith(
        "AADSTS7000216: 'client_assertion', 'client_secret' or 'request' is required for the"
        " 'client_credentials' grant type. Trace ID: "
    )


def test_error_body_has_every_field_of_entras(user: GraphUser, emulator: Emulator) -> None:
    """R4."""
    emulator.stop_clock()
    body = user.sign_in(client_secret="wrong").json()
    stamp = emulator.now().strftime("%Y-%m-%d %H:%M:%SZ")
    assert set(body) == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }
    assert body["error_description"] == (
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the"
        " request is the client secret value, not the client secret ID, for a secret added to"
        f" app '{user.client_id}'. Trace ID: {body['trace_id']}"
        f" Correlation ID: {body['correlation_id']} Timestamp: {stamp}"
    )
    assert body["timestamp"] == stamp
    assert is_guid(body["trace_id"])
    assert body["error_uri"] == "https://login.microsoftonline.com/error?code=7000215"


def test_correlation_id_is_the_clients(user: GraphUser, emulator: Emulator) -> None:
    url = f"{emulator.url}/{user.tenant}/oauth2/v2.0/token"
    answer = user.http.post(url, data={}, headers={"client-request-id": "mine"})
    assert answer.json()["correlation_id"] == "mine"
    assert answer.headers["client-request-id"] == "mine"


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (7000215, 401, "invalid_client"),
        (7000222, 401, "invalid_client"),
        (7000216, 401, "invalid_client"),
        (7000218, 401, "invalid_client"),
        (7000229, 401, "invalid_client"),
        (700016, 400, "unauthorized_client"),
        (7000112, 400, "unauthorized_client"),
        (90002, 400, "invalid_tenant"),
        (900023, 400, "invalid_request"),
        (900144, 400, "invalid_request"),
        (70003, 400, "unsupported_grant_type"),
        (70011, 400, "invalid_scope"),
        (500011, 400, "invalid_resource"),
    ],
)
def test_table_of_errors(code: int, status: int, error: str) -> None:
    """R4: statuses and OAuth errors as documented or captured."""
    made = TokenError(code)
    assert (made.status, made.error) == (status, error)


@pytest.mark.parametrize(
    ("content", "charset"),
    [(b"x=" + b"y" * 5_000_000, "utf-8"), (b"x=y", "nonsense"), (b"x=\xff", "utf-8")],
    ids=["too large", "unknown charset", "another charset"],
)
def test_form_that_cannot_be_read_is_malformed(
    user: GraphUser, content: bytes, charset: str
) -> None:
    """R4: documented as AADSTS9002313; that Entra says so in these cases is only likely."""
    url = f"{user.emulator.url}/{user.tenant}/oauth2/v2.0/token"
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = user.http.post(url, content=content, headers={"Content-Type": kind})
    assert (answer.status_code, code_of(answer)) == (400, 9002313)


def test_claims_without_end_say_nothing(user: GraphUser) -> None:
    assert user.sign_in(claims='{"access_token":' * 20_000).status_code == 200


def test_error_text_never_reads_input_as_a_format(user: GraphUser) -> None:
    answer = user.sign_in(grant_type="{app}%s{0}")
    assert "'{app}%s{0}'" in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("99999999-9999-4999-8999-999999999999", 90002),
        ("nowhere.example", 90002),
        ("nowhere", 900023),
        ("a_b", 900023),
        ("a..b", 900023),
    ],
)
def test_unknown_tenant(user: GraphUser, name: str, code: int) -> None:
    """R4."""
    user.tenant = name
    answer = user.sign_in()
    assert code_of(answer) == code
    assert answer.status_code == 400
    assert name in answer.json()["error_description"]


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain"])
def test_only_a_form_is_read(user: GraphUser, emulator: Emulator, content_type: str) -> None:
    """R4."""
    content = f"client_id={user.client_id}&grant_type=client_credentials".encode()
    url = f"{emulator.url}/{user.tenant}/oauth2/v2.0/token"
    answer = user.http.post(url, content=content, headers={"Content-Type": content_type})
    assert code_of(answer) == 900144


def test_multipart_form_is_not_read(user: GraphUser, emulator: Emulator) -> None:
    """R4."""
    url = f"{emulator.url}/{user.tenant}/oauth2/v2.0/token"
    answer = user.http.post(url, files={"grant_type": (None, "client_credentials")})
    assert code_of(answer) == 900144


def test_fields_in_the_query_do_not_count(user: GraphUser, emulator: Emulator) -> None:
    url = f"{emulator.url}/{user.tenant}/oauth2/v2.0/token?grant_type=client_credentials"
    assert code_of(user.http.post(url)) == 900144


def test_application_without_service_principal_is_7000229(
    user: GraphUser, emulator: Emulator
) -> None:
    """R4."""
    app = emulator.create_application(user.tenant, passwords=[{}], servicePrincipal=None)
    assert code_of(with_secret(user, app, secret_of(app)).sign_in()) == 7000229


def test_disabled_application_and_principal_are_7000112(
    user: GraphUser, emulator: Emulator
) -> None:
    """R4."""
    app = emulator.create_application(user.tenant, passwords=[{}])
    caller = with_secret(user, app, secret_of(app))
    emulator.change_application(app.id, isDisabled=True)
    assert code_of(caller.sign_in()) == 7000112
    emulator.change_application(app.id, isDisabled=False)
    assert caller.sign_in().status_code == 200
    principal = {"accountEnabled": False}
    blocked = emulator.create_application(user.tenant, passwords=[{}], servicePrincipal=principal)
    assert code_of(with_secret(user, blocked, secret_of(blocked)).sign_in()) == 7000112


def test_deleted_application_is_700016(user: GraphUser, emulator: Emulator) -> None:
    app = emulator.create_application(user.tenant, owner=user.client_id, passwords=[{}])
    user.call("DELETE", f"applications/{app.id}")
    assert code_of(with_secret(user, app, secret_of(app)).sign_in()) == 700016


def test_expired_secret_is_7000222_and_a_wrong_one_beside_it_7000215(
    user: GraphUser, emulator: Emulator
) -> None:
    """R4: "expired" is about the secret in the request, not about the application."""
    expired = {"startInDays": -9, "endInDays": -1}
    app = emulator.create_application(user.tenant, passwords=[expired, {}])
    assert code_of(with_secret(user, app, secret_of(app)).sign_in()) == 7000222
    assert code_of(with_secret(user, app, "wrong").sign_in()) == 7000215
    assert with_secret(user, app, secret_of(app, 1)).sign_in().status_code == 200


def test_secret_ends_at_its_end(user: GraphUser, emulator: Emulator) -> None:
    """R4, F10: the lifetime does not include its last instant."""
    emulator.stop_clock()
    app = emulator.create_application(user.tenant, passwords=[{"endInDays": 1}])
    caller = with_secret(user, app, secret_of(app))
    emulator.move_clock(DAY - 1)
    assert caller.sign_in().status_code == 200
    emulator.move_clock(1)
    assert code_of(caller.sign_in()) == 7000222


def test_secret_that_has_not_started_is_7000215(user: GraphUser, emulator: Emulator) -> None:
    """R4."""
    app = emulator.create_application(user.tenant, passwords=[{"startInDays": 1}])
    caller = with_secret(user, app, secret_of(app))
    assert code_of(caller.sign_in()) == 7000215
    emulator.move_clock(DAY + 1)
    assert caller.sign_in().status_code == 200


def test_key_id_and_hint_are_no_secret(user: GraphUser, emulator: Emulator) -> None:
    app = emulator.create_application(user.tenant, passwords=[{}])
    for text in (app.passwords[0].key_id, secret_of(app)[:3], secret_of(app) + " "):
        assert code_of(with_secret(user, app, text).sign_in()) == 7000215


def test_secret_added_through_graph_signs_in_and_a_removed_one_does_not(
    user: GraphUser, emulator: Emulator
) -> None:
    app = emulator.create_application(user.tenant, owner=user.client_id)
    made = user.add_password(app.id)
    caller = with_secret(user, app, made["secretText"])
    assert caller.sign_in().status_code == 200
    user.remove_password(app.id, made["keyId"])
    assert code_of(caller.sign_in()) == 7000215


def test_secret_of_another_application_is_wrong(user: GraphUser, emulator: Emulator) -> None:
    first, second = (emulator.create_application(user.tenant, passwords=[{}]) for _ in range(2))
    assert code_of(with_secret(user, first, secret_of(second)).sign_in()) == 7000215


def test_application_of_another_tenant_needs_its_audience_and_an_installation(
    user: GraphUser, emulator: Emulator
) -> None:
    """R4: its secret is valid there, and the token belongs to the tenant in the request."""
    home = emulator.create_tenant()
    app = emulator.create_application(home, passwords=[{}], signInAudience="AzureADMultipleOrgs")
    caller = with_secret(user, app, secret_of(app))
    caller.tenant = user.tenant
    assert code_of(caller.sign_in()) == 7000229
    emulator.set_permissions(user.tenant, app.app_id, READ_ALL)
    claims = claims_of(caller.sign_in())
    assert (claims["tid"], claims["roles"]) == (user.tenant, [READ_ALL])
    emulator.change_application(app.id, signInAudience="AzureADMyOrg")
    assert code_of(caller.sign_in()) == 700016


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
        "00000003-0000-0000-c000-000000000000",
    ],
)
def test_graph_of_every_cloud_is_a_resource(user: GraphUser, resource: str) -> None:
    claims = claims_of(user.sign_in(scope=f"{resource}/.default"))
    assert claims["aud"] == resource
    assert claims["roles"]


@pytest.mark.parametrize(
    "scope",
    [
        f"{GRAPH}/.default openid offline_access profile",
        f"openid profile offline_access {GRAPH}/.default",
        f"email {GRAPH}/.default",
        f"openid {GRAPH}/.default openid",
        f"{GRAPH}/.default {GRAPH}/.default",
    ],
)
def test_scopes_of_openid_connect_change_nothing(user: GraphUser, scope: str) -> None:
    """As MSAL for Go and for Java send them with client credentials.

    A scope is a set (RFC 6749, section 3.3): msal4j appended what its caller named to its own, so
    that `openid` came twice (`OAuthAuthorizationGrant.addCommonScopes`).
    """
    assert claims_of(user.sign_in(scope=scope))["aud"] == GRAPH


def test_scopes_of_openid_connect_alone_name_no_resource(user: GraphUser) -> None:
    assert "AADSTS70011" in user.sign_in(scope="openid profile").text


def test_own_address_is_another_name_of_graph(user: GraphUser, emulator: Emulator) -> None:
    """A client that knows only Graph's root makes its scope of the host without the port."""
    for name in (emulator.url, emulator.url.rpartition(":")[0]):
        assert claims_of(user.sign_in(scope=f"{name}/.default"))["aud"] == GRAPH


def test_defect_of_the_emulator_is_a_500_that_tells_nothing(
    user: GraphUser,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_claims: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(emulator.world.signer, "sign", fail)
    answer = user.sign_in()
    assert (answer.status_code, code_of(answer)) == (500, 50000)
    assert "ZeroDivisionError" in caplog.text
    assert user.secret not in caplog.text


def test_disabling_reaches_a_replica_late(user: GraphUser, emulator: Emulator) -> None:
    """F1: and so does enabling again."""
    app = emulator.create_application(user.tenant, owner=user.client_id, passwords=[{}])
    caller = with_secret(user, app, secret_of(app))
    emulator.stop_clock()
    emulator.set_faults(lag={"replicas": 1, "token": {"update": [10, 10]}})
    user.call("PATCH", f"applications/{app.id}", {"isDisabled": True})
    assert caller.sign_in().status_code == 200
    emulator.move_clock(10)
    assert code_of(caller.sign_in()) == 7000112
    user.call("PATCH", f"applications/{app.id}", {"isDisabled": False})
    assert code_of(caller.sign_in()) == 7000112
    emulator.move_clock(10)
    assert caller.sign_in().status_code == 200


def test_no_answer_repeats_the_secret(user: GraphUser) -> None:
    answers = [user.sign_in(), user.sign_in(scope="x"), user.sign_in(client_secret="canary-9")]
    for answer in answers:
        assert user.secret not in answer.text
        assert "canary-9" not in answer.text


def test_discovery_document_names_this_host(user: GraphUser, emulator: Emulator) -> None:
    """R1."""
    url = f"{emulator.url}/{user.tenant}/v2.0/.well-known/openid-configuration"
    document = user.http.get(url).json()
    base = f"{emulator.url}/{user.tenant}"
    assert document["issuer"] == f"{base}/v2.0"
    assert document["token_endpoint"] == f"{base}/oauth2/v2.0/token"
    assert document["authorization_endpoint"] == f"{base}/oauth2/v2.0/authorize"
    assert document["device_authorization_endpoint"] == f"{base}/oauth2/v2.0/devicecode"
    assert document["jwks_uri"] == f"{base}/discovery/v2.0/keys"
    methods = document["token_endpoint_auth_methods_supported"]
    assert methods == ["client_secret_post", "private_key_jwt", "client_secret_basic"]


def test_discovery_of_an_unknown_tenant_is_90002(emulator: Emulator, http: httpx.Client) -> None:
    """R1."""
    url = f"{emulator.url}/{uuid4()}/v2.0/.well-known/openid-configuration"
    answer = http.get(url)
    assert answer.status_code == 400
    assert code_of(answer) == 90002


def test_key_set_verifies_a_token(user: GraphUser, emulator: Emulator) -> None:
    """R2."""
    [key] = user.http.get(f"{emulator.url}/{user.tenant}/discovery/v2.0/keys").json()["keys"]
    numbers = [int.from_bytes(decode_segment(key[name]), "big") for name in ("e", "n")]
    public = rsa.RSAPublicNumbers(*numbers).public_key()
    token = user.sign_in().json()["access_token"]
    signed, _, signature = token.rpartition(".")
    header = base64.urlsafe_b64decode(token.split(".")[0] + "==").decode()
    assert f'"kid":"{key["kid"]}"' in header
    public.verify(decode_segment(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_instance_discovery_names_this_host(user: GraphUser, emulator: Emulator) -> None:
    """R3."""
    endpoint = f"{emulator.url}/{user.tenant}/oauth2/v2.0/authorize"
    answer = user.http.get(
        f"{emulator.url}/common/discovery/instance",
        params={"api-version": "1.1", "authorization_endpoint": endpoint},
    ).json()
    assert answer["tenant_discovery_endpoint"] == (
        f"{emulator.url}/{user.tenant}/v2.0/.well-known/openid-configuration"
    )
    [instance] = answer["metadata"]
    assert instance["aliases"] == [re.sub("https://", "", emulator.url)]
