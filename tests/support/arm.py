"""A stand-in for Azure Resource Manager, which some programs ask before they turn to Graph.

azure-cli lists the subscriptions at sign-in. azwi reads the tenant from the refusal of one
subscription (Azure/azure-workload-identity v1.6.0, pkg/cloud/azureclient.go).
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.keys import MadeCertificate, rsa_key

#: The name by which programs with fixed addresses call it.
HOST = "management.azure.com"


class _ResourceManager(BaseHTTPRequestHandler):
    tenant = ""

    def do_GET(self) -> None:
        listed = self.path.partition("?")[0].rstrip("/") == "/subscriptions"
        body = b'{"value": []}' if listed else b'{"error": {"code": "AuthenticationFailed"}}'
        self.send_response(200 if listed else 401)
        if not listed:
            challenge = f'Bearer authorization_uri="https://login.windows.net/{self.tenant}"'
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep silent."""


@contextmanager
def resource_manager(ca_file: Path, folder: Path, tenant: str) -> Iterator[str]:
    """Yield the URL of a server, certified by the emulator's CA, that knows only the tenant.

    It lists no subscriptions, and refuses to show one with a challenge that names the tenant.
    """
    made = _signed_by(ca_file)
    bundle = folder / "arm.pem"
    bundle.write_bytes(made.bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    handler = type("_OfTenant", (_ResourceManager,), {"tenant": tenant})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _signed_by(ca_file: Path) -> MadeCertificate:
    ca = x509.load_pem_x509_certificate(ca_file.read_bytes())
    signer = serialization.load_pem_private_key(
        ca_file.with_name("ca-key.pem").read_bytes(), password=None
    )
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string("CN=arm"))
        .issuer_name(ca.subject)
        .public_key(rsa_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName(HOST)]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    return MadeCertificate(certificate, rsa_key())
