"""The real client libraries, set up for the emulator."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.middleware.options import RetryHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_request_adapter import options as middleware
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]

from tests.support.graph_user import GraphUser

SCOPE: Final = "https://graph.microsoft.com/.default"


def options(user: GraphUser) -> dict[str, Any]:
    """Return the options with which azure-identity finds and trusts the emulator."""
    return {
        "authority": user.emulator.authority_host,
        "disable_instance_discovery": True,
        "connection_verify": str(user.emulator.ca_file),
    }


@asynccontextmanager
async def graph_client(user: GraphUser) -> AsyncIterator[GraphServiceClient]:
    """Yield the SDK as an application would build it, but without retries."""
    emulator = user.emulator
    context = ssl.create_default_context(cafile=emulator.ca_file)
    transport = httpx.AsyncHTTPTransport(verify=context)
    credential = AsyncClientSecretCredential(
        user.tenant,
        user.client_id,
        user.secret,
        authority=emulator.authority_host,
        connection_verify=str(emulator.ca_file),
    )
    no_retry = {RetryHandlerOption.get_key(): RetryHandlerOption(should_retry=False)}
    client = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(transport=transport), options={**middleware, **no_retry}
    )
    provider = AzureIdentityAuthenticationProvider(credential, scopes=[SCOPE])
    adapter = GraphRequestAdapter(provider, client=client)
    adapter.base_url = emulator.graph_root
    try:
        yield GraphServiceClient(request_adapter=adapter)
    finally:
        await client.aclose()
        await transport.aclose()
        await credential.close()
