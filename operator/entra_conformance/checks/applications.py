"""A: applications, made and changed; `creation.py` has the rest of that letter."""

from __future__ import annotations

import re
from typing import Any, Final

from entra_conformance.bench import Bench, unknown_id
from entra_conformance.check import Check

_APPLICATIONS: Final = "v1.0/applications"
_LONGEST_NAME: Final = 256
_DIGITS = re.compile(r"\.(\d+)Z$")


async def _create(bench: Bench) -> str:
    made, answer = await bench.create()
    named = answer.member("displayName") == made.name
    empty = not answer.member("passwordCredentials") and not answer.member("keyCredentials")
    return (
        f"201 {answer.member('signInAudience')}, {'named' if named else 'another name'},"
        f" {'no' if empty else 'some'} credentials"
    )


async def _created_digits(bench: Bench) -> str:
    """Recorded by azure-cli's tests: seven digits of a second."""
    _, answer = await bench.create()
    found = _DIGITS.search(str(answer.member("createdDateTime")))
    return f"{len(found[1]) if found else 0} digits"


async def _nameless(bench: Bench) -> str:
    return await _posted(bench, {"notes": bench.new_name()})


async def _long_name(bench: Bench) -> str:
    return await _posted(bench, {"displayName": bench.new_name().ljust(_LONGEST_NAME + 1, "0")})


async def _unknown_property(bench: Bench) -> str:
    return await _posted(bench, {"displayName": bench.new_name(), "noSuchProperty": "x"})


async def _bad_audience(bench: Bench) -> str:
    return await _posted(bench, {"displayName": bench.new_name(), "signInAudience": "Nobody"})


async def _posted(bench: Bench, body: dict[str, Any]) -> str:
    return (await bench.client.graph("POST", _APPLICATIONS, body)).told()


async def _by_app_id(bench: Bench) -> str:
    made = await bench.application()

    async def look() -> str:
        answer = await bench.client.graph("GET", f"{_APPLICATIONS}(appId='{made.app_id}')")
        same = answer.status == 200 and answer.member("id") == made.id
        return f"{answer.told()}, {'the same' if same else 'another'} id"

    return await bench.eventually(look, "200, the same id")


async def _patched(bench: Bench) -> str:
    made = await bench.application()
    answer = await bench.client.graph("PATCH", made.path, {"notes": "one"})

    async def look() -> str:
        read = await bench.client.graph("GET", f"{made.path}?$select=notes")
        return f"{answer.status}, then {read.member('notes')}"

    return await bench.eventually(look, "204, then one")


async def _longest_name(bench: Bench) -> str:
    made = await bench.application()
    body = {"displayName": made.name.ljust(_LONGEST_NAME, "0")}
    return (await bench.client.graph("PATCH", made.path, body)).told()


async def _own_id(bench: Bench) -> str:
    """Terraform's certificate resource repeats it (azuread provider f0169e0)."""
    made = await bench.application()
    return (await bench.client.graph("PATCH", made.path, {"id": made.id})).told()


async def _other_id(bench: Bench) -> str:
    made = await bench.application()
    return str((await bench.client.graph("PATCH", made.path, {"id": unknown_id()})).status)


async def _unknown_member(bench: Bench) -> str:
    made = await bench.application()
    return (await bench.client.graph("PATCH", made.path, {"noSuchProperty": 1})).told()


async def _wrong_type(bench: Bench) -> str:
    made = await bench.application()
    return str((await bench.client.graph("PATCH", made.path, {"tags": "no list"})).status)


async def _wrong_method(bench: Bench) -> str:
    made = await bench.application()
    return (await bench.client.graph("POST", made.path, {})).told(text=True)


async def _listed(bench: Bench) -> str:
    made = await bench.application()

    async def look() -> str:
        query = f"$filter=appId eq '{made.app_id}'"
        answer = await bench.client.graph("GET", f"{_APPLICATIONS}?{query}")
        return f"{answer.status}, {len(answer.member('value'))} found"

    return await bench.eventually(look, "200, 1 found")


_BAD: Final = "400 Request_BadRequest"
_METHOD: Final = f"405 {_BAD[4:]}: Specified HTTP method is not allowed for the request target."

CHECKS: tuple[Check, ...] = (
    Check("A1", "create", "201 AzureADMyOrg, named, no credentials", _create),
    Check("A2", "createdDateTime in the 201", "7 digits", _created_digits),
    Check("A3", "create without displayName", _BAD, _nameless),
    Check("A4", "displayName of 257 characters", _BAD, _long_name),
    Check("A5", "create with an unknown property", _BAD, _unknown_property),
    Check("A6", "an unknown signInAudience", _BAD, _bad_audience),
    Check("A7", "read by appId", "200, the same id", _by_app_id),
    Check("A8", "find by $filter", "200, 1 found", _listed),
    Check("A9", "change a property, then read it", "204, then one", _patched),
    Check("A10", "displayName of 256 characters", "204", _longest_name),
    Check("A11", "PATCH that repeats the own id", "204", _own_id),
    Check("A12", "PATCH with another id", "400", _other_id),
    Check("A13", "PATCH of an unknown property", _BAD, _unknown_member),
    Check("A14", "PATCH with a value of a wrong type", "400", _wrong_type),
    Check("A15", "a method that the address lacks", _METHOD, _wrong_method),
)
