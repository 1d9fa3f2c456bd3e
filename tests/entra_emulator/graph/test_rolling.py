"""addKey and removeKey: an application rolls its own certificates and proves that it may."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from entra_emulator.admin.policies import set_default
from entra_emulator.admin.seed import read_document
from entra_emulator.policies.documents import TenantPolicy
from tests.support.emulator import OWNED_BY, READ_WRITE_ALL, Emulator
from tests.support.graph_user import GraphUser, is_guid
from tests.support.keys import MadeCertificate, make_certificate, rsa_key
from tests.support.rolling import PASSWORD, Roller


@pytest.fixture
def app(emulator: Emulator, http: httpx.Client, tenant: str) -> Roller:
    return Roller(emulator, http, tenant)


def refused(answer: httpx.Response, status: int, code: str, text: str = "") -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert text in error["message"]


def test_a_certificate_is_added_to_those_there_are(app: Roller) -> None:
    """R8: needs no permission; the answer is the new entry without its bytes."""
    made = make_certificate("next")
    answer = app.add(made, displayName="next")
    assert answer.status_code == 200, answer.text
    key = answer.json()
    assert key["@odata.context"].endswith("$metadata#microsoft.graph.keyCredential")
    assert is_guid(key["keyId"])
    assert key["key"] is None
    assert (key["type"], key["usage"]) == ("AsymmetricX509Cert", "Verify")
    assert key["customKeyIdentifier"] == made.thumbprint
    end = made.certificate.not_valid_after_utc
    assert key["endDateTime"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert app.thumbprints() == [app.held.thumbprint, made.thumbprint]


def test_a_certificate_is_removed(app: Roller) -> None:
    """R8."""
    made = make_certificate("next")
    key_id = app.add(made).json()["keyId"]
    answer = app.remove(key_id)
    assert (answer.status_code, answer.content) == (204, b"")
    assert app.thumbprints() == [app.held.thumbprint]
    refused(app.remove(key_id), 400, "Request_BadRequest", "No key credential found with keyId")


def test_the_service_principal_may_be_the_issuer(app: Roller) -> None:
    proof = app.proof(iss=app.principal_id)
    assert app.add(make_certificate("next"), proof).status_code == 200


def test_the_other_way_to_address_it(app: Roller) -> None:
    body = {
        "keyCredential": {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": make_certificate("next").base64,
        },
        "proof": app.proof(),
    }
    answer = app.user.call("POST", f"applications(appId='{app.app_id}')/addKey", body)
    assert answer.status_code == 200


WRONG_PROOFS: dict[str, Callable[[Roller], Any]] = {
    "left out": lambda app: "",
    "no text": lambda app: 7,
    "no token": lambda app: "a.b",
    "for another audience": lambda app: app.proof(aud="00000003-0000-0000-c000-000000000000"),
    "by the appId": lambda app: app.proof(iss=app.app_id),
    "by nobody": lambda app: app.proof(iss=None),
    "without a beginning": lambda app: app.proof(nbf=None),
    "without an end": lambda app: app.proof(exp=None),
    "valid for too long": lambda app: app.proof(
        nbf=int(app.emulator.now().timestamp()), exp=int(app.emulator.now().timestamp()) + 601
    ),
    "over": lambda app: app.proof(
        nbf=int(app.emulator.now().timestamp()) - 1000,
        exp=int(app.emulator.now().timestamp()) - 400,
    ),
    "not begun": lambda app: app.proof(
        nbf=int(app.emulator.now().timestamp()) + 400,
        exp=int(app.emulator.now().timestamp()) + 900,
    ),
    "by a certificate of nobody": lambda app: app.proof(make_certificate("stranger")),
    "by another key": lambda app: app.proof(MadeCertificate(app.held.certificate, rsa_key(1))),
    "with an unknown algorithm": lambda app: app.proof(alg="none"),
    "with padding": lambda app: padded(app.proof()),
}


def padded(proof: str) -> str:
    header, payload, signature = proof.split(".")
    return f"{header}.{payload}=.{signature}"


@pytest.mark.parametrize("wrong", WRONG_PROOFS)
@pytest.mark.parametrize("action", ["addKey", "removeKey"])
def test_a_wrong_proof_is_refused_without_a_hint(app: Roller, wrong: str, action: str) -> None:
    """Every defect has the same status, code and text."""
    proof = WRONG_PROOFS[wrong](app)
    [held] = app.emulator.application(app.id)["keyCredentials"]
    if action == "addKey":
        answer = app.add(make_certificate("next"), proof)
    else:
        answer = app.remove(held["keyId"], proof)
    refused(answer, 401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")
    assert app.thumbprints() == [app.held.thumbprint]


def test_without_a_valid_certificate_nothing_can_be_proven(app: Roller) -> None:
    """An expired or a removed certificate cannot sign a proof; then only a PATCH works."""
    now = app.emulator.now()
    expired = make_certificate("old", start=now - timedelta(days=9), end=now - timedelta(days=1))
    app.emulator.add_key(app.id, certificate=expired.pem.decode())
    made = make_certificate("next")
    refused(app.add(made, app.proof(expired)), 401, "Authentication_MissingOrMalformed")
    for key in app.emulator.application(app.id)["keyCredentials"]:
        app.emulator.remove_key(app.id, key["keyId"])
    refused(app.add(made), 401, "Authentication_MissingOrMalformed")


def test_the_certificate_just_added_proves_the_removal_of_the_former(app: Roller) -> None:
    made = make_certificate("next")
    assert app.add(made).status_code == 200
    [held, _] = app.emulator.application(app.id)["keyCredentials"]
    assert app.remove(held["keyId"], app.proof(made)).status_code == 204
    assert app.thumbprints() == [made.thumbprint]


def test_others_need_a_permission_and_the_proof(
    app: Roller, emulator: Emulator, http: httpx.Client, tenant: str
) -> None:
    """S11."""
    own = app.user
    for permission, status in (("", 403), (OWNED_BY, 403), (READ_WRITE_ALL, 200)):
        client_id, secret = emulator.create_operator(tenant, permission)
        app.user = GraphUser(emulator, http, tenant, client_id, secret)
        assert app.add(make_certificate("next")).status_code == status
    refused(app.add(make_certificate("x"), "a.b.c"), 401, "Authentication_MissingOrMalformed")
    app.user = own


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"key": None}, "'key'"),
        ({"key": "bm8gY2VydGlmaWNhdGU="}, "not a valid certificate"),
        ({"usage": "Sign"}, '"type"'),
        ({"usage": "Both"}, '"usage"'),
        ({"type": "Symmetric"}, '"type"'),
        ({"keyId": "none"}, "Edm.Guid"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_entry_is_refused(app: Roller, fields: dict[str, Any], text: str) -> None:
    refused(app.add(make_certificate("next"), **fields), 400, "Request_BadRequest", text)


def test_dates_are_those_of_the_certificate_at_most(app: Roller) -> None:
    """S7."""
    made = make_certificate("next")
    end = (made.certificate.not_valid_after_utc + timedelta(seconds=1)).isoformat()
    refused(app.add(made, endDateTime=end), 400, "KeyCredentialsInvalidEndDate")
    start = (made.certificate.not_valid_before_utc - timedelta(seconds=1)).isoformat()
    refused(app.add(made, startDateTime=start), 400, "KeyCredentialsInvalidStartDate")


def test_a_key_id_is_used_once(app: Roller) -> None:
    [held] = app.emulator.application(app.id)["keyCredentials"]
    answer = app.add(make_certificate("next"), keyId=held["keyId"])
    refused(answer, 400, "Request_BadRequest", "exists already")


@pytest.mark.parametrize("body", [{}, {"keyCredential": []}])
def test_an_entry_is_required(app: Roller, body: dict[str, Any]) -> None:
    answer = app.user.call("POST", f"applications/{app.id}/addKey", {**body, "proof": app.proof()})
    refused(answer, 400, "Request_BadRequest")


def test_a_key_id_to_remove_is_required(app: Roller) -> None:
    refused(app.remove(None), 400, "Request_BadRequest", "'keyId'")
    refused(app.remove("none"), 400, "Request_BadRequest", "Edm.Guid")


def test_a_key_with_its_private_part_needs_the_password_that_opens_it(app: Roller) -> None:
    made = make_certificate("pair")
    content = made.pkcs12(PASSWORD.encode())
    refused(app.add_pair(content, None), 400, "Request_BadRequest", "'secretText'")
    refused(app.add_pair(content, "wrong"), 400, "Request_BadRequest", "password")
    refused(app.add_pair(made.der), 400, "Request_BadRequest", "private key")
    refused(app.add_pair(content, usage="Verify"), 400, "Request_BadRequest", '"type"')
    answer = app.add_pair(content)
    assert answer.status_code == 200, answer.text
    key = answer.json()
    assert (key["type"], key["usage"]) == ("X509CertAndPassword", "Sign")
    assert PASSWORD not in json.dumps(app.emulator.application(app.id))


def test_a_certificate_takes_no_password(app: Roller) -> None:
    body = {
        "keyCredential": {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": make_certificate("next").base64,
        },
        "passwordCredential": {"secretText": PASSWORD},
        "proof": app.proof(),
    }
    answer = app.user.call("POST", f"applications/{app.id}/addKey", body)
    refused(answer, 400, "Request_BadRequest", "'passwordCredential'")


def test_a_key_that_only_signs_is_kept_but_signs_nobody_in(app: Roller, emulator: Emulator) -> None:
    """Its entry can be sent back, never shows its bytes, and the token endpoint ignores it."""
    made = make_certificate("pair")
    key_id = app.add_pair(made.pkcs12(PASSWORD.encode())).json()["keyId"]
    emulator.set_permissions(app.user.tenant, app.app_id, str(READ_WRITE_ALL))
    app.user.sign_in()
    path = f"applications/{app.id}"
    listed = app.user.get(f"{path}?$select=keyCredentials")["keyCredentials"]
    assert [key["key"] is None for key in listed if key["keyId"] == key_id] == [True]
    assert app.user.call("PATCH", path, {"keyCredentials": listed}).status_code == 204
    kept = emulator.application(app.id)["keyCredentials"]
    assert key_id in [key["keyId"] for key in kept]
    answer = app.user.sign_in(
        client_secret="",
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion=app.proof(made, iss=app.app_id, sub=app.app_id),
    )
    assert answer.json()["error_codes"] == [700027]


def test_replicas_know_of_it_later(app: Roller, emulator: Emulator) -> None:
    """F1: until then no read, removal or proof finds it."""
    app.user.sign_in()
    emulator.stop_clock()
    emulator.set_faults(lag={"replicas": 1, "application": {"addKey": [60, 60]}})
    made = make_certificate("next")
    key_id = app.add(made).json()["keyId"]
    emulator.move_clock(59)
    refused(app.remove(key_id), 400, "Request_BadRequest", "No key credential found")
    refused(app.remove(key_id, app.proof(made)), 401, "Authentication_MissingOrMalformed")
    emulator.move_clock(1)
    assert app.remove(key_id, app.proof(made)).status_code == 204


def test_both_are_writes_to_quotas_and_log(app: Roller, emulator: Emulator) -> None:
    """F5, and F2 as for every write to an application."""
    app.user.sign_in()
    emulator.reset_log()
    emulator.set_faults(rules=[{"fault": "conflict", "seconds": 10}])
    key_id = app.add(make_certificate("next")).json()["keyId"]
    refused(app.remove(key_id), 409, "Directory_ConcurrencyViolation")
    assert emulator.counts() == {"application.addKey": 1, "application.removeKey": 1}


def test_policies_are_about_what_is_rolled_too(app: Roller, emulator: Emulator) -> None:
    """F9: the password of a key counts as one that the client chose."""
    policy = {
        "isEnabled": True,
        "applicationRestrictions": {
            "passwordCredentials": [
                {"restrictionType": "customPasswordAddition"},
                {"restrictionType": "symmetricKeyAddition"},
            ],
            "keyCredentials": [{"restrictionType": "asymmetricKeyLifetime", "maxLifetime": "P30D"}],
        },
    }
    wanted = read_document(TenantPolicy, policy)
    emulator.do(lambda world: set_default(world, app.user.tenant, wanted))
    made = make_certificate("next")
    refused(app.add(made), 400, "CredentialInvalidLifetimeAsPerAppPolicy")
    refused(app.add(made, type="Symmetric"), 400, "CredentialTypeNotAllowedAsPerAppPolicy")
    pair = app.add_pair(made.pkcs12(PASSWORD.encode()))
    refused(pair, 400, "CredentialTypeNotAllowedAsPerAppPolicy")
    end = (emulator.now() + timedelta(days=29)).isoformat()
    assert app.add(made, endDateTime=end).status_code == 200


def test_a_full_object_takes_no_more(app: Roller, emulator: Emulator) -> None:
    for _ in range(598):
        emulator.add_password(app.id)
    refused(app.add(make_certificate("next")), 403, "Directory_ResourceSizeExceeded")


def test_a_deleted_application_is_not_found(app: Roller, emulator: Emulator) -> None:
    emulator.set_permissions(app.user.tenant, app.app_id, str(READ_WRITE_ALL))
    app.user.sign_in()
    assert app.user.call("DELETE", f"applications/{app.id}").status_code == 204
    refused(app.add(make_certificate("next")), 404, "Request_ResourceNotFound")
