"""Whatever a tenant's session raises: its users hear of it, and deletions go through."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import aiohttp
import azure.core.exceptions
import azure.identity
import cryptography.exceptions
import httpx
import kiota_abstractions.api_error
import msal.exceptions
import pytest
from azure.identity.aio import CertificateCredential, ClientSecretCredential

from appcredential.kube.custom_resources import APP_CREDENTIALS
from tests.support.builders import HOUR, MINUTE, OWNER, SECOND
from tests.support.revocation_documents import REVOCATIONS
from tests.support.world import RESOURCE, World

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/appcredentials.appcredential.io"
CANARY = "canary-of-the-operators-own-secret"


def _from_the_constructors() -> list[Exception]:
    """Return what azure-identity's own constructors raise over odd credentials."""
    found = []
    for make in (
        lambda: ClientSecretCredential("tenant", "client", ""),
        lambda: CertificateCredential("tenant", "client", certificate_data=b"word"),
        lambda: CertificateCredential("tenant", "client"),
    ):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each has a type of its own
            make()
        found.append(raised.value)
    return found


ERRORS: list[Exception] = [
    *_from_the_constructors(),
    azure.identity.CredentialUnavailableError(CANARY),
    azure.core.exceptions.ClientAuthenticationError(CANARY),
    azure.core.exceptions.ServiceRequestError(CANARY),
    azure.core.exceptions.DecodeError(CANARY),
    msal.exceptions.MsalServiceError(error=CANARY, error_description=CANARY),
    httpx.ConnectError(CANARY),
    httpx.InvalidURL(CANARY),
    httpx.StreamConsumed(),
    aiohttp.ClientPayloadError(CANARY),
    aiohttp.InvalidURL("https://entra.example"),
    kiota_abstractions.api_error.APIError(CANARY),
    cryptography.exceptions.UnsupportedAlgorithm(CANARY),
    cryptography.exceptions.InvalidSignature(),
    cryptography.exceptions.InternalError(CANARY, []),
    UnicodeEncodeError("utf-8", CANARY, 0, 1, "surrogates not allowed"),
    ValueError(CANARY),
    RecursionError(CANARY),
    MemoryError(),
    AssertionError(CANARY),
    KeyError(CANARY),
    OSError(CANARY),
    TimeoutError(CANARY),
    RuntimeError("Session is closed"),
]
IDS = [f"{type(e).__module__}.{type(e).__name__}" for e in ERRORS]


def _fails(error: Exception) -> Callable[..., Any]:
    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise error

    return fail


def _fails_later(error: Exception) -> Callable[..., Any]:
    async def fail(*_arguments: Any, **_options: Any) -> Any:
        raise error

    return fail


def _break(world: World, where: str, error: Exception, patch: pytest.MonkeyPatch) -> None:
    match where:
        case "open":
            patch.setattr(world.tenants._sessions, "_open_session", _fails(error))
        case "probe":
            patch.setattr(type(world.entra), "probe", _fails_later(error))
        case "read":
            credentials = world.tenant_controller._identity.credentials
            patch.setattr(credentials, "read", _fails_later(error))
        case _:
            raise AssertionError(where)


PLACES = ["open", "probe", "read"]


@pytest.mark.parametrize("error", ERRORS, ids=IDS)
@pytest.mark.parametrize("where", PLACES)
async def test_the_tenant_and_its_users_say_so_and_nobody_waits(
    where: str, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    _break(world, where, error, monkeypatch)
    with caplog.at_level(logging.DEBUG):
        assert await world.look_at_tenant() == 30 * SECOND
        assert world.tenants.is_known("default")
        await world.look()
    for kind in ("Ready", "Stalled"):
        assert world.tenant_conditions[kind]["reason"] == "InternalError"
        assert type(error).__name__ in world.tenant_conditions[kind]["message"]
    assert world.ready["reason"] == "TenantNotReady"
    assert world.conditions["Reconciling"]["reason"] == "TenantNotReady"
    assert [e["reason"] for e in world.events].count("InternalError") == 1
    (line,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert (line.tenant, line.error) == ("default", type(error).__name__)  # type: ignore[attr-defined]
    told = caplog.text + json.dumps([world.status, world.tenant_status, world.events])
    assert CANARY not in told + "".join(str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize("where", PLACES)
async def test_it_passes_with_its_cause(where: str) -> None:
    world = World()
    with pytest.MonkeyPatch.context() as broken:
        _break(world, where, ERRORS[0], broken)
        await world.look_at_tenant()
        await world.look()
    world.taken(APP_CREDENTIALS)
    world.clock.advance(30 * SECOND)
    await world.look_at_tenant()
    assert world.tenant_conditions["Ready"]["status"] == "True"
    assert "Stalled" not in world.tenant_conditions
    assert world.taken(APP_CREDENTIALS)
    await world.until(lambda: world.ready["status"] == "True")


@pytest.mark.parametrize("where", ["open", "read"])
async def test_a_session_that_works_stays_in_use(where: str) -> None:
    world = World()
    await world.publish()
    session, world.entra = world.entra, type(world.entra)(world.clock)
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    with pytest.MonkeyPatch.context() as broken:
        _break(world, where, ERRORS[0], broken)
        await world.look_at_tenant()
        assert world.tenant_conditions["Ready"]["status"] == "True"
        assert world.tenant_conditions["Stalled"]["reason"] == "InternalError"
        assert getattr(world.tenants.access("default"), "session", None) is session
        probes = session.probes
        world.clock.advance(HOUR)
        await world.look_at_tenant()
        assert session.probes == probes + 1
    assert session.closed == 0
    await world.look()
    assert world.ready["status"] == "True"


async def test_one_that_cannot_be_closed_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    await world.publish()
    before, world.entra = world.entra, type(world.entra)(world.clock)
    monkeypatch.setattr(before, "close", _fails_later(ValueError("close")))
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    for _ in range(2):
        await world.look_at_tenant()
        assert world.tenant_conditions["Ready"]["status"] == "True"
    assert "Stalled" not in world.tenant_conditions
    assert getattr(world.tenants.access("default"), "session", None) is world.entra


def _restarted(world: World) -> World:
    """Return a world of another process about the same objects."""
    other = World()
    other.clock.advance(world.clock.now() - other.clock.now())
    other.api.objects.clear()
    other.api.objects.update(world.api.objects)
    return other


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("is_ready", [True, False])
@pytest.mark.parametrize("is_restarted", [True, False])
async def test_a_deletion_schedules_its_revocation_and_goes(
    where: str, is_ready: bool, is_restarted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    if is_ready:
        await world.publish()
    world = _restarted(world) if is_restarted else world
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    _break(world, where, ERRORS[0], monkeypatch)
    await world.look_at_tenant()
    for _ in range(3):
        world.clock.advance(await world.look() or SECOND)
    world.api.put(CRD, {"metadata": {}})
    found = world.api.objects[RESOURCE]
    deletion = {"deletionTimestamp": world.clock.now().isoformat()}
    world.api.put(RESOURCE, {**found, "metadata": {**found["metadata"], **deletion}})
    await world.reconciler.reconcile(OWNER, "999999")
    for _ in range(12):
        if not world.api.objects.get(RESOURCE, {"metadata": {}})["metadata"].get("finalizers"):
            break
        world.clock.advance(await world.look() or MINUTE)
    else:
        raise AssertionError("the finalizer stays")
    tickets = [path for path in world.api.objects if path.startswith(f"{REVOCATIONS}/")]
    assert len(tickets) == is_ready
