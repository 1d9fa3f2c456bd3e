"""`Authorization: Basic` at the token endpoint.

Entra accepts it: its document names `client_secret_basic`, and MicrosoftDocs/azure-docs issue
77412 reports it for client credentials. golang.org/x/oauth2 (`internal/token.go`) tries it first.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote_plus
from uuid import uuid4

import httpx
import pytest

from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser

FORM = {
    "grant_type": "client_credentials",
    "scope": "https://graph.microsoft.com/.default",
}
SPECIAL = "a+b c:d%e&f=g~h/ü"


def basic(client_id: str, secret: str) -> str:
    """Return the header of RFC 6749, section 2.3.1, as x/oauth2 makes it."""
    joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(joined.encode()).decode()}"


def sign_in(user: GraphUser, header: str, form: Mapping[str, str] = {}) -> httpx.Response:
    url = f"{user.emulator.url}/{user.tenant}/oauth2/v2.0/token"
    return user.http.post(url, data={**FORM, **form}, headers={"Authorization": header})


def codes_of(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["error_codes"][0]


def test_secret_in_the_header_signs_in(user: GraphUser) -> None:
    """R4: the body has neither id nor secret; the scheme is case-insensitive."""
    header = basic(user.client_id, user.secret)
    assert sign_in(user, header).status_code == 200
    assert sign_in(user, header.replace("Basic", "basic")).status_code == 200


def test_id_and_secret_are_form_decoded(user: GraphUser, emulator: Emulator) -> None:
    """R4: RFC 6749, section 2.3.1; the decoded text may contain a colon."""
    app = emulator.create_application(user.tenant, passwords=[{"value": SPECIAL}])
    assert sign_in(user, basic(app.app_id, SPECIAL)).status_code == 200
    raw = base64.b64encode(f"{app.app_id}:{SPECIAL}".encode()).decode()
    assert codes_of(sign_in(user, f"Basic {raw}")) == (401, 7000215)


def test_the_same_client_may_stand_in_the_body(user: GraphUser) -> None:
    answer = sign_in(user, basic(user.client_id, user.secret), {"client_id": user.client_id})
    assert answer.status_code == 200


@pytest.mark.parametrize("field", ["client_secret", "client_assertion"])
def test_a_credential_in_the_header_and_in_the_body_is_refused(user: GraphUser, field: str) -> None:
    """R4: a client uses one method per request (RFC 6749, section 2.3), even if both are right."""
    header = basic(user.client_id, user.secret)
    assert codes_of(sign_in(user, header, {field: user.secret})) == (401, 7000218)


def test_another_client_in_the_body_is_refused(user: GraphUser, emulator: Emulator) -> None:
    other = emulator.create_application(user.tenant)
    header = basic(user.client_id, user.secret)
    assert codes_of(sign_in(user, header, {"client_id": other.app_id})) == (401, 7000218)


@pytest.mark.parametrize("header", ["Basic", "Basic %%%", "Basic /w==", "Basic 8J+Y"])
def test_an_unreadable_header_is_no_credential(user: GraphUser, header: str) -> None:
    """R4: and does not give way to the credential in the body."""
    body = {"client_id": user.client_id, "client_secret": user.secret}
    assert codes_of(sign_in(user, header)) == (401, 7000216)
    assert codes_of(sign_in(user, header, body)) == (401, 7000218)


def test_errors_are_those_of_the_body(user: GraphUser) -> None:
    assert codes_of(sign_in(user, basic(user.client_id, "wrong"))) == (401, 7000215)
    assert codes_of(sign_in(user, basic(user.client_id, ""))) == (401, 7000216)
    assert codes_of(sign_in(user, basic(str(uuid4()), user.secret))) == (400, 700016)


def test_another_scheme_is_ignored(user: GraphUser) -> None:
    body = {"client_id": user.client_id, "client_secret": user.secret}
    assert sign_in(user, "Bearer x", body).status_code == 200


def test_neither_answer_nor_log_repeats_the_secret(
    user: GraphUser, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    header = basic(user.client_id, "canary-9")
    assert "canary-9" not in sign_in(user, header).text
    assert "canary-9" not in caplog.text
    assert header.split()[1] not in caplog.text
