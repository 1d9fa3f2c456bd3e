"""F17 to F23: exchanges of foreign tokens, and what is told of those that do not match.

Most of them use tokens of an issuer that does not exist: Entra compares issuer, subject and
audience before it asks an issuer for its keys.
"""

from __future__ import annotations

from typing import Final

from entra_conformance.bench import Bench
from entra_conformance.check import Check
from entra_conformance.checks.federated import AUDIENCE, credential, invented_issuer, post
from entra_conformance.client import Answer
from entra_conformance.keys import claims_of
from entra_conformance.outcome import CannotCheckError, NotApplicableError, Seen


async def _without_any(bench: Bench) -> str:
    key = await bench.key()
    made = await bench.signing_in()
    token = key.foreign_token(invented_issuer(bench), "subject", AUDIENCE, bench.client.now())
    return (await bench.client.asserted(token, client_id=made.app_id)).told()


async def _exchanged(bench: Bench, issuer: str, subject: str, audience: str) -> Answer:
    made, key = await bench.signing_in(), await bench.key()
    token = key.foreign_token(issuer, subject, audience, bench.client.now())
    return await bench.client.asserted(token, client_id=made.app_id)


async def _mismatch(bench: Bench, wanted: str, **changes: str) -> str:
    """Exchange a token that differs in one point from the credential, until the error comes."""
    await _known(bench)
    right = {"issuer": invented_issuer(bench), "subject": "Exact", "audience": AUDIENCE}

    async def look() -> str:
        return (await _exchanged(bench, **{**right, **changes})).told()

    return await bench.eventually(look, wanted)


async def _known(bench: Bench) -> None:
    await bench.signing_in()
    body = credential(bench, "exact", "Exact")
    answer = await post(bench, body, "sign-in")
    if answer.status not in {201, 409}:
        raise CannotCheckError(f"no credential: {answer.told(text=True)}")


_NO_ISSUER: Final = "401 invalid_client AADSTS700211"
_NO_SUBJECT: Final = "401 invalid_client AADSTS700213"
_OTHER_CASE: Final = "401 invalid_client AADSTS7002138"
_NO_AUDIENCE: Final = "401 invalid_client AADSTS700212"
_UNREACHABLE: Final = "400 invalid_request AADSTS50166"


async def _other_issuer(bench: Bench) -> str:
    return await _mismatch(bench, _NO_ISSUER, issuer=f"{invented_issuer(bench)}/")


async def _other_subject(bench: Bench) -> str:
    return await _mismatch(bench, _NO_SUBJECT, subject="Another")


async def _other_case(bench: Bench) -> str:
    return await _mismatch(bench, _OTHER_CASE, subject="exact")


async def _other_audience(bench: Bench) -> str:
    return await _mismatch(bench, _NO_AUDIENCE, audience="api://another")


async def _unreachable(bench: Bench) -> str:
    return await _mismatch(bench, _UNREACHABLE)


async def _given_token(bench: Bench) -> Seen:
    token = bench.target.federated_token
    if token is None:
        raise NotApplicableError("no --federated-token was given")
    claims = claims_of(token.reveal())
    if float(claims["exp"]) <= bench.client.now():
        raise NotApplicableError("the given token has expired")
    audience = claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0]
    pair = {"issuer": claims["iss"], "subject": claims["sub"], "audiences": [audience]}
    made = await bench.signing_in()
    answer = await post(bench, {"name": "given", **pair}, "sign-in")
    if answer.status != 201:
        return Seen(text=answer.told(text=True))

    async def accepted() -> bool:
        given = await bench.client.asserted(token.reveal(), client_id=made.app_id)
        return given.status == 200

    seconds = await bench.measure(accepted, "the given token is exchanged")
    return Seen(text="exchanged in time", note=f"after {seconds:.1f} s")


CHECKS: tuple[Check, ...] = (
    Check(
        "F17",
        "exchange without any credential",
        "401 invalid_client AADSTS70025",
        _without_any,
    ),
    Check("F18", "the issuer with a / more", _NO_ISSUER, _other_issuer),
    Check("F19", "another subject", _NO_SUBJECT, _other_subject),
    Check("F20", "the subject in another case", _OTHER_CASE, _other_case),
    Check("F21", "another audience", _NO_AUDIENCE, _other_audience),
    Check("F22", "an issuer that does not exist", _UNREACHABLE, _unreachable),
    Check("F23", "exchange of the given token", "exchanged in time", _given_token),
)
