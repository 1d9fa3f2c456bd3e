"""App management policies: what they refuse, which one applies, and who may read them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.admin_api import AdminApi
from tests.support.emulator import OWNED_BY, READ_ALL, READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser
from tests.support.keys import MadeCertificate

DEFAULT = "00000000-0000-0000-0000-000000000000"
OWN = "99999999-9999-4999-8999-999999999999"
TYPE = "CredentialTypeNotAllowedAsPerAppPolicy"
LIFETIME = "CredentialInvalidLifetimeAsPerAppPolicy"
NO_SECRETS = {"restrictionType": "passwordAddition"}
NINETY_DAYS = {"restrictionType": "passwordLifetime", "maxLifetime": "P90D"}
CERTIFICATES = {"restrictionType": "asymmetricKeyLifetime", "maxLifetime": "P30D"}


class Admin(AdminApi):
    """Sets policies of one tenant."""

    def __init__(self, emulator: Emulator, http: httpx.Client, tenant: str) -> None:
        super().__init__(emulator, http)
        self.tenant = tenant

    def default(
        self, *passwords: dict[str, Any], keys: Any = (), enabled: bool = True
    ) -> dict[str, Any]:
        body = {
            "isEnabled": enabled,
            "applicationRestrictions": {
                "passwordCredentials": list(passwords),
                "keyCredentials": list(keys),
            },
        }
        answer = self.send("PUT", f"tenants/{self.tenant}/defaultPolicy", body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def own(
        self, app: str, *passwords: dict[str, Any], keys: Any = (), enabled: bool = True
    ) -> None:
        body = {
            "id": OWN,
            "displayName": "of its own",
            "isEnabled": enabled,
            "restrictions": {"passwordCredentials": list(passwords), "keyCredentials": list(keys)},
        }
        answer = self.send("POST", f"tenants/{self.tenant}/policies", body)
        assert answer.status_code == 201, answer.text
        assert self.send("PUT", f"applications/{app}/policy", {"policy": OWN}).status_code == 204


@pytest.fixture
def admin(emulator: Emulator, http: httpx.Client, tenant: str) -> Admin:
    return Admin(emulator, http, tenant)


def add_password(user: GraphUser, app: MadeApplication, **password: str) -> httpx.Response:
    body = {"passwordCredential": password}
    return user.call("POST", f"applications/{app.id}/addPassword", body)


def end(user: GraphUser, days: float, seconds: float = 0) -> str:
    moment = user.emulator.now() + timedelta(days=days, seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def put_key(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, days: float, **fields: Any
) -> httpx.Response:
    start = made.certificate.not_valid_before_utc
    key = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": made.base64,
        "startDateTime": start.isoformat(),
        "endDateTime": (start + timedelta(days=days)).isoformat(),
        **fields,
    }
    return user.call("PATCH", f"applications/{app.id}", {"keyCredentials": [key]})


def refused(answer: httpx.Response, code: str, policy: str = DEFAULT) -> dict[str, Any]:
    assert answer.status_code == 400, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == code
    text = {
        TYPE: f"Credential type not allowed as per assigned policy '{policy}'.",
        LIFETIME: f"Credential lifetime exceeds the max value allowed as per assigned policy"
        f" '{policy}'.",
    }
    assert error["message"] == text[code]
    return error


def test_the_default_always_exists_and_is_off(user: GraphUser, admin: Admin) -> None:
    """R12."""
    user.emulator.set_permissions(user.tenant, user.client_id, "Policy.Read.All")
    shown = user.get("policies/defaultAppManagementPolicy")
    assert shown.pop("@odata.context").endswith("policies/defaultAppManagementPolicy/$entity")
    assert shown.pop("displayName")
    assert shown.pop("description")
    nothing: dict[str, Any] = {"passwordCredentials": [], "keyCredentials": []}
    assert shown == {
        "id": DEFAULT,
        "isEnabled": False,
        "applicationRestrictions": nothing,
        "servicePrincipalRestrictions": nothing,
    }


def test_secrets_can_be_forbidden(user: GraphUser, app: MadeApplication, admin: Admin) -> None:
    """F9: a refused request leaves no secret."""
    admin.default(NO_SECRETS)
    refused(add_password(user, app), TYPE)
    assert user.get(f"applications/{app.id}")["passwordCredentials"] == []


def test_the_lifetime_of_secrets_can_be_limited(
    user: GraphUser, app: MadeApplication, admin: Admin
) -> None:
    """F9: a later end is refused, and so is a missing end, which means two years."""
    admin.default(NINETY_DAYS)
    detail = refused(add_password(user, app, endDateTime=end(user, 90, 600)), LIFETIME)["details"]
    assert [(one["code"], one["target"]) for one in detail] == [("InvalidKeyEndDate", "EndDate")]
    refused(add_password(user, app), LIFETIME)
    assert add_password(user, app, endDateTime=end(user, 90)).status_code == 200
    later = {"startDateTime": end(user, 10), "endDateTime": end(user, 100)}
    assert add_password(user, app, **later).status_code == 200


def test_the_lifetime_of_certificates_can_be_limited(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, admin: Admin
) -> None:
    """F9: in a PATCH and when an application is created."""
    admin.default(keys=[CERTIFICATES])
    refused(put_key(user, app, made, 31), LIFETIME)
    assert user.get(f"applications/{app.id}")["keyCredentials"] == []
    body = {
        "displayName": "new",
        "keyCredentials": [
            {
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
                "key": made.base64,
                "endDateTime": end(user, 31),
            }
        ],
    }
    refused(user.call("POST", "applications", body), LIFETIME)
    assert put_key(user, app, made, 30).status_code == 204


def test_what_is_kept_is_not_asked(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, admin: Admin
) -> None:
    assert put_key(user, app, made, 80).status_code == 204
    admin.default(NO_SECRETS, keys=[CERTIFICATES])
    listed = user.get(f"applications/{app.id}")["keyCredentials"]
    answer = user.call("PATCH", f"applications/{app.id}", {"keyCredentials": listed})
    assert answer.status_code == 204
    assert user.sign_in().status_code == 200


def test_symmetric_keys_are_refused_by_the_policy_first(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, admin: Admin
) -> None:
    admin.default(
        {"restrictionType": "symmetricKeyLifetime", "maxLifetime": "PT1H"},
    )
    wanted = {"type": "Symmetric"}
    refused(put_key(user, app, made, 1, **wanted), LIFETIME)
    admin.default({"restrictionType": "symmetricKeyAddition"})
    refused(put_key(user, app, made, 1, **wanted), TYPE)
    admin.default()
    answer = put_key(user, app, made, 1, **wanted)
    assert answer.json()["error"]["code"] == "Request_BadRequest"


def test_passwords_that_the_client_chooses_are_not_those_of_add_password(
    user: GraphUser, app: MadeApplication, admin: Admin
) -> None:
    admin.default({"restrictionType": "customPasswordAddition"})
    assert add_password(user, app).status_code == 200


@pytest.mark.parametrize(
    ("after", "hits"), [(-1, True), (0, True), (1, False)], ids=["before", "then", "after"]
)
def test_applications_created_before_can_be_let_off(
    user: GraphUser, emulator: Emulator, admin: Admin, after: int, hits: bool
) -> None:
    created = emulator.now().replace(microsecond=0) - timedelta(days=900)
    app = emulator.create_application(
        user.tenant, owner=user.client_id, createdDateTime=created.isoformat()
    )
    assert emulator.application(app.id)["createdDateTime"] == created.strftime("%Y-%m-%dT%H:%M:%SZ")
    limit = (created + timedelta(seconds=after)).isoformat()
    admin.default({**NO_SECRETS, "restrictForAppsCreatedAfterDateTime": limit})
    assert add_password(user, app).status_code == (400 if hits else 200)


def test_a_restriction_can_be_disabled_and_so_can_the_policy(
    user: GraphUser, app: MadeApplication, admin: Admin
) -> None:
    admin.default({**NO_SECRETS, "state": "disabled"})
    assert add_password(user, app).status_code == 200
    admin.default(NO_SECRETS, enabled=False)
    assert add_password(user, app).status_code == 200


def test_its_own_policy_decides_restriction_by_restriction(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, admin: Admin
) -> None:
    """Its restrictions win, even if they are weaker; other types come from the default."""
    admin.default(NO_SECRETS, NINETY_DAYS, keys=[CERTIFICATES])
    longer = {"restrictionType": "passwordLifetime", "maxLifetime": "P180D"}
    admin.own(app.id, {**NO_SECRETS, "state": "disabled"}, longer)
    refused(add_password(user, app, endDateTime=end(user, 181)), LIFETIME, OWN)
    assert add_password(user, app, endDateTime=end(user, 180)).status_code == 200
    refused(put_key(user, app, made, 31), LIFETIME)


def test_other_applications_are_under_the_default(
    user: GraphUser, app: MadeApplication, emulator: Emulator, admin: Admin
) -> None:
    admin.default(NO_SECRETS)
    admin.own(app.id, {**NO_SECRETS, "state": "disabled"})
    assert add_password(user, app).status_code == 200
    other = emulator.create_application(user.tenant, owner=user.client_id)
    refused(add_password(user, other), TYPE)


def test_its_own_policy_can_be_off_taken_away_and_removed(
    user: GraphUser, app: MadeApplication, admin: Admin
) -> None:
    admin.own(app.id, NO_SECRETS)
    refused(add_password(user, app), TYPE, OWN)
    path = f"tenants/{admin.tenant}/policies/{OWN}"
    body = {"displayName": "off", "restrictions": {"passwordCredentials": [NO_SECRETS]}}
    assert admin.send("PUT", path, body).status_code == 200
    assert add_password(user, app).status_code == 200
    assert admin.send("PUT", path, {**body, "isEnabled": True}).status_code == 200
    refused(add_password(user, app), TYPE, OWN)
    admin.send("PUT", f"applications/{app.id}/policy", {"policy": None})
    assert add_password(user, app).status_code == 200
    admin.send("PUT", f"applications/{app.id}/policy", {"policy": OWN})
    assert admin.send("DELETE", path).status_code == 204
    assert add_password(user, app).status_code == 200


@pytest.mark.parametrize(
    ("permission", "status"),
    [
        (OWNED_BY, 403),
        (READ_WRITE_ALL, 403),
        ("Directory.Read.All", 403),
        ("Policy.Read.All", 200),
        ("Policy.Read.ApplicationConfiguration", 200),
        ("Policy.ReadWrite.ApplicationConfiguration", 200),
    ],
)
def test_policies_are_read_with_permissions_of_their_own(
    user: GraphUser, app: MadeApplication, admin: Admin, permission: str, status: int
) -> None:
    """R11, R12."""
    admin.own(app.id, NINETY_DAYS)
    user.emulator.set_permissions(user.tenant, user.client_id, permission)
    paths = ["defaultAppManagementPolicy", "appManagementPolicies", f"appManagementPolicies/{OWN}"]
    assert [user.call("GET", f"policies/{path}").status_code for path in paths] == [status] * 3
    assert user.call("GET", f"applications/{app.id}/appManagementPolicies").status_code == 403
    user.emulator.set_permissions(user.tenant, user.client_id, f"{permission} {READ_ALL}")
    user.sign_in()
    answer = user.call("GET", f"applications/{app.id}/appManagementPolicies")
    assert answer.status_code == status


def test_policies_look_as_in_graph(user: GraphUser, app: MadeApplication, admin: Admin) -> None:
    """R11."""
    after = "2026-01-01T00:00:00Z"
    limited = {**CERTIFICATES, "restrictForAppsCreatedAfterDateTime": after}
    admin.own(app.id, NO_SECRETS, keys=[limited])
    wanted = f"{READ_ALL} Policy.Read.ApplicationConfiguration"
    user.emulator.set_permissions(user.tenant, user.client_id, wanted)
    shown = user.get(f"policies/appManagementPolicies/{OWN}")
    assert shown.pop("@odata.context").endswith("policies/appManagementPolicies/$entity")
    assert shown["restrictions"] == {
        "passwordCredentials": [
            {
                "restrictionType": "passwordAddition",
                "state": "enabled",
                "maxLifetime": None,
                "restrictForAppsCreatedAfterDateTime": None,
            }
        ],
        "keyCredentials": [
            {
                "restrictionType": "asymmetricKeyLifetime",
                "state": "enabled",
                "maxLifetime": "P30D",
                "restrictForAppsCreatedAfterDateTime": after,
            }
        ],
    }
    assert user.get("policies/appManagementPolicies")["value"] == [shown]
    assert user.get(f"applications/{app.id}/appManagementPolicies")["value"] == [shown]
    chosen = user.get("policies/defaultAppManagementPolicy?$select=isEnabled")
    assert {name for name in chosen if "@" not in name} == {"isEnabled"}
    missing = user.call("GET", "policies/appManagementPolicies/none")
    assert missing.status_code == 404
    assert user.call("PATCH", "policies/defaultAppManagementPolicy", {}).status_code == 405


def test_a_tenants_policies_are_its_own(
    user: GraphUser, app: MadeApplication, emulator: Emulator, http: httpx.Client
) -> None:
    other = emulator.create_tenant("Other", policies=[{"displayName": "x", "id": OWN}])
    Admin(emulator, http, other).default(NO_SECRETS)
    assert add_password(user, app).status_code == 200
    emulator.set_permissions(user.tenant, user.client_id, "Policy.Read.All")
    user.sign_in()
    assert user.get("policies/appManagementPolicies")["value"] == []
    emulator.delete_tenant(other)
    emulator.create_tenant("Other", id=other)
    shown = Admin(emulator, http, other).send("GET", f"tenants/{other}/defaultPolicy").json()
    assert shown["isEnabled"] is False


def test_a_seed_holds_policies(emulator: Emulator, http: httpx.Client) -> None:
    tenant = emulator.create_tenant(
        federatedIssuers=[],
        defaultPolicy={
            "isEnabled": True,
            "applicationRestrictions": {"passwordCredentials": [NO_SECRETS]},
        },
        policies=[
            {
                "id": OWN,
                "displayName": "may have secrets",
                "isEnabled": True,
                "restrictions": {"passwordCredentials": [{**NO_SECRETS, "state": "disabled"}]},
            }
        ],
        applications=[{"displayName": "let off", "policy": OWN}, {"displayName": "usual"}],
    )
    client_id, secret = emulator.create_operator(tenant, READ_WRITE_ALL)
    user = GraphUser(emulator, http, tenant, client_id, secret)
    for row in user.get("applications?$select=id,displayName")["value"]:
        answer = user.call("POST", f"applications/{row['id']}/addPassword", {})
        wanted = 200 if row["displayName"] == "let off" else 400
        assert (row["displayName"], answer.status_code) == (row["displayName"], wanted)
        path = f"applications/{row['id']}/federatedIdentityCredentials"
        trust = {"name": "any", "issuer": "https://x", "subject": "y", "audiences": ["z"]}
        assert user.call("POST", path, trust).status_code == 400


def test_issuers_of_federated_credentials_can_be_limited(
    user: GraphUser, app: MadeApplication, admin: Admin
) -> None:
    """F9: for a new credential and for a change of issuer; existing credentials stay."""
    good, bad = "https://oidc.example.net/good/", "https://oidc.example.net/bad/"
    path = f"applications/{app.id}/federatedIdentityCredentials"
    wanted = {"name": "orders", "issuer": bad, "subject": "a", "audiences": ["api://x"]}
    assert user.call("POST", path, wanted).status_code == 201
    limit = f"tenants/{admin.tenant}/federatedIssuers"
    assert admin.send("PUT", limit, {"issuers": [good]}).status_code == 204
    told = (
        f"FederatedIdentityCredential.Issuer '{bad}' not allowed as per assigned policy"
        f" '{DEFAULT}'."
    )
    code = "InvalidFederatedIdentityCredentialValue"
    error = user.call("POST", path, {**wanted, "name": "other", "subject": "b"}).json()["error"]
    assert (error["code"], error["message"]) == (code, told)
    assert user.call("PATCH", f"{path}/orders", {"subject": "c"}).status_code == 204
    assert user.call("PATCH", f"{path}/orders", {"issuer": good}).status_code == 204
    error = user.call("PATCH", f"{path}/orders", {"issuer": bad}).json()["error"]
    assert error["message"] == told
    assert admin.send("PUT", limit, {"issuers": None}).status_code == 204
    assert user.call("PATCH", f"{path}/orders", {"issuer": bad}).status_code == 204


@pytest.mark.parametrize(
    ("restriction", "text"),
    [
        ({"restrictionType": "passwordLifetime"}, "maxLifetime is required"),
        ({"restrictionType": "passwordLifetime", "maxLifetime": "P0D"}, "maxLifetime is required"),
        ({"restrictionType": "passwordLifetime", "maxLifetime": "P1Y"}, "ISO 8601"),
        ({"restrictionType": "passwordLifetime", "maxLifetime": "P"}, "ISO 8601"),
        ({"restrictionType": "passwordLifetime", "maxLifetime": "P1DT"}, "ISO 8601"),
        ({"restrictionType": "passwordAddition", "maxLifetime": "P1D"}, "must be null"),
        ({"restrictionType": "passwordAddition", "state": "maybe"}, "state"),
        ({"restrictionType": "asymmetricKeyLifetime", "maxLifetime": "P1D"}, "restrictionType"),
        ({"restrictionType": "passwordAddition", "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_restriction_is_named(admin: Admin, restriction: Any, text: str) -> None:
    body = {"applicationRestrictions": {"passwordCredentials": [restriction]}}
    answer = admin.send("PUT", f"tenants/{admin.tenant}/defaultPolicy", body)
    assert answer.status_code == 400
    assert text in answer.json()["error"]


def test_each_type_is_used_once(admin: Admin) -> None:
    body = {"applicationRestrictions": {"passwordCredentials": [NO_SECRETS, NO_SECRETS]}}
    answer = admin.send("PUT", f"tenants/{admin.tenant}/defaultPolicy", body)
    assert answer.status_code == 400
    assert "only once" in answer.json()["error"]


def test_the_admin_api_tells_what_is_wrong(app: MadeApplication, admin: Admin) -> None:
    path = f"tenants/{admin.tenant}/policies"
    policy = {"displayName": "x", "id": OWN}
    assert admin.send("POST", path, policy).status_code == 201
    assert admin.send("POST", path, policy).status_code == 409
    assert [one["id"] for one in admin.send("GET", path).json()] == [OWN]
    wrong = {"displayName": "x", "id": DEFAULT}
    assert admin.send("PUT", f"{path}/{OWN}", wrong).status_code == 400
    assert admin.send("PUT", f"{path}/none", policy).status_code == 404
    assert admin.send("DELETE", f"{path}/none").status_code == 404
    body = {"policy": "none"}
    assert admin.send("PUT", f"applications/{app.id}/policy", body).status_code == 404
    seed = {"displayName": "x", "policy": "none"}
    answer = admin.send("POST", f"tenants/{admin.tenant}/applications", seed)
    assert answer.status_code == 404
