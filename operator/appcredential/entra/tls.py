"""The certificate authorities that the operator trusts, and who issued what it does not trust."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final

import aiohttp
import httpx
from cryptography import x509
from cryptography.x509.oid import NameOID

from appcredential.entra.wire import plain

_LOOK_SECONDS: Final = 5.0
_MAX_NAME: Final = 100
_MAX_CAUSES: Final = 10


def tls_context(ca_file: str | None, extra_ca_file: str | None = None) -> ssl.SSLContext:
    """Return a verifying client context.

    Args:
        ca_file: PEM file of the only authorities to trust; None trusts the public ones.
        extra_ca_file: PEM file of authorities to trust besides those.

    Raises:
        OSError: a file cannot be read or holds no certificate.
    """
    context = (
        httpx.create_ssl_context()
        if ca_file is None
        else ssl.create_default_context(cafile=ca_file)
    )
    if extra_ca_file is not None:
        context.load_verify_locations(cafile=extra_ca_file)
    return context


def is_untrusted(error: BaseException) -> bool:
    """Return whether a request failed because the server's certificate is not trusted."""
    cause: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if cause is None:
            return False
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


class _Look(aiohttp.Fingerprint):
    """Takes the server's certificate after the handshake, and ends the connection there."""

    def __init__(self) -> None:
        super().__init__(bytes(32))
        self.certificate = b""

    def check(self, transport: asyncio.Transport) -> None:
        """Keep the certificate; no request is sent, for none is right."""
        tls: Any = transport.get_extra_info("ssl_object")
        self.certificate = (tls.getpeercert(binary_form=True) if tls else None) or b""
        super().check(transport)


async def issuer_of(url: str) -> str:
    """Return who issued the certificate of a server that is not trusted; empty when unknown.

    It makes one more connection, through the same proxy, that trusts anybody. Nothing is sent
    over it: it ends with the handshake.
    """
    look = _Look()
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_LOOK_SECONDS), trust_env=True
            ) as session,
            session.head(url, ssl=look, allow_redirects=False),
        ):
            return ""
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return _issuer(look.certificate)


def _issuer(der: bytes) -> str:
    """Return the common name, or else the organization, of a certificate's issuer."""
    try:
        issuer = x509.load_der_x509_certificate(der).issuer
        names = [
            *issuer.get_attributes_for_oid(NameOID.COMMON_NAME),
            *issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME),
        ]
        return plain(str(names[0].value))[:_MAX_NAME] if names else ""
    except ValueError:
        return ""
