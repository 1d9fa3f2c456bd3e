"""Reading the tenant's default app management policy."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appcredential.domain.observed.app_policy import UNRESTRICTED, AppPolicy, Restriction
from appcredential.domain.spec.model import CredentialType
from appcredential.entra.answers import UnreadableAnswerError
from appcredential.entra.policies import decode_policy
from appcredential.errors import UnavailableError
from tests.support.graph import Graph, World, answer

DAY = timedelta(days=1)
SECRET, CERTIFICATE = CredentialType.CLIENT_SECRET, CredentialType.CERTIFICATE


def body(*passwords: dict[str, Any], keys: Any = (), **fields: Any) -> dict[str, Any]:
    restrictions = {"passwordCredentials": list(passwords), "keyCredentials": list(keys)}
    return {
        "@odata.context": "x",
        "id": "00000000-0000-0000-0000-000000000000",
        "isEnabled": True,
        "applicationRestrictions": restrictions,
        "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
        **fields,
    }


def decoded(*passwords: dict[str, Any], keys: Any = (), **fields: Any) -> AppPolicy:
    return decode_policy(json.dumps(body(*passwords, keys=keys, **fields)).encode())


def limit(name: str, most: str | None, **fields: Any) -> dict[str, Any]:
    return {"restrictionType": name, "maxLifetime": most, "state": "enabled", **fields}


async def test_it_is_one_request() -> None:
    world = World(Graph(answer(200, body(limit("passwordLifetime", "P90D")))))
    found = await world.directory.default_policy()
    assert found.restrictions == (Restriction(type=SECRET, max_lifetime=90 * DAY),)
    assert world.graph.paths() == ["GET /v1.0/policies/defaultAppManagementPolicy"]
    assert world.observed == [("policy.default.get", 200)]


def test_what_is_about_our_credentials_is_taken() -> None:
    since = "2026-01-01T01:00:00.0000000+01:00"
    found = decoded(
        limit("passwordAddition", None, restrictForAppsCreatedAfterDateTime=since),
        limit("passwordLifetime", "P4DT12H30M5S"),
        limit("symmetricKeyAddition", None),
        limit("symmetricKeyLifetime", "P1D"),
        limit("customPasswordAddition", None),
        limit("somethingNew", "P1D"),
        keys=[limit("asymmetricKeyLifetime", "P180D"), limit("trustedCertificateAuthority", None)],
    )
    first = datetime(2026, 1, 1, tzinfo=UTC)
    assert found.restrictions == (
        Restriction(type=SECRET, max_lifetime=None, created_since=first),
        Restriction(type=SECRET, max_lifetime=timedelta(days=4, hours=12, minutes=30, seconds=5)),
        Restriction(type=CERTIFICATE, max_lifetime=180 * DAY),
    )


def test_a_restriction_counts_when_it_is_enabled_or_says_nothing_of_it() -> None:
    """The examples of Graph's own documentation have no `state`."""
    found = decoded(
        limit("passwordAddition", None, state="disabled"),
        {"restrictionType": "passwordLifetime", "maxLifetime": "P1D"},
    )
    assert found.restrictions == (Restriction(type=SECRET, max_lifetime=DAY),)


def test_a_policy_that_is_off_restricts_nothing() -> None:
    assert decoded(limit("passwordAddition", None), isEnabled=False) == UNRESTRICTED


def test_a_policy_without_restrictions() -> None:
    assert decoded(applicationRestrictions=None) == UNRESTRICTED
    nothing = {"passwordCredentials": None, "keyCredentials": None}
    assert decoded(applicationRestrictions=nothing) == UNRESTRICTED


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps(body(limit("passwordLifetime", "ninety days"))).encode(),
        json.dumps(body(limit("passwordAddition", None, restrictForAppsCreatedAfterDateTime="x"))),
    ],
)
def test_what_is_no_policy_is_not_guessed(text: Any) -> None:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(UnreadableAnswerError):
        decode_policy(content)


async def test_an_unreadable_answer_is_none() -> None:
    world = World(Graph(answer(200, {"value": []})))
    with pytest.raises(UnavailableError):
        await world.directory.default_policy()
