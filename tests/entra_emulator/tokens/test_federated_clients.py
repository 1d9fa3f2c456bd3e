"""Real clients sign in with foreign tokens: azure-identity, MSAL, msgraph-sdk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential, WorkloadIdentityCredential
from azure.identity.aio import ClientAssertionCredential as AsyncClientAssertionCredential
from azure.identity.aio import WorkloadIdentityCredential as AsyncWorkloadIdentityCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.models.federated_identity_credential import FederatedIdentityCredential
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from tests.support.clients import SCOPE, graph_client, options
from tests.support.emulator import MadeApplication
from tests.support.graph_user import GraphUser

# The SDK warns about its own parts when they are imported or used.
pytestmark = pytest.mark.filterwarnings(r"ignore:.*is deprecated\.:DeprecationWarning")

ISSUER = "https://oidc.example.net/cluster-1/"
SUBJECT = "system:serviceaccount:orders:api"
Sign = Callable[..., str]


@pytest.fixture
def app(user: GraphUser) -> MadeApplication:
    given = [{"name": "orders-api", "issuer": ISSUER, "subject": SUBJECT}]
    return user.emulator.create_application(
        user.tenant, owner=user.client_id, federatedIdentityCredentials=given
    )


@pytest.fixture
def sign(user: GraphUser) -> Sign:
    """Return a function that signs tokens of an issuer like a cluster."""
    issuer = user.emulator.add_issuer(ISSUER)

    def make(subject: str = SUBJECT) -> str:
        claims = {"sub": subject, "aud": ["api://AzureADTokenExchange"]}
        return user.emulator.sign(issuer, claims=claims)

    return make


def test_workload_identity_sync(
    user: GraphUser, app: MadeApplication, sign: Sign, tmp_path: Path
) -> None:
    """R4."""
    file = tmp_path / "token"
    file.write_text(sign())
    with WorkloadIdentityCredential(
        tenant_id=user.tenant, client_id=app.app_id, token_file_path=str(file), **options(user)
    ) as credential:
        assert credential.get_token(SCOPE).token.count(".") == 2


async def test_workload_identity_async(
    user: GraphUser,
    app: MadeApplication,
    sign: Sign,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R4: all settings come from the environment, as in a pod."""
    file = tmp_path / "token"
    file.write_text(sign())
    monkeypatch.setenv("AZURE_CLIENT_ID", app.app_id)
    monkeypatch.setenv("AZURE_TENANT_ID", user.tenant)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", user.emulator.authority_host)
    credential = AsyncWorkloadIdentityCredential(connection_verify=str(user.emulator.ca_file))
    async with credential:
        assert (await credential.get_token(SCOPE)).token.count(".") == 2


def test_client_assertion_sync(user: GraphUser, app: MadeApplication, sign: Sign) -> None:
    """R4."""
    with ClientAssertionCredential(user.tenant, app.app_id, sign, **options(user)) as credential:
        assert credential.get_token(SCOPE).token.count(".") == 2


async def test_client_assertion_async(user: GraphUser, app: MadeApplication, sign: Sign) -> None:
    """R4, and the client's error for a refusal."""
    async with AsyncClientAssertionCredential(
        user.tenant, app.app_id, sign, **options(user)
    ) as credential:
        assert (await credential.get_token(SCOPE)).token.count(".") == 2
    other = lambda: sign("system:serviceaccount:orders:other")  # noqa: E731
    async with AsyncClientAssertionCredential(
        user.tenant, app.app_id, other, **options(user)
    ) as credential:
        with pytest.raises(ClientAuthenticationError, match=r"AADSTS700213.*orders:other"):
            await credential.get_token(SCOPE)


def test_msal(user: GraphUser, app: MadeApplication, sign: Sign) -> None:
    """R1, R3, R4."""
    with requests.Session() as session:
        session.verify = str(user.emulator.ca_file)
        client = msal.ConfidentialClientApplication(
            app.app_id,
            client_credential={"client_assertion": sign},
            authority=f"{user.emulator.authority_host}/{user.tenant}",
            instance_discovery=False,
            http_client=session,
        )
        answer = client.acquire_token_for_client([SCOPE])
    assert answer["token_type"] == "Bearer"


async def test_msgraph_sdk(user: GraphUser) -> None:
    """R10: list, create, read, change, upsert by name, delete, and an error."""
    app = user.emulator.create_application(user.tenant, owner=user.client_id)
    wanted = FederatedIdentityCredential(
        name="orders-api",
        issuer=ISSUER,
        subject=SUBJECT,
        audiences=["api://AzureADTokenExchange"],
        description="by the SDK",
    )
    async with graph_client(user) as graph:
        credentials = graph.applications.by_application_id(app.id).federated_identity_credentials
        made = await credentials.post(wanted)
        assert made is not None
        assert made.id is not None
        with pytest.raises(ODataError) as raised:
            await credentials.post(wanted)
        assert raised.value.response_status_code == 409
        one = credentials.by_federated_identity_credential_id(made.id)
        await one.patch(FederatedIdentityCredential(description="changed"))
        found = await credentials.get()
        assert found is not None
        assert [row.description for row in found.value or []] == ["changed"]
        upsert: RequestConfiguration[Any] = RequestConfiguration()
        upsert.headers.add("Prefer", "create-if-missing")
        by_name = graph.applications.by_application_id(
            app.id
        ).federated_identity_credentials_with_name("another")
        another = FederatedIdentityCredential(
            issuer=ISSUER, subject="s", audiences=["api://AzureADTokenExchange"]
        )
        created = await by_name.patch(another, upsert)
        assert created is not None
        assert created.name == "another"
        await one.delete()
        found = await credentials.get()
        assert [row.name for row in (found.value if found else None) or []] == ["another"]
