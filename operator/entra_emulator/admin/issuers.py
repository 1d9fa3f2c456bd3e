"""Actions on issuers of federated tokens, for the admin API and seeds."""

from __future__ import annotations

import ssl
import uuid
from pathlib import Path
from typing import Annotated, Any

import msgspec

from entra_emulator.admin.errors import AdminError, unknown
from entra_emulator.admin.seed import IssuerSeed
from entra_emulator.issuers.fetch import RemoteIssuer
from entra_emulator.issuers.trusted import AnyIssuer, HostedIssuer
from entra_emulator.world import World


class TokenWish(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A request for a token of a hosted issuer; a claim that is null is left out."""

    claims: dict[str, Any]
    lifetime_seconds: Annotated[int, msgspec.Meta(ge=-86_400, le=86_400)] = 600
    header: dict[str, Any] = {}


class KeyWish(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A request for a new signing key; with `keepOld` the former keys stay published."""

    keep_old: bool = False


def add_issuer(world: World, seed: IssuerSeed) -> dict[str, Any]:
    """Add an issuer whose tokens may be exchanged.

    Raises:
        AdminError: 400 for a CA that is missing or cannot be read, 409 for a name or URL that
            is taken.
    """
    name = seed.name or str(uuid.uuid4())
    issuer = _built(name, seed)
    if not world.issuers.add(issuer):
        raise AdminError(409, f"an issuer with the name {name!r} or the url {seed.url!r} exists")
    return show_issuer(issuer)


def _built(name: str, seed: IssuerSeed) -> AnyIssuer:
    if [seed.hosted, seed.ca is not None, seed.ca_file is not None].count(True) != 1:
        raise AdminError(400, f"issuer {seed.url}: give one of hosted, ca and caFile")
    if seed.hosted:
        return HostedIssuer(name, seed.url)
    try:
        text = seed.ca if seed.ca_file is None else Path(seed.ca_file).read_text()
        # Python takes an empty text as the machine's own CAs, so refuse it.
        trust = ssl.create_default_context(cadata=text or "none")
    except (OSError, ValueError) as error:
        raise AdminError(400, f"issuer {seed.url}: no certificate to trust: {error}") from error
    return RemoteIssuer(name=name, url=seed.url, trust=trust, jwks_uri=seed.jwks_uri)


def remove_issuer(world: World, name: str) -> None:
    """Remove an issuer: its tokens are refused from now on."""
    if not world.issuers.remove(name):
        raise unknown("issuer", name)


def find_hosted(world: World, name: str) -> HostedIssuer:
    """Return a hosted issuer; raise AdminError if there is none of that name."""
    issuer = world.issuers.named(name)
    if not isinstance(issuer, HostedIssuer):
        raise unknown("hosted issuer", name)
    return issuer


def sign_token(world: World, name: str, wish: TokenWish) -> dict[str, Any]:
    """Return a token of a hosted issuer, valid now by the emulator's clock unless claims differ."""
    issuer = find_hosted(world, name)
    now = int(world.clock.now().timestamp())
    times = {"iat": now, "nbf": now, "exp": now + wish.lifetime_seconds}
    claims = {"iss": issuer.url, "jti": str(uuid.uuid4()), **times, **wish.claims}
    kept = {key: value for key, value in claims.items() if value is not None}
    return {"token": issuer.sign(kept, wish.header)}


def rotate_key(world: World, name: str, wish: KeyWish) -> dict[str, Any]:
    """Let a hosted issuer sign with a new key."""
    return {"kid": find_hosted(world, name).rotate(keep_old=wish.keep_old)}


def show_issuer(issuer: AnyIssuer) -> dict[str, Any]:
    """Return an issuer as the admin API shows it."""
    shown: dict[str, Any] = {"name": issuer.name, "url": issuer.url}
    if isinstance(issuer, HostedIssuer):
        return {**shown, "hosted": True, "keys": issuer.key_ids()}
    return {**shown, "hosted": False, "jwksUri": issuer.jwks_uri}
