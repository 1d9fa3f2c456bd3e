"""msgraph-sdk rolls certificates and reads policies."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from msgraph.generated.applications.item.add_key.add_key_post_request_body import (
    AddKeyPostRequestBody,
)
from msgraph.generated.applications.item.remove_key.remove_key_post_request_body import (
    RemoveKeyPostRequestBody,
)
from msgraph.generated.models.app_credential_restriction_type import AppCredentialRestrictionType
from msgraph.generated.models.key_credential import KeyCredential
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_credential import PasswordCredential

from entra_emulator.admin.policies import set_default
from entra_emulator.admin.seed import read_document
from entra_emulator.policies.documents import TenantPolicy
from tests.support.clients import graph_client
from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser
from tests.support.keys import make_certificate
from tests.support.rolling import PASSWORD, Roller

# The SDK warns about its own parts when they are imported or used.
pytestmark = pytest.mark.filterwarnings(r"ignore:.*is deprecated\.:DeprecationWarning")


@pytest.fixture
def app(emulator: Emulator, http: httpx.Client, tenant: str) -> Roller:
    return Roller(emulator, http, tenant)


async def test_a_certificate_is_rolled(app: Roller) -> None:
    """R8: the old certificate proves the addition, and the new one proves the removal."""
    made = make_certificate("next")
    wanted = KeyCredential(type="AsymmetricX509Cert", usage="Verify", key=made.der)
    [held] = app.emulator.application(app.id)["keyCredentials"]
    async with graph_client(app.user) as graph:
        item = graph.applications.by_application_id(app.id)
        body = AddKeyPostRequestBody(key_credential=wanted, proof=app.proof())
        added = await item.add_key.post(body)
        assert added is not None
        assert added.end_date_time == made.certificate.not_valid_after_utc
        gone = RemoveKeyPostRequestBody(key_id=held["keyId"], proof=app.proof(made))
        await item.remove_key.post(gone)
    assert app.thumbprints() == [made.thumbprint]


async def test_a_key_with_its_private_part_and_a_wrong_proof(app: Roller) -> None:
    """R8."""
    content = make_certificate("pair").pkcs12(PASSWORD.encode())
    wanted = KeyCredential(type="X509CertAndPassword", usage="Sign", key=content)
    password = PasswordCredential(secret_text=PASSWORD)
    body = AddKeyPostRequestBody(
        key_credential=wanted, password_credential=password, proof=app.proof()
    )
    async with graph_client(app.user) as graph:
        item = graph.applications.by_application_id(app.id)
        added = await item.add_key.post(body)
        assert added is not None
        assert added.usage == "Sign"
        body.proof = app.proof(aud="00000003-0000-0000-c000-000000000000")
        with pytest.raises(ODataError) as caught:
            await item.add_key.post(body)
    assert caught.value.response_status_code == 401
    assert caught.value.error is not None
    assert caught.value.error.code == "Authentication_MissingOrMalformed"


async def test_the_default_policy_is_read(user: GraphUser, emulator: Emulator) -> None:
    """R12: enumerations, durations and times as the SDK's models expect them."""
    emulator.set_permissions(user.tenant, user.client_id, "Policy.Read.All")
    restriction = {
        "restrictionType": "passwordLifetime",
        "maxLifetime": "P4DT12H30M5S",
        "restrictForAppsCreatedAfterDateTime": "2026-01-01T00:00:00Z",
    }
    document = {
        "isEnabled": True,
        "applicationRestrictions": {"passwordCredentials": [restriction]},
    }
    policy = read_document(TenantPolicy, document)
    emulator.do(lambda world: set_default(world, user.tenant, policy))
    async with graph_client(user) as graph:
        found = await graph.policies.default_app_management_policy.get()
    assert found is not None
    assert found.is_enabled is True
    assert found.application_restrictions is not None
    assert found.application_restrictions.password_credentials is not None
    [told] = found.application_restrictions.password_credentials
    assert told.restriction_type is AppCredentialRestrictionType.PasswordLifetime
    assert told.max_lifetime == timedelta(days=4, hours=12, minutes=30, seconds=5)


def test_an_action_may_be_written_with_its_namespace(app: Roller) -> None:
    """R7, R8: PowerShell's SDK does so."""
    body = {"keyId": "none", "proof": app.proof()}
    path = f"applications/{app.id}/microsoft.graph.removeKey"
    assert "Edm.Guid" in app.user.call("POST", path, body).text
