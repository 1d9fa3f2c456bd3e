"""The emulator described as a cloud, for clients that are told only where to ask for its parts."""

from __future__ import annotations

from aiohttp import web

from entra_emulator.responses import json_response, origin

METADATA_PATH = "/emulator/metadata/endpoints"


async def cloud_metadata(request: web.Request) -> web.Response:
    """Answer like `/metadata/endpoints` of Azure Resource Manager, with the emulator's addresses.

    It has the members that go-azure-sdk (sdk/environments/from_endpoint.go) demands and the
    authority. Terraform's azuread provider reads it by `metadata_host`.
    """
    root = origin(request)
    document = {
        "name": "emulator",
        "authentication": {
            "loginEndpoint": root,
            "audiences": [root],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "microsoftGraphResourceId": f"{root}/",
        # Demanded, and never asked for applications and their credentials.
        "resourceManager": f"{root}/",
    }
    return json_response(200, document, {})
