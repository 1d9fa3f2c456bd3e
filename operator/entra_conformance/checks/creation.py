"""A, continued: what a POST of an application can hold, its answer, and upsert by `uniqueName`."""

from __future__ import annotations

import re
from typing import Any, Final

from entra_conformance.bench import Bench, unknown_id
from entra_conformance.check import Check
from entra_conformance.client import Answer
from entra_conformance.redacted import Redacted

_APPLICATIONS: Final = "v1.0/applications"
_FRACTION = re.compile(r"\.\d+Z$")
_BIND: Final = "owners@odata.bind"


async def _headers(bench: Bench) -> str:
    """Recorded by azure-cli's tests."""
    made, answer = await bench.create()
    end = f"/directoryObjects/{made.id}/Microsoft.DirectoryServices.Application"
    place = answer.headers.get("location", "").endswith(end)
    kind = answer.headers.get("content-type", "")
    minimal = kind.startswith("application/json;odata.metadata=minimal")
    return (
        f"Location {'of the object' if place else 'of something else'},"
        f" {'odata.metadata=minimal' if minimal else 'another type'}"
    )


async def _read_digits(bench: Bench) -> str:
    made = await bench.application()
    answer = await bench.client.graph("GET", made.path)
    fraction = _FRACTION.search(str(answer.member("createdDateTime")))
    return "a fraction" if fraction else "whole seconds"


async def _owned(bench: Bench) -> str:
    own = await _own_principal(bench)
    made, _ = await bench.create(**{_BIND: [_address(bench, own)]})

    async def look() -> str:
        answer = await bench.client.graph("GET", f"{made.path}/owners?$select=id")
        if answer.status != 200:
            return answer.told()
        found = [row["id"] for row in answer.member("value")]
        return "owned by it" if found == [own] else f"{len(found)} owners"

    return await bench.eventually(look, "owned by it")


async def _own_principal(bench: Bench) -> str:
    path = f"v1.0/servicePrincipals(appId='{bench.target.client_id}')?$select=id"
    return str((await bench.client.graph("GET", path)).member("id"))


def _address(bench: Bench, object_id: str) -> str:
    return f"{bench.target.graph}/v1.0/directoryObjects/{object_id}"


async def _unknown_owner(bench: Bench) -> str:
    body = {"displayName": bench.new_name(), _BIND: [_address(bench, unknown_id())]}
    return str((await bench.client.graph("POST", _APPLICATIONS, body)).status)


async def _with_secret(bench: Bench) -> str:
    made, answer = await bench.create(passwordCredentials=[{"displayName": "made with it"}])
    rows = answer.member("passwordCredentials")
    values = sum(isinstance(row.get("secretText"), Redacted) for row in rows)

    async def look() -> str:
        read = await bench.client.graph("GET", made.path)
        if read.status != 200:
            return read.told()
        shown = [row["secretText"] for row in read.member("passwordCredentials")]
        return f"{values} of {len(rows)} values, then {shown}"

    return await bench.eventually(look, "1 of 1 values, then [None]")


async def _upsert(bench: Bench) -> str:
    """Bicep creates applications so."""
    name = bench.new_name()
    path, body = f"{_APPLICATIONS}(uniqueName='{name}')", {"displayName": name}
    made = bench.adopted(name, await _patched(bench, path, body))

    async def known() -> bool:
        read = await bench.client.graph("GET", path)
        return read.status == 200 and bool(read.member("id") == made.id)

    await bench.measure(known, "an application can be read by its uniqueName")
    return f"201, then {(await _patched(bench, path, body)).told()}"


async def _patched(bench: Bench, path: str, body: dict[str, Any]) -> Answer:
    return await bench.client.graph("PATCH", path, body, Prefer="create-if-missing")


async def _no_upsert(bench: Bench) -> str:
    name = bench.new_name()
    path = f"{_APPLICATIONS}(uniqueName='{name}')"
    return (await bench.client.graph("PATCH", path, {"displayName": name})).told()


async def _taken_name(bench: Bench) -> str:
    _, answer = await bench.create(uniqueName=bench.new_name())
    body = {"displayName": bench.new_name(), "uniqueName": answer.member("uniqueName")}
    return f"{(await bench.client.graph('POST', _APPLICATIONS, body)).status // 100}xx"


async def _another_name(bench: Bench) -> str:
    made, _ = await bench.create(uniqueName=bench.new_name())
    body = {"uniqueName": bench.new_name()}
    changed = await bench.client.graph("PATCH", made.path, body)
    return f"{changed.status // 100}xx"


async def _repeated(bench: Bench) -> str:
    made = await bench.application()
    read = (await bench.client.graph("GET", made.path)).body or {}
    body = {name: read.get(name) for name in ("id", "appId", "createdDateTime")}
    return (await bench.client.graph("PATCH", made.path, body)).told()


async def _foreign_domain(bench: Bench) -> str:
    """`.invalid` is nobody's domain (RFC 2606)."""
    name = bench.new_name()
    body = {"displayName": name, "identifierUris": [f"https://{name}.invalid"]}
    return (await bench.client.graph("POST", _APPLICATIONS, body)).told()


CHECKS: tuple[Check, ...] = (
    Check("A16", "headers of the 201", "Location of the object, odata.metadata=minimal", _headers),
    Check("A17", "createdDateTime in a read", "whole seconds", _read_digits),
    Check("A18", "owners@odata.bind of the caller", "owned by it", _owned),
    Check("A19", "owners@odata.bind of nobody", "404", _unknown_owner),
    Check("A20", "passwordCredentials in a POST", "1 of 1 values, then [None]", _with_secret),
    Check("A21", "create-if-missing by uniqueName, twice", "201, then 204", _upsert),
    Check("A22", "PATCH of a missing uniqueName", "404 Request_ResourceNotFound", _no_upsert),
    Check("A23", "a uniqueName that is taken", "4xx", _taken_name),
    Check("A24", "PATCH that repeats read-only members", "204", _repeated),
    Check("A25", "PATCH with another uniqueName", "4xx", _another_name),
    Check(
        "A26",
        "an identifier URI of another's domain",
        "400 HostNameNotOnVerifiedDomain",
        _foreign_domain,
    ),
)
