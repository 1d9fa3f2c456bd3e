"""A caller of the emulator's Graph and token endpoint with plain requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from tests.support.emulator import Emulator


@dataclass
class GraphUser:
    """A caller of Graph that sends plain requests, so that tests see the exact answers."""

    emulator: Emulator
    http: httpx.Client
    tenant: str
    client_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    def sign_in(self, **form: str) -> httpx.Response:
        """Request a token; `form` replaces fields, and removes those with an empty text."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.secret,
            "scope": "https://graph.microsoft.com/.default",
            **form,
        }
        sent = {name: value for name, value in fields.items() if value}
        url = f"{self.emulator.url}/{self.tenant}/oauth2/v2.0/token"
        answer = self.http.post(url, data=sent)
        if answer.status_code == 200 and not form:
            self.token = answer.json()["access_token"]
        return answer

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request to a path below Graph's root; sign in first if needed."""
        if not self.token:
            self.sign_in()
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        return self.http.request(
            method, f"{self.emulator.graph_root}/{path}", json=body, headers=sent
        )

    def get(self, path: str) -> Any:
        """Send a GET that must succeed; return its JSON."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add_password(self, app: str, **password: str) -> dict[str, Any]:
        """Send an addPassword that must succeed; return its answer."""
        body = {"passwordCredential": password}
        answer = self.call("POST", f"applications/{app}/addPassword", body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def remove_password(self, app: str, key_id: str) -> httpx.Response:
        """Send a removePassword that may fail."""
        return self.call("POST", f"applications/{app}/removePassword", {"keyId": key_id})


def is_guid(text: str) -> bool:
    """Return whether a text is a Guid as Graph writes it."""
    return str(UUID(text)) == text
