"""Proofs of possession: the JWT that addKey and removeKey require in addition to the access token.

It is signed like a client assertion. But its audience is another one, its issuer is an object id
instead of the appId, it is valid for ten minutes at most, and it has no `=` padding.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from entra_emulator.directory.entities import KeyCredential
from entra_emulator.errors.graph import GraphError
from entra_emulator.errors.tokens import TokenError
from entra_emulator.jose.assertions import (
    SKEW_SECONDS,
    Assertion,
    check_signature,
    read_assertion,
    signing_key,
    time_of,
)

AUDIENCE = "00000002-0000-0000-c000-000000000000"
"""The appId of Azure AD Graph, which is still the audience of proofs."""
_MOST_SECONDS = 600


def check_proof(
    proof: Any, *, issuers: Collection[str], keys: Sequence[KeyCredential], now: float
) -> None:
    """Accept a proof that a currently valid certificate of the application signed.

    Args:
        proof: the value in the body.
        issuers: the object ids of the application and of its service principal.
        keys: the application's certificates on the chosen replica.
        now: Unix time of the emulated clock.

    Raises:
        GraphError: 401 with one text for every defect, as in Graph.
    """
    try:
        _check(_read(proof), issuers, keys, now)
    except TokenError:
        raise malformed() from None


def malformed() -> GraphError:
    """Return the error for a missing or wrong proof; it never says what is wrong."""
    return GraphError(
        401, "Authentication_MissingOrMalformed", "Access Token missing or malformed."
    )


def _read(proof: Any) -> Assertion:
    """Decode a proof; only the signature may be padded.

    Raises:
        TokenError: it is no JWT.
    """
    if not isinstance(proof, str) or "=" in proof.rpartition(".")[0]:
        raise TokenError(50027)
    return read_assertion(proof)


def _check(
    proof: Assertion, issuers: Collection[str], keys: Sequence[KeyCredential], now: float
) -> None:
    check_signature(proof, signing_key(proof, proof.issuer, keys, now))
    start, end = time_of(proof, "nbf"), time_of(proof, "exp")
    if start is None or end is None or not 0 < end - start <= _MOST_SECONDS:
        raise TokenError(50027)
    if not start - SKEW_SECONDS <= now < end + SKEW_SECONDS:
        raise TokenError(50027)
    if proof.claims.get("aud") != AUDIENCE or proof.issuer not in issuers:
        raise TokenError(50027)
