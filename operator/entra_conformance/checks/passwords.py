"""P: client secrets, from the answer that shows one to the last sign-in with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from entra_conformance.bench import Bench, Made, unknown_id
from entra_conformance.check import Check
from entra_conformance.client import Answer
from entra_conformance.outcome import CannotCheckError, Seen
from entra_conformance.redacted import Redacted

_WITHIN: Final = "in time"


async def _add(bench: Bench, made: Made, **wanted: str) -> Answer:
    body = {"passwordCredential": wanted}
    return await bench.client.graph("POST", f"{made.path}/addPassword", body)


async def _remove(bench: Bench, made: Made, key_id: str) -> Answer:
    path = f"{made.path}/removePassword"
    return await bench.client.graph("POST", path, {"keyId": key_id})


async def _added(bench: Bench) -> str:
    answer = await _add(bench, await bench.application(), displayName="first")
    value = answer.member("secretText")
    if not isinstance(value, Redacted):
        raise CannotCheckError("secretText is no text")
    fits = 16 <= len(value) <= 64
    hint = value.reveal()[:3] == answer.member("hint")
    return (
        f"{answer.status} {answer.member('displayName')}, {'16 to 64' if fits else 'other'}"
        f" characters, hint {'is its beginning' if hint else 'is something else'}"
    )


async def _default_end(bench: Bench) -> str:
    made = await bench.application()
    answer = await bench.client.graph("POST", f"{made.path}/addPassword", {})
    start, end = (_time(answer.member(f"{name}DateTime")) for name in ("start", "end"))
    return f"{answer.status}, {round((end - start).days / 365.25)} years"


def _time(text: str) -> datetime:
    # Graph writes seven digits of a second, and Python reads six.
    seconds = text.partition(".")[0].removesuffix("Z")
    return datetime.fromisoformat(seconds).replace(tzinfo=UTC)


async def _far_end(bench: Bench) -> str:
    made = await bench.application()
    return (await _add(bench, made, endDateTime="2100-01-01T00:00:00Z")).told()


async def _past_end(bench: Bench) -> str:
    made = await bench.application()
    dates = {"startDateTime": "2020-01-01T00:00:00Z", "endDateTime": "2020-06-01T00:00:00Z"}
    answer = await _add(bench, made, **dates)
    wanted = {"400 KeyCredentialsInvalidEndDate", "400 KeyCredentialsInvalidStartDate"}
    return "400 KeyCredentialsInvalid…Date" if answer.told() in wanted else answer.told()


async def _bad_time(bench: Bench) -> str:
    answer = await _add(bench, await bench.application(), endDateTime="tomorrow")
    return str(answer.status)


async def _read(bench: Bench) -> str:
    """Look for one of the secrets that the checks before added."""
    made = await bench.application()

    async def look() -> str:
        answer = await bench.client.graph("GET", made.path)
        found = [one for one in answer.member("passwordCredentials") if _is_first(one)]
        hidden = all(one["secretText"] is None and one["hint"] for one in found)
        return f"{len(found)} found, {'only the hint' if hidden else 'with a value'}"

    return await bench.eventually(look, "1 found, only the hint")


def _is_first(password: dict[str, Any]) -> bool:
    return bool(password["displayName"] == "first")


async def _unknown_key(bench: Bench) -> str:
    made = await bench.application()
    told = (await _remove(bench, made, unknown_id())).told(text=True)
    return told.partition("'<guid>'")[0] + "…"


async def _patched(bench: Bench) -> str:
    made = await bench.application()
    body = {"passwordCredentials": [{"displayName": "by PATCH"}]}
    return str((await bench.client.graph("PATCH", made.path, body)).status)


async def _unknown_member(bench: Bench) -> str:
    answer = await _add(bench, await bench.application(), noSuchProperty="x")
    return answer.told()


async def _life(bench: Bench) -> Seen:
    """Add, sign in, remove, until the sign-in is refused; the waiting is measured."""
    made = await bench.signing_in()
    end = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = await _add(bench, made, displayName="sign-in", endDateTime=end)
    value: Redacted = answer.member("secretText")

    async def told() -> str:
        form = {"client_id": made.app_id, "client_secret": value.reveal()}
        return (await bench.client.token(**form)).told()

    async def accepted() -> bool:
        return await told() == "200"

    async def refused() -> bool:
        return await told() == "401 invalid_client AADSTS7000215"

    usable = await bench.measure(accepted, "a new secret signs in")
    gone = await _remove(bench, made, str(answer.member("keyId")))
    if gone.status != 204:
        return Seen(text=gone.told(text=True))
    useless = await bench.measure(refused, "a removed secret is refused by 7000215")
    note = f"usable after {usable:.1f} s, refused after {useless:.1f} s"
    return Seen(text=f"signs in and is refused {_WITHIN}", note=note)


async def _visible(bench: Bench) -> Seen:
    """Measure when reads show a new secret, and no longer show a removed one."""
    made = await bench.application()
    key_id = str((await _add(bench, made, displayName="lag")).member("keyId"))

    async def shown() -> bool:
        answer = await bench.client.graph("GET", f"{made.path}?$select=passwordCredentials")
        return key_id in {one["keyId"] for one in answer.member("passwordCredentials")}

    async def hidden() -> bool:
        return not await shown()

    there = await bench.measure(shown, "reads show a new secret")
    await _remove(bench, made, key_id)
    gone = await bench.measure(hidden, "reads show a removed secret no longer")
    return Seen(
        text=f"shown and hidden {_WITHIN}",
        note=f"shown after {there:.1f} s, hidden after {gone:.1f} s",
    )


_HINT: Final = "200 first, 16 to 64 characters, hint is its beginning"
_UNKNOWN: Final = "400 Request_BadRequest: No password credential found with keyId …"

CHECKS: tuple[Check, ...] = (
    Check("P1", "addPassword", _HINT, _added),
    Check("P2", "addPassword with the body {}", "200, 2 years", _default_end),
    Check("P3", "an end in 2100", "200", _far_end),
    Check("P4", "dates in the past", "400 KeyCredentialsInvalid…Date", _past_end),
    Check("P5", "an end that is no time", "400", _bad_time),
    Check("P6", "a read shows no value", "1 found, only the hint", _read),
    Check("P7", "removePassword of an unknown keyId", _UNKNOWN, _unknown_key),
    Check("P8", "PATCH of passwordCredentials", "400", _patched),
    Check("P9", "an unknown member", "400 Request_BadRequest", _unknown_member),
    Check("P10", "lag of reads", f"shown and hidden {_WITHIN}", _visible),
    Check("P11", "lag of sign-ins", f"signs in and is refused {_WITHIN}", _life),
)
