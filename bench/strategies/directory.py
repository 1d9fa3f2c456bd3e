"""What all ways share: Graph and the API server over HTTP, and how often they were asked."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from bench.fleet import Member
from demo.seed import OPERATOR_ID, OPERATOR_SECRET, TENANT_ID
from demo.stack import EmulatorProcess
from localcluster import Cluster

_SCOPE: Final = "https://graph.microsoft.com/.default"
_ATTEMPTS: Final = 50


class Directory:
    """Graph and the Secrets of the cluster, as an administrator of both.

    Attributes:
        calls: requests to Graph and the token endpoint, by name; `429` are those refused.
    """

    def __init__(self, emulator: EmulatorProcess, cluster: Cluster) -> None:
        self.calls: Counter[str] = Counter()
        self._url = emulator.url
        self._trust: ssl.SSLContext = emulator.context()
        self._api = cluster.api
        self._token = ""
        self._signing_in = asyncio.Lock()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._trust)
        self._session = aiohttp.ClientSession(self._url, connector=connector)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def read(self, client_id: str) -> dict[str, Any]:
        """Read an application by its client id."""
        return await self._ask("read", "GET", f"applications(appId='{client_id}')")

    async def add_password(self, client_id: str) -> dict[str, Any]:
        """Add a client secret; return it with its value."""
        body = {"passwordCredential": {"displayName": "strategy"}}
        path = f"applications(appId='{client_id}')/addPassword"
        return await self._ask("addPassword", "POST", path, body)

    async def publish(self, member: Member, made: Mapping[str, Any], prefix: str) -> None:
        """Write the value into a Secret of a name of its own."""
        value = base64.b64encode(made["secretText"].encode()).decode()
        body = {"metadata": {"name": f"{prefix}-{member.name}"}, "data": {"value": value}}
        path = f"/api/v1/namespaces/{member.namespace}/secrets"
        await asyncio.to_thread(self._api.call, "POST", path, body)

    async def _ask(
        self, name: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Send a request, again after each 429."""
        async with self._signing_in:
            self._token = self._token or await self._sign_in()
        headers = {"Authorization": f"Bearer {self._token}"}
        for _ in range(_ATTEMPTS):
            self.calls[name] += 1
            async with self._session.request(
                method, f"/v1.0/{path}", json=body, headers=headers
            ) as answer:
                if answer.status == 429:
                    self.calls["429"] += 1
                    await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
                    continue
                answer.raise_for_status()
                found: dict[str, Any] = await answer.json()
                return found
        raise RuntimeError(f"{method} {path}: refused {_ATTEMPTS} times")

    async def _sign_in(self) -> str:
        self.calls["token"] += 1
        form = {
            "grant_type": "client_credentials",
            "client_id": OPERATOR_ID,
            "client_secret": OPERATOR_SECRET,
            "scope": _SCOPE,
        }
        async with self._session.post(f"/{TENANT_ID}/oauth2/v2.0/token", data=form) as answer:
            answer.raise_for_status()
            return str((await answer.json())["access_token"])
