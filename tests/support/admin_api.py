"""The emulator's admin API, called over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.emulator import Emulator


class AdminApi:
    """Calls the admin API as a script would."""

    def __init__(self, emulator: Emulator, http: httpx.Client) -> None:
        self._root = f"{emulator.url}/emulator"
        self._http = http

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request; return the answer, whatever it is."""
        return self._http.request(method, f"{self._root}/{path}", json=body)

    def do(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Send a request that must be answered with this status; return the JSON."""
        answer = self.send(method, path, body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None
