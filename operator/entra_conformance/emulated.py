"""An emulator of its own as the target; the only module that knows it."""

from __future__ import annotations

import logging
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from entra_conformance.redacted import Vault
from entra_conformance.target import EMULATED, Target
from entra_emulator.server import EmulatorServer

_TENANT: Final = "c0f0c0f0-0000-4000-8000-000000000001"
_ISSUER: Final = "https://token.actions.githubusercontent.com"
_CLAIMS: Final = {"sub": "repo:contoso/orders:ref:refs/heads/main", "aud": "api://conformance"}


@asynccontextmanager
async def emulator(vault: Vault) -> AsyncIterator[Target]:
    """Start an emulator with a tenant, a caller and an issuer like GitHub's; stop it at the end."""
    # Checks provoke the errors that it would print as warnings.
    logging.getLogger("entra_emulator").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory(prefix="entra-conformance-") as folder:
        async with EmulatorServer(tls_dir=Path(folder)) as server:
            yield await _prepared(server, vault)


async def _prepared(server: EmulatorServer, vault: Vault) -> Target:
    trust = ssl.create_default_context(cafile=server.ca_file)

    async def admin(path: str, body: dict[str, Any]) -> Any:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{server.url}/emulator/{path}", json=body, ssl=trust) as answer,
        ):
            return vault.hide_in(await answer.json())

    await admin("tenants", {"id": _TENANT, "displayName": "Conformance"})
    wanted = {"permissions": ["Application.ReadWrite.OwnedBy"]}
    caller = await admin(f"tenants/{_TENANT}/operators", wanted)
    await admin("issuers", {"name": "github", "url": _ISSUER, "hosted": True})
    token = await admin("issuers/github/tokens", {"claims": _CLAIMS})
    return Target(
        authority=server.url,
        graph=server.url,
        tenant=_TENANT,
        client_id=caller["clientId"],
        secret=caller["clientSecret"],
        ca_file=server.ca_file,
        federated_token=token["token"],
        patience=EMULATED,
        proxied=False,
    )
