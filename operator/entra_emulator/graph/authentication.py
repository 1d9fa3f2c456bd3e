"""Find the caller of a Graph request by its access token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from entra_emulator.errors.graph import unauthenticated
from entra_emulator.jose.jwt import BadTokenError, TokenSigner
from entra_emulator.rules.permissions import Caller
from entra_emulator.tokens.issue import CHALLENGE_CLAIM
from entra_emulator.tokens.resources import GRAPH_AUDIENCES

_SCHEME = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """A caller, and the claims challenge that its token answered, if any."""

    caller: Caller
    challenge_time: int | None


def authenticate(signer: TokenSigner, header: str | None, now: datetime) -> Authenticated:
    """Check signature, validity and audience of the token in an Authorization header.

    Raises:
        GraphError: 401 with Graph's text for each case.
    """
    claims = _claims(signer, header)
    seconds = now.timestamp()
    if seconds >= float(claims.get("exp", 0)):
        raise unauthenticated("Lifetime validation failed, the token is expired.")
    if seconds < float(claims.get("nbf", 0)) - 1:
        raise unauthenticated("Access token has expired or is not yet valid.")
    if str(claims.get("aud", "")).rstrip("/") not in GRAPH_AUDIENCES:
        raise unauthenticated("Access token validation failure. Invalid audience.")
    caller = Caller(
        tenant_id=str(claims.get("tid", "")),
        app_id=str(claims.get("appid", "")),
        principal_id=str(claims.get("oid", "")),
        roles=frozenset(claims.get("roles", ())),
    )
    return Authenticated(caller=caller, challenge_time=claims.get(CHALLENGE_CLAIM))


def _claims(signer: TokenSigner, header: str | None) -> dict[str, Any]:
    if not header or not header.lower().startswith(_SCHEME):
        raise unauthenticated("Access token is empty.")
    try:
        return signer.read(header[len(_SCHEME) :].strip())
    except BadTokenError:
        raise unauthenticated("CompactToken parsing failed with error code: 80049217") from None
