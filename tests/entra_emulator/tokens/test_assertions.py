"""Sign-in with a certificate: real clients, and assertions made by hand."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential
from azure.identity.aio import CertificateCredential as AsyncCertificateCredential
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.assertions import ASSERTION_TYPE, code, segment
from tests.support.clients import SCOPE
from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser
from tests.support.keys import MadeCertificate, ec_key, make_certificate, rsa_key


@pytest.fixture
def app(user: GraphUser, emulator: Emulator, made: MadeCertificate) -> MadeApplication:
    keys = [{"certificate": made.pem.decode()}]
    return emulator.create_application(user.tenant, owner=user.client_id, keys=keys)


@pytest.mark.parametrize("send_chain", [False, True])
@pytest.mark.parametrize("form", ["PEM", "PKCS12"])
def test_azure_identity_sync(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, form: str, send_chain: bool
) -> None:
    """R4: its MSAL signs RS256 and names the key by `x5t`; T2: fractions, T8: no nbf."""
    password = b"of the file"
    content = made.bundle if form == "PEM" else made.pkcs12(password)
    with CertificateCredential(
        user.tenant,
        app.app_id,
        certificate_data=content,
        password=password if form == "PKCS12" else None,
        send_certificate_chain=send_chain,
        authority=user.emulator.authority_host,
        disable_instance_discovery=True,
        connection_verify=str(user.emulator.ca_file),
    ) as credential:
        assert credential.get_token(SCOPE).token.count(".") == 2


@pytest.mark.parametrize("form", ["PEM", "PKCS12"])
async def test_azure_identity_async(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, form: str
) -> None:
    """R4, T1: PS256 with `x5t#S256`, segments with padding."""
    password = b"of the file"
    credential = AsyncCertificateCredential(
        user.tenant,
        app.app_id,
        certificate_data=made.bundle if form == "PEM" else made.pkcs12(password),
        password=password if form == "PKCS12" else None,
        authority=user.emulator.authority_host,
        connection_verify=str(user.emulator.ca_file),
    )
    async with credential:
        assert (await credential.get_token(SCOPE)).token.count(".") == 2


async def test_azure_identity_reports_an_unknown_certificate(
    user: GraphUser, app: MadeApplication
) -> None:
    """R4."""
    credential = AsyncCertificateCredential(
        user.tenant,
        app.app_id,
        certificate_data=make_certificate("unknown").bundle,
        authority=user.emulator.authority_host,
        connection_verify=str(user.emulator.ca_file),
    )
    async with credential:
        with pytest.raises(ClientAuthenticationError, match=r"AADSTS700027.*was not found"):
            await credential.get_token(SCOPE)


def test_msal(user: GraphUser, app: MadeApplication, made: MadeCertificate) -> None:
    """R1, R3, R4."""
    with requests.Session() as session:
        session.verify = str(user.emulator.ca_file)
        client = msal.ConfidentialClientApplication(
            app.app_id,
            client_credential={
                "private_key": made.key_pem.decode(),
                "thumbprint": made.thumbprint,
                "public_certificate": made.pem.decode(),
            },
            authority=f"{user.emulator.authority_host}/{user.tenant}",
            instance_discovery=False,
            http_client=session,
        )
        answer = client.acquire_token_for_client([SCOPE])
    assert answer["token_type"] == "Bearer"


# --- by hand -------------------------------------------------------------------------------


def signed(header: dict[str, Any], claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    text = f"{segment(json.dumps(header).encode())}.{segment(json.dumps(claims).encode())}"
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    return f"{text}.{segment(key.sign(text.encode(), scheme, hashes.SHA256()))}"


def assertion(user: GraphUser, app: MadeApplication, made: MadeCertificate, **changes: Any) -> str:
    """Return a valid assertion; `changes` replace claims, `header` and `key` the rest."""
    now = user.emulator.now().timestamp()
    header = {
        "alg": "PS256",
        "typ": "JWT",
        "x5t#S256": segment(made.certificate.fingerprint(hashes.SHA256())),
    }
    claims = {
        "aud": f"{user.emulator.url}/{user.tenant}/oauth2/v2.0/token",
        "iss": app.app_id,
        "sub": app.app_id,
        "nbf": now,
        "exp": now + 300,
        **{name: value for name, value in changes.items() if name not in {"header", "key"}},
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return signed({**header, **changes.get("header", {})}, kept, changes.get("key", rsa_key()))


def present(user: GraphUser, app: MadeApplication, text: str, **form: str) -> httpx.Response:
    caller = GraphUser(user.emulator, user.http, user.tenant, app.app_id, "")
    fields = {"client_assertion": text, "client_assertion_type": ASSERTION_TYPE, **form}
    return caller.sign_in(**fields)


def test_audience_is_the_endpoint_of_the_request(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    """R4: an assertion for version 1 signs in there only."""
    url = f"{user.emulator.url}/{user.tenant}/oauth2/token"
    fields = {
        "grant_type": "client_credentials",
        "client_id": app.app_id,
        "resource": "https://vault.azure.net",
        "client_assertion": assertion(user, app, made, aud=url),
        "client_assertion_type": ASSERTION_TYPE,
    }
    assert user.http.post(url, data=fields).status_code == 200
    assert code(present(user, app, fields["client_assertion"])) == 700023


def test_a_token_says_that_a_certificate_proved_it(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    answer = present(user, app, assertion(user, app, made))
    payload = answer.json()["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["appidacr"] == "2"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 200),
        ({"nbf": None}, 200),
        ({"exp": None}, 50027),
        ({"exp": "soon"}, 50027),
        ({"exp": 10**400}, 50027),
        ({"sub": "another"}, 50027),
        ({"iss": "https://issuer.example"}, 70025),
        ({"aud": "https://login.example/token"}, 700023),
        ({"header": {"alg": "none"}}, 50027),
        ({"header": {"alg": "RS256"}}, 50012),
        ({"header": {"x5t#S256": None}}, 50027),
        ({"header": {"x5t#S256": segment(b"unknown")}}, 700027),
        ({"key": rsa_key(1)}, 50012),
    ],
)
def test_an_assertion_is_judged(
    user: GraphUser, app: MadeApplication, made: MadeCertificate, changes: Any, expected: int
) -> None:
    assert code(present(user, app, assertion(user, app, made, **changes))) == expected


@pytest.mark.parametrize(
    ("begin", "end", "expected"), [(-900, -301, 700024), (301, 900, 700024), (-900, -290, 200)]
)
def test_times_are_judged_with_five_minutes_of_grace(
    user: GraphUser,
    app: MadeApplication,
    made: MadeCertificate,
    begin: int,
    end: int,
    expected: int,
) -> None:
    user.emulator.stop_clock()
    now = user.emulator.now().timestamp()
    answer = present(user, app, assertion(user, app, made, nbf=now + begin, exp=now + end))
    assert code(answer) == expected
    if expected == 700024:
        assert "Current time: 20" in answer.json()["error_description"]


DEEP = base64.urlsafe_b64encode(b'{"a":' * 20_000).decode() + ".e30.AA"


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b.c", "e30.e30", "e30.W10.AAAA", "\u00e9.e30.AA", DEEP]
)
def test_what_is_no_jwt_is_malformed(user: GraphUser, app: MadeApplication, text: str) -> None:
    expected = 7000216 if not text else 50027
    assert code(present(user, app, text)) == expected


def test_the_type_of_the_assertion_is_required(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    text = assertion(user, app, made)
    assert code(present(user, app, text, client_assertion_type="")) == 900144


def test_a_secret_and_an_assertion_together_are_refused(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    text = assertion(user, app, made)
    assert code(present(user, app, text, client_secret="any")) == 7000218


def test_an_expired_certificate_is_named_as_expired(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    user.emulator.move_clock(timedelta(days=91).total_seconds())
    answer = present(user, app, assertion(user, app, made))
    assert code(answer) == 700027
    assert "expired" in answer.json()["error_description"]


def test_nothing_signs_in_with_an_elliptic_curve(user: GraphUser, app: MadeApplication) -> None:
    curved = make_certificate("curved", key=ec_key())
    user.emulator.add_key(app.id, certificate=curved.base64)
    thumbprint = segment(curved.certificate.fingerprint(hashes.SHA256()))
    text = assertion(user, app, curved, header={"x5t#S256": thumbprint})
    assert code(present(user, app, text)) == 50012


def test_a_new_certificate_is_not_found_until_the_replica_knows_it(
    user: GraphUser, app: MadeApplication
) -> None:
    """F1, F11."""
    user.sign_in()
    user.emulator.stop_clock()
    lag = {"replicas": 1, "token": {"addKey": [20, 20], "removeKey": [40, 40]}}
    user.emulator.set_faults(lag=lag)
    fresh = make_certificate("fresh", key=rsa_key(1))
    body = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": fresh.base64}
    start, end = fresh.certificate.not_valid_before_utc, fresh.certificate.not_valid_after_utc
    dates = {"startDateTime": start.isoformat(), "endDateTime": end.isoformat()}
    path = f"applications/{app.id}"
    assert user.call("PATCH", path, {"keyCredentials": [{**body, **dates}]}).status_code == 204
    user.emulator.move_clock(19)
    answers = [code(present(user, app, assertion(user, app, fresh, key=rsa_key(1))))]
    user.emulator.move_clock(1)
    answers.append(code(present(user, app, assertion(user, app, fresh, key=rsa_key(1)))))
    assert user.call("PATCH", path, {"keyCredentials": []}).status_code == 204
    user.emulator.move_clock(39)
    answers.append(code(present(user, app, assertion(user, app, fresh, key=rsa_key(1)))))
    user.emulator.move_clock(1)
    answers.append(code(present(user, app, assertion(user, app, fresh, key=rsa_key(1)))))
    assert answers == [700027, 200, 200, 700027]
