"""F: federated identity credentials, and the errors of exchanges.

Most exchanges use tokens of an issuer that does not exist: Entra compares issuer, subject and
audience before it asks an issuer for its keys.
"""

from __future__ import annotations

from typing import Any, Final

from entra_conformance.bench import Bench, Made
from entra_conformance.check import Check
from entra_conformance.client import Answer
from entra_conformance.keys import claims_of
from entra_conformance.outcome import CannotCheckError, NotApplicableError, Seen

_MOST: Final = 20
_AUDIENCE: Final = "api://AzureADTokenExchange"


def _issuer(bench: Bench) -> str:
    return f"https://{bench.prefix}.invalid/issuer"


def _body(bench: Bench, name: str, subject: str = "", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "issuer": _issuer(bench),
        "subject": subject or f"subject-of-{name}",
        "audiences": [_AUDIENCE],
        **changes,
    }


def _path(made: Made) -> str:
    return f"{made.path}/federatedIdentityCredentials"


async def _post(bench: Bench, body: dict[str, Any], purpose: str = "federated") -> Answer:
    made = await bench.application(purpose)
    return await bench.client.graph("POST", _path(made), body)


async def _created(bench: Bench) -> str:
    answer = await _post(bench, _body(bench, "first"))
    if answer.status != 201:
        return answer.told(text=True)
    return f"201 {answer.member('name')} {' '.join(answer.member('audiences'))}"


async def _same_name(bench: Bench) -> str:
    return (await _post(bench, _body(bench, "first", "another"))).told(text=True)


async def _same_pair(bench: Bench) -> str:
    answer = await _post(bench, _body(bench, "second", "subject-of-first"))
    start, found, _ = answer.told(text=True).partition("unique for the application.")
    return f"{start}{found}"


async def _two_audiences(bench: Bench) -> str:
    return await _refused(bench, audiences=[_AUDIENCE, "api://another"])


async def _no_audience(bench: Bench) -> str:
    return await _refused(bench, audiences=[])


async def _no_subject(bench: Bench) -> str:
    return await _refused(bench, subject=None)


async def _long_subject(bench: Bench) -> str:
    return await _refused(bench, subject="s" * 601)


async def _bad_name(bench: Bench) -> str:
    return await _refused(bench, name="with spaces")


async def _long_name(bench: Bench) -> str:
    return await _refused(bench, name="n" * 121)


async def _refused(bench: Bench, **changes: Any) -> str:
    return str((await _post(bench, {**_body(bench, "refused"), **changes})).status)


async def _odd_name(bench: Bench) -> str:
    """The webhook's azwi 1.6.0 names them so: base64url with padding."""
    return str((await _post(bench, _body(bench, "-name_of~azwi="))).status)


async def _by_name(bench: Bench) -> str:
    made = await bench.application("federated")

    async def look() -> str:
        answer = await bench.client.graph("GET", f"{_path(made)}(name='first')")
        return f"{answer.told()} {(answer.body or {}).get('name')}"

    return await bench.eventually(look, "200 first")


async def _upsert(bench: Bench) -> str:
    made = await bench.application("federated")
    body = _body(bench, "upserted")
    del body["name"]
    path = f"{_path(made)}(name='upserted')"
    told = []
    for _ in range(2):
        answer = await bench.client.graph("PATCH", path, body, Prefer="create-if-missing")
        told.append(answer.told())
    return ", then ".join(told)


async def _plain_patch(bench: Bench) -> str:
    made = await bench.application("federated")
    path = f"{_path(made)}(name='missing')"
    return (await bench.client.graph("PATCH", path, {"description": "x"})).told()


async def _renamed(bench: Bench) -> str:
    made = await bench.application("federated")
    await _settled(bench, made, "first")
    path = f"{_path(made)}(name='first')"
    return str((await bench.client.graph("PATCH", path, {"name": "renamed"})).status)


async def _deleted(bench: Bench) -> str:
    made = await bench.application("federated")
    await _settled(bench, made, "first")
    answer = await bench.client.graph("DELETE", f"{_path(made)}/first")
    return f"{answer.told()}, then " + await bench.eventually(
        lambda: _status(bench, made, "first"), "404"
    )


async def _status(bench: Bench, made: Made, name: str) -> str:
    return str((await bench.client.graph("GET", f"{_path(made)}/{name}")).status)


async def _settled(bench: Bench, made: Made, name: str) -> None:
    """Wait until every replica knows a credential: a write through another one would be a 404."""

    async def known() -> bool:
        return await _status(bench, made, name) == "200"

    await bench.measure(known, "reads show a new federated credential")


async def _too_many(bench: Bench) -> str:
    """No source tells the code of the refusal, so only the number of accepted ones is compared."""
    for number in range(_MOST + 1):
        answer = await _post(bench, _body(bench, f"many-{number}"), "full")
        if answer.status != 201:
            return f"{number} accepted, then {str(answer.status)[0]}xx"
    return f"{_MOST + 1} accepted"


async def _without_any(bench: Bench) -> str:
    key = await bench.key()
    made = await bench.signing_in()
    token = key.foreign_token(_issuer(bench), "subject", _AUDIENCE, bench.client.now())
    return (await bench.client.asserted(token, client_id=made.app_id)).told()


async def _exchanged(bench: Bench, issuer: str, subject: str, audience: str) -> Answer:
    made, key = await bench.signing_in(), await bench.key()
    token = key.foreign_token(issuer, subject, audience, bench.client.now())
    return await bench.client.asserted(token, client_id=made.app_id)


async def _mismatch(bench: Bench, wanted: str, **changes: str) -> str:
    """Exchange a token that differs in one point from the credential, until the error comes."""
    await _known(bench)
    right = {"issuer": _issuer(bench), "subject": "Exact", "audience": _AUDIENCE}

    async def look() -> str:
        return (await _exchanged(bench, **{**right, **changes})).told()

    return await bench.eventually(look, wanted)


async def _known(bench: Bench) -> None:
    await bench.signing_in()
    body = _body(bench, "exact", "Exact")
    answer = await _post(bench, body, "sign-in")
    if answer.status not in {201, 409}:
        raise CannotCheckError(f"no credential: {answer.told(text=True)}")


_NO_ISSUER: Final = "401 invalid_client AADSTS700211"
_NO_SUBJECT: Final = "401 invalid_client AADSTS700213"
_OTHER_CASE: Final = "401 invalid_client AADSTS7002138"
_NO_AUDIENCE: Final = "401 invalid_client AADSTS700212"
_UNREACHABLE: Final = "400 invalid_request AADSTS50166"


async def _other_issuer(bench: Bench) -> str:
    return await _mismatch(bench, _NO_ISSUER, issuer=f"{_issuer(bench)}/")


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
    answer = await _post(bench, {"name": "given", **pair}, "sign-in")
    if answer.status != 201:
        return Seen(text=answer.told(text=True))

    async def accepted() -> bool:
        given = await bench.client.asserted(token.reveal(), client_id=made.app_id)
        return given.status == 200

    seconds = await bench.measure(accepted, "the given token is exchanged")
    return Seen(text="exchanged in time", note=f"after {seconds:.1f} s")


_TAKEN: Final = (
    "409 Request_MultipleObjectsWithSameKeyValue: FederatedIdentityCredential with name first"
    " already exists."
)
_PAIR: Final = (
    "400 InvalidFederatedIdentityCredentialValue: The combination of issuer and subject must be"
    " unique for the application."
)

CHECKS: tuple[Check, ...] = (
    Check("F1", "create", f"201 first {_AUDIENCE}", _created),
    Check("F2", "a name that is taken", _TAKEN, _same_name),
    Check("F3", "an issuer and subject that are taken", _PAIR, _same_pair),
    Check("F4", "two audiences", "400", _two_audiences),
    Check("F5", "no audience", "400", _no_audience),
    Check("F6", "no subject", "400", _no_subject),
    Check("F7", "a subject of 601 characters", "400", _long_subject),
    Check("F8", "a name with spaces", "400", _bad_name),
    Check("F9", "a name of 121 characters", "400", _long_name),
    Check("F10", "a name that begins with - and ends with =", "201", _odd_name),
    Check("F11", "read by name", "200 first", _by_name),
    Check("F12", "create-if-missing, twice", "201, then 204", _upsert),
    Check("F13", "PATCH of a missing one", "404 Request_ResourceNotFound", _plain_patch),
    Check("F14", "another name by PATCH", "400", _renamed),
    Check("F15", "delete", "204, then 404", _deleted),
    Check("F16", "the 21st of an application", "20 accepted, then 4xx", _too_many),
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
