"""What goes wrong is told at once, and with one Event."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from appcredential.domain.spec.model import CredentialType
from appcredential.errors import (
    IdentityRejectedError,
    PermissionDeniedError,
    RejectedError,
    UnavailableError,
)
from appcredential.graph_call import GraphCall
from appcredential.kube.custom_resources import GRANTS, path_of
from appcredential.runtime.logs import Surroundings
from tests.controllers.test_federated_identity import Federated
from tests.support.builders import CLIENT_ID, HOUR, MINUTE, OBJECT_ID, OWNER, SECOND
from tests.support.directory import Failure
from tests.support.session import MemorySession
from tests.support.world import SECRETS, TARGET, World

PRINCIPAL: Final = "77777777-7777-7777-7777-777777777777"
GRANT: Final = path_of(GRANTS, "", "shop-apps")


def of_type(kind: CredentialType) -> World:
    match kind:
        case CredentialType.CLIENT_SECRET:
            return World()
        case CredentialType.CERTIFICATE:
            world = World()
            world.entra = MemorySession(world.clock, types=CredentialType)
            world.put_resource(OWNER, type=str(kind), clientSecret=None, certificate={})
            return world
        case CredentialType.FEDERATED_IDENTITY:
            return Federated()


def told_reasons(world: World) -> set[str]:
    """Return the reasons of all conditions."""
    return {c["reason"] for c in world.conditions.values()}


def told(world: World, reason: str) -> list[str]:
    """Return the notes of the Events with a reason."""
    return [e["note"] for e in world.events if e["reason"] == reason]


@pytest.mark.parametrize("kind", CredentialType)
async def test_a_withdrawn_grant_is_told_at_once_and_once(kind: CredentialType) -> None:
    world = of_type(kind)
    await world.look_at_tenant()
    await world.until(lambda: world.ready["status"] == "True", 120)
    grant = world.api.objects.pop(GRANT)
    world.sync.on_event(GRANTS, "DELETED", grant)
    for _ in range(5):
        world.clock.advance(min(await world.look() or HOUR, HOUR))
    assert world.ready["status"] == "True"
    assert world.conditions["Stalled"]["reason"] == "GrantWithdrawn"
    assert len(told(world, "GrantWithdrawn")) == 1
    world.sync.on_event(GRANTS, "ADDED", world.api.put(GRANT, {"spec": grant["spec"]}))
    await world.look()
    assert "Stalled" not in world.conditions
    assert world.ready["status"] == "True"


# --- Graph refuses -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CredentialType)
async def test_a_missing_owner_is_told_with_both_ids_and_the_command(kind: CredentialType) -> None:
    world = of_type(kind)
    world.entra.principal_id = PRINCIPAL
    world.entra.failures = [Failure("add", PermissionDeniedError("403"))] * 3
    world.entra.add_errors = [PermissionDeniedError("403")] * 3
    await world.look_at_tenant()
    await world.until(lambda: "Stalled" in world.conditions)
    stalled = world.conditions["Stalled"]
    assert stalled["reason"] == "PermissionDenied"
    command = f"az ad app owner add --id {OBJECT_ID} --owner-object-id {PRINCIPAL}."
    assert command in stalled["message"]
    assert CLIENT_ID in stalled["message"]


async def test_a_failed_call_is_logged_with_resource_and_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.entra.add_errors = [UnavailableError("503")]
    caplog.set_level(logging.INFO)
    await world.publish()
    found = [r for r in caplog.records if r.getMessage() == "directory call failed"]
    told = [(r.ns, r.obj, r.application, r.object_id, r.operation) for r in found]  # type: ignore[attr-defined]
    assert told == [(OWNER.namespace, OWNER.name, CLIENT_ID, OBJECT_ID, "mint")]


async def test_a_failure_that_stays_the_same_is_logged_once_with_its_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    denied = PermissionDeniedError("403")
    code = "Authorization_RequestDenied"
    denied.graph = GraphCall("application.addPassword", "ours", "theirs", 403, code)
    world.entra.add_errors = [denied] * 3
    caplog.set_level(logging.DEBUG, "appcredential")
    await world.look_at_tenant()
    await world.until(lambda: not world.entra.add_errors)
    found = [r for r in caplog.records if r.getMessage() == "directory call failed"]
    assert [r.levelname for r in found] == ["INFO", "DEBUG", "DEBUG"]
    told = vars(found[0])
    assert (told["status"], told["code"]) == (403, code)
    assert (told["request_id"], told["client_request_id"]) == ("theirs", "ours")
    assert "aadsts" not in told


async def test_a_refusal_of_the_operator_is_logged_with_entra_s_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.entra.add_errors = [IdentityRejectedError("refused", code=7000222)]
    caplog.set_level(logging.INFO, "appcredential")
    await world.look_at_tenant()
    await world.until(lambda: not world.entra.add_errors)
    (found,) = [r for r in caplog.records if r.getMessage() == "directory call failed"]
    assert vars(found)["aadsts"] == 7000222
    await world.look()
    assert "AADSTS7000222" in world.ready["message"]


async def test_what_is_logged_below_names_the_application(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    await world.look_at_tenant()
    below = logging.getLogger("appcredential.entra.translate")
    monkeypatch.setattr(world.entra, "before_add", lambda: below.warning("HTTP 503"))
    monkeypatch.setattr(caplog.handler, "filters", [Surroundings()])
    await world.until(lambda: world.ready["status"] == "True")
    found = [vars(r)["application"] for r in caplog.records if r.getMessage() == "HTTP 503"]
    assert found == [CLIENT_ID]


async def test_what_was_refused_by_a_wrong_clock_is_tried_again_when_it_is_right() -> None:
    world = World()
    await world.publish()
    first = world.status["credential"]["keyId"]
    world.api.objects.pop(TARGET)
    refused = RejectedError("400", code="KeyCredentialsInvalidEndDate")
    world.entra.add_errors = [refused]
    world.clock.advance(HOUR)
    while "CredentialRefused" not in told_reasons(world):
        world.clock.advance(min(await world.look() or SECOND, SECOND))
    world.entra.skew_now = 15 * MINUTE
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "ClockSkew"
    assert "Entra's clock is 15 min ahead of" in world.conditions["Stalled"]["message"]
    world.entra.skew_now = timedelta(0)
    world.clock.advance(MINUTE)
    await world.look()
    assert "CredentialRefused" not in told_reasons(world)
    begun = world.clock.now()
    await world.until(lambda: len(world.entra.credentials) > 1)
    assert world.clock.now() - begun < 2 * MINUTE
    await world.until(lambda: world.ready["status"] == "True")
    assert world.status["credential"]["keyId"] != first


async def test_a_policy_that_makes_every_secret_immutable_costs_one_credential() -> None:
    world = World()
    await world.look_at_tenant()
    world.entra.before_add = lambda: freeze(world)
    message = "data: Forbidden: field is immutable when `immutable` is set"
    world.api.refuse("PUT", "appcredential-pending-", message, status=422, reason="Invalid")
    for _ in range(10):
        world.clock.advance(min(await world.look() or MINUTE, HOUR))
    assert world.conditions["Stalled"]["reason"] == "SecretConflict"
    assert "is immutable" in world.conditions["Stalled"]["message"]
    assert world.entra.calls.count("add") == 1
    assert world.entra.credentials == {}, "its value was kept nowhere"


def freeze(world: World) -> None:
    """Make the Secrets of the namespace immutable, as a policy does."""
    for path, found in list(world.api.objects.items()):
        if path.startswith(f"{SECRETS}/"):
            world.api.put(path, {**found, "immutable": True})


# --- Events --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CredentialType.CLIENT_SECRET, CredentialType.CERTIFICATE])
async def test_events_name_the_key_and_a_secret_written_again_has_one(kind: CredentialType) -> None:
    world = of_type(kind)
    await world.publish()
    key = world.status["credential"]["keyId"]
    assert [key in note for note in told(world, "Published")] == [True]
    assert told(world, "Changed") == []
    found = world.api.objects[TARGET]
    edited = {k: v for k, v in found["data"].items() if k != "AZURE_CLIENT_ID"}
    world.api.put(TARGET, {**found, "data": edited})
    for _ in range(4):
        world.clock.advance(min(await world.look() or MINUTE, HOUR))
    assert world.api.objects[TARGET]["data"] == found["data"]
    assert [key in note for note in told(world, "Changed")] == [True]


async def test_events_name_the_federated_credential() -> None:
    world = Federated()
    await world.settle()
    (trust,) = world.entra.trusts.values()
    assert [trust.id in note for note in told(world, "Published")] == [True]
    world.entra.put(replace(trust, audiences=("api://edited",)))
    await world.pass_(2 * HOUR)
    assert [trust.id in note for note in told(world, "Changed")] == [True]
