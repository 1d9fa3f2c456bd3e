"""A stand-in for Azure Resource Manager, which azure-cli asks for subscriptions at sign-in."""

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


class _NoSubscriptions(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"value": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep silent."""


@contextmanager
def no_subscriptions(ca_file: Path, folder: Path) -> Iterator[str]:
    """Yield the URL of a server, trusted by the emulator's CA, that lists no subscriptions."""
    made = _signed_by(ca_file)
    bundle = folder / "arm.pem"
    bundle.write_bytes(made.bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    with HTTPServer(("127.0.0.1", 0), _NoSubscriptions) as server:
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
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    return MadeCertificate(certificate, rsa_key())
