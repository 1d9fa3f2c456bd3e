"""A place on the internet, as it were, where a cluster's issuers publish their documents."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from localcluster import Cluster

DISCOVERY = "/.well-known/openid-configuration"


class Published:
    """Serves discovery documents and key sets over TLS, with a certificate of the cluster's CA.

    Args:
        cluster: whose keys are copied here, as its administrator does after a change.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._documents: dict[str, bytes] = {}
        documents = self._documents

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = documents.get(self.path)
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(found or b"{}")

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pki = cluster.folder / "pki"
        context.load_cert_chain(pki / "kube-apiserver.crt", pki / "kube-apiserver.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, name: str) -> str:
        """Return an issuer's URL."""
        return f"https://127.0.0.1:{self._server.server_port}/{name}"

    def publish(self, name: str) -> None:
        """Copy the cluster's keys to where an issuer of that name has them."""
        url = self.url(name)
        document = {"issuer": url, "jwks_uri": f"{url}/keys"}
        self._documents[f"/{name}{DISCOVERY}"] = json.dumps(document).encode()
        keys = self._cluster.api.call("GET", "/openid/v1/jwks")
        self._documents[f"/{name}/keys"] = json.dumps(keys).encode()
