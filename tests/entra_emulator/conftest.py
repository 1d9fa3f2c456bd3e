"""An emulator per test, a caller with a token, and a client that trusts it.

Docstrings of the tests here begin with the rules of Entra that they check on the emulator:

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
from pathlib import Path

import httpx
import pytest

from tests.support.emulator import OWNED_BY, Emulator, MadeApplication
from tests.support.graph_user import GraphUser
from tests.support.keys import MadeCertificate, make_certificate


@pytest.fixture(autouse=True)
def _no_other_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove variables that `requests` prefers to the CA of a client."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def tls_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One CA and one signing key for the session, because making them takes time."""
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


@pytest.fixture
def tenant(emulator: Emulator) -> str:
    return emulator.create_tenant()


@pytest.fixture
def user(emulator: Emulator, http: httpx.Client, tenant: str) -> GraphUser:
    """A caller with `Application.ReadWrite.OwnedBy`."""
    client_id, secret = emulator.create_operator(tenant, OWNED_BY)
    return GraphUser(emulator, http, tenant, client_id, secret)


@pytest.fixture
def app(user: GraphUser, emulator: Emulator) -> MadeApplication:
    """An application that the caller owns, without credentials."""
    return emulator.create_application(user.tenant, owner=user.client_id)


@pytest.fixture(scope="session")
def made() -> MadeCertificate:
    """A certificate that no application has."""
    return make_certificate()
