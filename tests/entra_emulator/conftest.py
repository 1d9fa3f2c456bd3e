"""An emulator per test, a caller with a token, and a client that trusts it.

Docstrings of the tests here begin with the rules of Entra that they hold the emulator to:

- Routes: R1 discovery document, R2 keys, R3 instance discovery, R4 token endpoint, R5 list and
  create applications, R6 one application, R7 `addPassword` and `removePassword`, R8
  `addKey` and `removeKey`, R9 owners, R10 federated identity credentials,
  R11 the policy of an application, R12 the tenant's default policy, R13 service principals,
  R14 batches.
- State: S1 the server makes key id, value and hint, S2 values are kept as digests, S8 the rules of
  federated credentials, S9 twenty of them, S10 two secrets
  for personal accounts, S11 ownership for `…OwnedBy` tokens.
- Faults: F1 replica lag, F2 conflicts of quick writes, F3 500 on remove after add, F4 429, F5
  quotas, F6 HTML 503, F7 504 after the commit, F8 expired tokens and claims challenges, F9
  policies, F10 the clock, F11 a removed secret that still signs in.
- Tolerated: T1 `=` in segments of tokens, T2 times that are fractions, T3 `+00:00`, T4
  `@odata.type`, T6 `claims`, T7 `client_info`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.emulator import OWNED_BY, Emulator


@pytest.fixture(autouse=True)
def _no_other_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """`requests` prefers these variables to the CA that a client was given."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def tls_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One authority and one signing key for the session: making them takes time."""
    return tmp_path_factory.mktemp("emulator-tls")


@pytest.fixture
def emulator(tls_dir: Path) -> Iterator[Emulator]:
    with Emulator(tls_dir) as running:
        yield running


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=emulator.ca_file)
    with httpx.Client(verify=context) as client:
        yield client


@dataclass
class GraphUser:
    """A caller of Graph with plain requests, so that tests see what is on the wire."""

    emulator: Emulator
    http: httpx.Client
    tenant: str
    client_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    def sign_in(self, **form: str) -> httpx.Response:
        """Ask for a token; fields of the form can be replaced, or removed with an empty text."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.secret,
            "scope": "https://graph.microsoft.com/.default",
            **form,
        }
        sent = {name: value for name, value in fields.items() if value}
        url = f"{self.emulator.url}/{self.tenant}/oauth2/v2.0/token"
        answer = self.http.post(url, data=sent)
        if answer.status_code == 200 and not form:
            self.token = answer.json()["access_token"]
        return answer

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Call Graph below its root."""
        if not self.token:
            self.sign_in()
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        return self.http.request(
            method, f"{self.emulator.graph_root}/{path}", json=body, headers=sent
        )

    def get(self, path: str) -> Any:
        """Return the JSON of a GET that must succeed."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add_password(self, app: str, **password: str) -> dict[str, Any]:
        """Add a password that must be accepted."""
        body = {"passwordCredential": password}
        answer = self.call("POST", f"applications/{app}/addPassword", body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def remove_password(self, app: str, key_id: str) -> httpx.Response:
        """Try to remove a password."""
        return self.call("POST", f"applications/{app}/removePassword", {"keyId": key_id})


def is_guid(text: str) -> bool:
    """Return whether a text is a Guid as Graph writes it."""
    return str(UUID(text)) == text


@pytest.fixture
def tenant(emulator: Emulator) -> str:
    return emulator.create_tenant()


@pytest.fixture
def user(emulator: Emulator, http: httpx.Client, tenant: str) -> GraphUser:
    """A caller with `Application.ReadWrite.OwnedBy`."""
    client_id, secret = emulator.create_operator(tenant, OWNED_BY)
    return GraphUser(emulator, http, tenant, client_id, secret)
