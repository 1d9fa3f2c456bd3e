"""The API server over one persistent connection: a new one per question would take minutes."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from localcluster import Cluster
from tests.crds.manifests import APP, GROUP, PLURALS

_IDLE: Final = 60.0
"""Seconds without a question, after which a connection is not used again: the API server ends it
after 90."""


class Server:
    """Requests as the administrator of a local cluster."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        user = json.loads(cluster.kubeconfig.read_text())["users"][0]["user"]
        certificate, key = folder / "client.crt", folder / "client.key"
        key.touch(mode=0o600)
        certificate.write_bytes(base64.b64decode(user["client-certificate-data"]))
        key.write_bytes(base64.b64decode(user["client-key-data"]))
        tls = ssl.create_default_context(cafile=cluster.ca_file)
        tls.load_cert_chain(certificate, key)
        address = urlsplit(cluster.server).netloc
        self._connection = http.client.HTTPSConnection(address, context=tls, timeout=30)
        self._used = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content: str = "application/json",
    ) -> tuple[int, dict[str, Any]]:
        """Send one request and return status and answer."""
        sent = None if body is None else json.dumps(body)
        if time.monotonic() - self._used > _IDLE:
            self._connection.close()  # it opens another by itself
        self._connection.request(method, path, sent, {"Content-Type": content})
        answer = self._connection.getresponse()
        found = json.loads(answer.read())
        self._used = time.monotonic()
        return answer.status, found

    def try_create(self, namespace: str, manifest: Mapping[str, Any]) -> tuple[int, str]:
        """Create by dry run; return the status and what was said against it."""
        path = collection(namespace, manifest) + "?dryRun=All"
        status, answer = self.send("POST", path, manifest)
        return status, "" if status == 201 else str(answer.get("message"))

    def create(self, namespace: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Create and return the object."""
        status, answer = self.send("POST", collection(namespace, manifest), manifest)
        assert status == 201, answer
        return answer


def collection(namespace: str, manifest: Mapping[str, Any]) -> str:
    """Return the path of the kind's collection."""
    kind = manifest["kind"]
    scope = f"namespaces/{namespace}/" if kind == APP else ""
    return f"/apis/{GROUP}/v1alpha1/{scope}{PLURALS[kind]}"
