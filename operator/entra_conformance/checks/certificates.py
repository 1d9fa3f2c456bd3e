"""C: certificates with keys that the suite makes, and client assertions signed with them."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any, Final

from entra_conformance.bench import Bench, Made
from entra_conformance.check import Check
from entra_conformance.client import Answer
from entra_conformance.keys import OwnKey
from entra_conformance.outcome import CannotCheckError, Seen

_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"


def _entry(key: OwnKey, /, **changes: str) -> dict[str, Any]:
    return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": key.base64, **changes}


async def _patch(bench: Bench, made: Made, *entries: dict[str, Any]) -> Answer:
    return await bench.client.graph("PATCH", made.path, {"keyCredentials": list(entries)})


async def _listed(bench: Bench, made: Made) -> list[dict[str, Any]]:
    """Return what reads show once they show the one certificate."""
    found: list[dict[str, Any]] = []

    async def shown() -> bool:
        found[:] = (await bench.client.graph("GET", made.path)).member("keyCredentials")
        return len(found) == 1

    await bench.measure(shown, "reads show the certificate")
    return found


async def _added(bench: Bench) -> str:
    """The name, identifier and dates that Graph chooses were recorded by azure-cli's tests."""
    made, key = await bench.application("certificates"), await bench.key()
    answer = await _patch(bench, made, _entry(key))
    if answer.status != 204:
        return answer.told(text=True)
    (row,) = await _listed(bench, made)
    named = str(row["displayName"]) == key.certificate.subject.rfc4514_string()
    identifier = row["customKeyIdentifier"] == key.thumbprint
    ends = str(row["endDateTime"]) == key.certificate.not_valid_after_utc.strftime(_FORM)
    return (
        f"204, {'subject' if named else 'another name'},"
        f" {'thumbprint' if identifier else 'another identifier'},"
        f" {'ends with it' if ends else 'another end'}, key {row['key']}"
    )


async def _with_key(bench: Bench) -> str:
    made, key = await bench.application("certificates"), await bench.key()
    answer = await bench.client.graph("GET", f"{made.path}?$select=keyCredentials")
    (row,) = answer.member("keyCredentials")
    return "the certificate" if row["key"] == key.base64 else "something else"


async def _kept(bench: Bench) -> str:
    """azure-cli and Terraform append like that: the list as it was read, with `key: null`."""
    made = await bench.application("certificates")
    rows = await _listed(bench, made)
    return (await _patch(bench, made, *rows)).told()


async def _changed(bench: Bench) -> str:
    made = await bench.application("certificates")
    (row,) = await _listed(bench, made)
    answer = await _patch(bench, made, {**row, "endDateTime": "2026-01-01T00:00:00Z"})
    return answer.told(text=True)


async def _late_end(bench: Bench) -> str:
    made, key = await bench.application(), await bench.key()
    late = key.certificate.not_valid_after_utc + timedelta(days=1)
    entry = _entry(key, endDateTime=late.strftime(_FORM))
    return (await _patch(bench, made, entry)).told(text=True)


async def _early_start(bench: Bench) -> str:
    made, key = await bench.application(), await bench.key()
    early = key.certificate.not_valid_before_utc - timedelta(days=1)
    entry = _entry(key, startDateTime=early.strftime(_FORM))
    return (await _patch(bench, made, entry)).told(text=True)


async def _bad_usage(bench: Bench) -> str:
    made, key = await bench.application(), await bench.key()
    return (await _patch(bench, made, _entry(key, usage="Encrypt"))).told(text=True)


async def _url_base64(bench: Bench) -> str:
    """The bytes of a certificate nearly always have a `-` or `_` in base64url."""
    made, key = await bench.application(), await bench.key()
    text = base64.urlsafe_b64encode(key.der).decode()
    return (await _patch(bench, made, _entry(key, key=text))).told()


async def _no_certificate(bench: Bench) -> str:
    made, key = await bench.application(), await bench.key()
    text = base64.b64encode(b"no certificate").decode()
    return str((await _patch(bench, made, _entry(key, key=text))).status)


async def _broken_lines(bench: Bench) -> str:
    """Recorded by azure-cli's tests: a line break every 64 characters."""
    made, key = await bench.application("lines"), await bench.key()
    text = key.base64
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return (await _patch(bench, made, _entry(key, key=lines))).told()


async def _white_space(bench: Bench) -> str:
    made, key = await bench.application("spaces"), await bench.key()
    text = key.base64
    mixed = f" {text[:10]}\t{text[10:20]}\r\n{text[20:]} "
    return (await _patch(bench, made, _entry(key, key=mixed))).told()


async def _sign_in(bench: Bench) -> Seen:
    made, key = await bench.signing_in(), await bench.key()
    answer = await _patch(bench, made, _entry(key))
    if answer.status != 204:
        return Seen(text=answer.told(text=True))

    async def accepted() -> bool:
        return (await _asserted(bench, made, key)).status == 200

    seconds = await bench.measure(accepted, "a new certificate signs in")
    return Seen(text="signs in in time", note=f"usable after {seconds:.1f} s")


async def _asserted(bench: Bench, made: Made, key: OwnKey, age: int = 0) -> Answer:
    at = bench.client.now() - age
    assertion = key.assertion(made.app_id, bench.client.token_url, at)
    return await bench.client.asserted(assertion, client_id=made.app_id)


async def _unknown(bench: Bench) -> str:
    made, other = await bench.signing_in(), await bench.key("other")
    told = (await _asserted(bench, made, other)).told(text=True)
    start, found, _ = told.partition("Reason - The key was not found.")
    return f"{start}{found}"


async def _outdated(bench: Bench) -> str:
    made, key = await bench.signing_in(), await bench.key()
    return (await _asserted(bench, made, key, age=3600)).told()


async def _forged(bench: Bench) -> str:
    """The number differs between sources (700027, 50012): only status and error are compared."""
    made, key = await bench.signing_in(), await bench.key()
    at = bench.client.now()
    assertion = key.assertion(made.app_id, bench.client.token_url, at)
    head, _, signature = assertion.rpartition(".")
    forged = f"{head}.{signature[::-1]}"
    answer = await bench.client.asserted(forged, client_id=made.app_id)
    return answer.told().partition(" AADSTS")[0]


async def _removed(bench: Bench) -> Seen:
    made, key = await bench.signing_in(), await bench.key()
    answer = await _patch(bench, made)
    if answer.status != 204:
        raise CannotCheckError(answer.told(text=True))

    async def refused() -> bool:
        told = (await _asserted(bench, made, key)).told()
        return told == "401 invalid_client AADSTS700027"

    seconds = await bench.measure(refused, "a removed certificate is refused by 700027")
    return Seen(text="204, refused in time", note=f"refused after {seconds:.1f} s")


_NOT_FOUND: Final = (
    "401 invalid_client AADSTS700027: The certificate with identifier used to sign the client"
    " assertion is not registered on application. [Reason - The key was not found."
)
_USAGE: Final = (
    '400 Request_BadRequest: The value for the property "usage" in one of your credentials is'
    " invalid. Acceptable values are Sign, Verify."
)
_CHANGE: Final = (
    "400 Request_BadRequest: Update to existing credential with KeyId '<guid>' is not allowed."
)

_CHOSEN: Final = "204, subject, thumbprint, ends with it, key None"

CHECKS: tuple[Check, ...] = (
    Check("C1", "add one without dates", _CHOSEN, _added),
    Check("C2", "$select=keyCredentials of one object", "the certificate", _with_key),
    Check("C3", "PATCH of the list as it was read", "204", _kept),
    Check("C4", "PATCH that changes an entry", _CHANGE, _changed),
    Check(
        "C5",
        "an end after the certificate's",
        "400 KeyCredentialsInvalidEndDate: Key credential end date is invalid.",
        _late_end,
    ),
    Check(
        "C6",
        "a start before the certificate's",
        "400 KeyCredentialsInvalidStartDate: Key credential start date is invalid.",
        _early_start,
    ),
    Check("C7", "an unknown usage", _USAGE, _bad_usage),
    Check("C8", "base64url in key", "400 Request_BadRequest", _url_base64),
    Check("C9", "no certificate in key", "400", _no_certificate),
    Check("C10", "base64 with line breaks", "204", _broken_lines),
    Check("C11", "sign in by an assertion (PS256)", "signs in in time", _sign_in),
    Check("C12", "a certificate that is not registered", _NOT_FOUND, _unknown),
    Check("C13", "an assertion of an hour ago", "401 invalid_client AADSTS700024", _outdated),
    Check("C14", "an assertion with another signature", "401 invalid_client", _forged),
    Check("C15", "an empty list removes", "204, refused in time", _removed),
    Check("C16", "base64 with spaces, a tab and CR LF", "204", _white_space),
)
