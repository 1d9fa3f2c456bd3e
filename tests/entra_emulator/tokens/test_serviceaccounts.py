"""Real clients exchange tokens of real ServiceAccounts, signed by a real API server."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import WorkloadIdentityCredential
from azure.identity.aio import WorkloadIdentityCredential as AsyncWorkloadIdentityCredential

from localcluster import Cluster
from tests.support.clients import SCOPE, options
from tests.support.emulator import MadeApplication
from tests.support.graph_user import GraphUser

pytestmark = pytest.mark.cluster

AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture
def app(user: GraphUser, cluster: Cluster, namespace: str) -> MadeApplication:
    """An application that trusts the ServiceAccount `default`."""
    user.emulator.add_issuer(cluster.issuer, caFile=str(cluster.ca_file))
    subject = f"system:serviceaccount:{namespace}:default"
    app = user.emulator.create_application(user.tenant, owner=user.client_id)
    body = {
        "name": "pods",
        "issuer": cluster.issuer,
        "subject": subject,
        "audiences": [AUDIENCE],
    }
    path = f"applications/{app.id}/federatedIdentityCredentials"
    assert user.call("POST", path, body).status_code == 201
    return app


def token_file(cluster: Cluster, namespace: str, folder: Path, audience: str = AUDIENCE) -> str:
    file = folder / "azure-identity-token"
    file.write_text(cluster.service_account_token(namespace, "default", audiences=[audience]))
    return str(file)


async def test_a_pods_token_signs_in(
    user: GraphUser, app: MadeApplication, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """R4: the emulator fetches the keys from the API server itself."""
    file = token_file(cluster, namespace, tmp_path)
    names = {"tenant_id": user.tenant, "client_id": app.app_id, "token_file_path": file}
    with WorkloadIdentityCredential(**names, **options(user)) as credential:
        assert credential.get_token(SCOPE).token.count(".") == 2
    async with AsyncWorkloadIdentityCredential(**names, **options(user)) as another:
        assert (await another.get_token(SCOPE)).token.count(".") == 2


async def test_another_service_account_and_audience_are_refused(
    user: GraphUser, app: MadeApplication, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """R4: with Entra's own errors."""
    names = {"tenant_id": user.tenant, "client_id": app.app_id}
    file = token_file(cluster, namespace, tmp_path, "https://kubernetes.default.svc")
    async with AsyncWorkloadIdentityCredential(
        token_file_path=file, **names, **options(user)
    ) as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS700212"):
            await credential.get_token(SCOPE)
    user.emulator.change_federated(app.id, "pods", subject="system:serviceaccount:other:default")
    file = token_file(cluster, namespace, tmp_path)
    async with AsyncWorkloadIdentityCredential(
        token_file_path=file, **names, **options(user)
    ) as credential:
        with pytest.raises(ClientAuthenticationError, match=f"AADSTS700213.*{namespace}:default"):
            await credential.get_token(SCOPE)
