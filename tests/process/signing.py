"""Sign-ins as a workload makes them: one token request each, on a connection that is kept."""

from __future__ import annotations

import http.client
import json
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

from demo.seed import TENANT_ID
from demo.stack import EmulatorProcess


class SignIns:
    """Signs in to one application. For one thread."""

    def __init__(self, emulator: EmulatorProcess, client_id: str) -> None:
        host = urlsplit(emulator.url).netloc
        self._connection = http.client.HTTPSConnection(host, context=emulator.context(), timeout=10)
        self._client_id = client_id
        self._scope = f"{emulator.url}/.default"

    def refusal(self, value: str) -> str:
        """Sign in; return why it was refused, empty when a token came."""
        form = {
            "client_id": self._client_id,
            "client_secret": value,
            "grant_type": "client_credentials",
            "scope": self._scope,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/{TENANT_ID}/oauth2/v2.0/token"
        self._connection.request("POST", path, urlencode(form), headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status == 200 and "access_token" in json.loads(body):
            return ""
        return f"{response.status} {_codes(body)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._connection.close()


def _codes(body: bytes) -> str:
    try:
        return str(json.loads(body).get("error_codes"))
    except ValueError:
        return "no JSON"
