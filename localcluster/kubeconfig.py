"""Write self-contained kubeconfig files that only their owner can read."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from localcluster.pki import KeyPair, write_private

CONTEXT = "localcluster"


def with_certificate(path: Path, server: str, ca_file: Path, client: KeyPair) -> Path:
    """Write a kubeconfig that signs in with a client certificate."""
    user = {
        "client-certificate-data": _encoded(client.certificate),
        "client-key-data": _encoded(client.key),
    }
    return _write(path, server, ca_file, user, "default")


def with_token(path: Path, server: str, ca_file: Path, token: str, namespace: str) -> Path:
    """Write a kubeconfig that signs in with a bearer token; its context names the namespace."""
    return _write(path, server, ca_file, {"token": token}, namespace)


def _write(path: Path, server: str, ca_file: Path, user: Mapping[str, str], namespace: str) -> Path:
    cluster = {"server": server, "certificate-authority-data": _encoded(ca_file)}
    context = {"cluster": CONTEXT, "user": CONTEXT, "namespace": namespace}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "contexts": [{"name": CONTEXT, "context": context}],
        "users": [{"name": CONTEXT, "user": dict(user)}],
    }
    # JSON is valid YAML and needs no library.
    return write_private(path, json.dumps(config, indent=2) + "\n")


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")
