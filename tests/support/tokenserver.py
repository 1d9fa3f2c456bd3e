"""A TLS server with a CA of its own that answers token requests from a script."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Answer:
    """One scripted answer."""

    status: int = 200
    body: object = field(default_factory=lambda: {"access_token": "eyJ-token", "expires_in": 3599})
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None


@dataclass
class Seen:
    """One request: path, form, headers and the client's port (one per connection)."""

    path: str
    form: dict[str, str]
    headers: dict[str, str]
    port: int


class TokenServer:
    """Takes one answer after the other; the last one stays."""

    def __init__(self, ca_file: Path) -> None:
        self.ca_file = str(ca_file)
        self.url = ""
        self.answers = [Answer()]
        self.seen: list[Seen] = []

    async def handle(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        assert request.transport is not None
        port = request.transport.get_extra_info("peername")[1]
        self.seen.append(Seen(request.path, form, dict(request.headers), port))
        answer = self.answers[min(len(self.seen), len(self.answers)) - 1]
        if answer.text is not None:
            return web.Response(
                status=answer.status,
                text=answer.text,
                headers=answer.headers,
                content_type="text/html",
            )
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)


@asynccontextmanager
async def token_server(folder: Path) -> AsyncIterator[TokenServer]:
    """Serve on a free port of 127.0.0.1."""
    server = TokenServer(folder / "ca.pem")
    async with serve(folder, server.handle) as server.url:
        yield server


@asynccontextmanager
async def serve(
    folder: Path, handle: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> AsyncIterator[str]:
    """Answer every request on a free port of 127.0.0.1; ca.pem in the folder vouches for it."""
    context = _certify(folder)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _certify(folder: Path) -> ssl.SSLContext:
    """Write ca.pem and return the context of a server that it vouches for."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
    ca = _build(ca_name, ca_name, ca_key, ca_key, is_ca=True)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "entra")])
    certificate = _build(name, ca_name, key, ca_key, is_ca=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    return context


def _build(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
