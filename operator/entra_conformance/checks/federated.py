"""F: federated identity credentials; `exchanges.py` has the rest of that letter."""

from __future__ import annotations

from typing import Any, Final

from entra_conformance.bench import Bench, Made
from entra_conformance.check import Check
from entra_conformance.client import Answer

_MOST: Final = 20
AUDIENCE: Final = "api://AzureADTokenExchange"


def invented_issuer(bench: Bench) -> str:
    """Return the URL of an issuer that does not exist (RFC 2606)."""
    return f"https://{bench.prefix}.invalid/issuer"


def credential(bench: Bench, name: str, subject: str = "", **changes: Any) -> dict[str, Any]:
    """Return a body that Graph accepts, or one that differs from it in some members."""
    return {
        "name": name,
        "issuer": invented_issuer(bench),
        "subject": subject or f"subject-of-{name}",
        "audiences": [AUDIENCE],
        **changes,
    }


def _path(made: Made) -> str:
    return f"{made.path}/federatedIdentityCredentials"


async def post(bench: Bench, body: dict[str, Any], purpose: str = "federated") -> Answer:
    """Add a credential to the run's application for a purpose."""
    made = await bench.application(purpose)
    return await bench.client.graph("POST", _path(made), body)


async def _created(bench: Bench) -> str:
    answer = await post(bench, credential(bench, "first"))
    if answer.status != 201:
        return answer.told(text=True)
    return f"201 {answer.member('name')} {' '.join(answer.member('audiences'))}"


async def _same_name(bench: Bench) -> str:
    return (await post(bench, credential(bench, "first", "another"))).told(text=True)


async def _same_pair(bench: Bench) -> str:
    answer = await post(bench, credential(bench, "second", "subject-of-first"))
    start, found, _ = answer.told(text=True).partition("unique for the application.")
    return f"{start}{found}"


async def _two_audiences(bench: Bench) -> str:
    return await _refused(bench, audiences=[AUDIENCE, "api://another"])


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
    return str((await post(bench, {**credential(bench, "refused"), **changes})).status)


async def _odd_name(bench: Bench) -> str:
    """The webhook's azwi 1.6.0 names them so: base64url with padding."""
    return str((await post(bench, credential(bench, "-name_of~azwi="))).status)


async def _underscored_name(bench: Bench) -> str:
    return str((await post(bench, credential(bench, "_name-of.azwi~0"))).status)


async def _by_name(bench: Bench) -> str:
    made = await bench.application("federated")

    async def look() -> str:
        answer = await bench.client.graph("GET", f"{_path(made)}(name='first')")
        return f"{answer.told()} {(answer.body or {}).get('name')}"

    return await bench.eventually(look, "200 first")


async def _upsert(bench: Bench) -> str:
    made = await bench.application("federated")
    body = credential(bench, "upserted")
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
        answer = await post(bench, credential(bench, f"many-{number}"), "full")
        if answer.status != 201:
            return f"{number} accepted, then {str(answer.status)[0]}xx"
    return f"{_MOST + 1} accepted"


_TAKEN: Final = (
    "409 Request_MultipleObjectsWithSameKeyValue: FederatedIdentityCredential with name first"
    " already exists."
)
_PAIR: Final = (
    "400 InvalidFederatedIdentityCredentialValue: The combination of issuer and subject must be"
    " unique for the application."
)

CHECKS: tuple[Check, ...] = (
    Check("F1", "create", f"201 first {AUDIENCE}", _created),
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
    Check("F24", "a name that begins with _", "201", _underscored_name),
)
