"""A caller of the emulator's Graph and token endpoint with plain requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from tests.support.emulator import Emulator


@dataclass
class GraphUser:
    """A caller of Graph with plain requests, so that tests see what is on the wire."""

    emulator: Emulator
    http: httpx.Client
    tenant: str
    client_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    def sign_in(self, **form: str) -> httpx.Response:
        """Ask for a token; fields of the form can be replaced, or removed with an empty text."""
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
        """Call Graph below its root."""
        if not self.token:
            self.sign_in()
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        return self.http.request(
            method, f"{self.emulator.graph_root}/{path}", json=body, headers=sent
        )

    def get(self, path: str) -> Any:
        """Return the JSON of a GET that must succeed."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add_password(self, app: str, **password: str) -> dict[str, Any]:
        """Add a password that must be accepted."""
        body = {"passwordCredential": password}
        answer = self.call("POST", f"applications/{app}/addPassword", body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def remove_password(self, app: str, key_id: str) -> httpx.Response:
        """Try to remove a password."""
        return self.call("POST", f"applications/{app}/removePassword", {"keyId": key_id})


def is_guid(text: str) -> bool:
    """Return whether a text is a Guid as Graph writes it."""
    return str(UUID(text)) == text
