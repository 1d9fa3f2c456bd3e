"""When kopf gives up, so does its thread, and the process with it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from appcredential.handlers.watch import Watches
from localcluster.kubeconfig import with_token
from tests.conftest import wait_until


class Strange(BaseHTTPRequestHandler):
    """Answers what no API server does, such as a proxy that is not ready yet."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


def test_the_thread_ends_with_kopf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends with it, and begins anew: without watches it would only look interested."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Strange)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("KUBECONFIG", str(with_token(tmp_path / "config", url, ca_file, "t", "a")))
    watches = Watches((), lambda *_: None)
    try:
        watches.start()
        wait_until(lambda: not watches.is_alive(), "its end", 30)
    finally:
        watches.stop(5)
        server.shutdown()
        serving.join()
        server.server_close()
