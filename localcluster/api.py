"""A small client of the API server, for the time before kubectl can be used."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any

from localcluster.errors import ApiError
from localcluster.pki import KeyPair

TIMEOUT = 10.0


class Api:
    """A client that calls the API server as the administrator, over verified TLS."""

    def __init__(self, address: str, port: int, ca_file: Path, client: KeyPair) -> None:
        self._address, self._port = address, port
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._tls.load_cert_chain(client.certificate, client.key)

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Send one request; return status and body, or 0 and the reason if nobody answers."""
        connection = http.client.HTTPSConnection(
            self._address, self._port, context=self._tls, timeout=TIMEOUT
        )
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error) or type(error).__name__
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and return its JSON answer.

        Raises:
            ApiError: the status is not 2xx, or nobody answers.
        """
        status, text = self.send(method, path, body)
        if not 200 <= status < 300:
            raise ApiError(f"{method} {path}: {_reason(status, text)}", status)
        return json.loads(text)


def _reason(status: int, text: str) -> str:
    try:
        return f"{status} {json.loads(text)['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{status or 'no answer'}: {text[:300]}"
