"""The issuers whose tokens can be exchanged, and the token endpoint's cache of their keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from entra_emulator.issuers.fetch import RemoteIssuer, UnreachableIssuerError
from entra_emulator.jose.jwt import TokenSigner
from entra_emulator.jose.key_set import PublishedKeys, published_keys


class HostedIssuer:
    """An issuer inside the emulator: it has signing keys and signs any claims."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self._signers: list[TokenSigner] = []
        self.rotate(keep_old=False)

    def rotate(self, *, keep_old: bool) -> str:
        """Sign with a new key from now on; return its id. `keep_old` leaves old keys published."""
        signer = TokenSigner(rsa.generate_private_key(65537, 2048))
        self._signers = [*(self._signers if keep_old else ()), signer]
        return signer.key_id

    def key_ids(self) -> list[str]:
        """Return the ids of the published keys; the last one signs."""
        return [signer.key_id for signer in self._signers]

    def sign(self, claims: dict[str, Any], header: dict[str, Any]) -> str:
        """Return a token signed with the newest key; `header` replaces parts of its header."""
        return self._signers[-1].sign(claims, header)

    def jwks(self) -> dict[str, Any]:
        """Return the key set document."""
        return {"keys": [signer.jwk() for signer in self._signers]}

    async def read_keys(self) -> PublishedKeys:
        """Return the published keys, read from the same document that others get."""
        return published_keys(msgspec.json.encode(self.jwks()))


AnyIssuer = HostedIssuer | RemoteIssuer


@dataclass(frozen=True, slots=True)
class _Remembered:
    at: datetime
    keys: PublishedKeys


class Issuers:
    """All issuers by name; the emulator contacts no others."""

    def __init__(self) -> None:
        self._issuers: dict[str, AnyIssuer] = {}
        self._remembered: dict[str, _Remembered] = {}

    def __iter__(self) -> Iterator[AnyIssuer]:
        return iter(self._issuers.values())

    def add(self, issuer: AnyIssuer) -> bool:
        """Add an issuer; return False if its name or URL is taken."""
        if any(issuer.name == one.name or issuer.url == one.url for one in self):
            return False
        self._issuers[issuer.name] = issuer
        return True

    def remove(self, name: str) -> bool:
        """Remove an issuer and its cached keys; return whether there was one."""
        issuer = self._issuers.pop(name, None)
        if issuer is not None:
            self._remembered.pop(issuer.url, None)
        return issuer is not None

    def named(self, name: str) -> AnyIssuer | None:
        """Find an issuer by its name."""
        return self._issuers.get(name)

    async def keys(self, url: str, now: datetime, seconds: float) -> PublishedKeys:
        """Return the keys of an issuer, from the cache or fetched again.

        Because of the cache, a new signing key is unknown for a while.

        Args:
            url: the `iss` of a token.
            now: the emulated time.
            seconds: the maximum age of cached keys.

        Raises:
            UnreachableIssuerError: the issuer is not among those here, or its answer is not valid.
        """
        remembered = self._remembered.get(url)
        if remembered is not None and 0 <= (now - remembered.at).total_seconds() < seconds:
            return remembered.keys
        issuer = next((one for one in self if one.url == url), None)
        if issuer is None:
            raise UnreachableIssuerError("not among the issuers that this emulator was given")
        keys = await issuer.read_keys()
        self._remembered[url] = _Remembered(now, keys)
        return keys
