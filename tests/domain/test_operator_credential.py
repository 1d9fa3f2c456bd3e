from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.operator_credential import (
    client_of,
    client_secret_of,
    is_of_a_user,
    pair_of,
    principal_of,
    roles_of,
    token_fault,
    validity_problem,
)
from appcredential.domain.operator_problems import (
    forbidden,
    missing_secret,
    rejected,
    unusable_token,
)
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientId,
    ClientSecretIdentity,
    ManagedIdentity,
    TenantIdentity,
    WorkloadIdentity,
)
from tests.support.builders import DAY, NOW, OPERATOR_CLIENT_ID

OWN = "api://own"
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
CHAIN = "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
IDENTITIES: list[TenantIdentity] = [
    CertificateIdentity(client_id=OPERATOR_CLIENT_ID, secret_name="s", secret_key="tls.crt"),
    ClientSecretIdentity(client_id=OPERATOR_CLIENT_ID, secret_name="s", secret_key="k"),
    ManagedIdentity(),
    WorkloadIdentity(client_id=OPERATOR_CLIENT_ID),
]


def token(**claims: Any) -> str:
    """Return a JWT that nobody signed."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


def pair(data: dict[str, str], key: str) -> tuple[str, str] | Problem:
    identity = CertificateIdentity(
        client_id=OPERATOR_CLIENT_ID, secret_name="operator", secret_key=key
    )
    found = pair_of({name: SecretValue(text) for name, text in data.items()}, identity)
    return found if isinstance(found, Problem) else (found[0].reveal(), found[1].reveal())


def test_a_key_beside_the_certificate_is_found() -> None:
    assert pair({"tls.crt": CHAIN, "tls.key": KEY}, "tls.crt") == (CHAIN, KEY)
    assert pair({"my.cer": CHAIN, "tls.key": KEY}, "my.cer") == (CHAIN, KEY)


def test_a_key_in_the_same_text_comes_first() -> None:
    data = {"client.pem": f"{KEY}{CHAIN}{CHAIN}", "tls.key": "another"}
    assert pair(data, "client.pem") == (CHAIN * 2, KEY)


@pytest.mark.parametrize(
    ("data", "missing"),
    [({"tls.key": KEY}, "tls.crt"), ({"tls.crt": CHAIN}, "tls.key"), ({}, "tls.crt")],
)
def test_what_is_missing_is_named(data: dict[str, str], missing: str) -> None:
    found = pair(data, "tls.crt")
    assert isinstance(found, Problem)
    assert found.reason is Reason.IDENTITY_SECRET_NOT_FOUND
    assert f"no key {missing}:" in found.message


def test_a_client_secret_is_as_its_key_holds_it() -> None:
    identity = ClientSecretIdentity(
        client_id=OPERATOR_CLIENT_ID, secret_name="operator", secret_key="password"
    )
    assert client_secret_of({"password": SecretValue("word")}, identity) == SecretValue("word")
    missing = client_secret_of({"clientSecret": SecretValue("word")}, identity)
    assert isinstance(missing, Problem)
    assert "no key password:" in missing.message
    empty = client_secret_of({"password": SecretValue("")}, identity)
    assert isinstance(empty, Problem)
    assert empty.reason is Reason.IDENTITY_SECRET_UNUSABLE
    assert "The value of password in the operator's own Secret" in empty.message
    assert "is empty" in empty.message


@pytest.mark.parametrize("bad", ["tls.crt", "tls.key"])
def test_a_file_in_another_form_is_named_with_its_key(bad: str) -> None:
    found = pair({"tls.crt": CHAIN, "tls.key": KEY, bad: ""}, "tls.crt")
    assert isinstance(found, Problem)
    assert found.reason is Reason.IDENTITY_CERTIFICATE_UNUSABLE
    assert f"The value of {bad} in" in found.message


def test_a_certificate_is_good_from_its_first_to_its_last_second() -> None:
    second = timedelta(seconds=1)
    assert validity_problem(NOW, NOW + DAY, NOW) is None
    assert validity_problem(NOW, NOW + DAY, NOW + DAY - second) is None
    early = validity_problem(NOW, NOW + DAY, NOW - second)
    late = validity_problem(NOW, NOW + DAY, NOW + DAY)
    assert early is not None
    assert "not valid yet" in early.message
    assert late is not None
    assert "has expired" in late.message
    assert {early.reason, late.reason} == {Reason.IDENTITY_CERTIFICATE_UNUSABLE}


@pytest.mark.parametrize("audience", [OWN, [OWN]])
def test_a_token_for_the_one_audience_may_be_sent(audience: str | list[str]) -> None:
    assert token_fault(token(aud=audience), OWN) == ""


@pytest.mark.parametrize(
    "audience",
    [
        "api://AzureADTokenExchange",
        [OWN, "api://AzureADTokenExchange"],
        [],
        "",
        OWN.upper(),
    ],
)
def test_a_token_for_anybody_else_may_not(audience: str | list[str]) -> None:
    assert "another audience" in token_fault(token(aud=audience), OWN)
    assert token_fault(token(aud=audience), "") == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "word",
        "a.b",
        "a.b.c.d",
        "e30.!!!!!.c2ln",
        "e30.ä.c2ln",
        "e30.W10.c2ln",
        token(aud=7),
        "e30.AAA.c2ln",
        "e30.A.c2ln",
    ],
)
def test_what_is_no_token_is_said_so(text: str) -> None:
    assert token_fault(text, "").startswith("holds no token")
    assert client_of(text) is None
    assert principal_of(text) == ""


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"appid": OPERATOR_CLIENT_ID}, OPERATOR_CLIENT_ID),
        ({"azp": OPERATOR_CLIENT_ID.upper()}, OPERATOR_CLIENT_ID),
        ({"appid": "name"}, None),
        ({}, None),
    ],
)
def test_an_access_token_says_who_it_was_issued_to(
    claims: dict[str, str], expected: ClientId | None
) -> None:
    assert client_of(token(**claims)) == expected


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"oid": OPERATOR_CLIENT_ID.upper()}, OPERATOR_CLIENT_ID),
        ({"oid": "$(reboot)"}, ""),
        ({}, ""),
    ],
)
def test_an_access_token_says_who_its_principal_is(claims: dict[str, str], expected: str) -> None:
    assert principal_of(token(**claims)) == expected


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"roles": ["Application.Read.All"]}, {"Application.Read.All"}),
        ({}, set()),
        ({"roles": "admin"}, None),
    ],
)
def test_an_access_token_says_what_it_permits(
    claims: dict[str, Any], expected: set[str] | None
) -> None:
    assert roles_of(token(**claims)) == expected
    assert token_fault(token(aud="a", **claims), "a") == token_fault(token(aud="a"), "a")
    assert roles_of("opaque") is None


def test_only_a_token_that_acts_for_a_person_has_scopes() -> None:
    assert is_of_a_user(token(scp="Application.Read.All"))
    assert not is_of_a_user(token(roles=["Application.Read.All"]))
    assert not is_of_a_user("opaque")


def test_what_is_not_there_is_told_with_its_remedy() -> None:
    secret, file = missing_secret(), unusable_token("cannot be read: project one there.")
    assert secret.reason is Reason.IDENTITY_SECRET_NOT_FOUND
    assert secret.message.endswith("spec.identity names does not exist: create it.")
    assert file.reason is Reason.IDENTITY_TOKEN_UNUSABLE
    assert "APPCREDENTIAL_IDENTITY_TOKEN_FILE names cannot be read" in file.message


@pytest.mark.parametrize("identity", IDENTITIES)
def test_every_kind_of_identity_has_remedies_of_its_own(identity: TenantIdentity) -> None:
    told = rejected(identity)
    assert told.reason is Reason.IDENTITY_REJECTED
    assert told.message.startswith("Entra refuses the ")
    assert told.message.endswith(".")
    assert "tenantId" in told.message
    assert [rejected(other) for other in IDENTITIES].count(told) == 1
    assert "Application.ReadWrite.OwnedBy" in forbidden(identity).message
