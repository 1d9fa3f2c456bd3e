"""The real client libraries against the emulator: azure-identity, MSAL, msgraph-sdk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
    AddPasswordPostRequestBody,
)
from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody,
)
from msgraph.generated.models.application import Application
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_credential import PasswordCredential

from tests.support.clients import SCOPE, graph_client
from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser

# The SDK warns about its own parts when they are imported or used.
pytestmark = pytest.mark.filterwarnings(r"ignore:.*is deprecated\.:DeprecationWarning")


def sync_credential(user: GraphUser, secret: str) -> ClientSecretCredential:
    return ClientSecretCredential(
        user.tenant,
        user.client_id,
        secret,
        authority=user.emulator.authority_host,
        disable_instance_discovery=True,
        connection_verify=str(user.emulator.ca_file),
    )


def test_azure_identity_sync_gets_a_token(user: GraphUser) -> None:
    """R1, R4, T7: its MSAL reads the discovery document and sends client_info."""
    with sync_credential(user, user.secret) as credential:
        token = credential.get_token(SCOPE)
    user.token = token.token
    assert user.call("GET", "applications").status_code == 200


def test_azure_identity_sync_reports_a_wrong_secret(user: GraphUser) -> None:
    """R4."""
    with (
        sync_credential(user, "wrong") as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(SCOPE)


async def test_azure_identity_async_gets_a_token(user: GraphUser) -> None:
    """R4: one POST and no discovery."""
    credential = AsyncClientSecretCredential(
        user.tenant,
        user.client_id,
        user.secret,
        authority=user.emulator.authority_host,
        connection_verify=str(user.emulator.ca_file),
    )
    async with credential:
        token = await credential.get_token(SCOPE)
    assert token.token.count(".") == 2
    assert user.emulator.counts() == {"token": 1}


async def test_azure_identity_async_reports_a_wrong_secret(user: GraphUser) -> None:
    """R4: the status reaches the exception."""
    credential = AsyncClientSecretCredential(
        user.tenant,
        user.client_id,
        "wrong",
        authority=user.emulator.authority_host,
        connection_verify=str(user.emulator.ca_file),
    )
    async with credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as caught:
            await credential.get_token(SCOPE)
    assert caught.value.status_code == 401


@contextmanager
def msal_session(emulator: Emulator) -> Iterator[requests.Session]:
    """Yield a session for MSAL, because MSAL never closes its own."""
    with requests.Session() as session:
        session.verify = str(emulator.ca_file)
        yield session


def test_msal_gets_a_token_and_finds_the_instance(user: GraphUser) -> None:
    """R1, R3, R4: MSAL asks the emulator for instance discovery."""
    emulator = user.emulator
    with msal_session(emulator) as session:
        app = msal.ConfidentialClientApplication(
            user.client_id,
            client_credential=user.secret,
            authority=f"{emulator.authority_host}/{user.tenant}",
            instance_discovery=f"{emulator.url}/common/discovery/instance",
            http_client=session,
        )
        answer = app.acquire_token_for_client([SCOPE])
    assert answer["token_type"] == "Bearer"


def test_msal_reports_a_wrong_secret(user: GraphUser) -> None:
    """R4: MSAL can read the body."""
    with msal_session(user.emulator) as session:
        app = msal.ConfidentialClientApplication(
            user.client_id,
            client_credential="wrong",
            authority=f"{user.emulator.authority_host}/{user.tenant}",
            instance_discovery=False,
            http_client=session,
        )
        answer = app.acquire_token_for_client([SCOPE])
    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [7000215]


async def test_msgraph_sdk_lists_reads_adds_and_removes(
    user: GraphUser, emulator: Emulator
) -> None:
    """R5, R6, R7, T3, T4, T6: the emulator accepts everything that the SDK adds."""
    made = emulator.create_application(user.tenant, owner=user.client_id)
    end = datetime.now(UTC) + timedelta(days=90)
    async with graph_client(user) as graph:
        page = await graph.applications.get()
        assert page is not None
        assert made.app_id in {one.app_id for one in page.value or []}
        item = graph.applications.by_application_id(made.id)
        wanted = PasswordCredential(display_name="sdk", end_date_time=end)
        added = await item.add_password.post(AddPasswordPostRequestBody(password_credential=wanted))
        assert added is not None
        assert added.secret_text is not None
        assert added.hint == added.secret_text[:3]
        read = await item.get()
        assert read is not None
        assert [one.key_id for one in read.password_credentials or []] == [added.key_id]
        assert read.password_credentials is not None
        assert read.password_credentials[0].secret_text is None
        await item.remove_password.post(RemovePasswordPostRequestBody(key_id=added.key_id))
        await item.patch(Application(display_name="renamed"))
    assert emulator.application(made.id)["passwordCredentials"] == []
    assert emulator.application(made.id)["displayName"] == "renamed"


async def test_msgraph_sdk_reads_by_app_id(user: GraphUser, emulator: Emulator) -> None:
    """R6: the SDK's form of the alternate key."""
    made = emulator.create_application(user.tenant)
    async with graph_client(user) as graph:
        read = await graph.applications_with_app_id(made.app_id).get()
    assert read is not None
    assert read.id == made.id


async def test_msgraph_sdk_follows_changes(user: GraphUser, emulator: Emulator) -> None:
    """The SDK writes `delta()`, and takes the link of a round as its next address."""
    made = emulator.create_application(user.tenant)
    async with graph_client(user) as graph:
        first = await graph.applications.delta.get()
        assert first is not None
        assert made.id in {one.id for one in first.value or []}
        assert first.odata_delta_link is not None
        emulator.delete_application(made.id)
        second = await graph.applications.delta.with_url(first.odata_delta_link).get()
    assert second is not None
    [gone] = second.value or []
    assert gone.id == made.id
    assert gone.additional_data["@removed"]["reason"] == "deleted"


async def test_msgraph_sdk_maps_errors(user: GraphUser, emulator: Emulator) -> None:
    """The SDK turns the error body into an ODataError."""
    emulator.set_faults(rules=[{"fault": "throttle", "retryAfter": 7}])
    async with graph_client(user) as graph:
        with pytest.raises(ODataError) as caught:
            await graph.applications.by_application_id("x").get(
                request_configuration=RequestConfiguration()
            )
    error = caught.value
    assert error.response_status_code == 429
    assert error.response_headers is not None
    assert error.response_headers["Retry-After"] == "7"
    assert error.error is not None
    assert error.error.code == "TooManyRequests"
    assert error.error.inner_error is not None
    assert error.error.inner_error.client_request_id


async def test_msgraph_sdk_answers_a_claims_challenge(user: GraphUser, emulator: Emulator) -> None:
    """F8: the SDK requests a token with the claims and repeats the request once."""
    async with graph_client(user) as graph:
        await graph.applications.get()
        emulator.set_faults(rules=[{"fault": "claims-challenge"}])
        emulator.reset_log()
        assert await graph.applications.get() is not None
    assert emulator.counts() == {"application.list": 2, "token": 1}


async def test_msgraph_sdk_sees_an_expired_token(user: GraphUser, emulator: Emulator) -> None:
    """F8, F10: tokens expire by the emulator's clock."""
    async with graph_client(user) as graph:
        await graph.applications.get()
        emulator.move_clock(2 * 3600)
        with pytest.raises(ODataError) as caught:
            await graph.applications.get()
    assert caught.value.response_status_code == 401
    assert caught.value.error is not None
    assert caught.value.error.code == "InvalidAuthenticationToken"
