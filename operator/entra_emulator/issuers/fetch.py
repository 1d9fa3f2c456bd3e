"""Fetch an issuer's documents over TLS: no redirects, no proxy, bounded in size and time.

Only addresses that the emulator's administrator named are contacted: the discovery document of the
issuer, and its key set on the same host and port or at the one address configured for it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from entra_emulator.jose.key_set import (
    PublishedKeys,
    UnreadableDocumentError,
    keys_address,
    published_keys,
)

DISCOVERY = "/.well-known/openid-configuration"
_LARGEST = 256 * 1024
_SECONDS = 5.0
_CHUNK = 16 * 1024


class UnreachableIssuerError(Exception):
    """The keys of an issuer cannot be read; the text says why and goes to the log only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteIssuer:
    """An issuer on another server.

    Args:
        name: its name in the admin API.
        url: exactly the `iss` of its tokens.
        trust: verifies its TLS certificate.
        jwks_uri: the address of its keys, if that is on another host or port.
    """

    name: str
    url: str
    trust: ssl.SSLContext = field(repr=False)
    jwks_uri: str | None = None

    async def read_keys(self) -> PublishedKeys:
        """Fetch the discovery document and then the keys.

        Raises:
            UnreachableIssuerError: any failure on the way.
        """
        try:
            document = await _fetch(self.url.removesuffix("/") + DISCOVERY, self.trust)
            address = keys_address(document, self.url)
            self._check(address)
            return published_keys(await _fetch(address, self.trust))
        except UnreadableDocumentError as error:
            raise UnreachableIssuerError(str(error)) from error

    def _check(self, address: str) -> None:
        if self.jwks_uri is not None:
            allowed = address == self.jwks_uri
        else:
            allowed = _origin(address) == _origin(self.url)
        if not allowed:
            raise UnreachableIssuerError("the jwks_uri is not an address that is allowed")


def _origin(address: str) -> tuple[str, str | None, int] | None:
    try:
        parts = urlsplit(address)
        port = parts.port or 443
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port


async def _fetch(address: str, trust: ssl.SSLContext) -> bytes:
    timeout = ClientTimeout(total=_SECONDS)
    try:
        async with ClientSession(
            connector=TCPConnector(ssl=trust, force_close=True),
            timeout=timeout,
            trust_env=False,
            auto_decompress=False,
        ) as session:
            return await _read(session, address)
    except TimeoutError as error:
        raise UnreachableIssuerError(f"no whole answer within {_SECONDS:g} s") from error
    except (ClientError, OSError, ValueError) as error:
        raise UnreachableIssuerError(f"{type(error).__name__}: {error}") from error


async def _read(session: ClientSession, address: str) -> bytes:
    # No compression: the size of a compressed answer says nothing about its content's size.
    # `*/*`: a Kubernetes API server answers 406 for its keys to clients that accept only JSON.
    headers = {"Accept": "application/json, */*", "Accept-Encoding": "identity"}
    async with session.get(address, headers=headers, allow_redirects=False) as answer:
        if answer.status != 200:
            raise UnreachableIssuerError(f"answered {answer.status}")
        content = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK):
            content += chunk
            if len(content) > _LARGEST:
                raise UnreachableIssuerError(f"answered more than {_LARGEST} bytes")
        return bytes(content)
