"""Another credential of the operator's own takes over once it is usable, and not before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.secret.pem import sha1_thumbprint
from appcredential.errors import AppCredentialError, IdentityRejectedError, UnavailableError
from appcredential.kube.custom_resources import APP_CREDENTIALS
from tests.support.builders import CLIENT_ID, DAY, NOW, OPERATOR_CLIENT_ID
from tests.support.keys import rsa_key
from tests.support.session import MemorySession
from tests.support.world import World
from tests.tenants.test_identity_kinds import OTHER_CLIENT, REFERENCE, made, ready, tls

REJECTED = IdentityRejectedError("token: Entra refuses the operator (AADSTS700027)", code=700027)
LOOK = timedelta(seconds=30)
OLD, NEW = made("old"), made("new", key=rsa_key(1))


async def rotating(error: AppCredentialError | None) -> tuple[World, MemorySession]:
    """Return a world that signed in with a certificate, just before it sees another one.

    Args:
        error: what the new one's sign-ins come to.
    """
    world = World()
    world.put_tenant(certificate=REFERENCE)
    world.put_identity_data(tls(OLD))
    await world.look_at_tenant()
    before = world.entra
    world.entra = MemorySession(world.clock)
    world.entra.error = error
    world.put_identity_data(tls(NEW))
    world.taken(APP_CREDENTIALS)
    world.clock.advance(LOOK)
    return world, before


def thumbprint(world: World) -> str:
    told: str = world.tenant_status["identity"]["thumbprint"]
    return told


def stalled(world: World) -> dict[str, Any]:
    return world.tenant_conditions.get("Stalled", {"reason": ""})


async def test_a_new_one_that_signs_in_takes_over_and_nobody_notices() -> None:
    world, before = await rotating(None)
    await world.look_at_tenant()
    assert thumbprint(world) == sha1_thumbprint(NEW.der)
    assert world.tenant_conditions.keys() == {"Ready", "WritePermitted"}
    assert (before.closed, world.entra.closed) == (1, 0)
    assert world.taken(APP_CREDENTIALS) == []
    access = world.tenants.access("default")
    assert getattr(access, "session", None) is world.entra


async def test_one_that_entra_refuses_waits_beside_the_one_in_use() -> None:
    world, before = await rotating(REJECTED)
    for _ in range(3):
        assert await world.look_at_tenant() == LOOK
        world.clock.advance(LOOK)
    assert ready(world)["status"] == "True"
    assert stalled(world)["reason"] == "IdentityRejected"
    assert "Register the one in the Secret" in stalled(world)["message"]
    assert thumbprint(world) == sha1_thumbprint(OLD.der)
    assert world.entra.probes == 3
    assert len(world.sessions) == 2
    assert (before.closed, world.entra.closed) == (0, 0)
    assert world.taken(APP_CREDENTIALS) == []
    assert [e["reason"] for e in world.events] == ["IdentityRejected"]
    world.entra.error = None
    await world.look_at_tenant()
    assert thumbprint(world) == sha1_thumbprint(NEW.der)
    assert stalled(world)["reason"] == ""
    assert before.closed == 1


async def test_when_the_one_in_use_is_refused_too_the_new_one_counts() -> None:
    world, before = await rotating(REJECTED)
    await world.look_at_tenant()
    before.error = REJECTED
    world.clock.advance(timedelta(hours=1))
    await world.look_at_tenant()
    assert (ready(world)["status"], ready(world)["reason"]) == ("False", "IdentityRejected")
    assert before.closed == 0
    world.entra.error = None
    world.clock.advance(LOOK)
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert thumbprint(world) == sha1_thumbprint(NEW.der)
    assert before.closed == 1


async def test_an_outage_takes_nothing_away() -> None:
    world, before = await rotating(UnavailableError("probe: HTTP 503"))
    await world.look_at_tenant()
    assert world.tenant_conditions.keys() == {"Ready", "WritePermitted"}
    world.clock.advance(LOOK)
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert world.tenant_conditions["Reconciling"]["reason"] == "DirectoryUnavailable"
    before.error = UnavailableError("probe: HTTP 503")
    world.clock.advance(timedelta(hours=1))
    assert await world.look_at_tenant() == timedelta(seconds=5)
    world.clock.advance(timedelta(seconds=5))
    await world.look_at_tenant()
    assert (ready(world)["status"], ready(world)["reason"]) == ("False", "DirectoryUnavailable")
    before.error = None
    world.entra.error = REJECTED
    world.clock.advance(LOOK)
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert stalled(world)["reason"] == "IdentityRejected"
    assert thumbprint(world) == sha1_thumbprint(OLD.der)


async def test_an_old_one_put_back_ends_the_attempt() -> None:
    world, before = await rotating(REJECTED)
    await world.look_at_tenant()
    world.put_identity_data(tls(OLD))
    await world.look_at_tenant()
    assert world.tenant_conditions.keys() == {"Ready", "WritePermitted"}
    assert (before.closed, world.entra.closed) == (0, 1)


async def test_a_third_one_takes_the_place_of_the_second() -> None:
    world, before = await rotating(REJECTED)
    await world.look_at_tenant()
    second, world.entra = world.entra, MemorySession(world.clock)
    world.put_identity_data(tls(made("third")))
    await world.look_at_tenant()
    assert (before.closed, second.closed, world.entra.closed) == (1, 1, 0)
    assert world.tenant_conditions.keys() == {"Ready", "WritePermitted"}


@pytest.mark.parametrize("what", ["deleted", "expired", "no key"])
async def test_what_cannot_be_used_stops_nobody_while_the_old_one_works(what: str) -> None:
    world, before = await rotating(None)
    data = tls(made(end=NOW)) if what == "expired" else tls(NEW)
    if what == "no key":
        del data["tls.key"]
    world.put_identity_data(None if what == "deleted" else data)
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert stalled(world)["reason"] in {"IdentitySecretNotFound", "IdentityCertificateUnusable"}
    assert thumbprint(world) == sha1_thumbprint(OLD.der)
    assert world.taken(APP_CREDENTIALS) == []
    before.error = REJECTED
    world.clock.advance(timedelta(hours=1))
    await world.look_at_tenant()
    assert ready(world)["status"] == "False"
    assert ready(world)["reason"] == stalled(world)["reason"] != "IdentityRejected"
    world.put_identity_data(tls(NEW))
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"


async def test_a_certificate_that_ends_while_in_use_is_told() -> None:
    world = World()
    world.put_tenant(certificate=REFERENCE)
    world.put_identity_data(tls(made(end=NOW + DAY)))
    await world.look_at_tenant()
    world.clock.advance(DAY)
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert "has expired" in stalled(world)["message"]


async def test_from_a_secret_to_a_certificate_and_another_application() -> None:
    world = World()
    await world.look_at_tenant()
    before, world.entra = world.entra, MemorySession(world.clock)
    world.entra.error = REJECTED
    reference = {"clientId": OTHER_CLIENT, "secretRef": {"name": "identity"}}
    world.put_tenant(certificate=reference)
    world.put_identity_data(tls(NEW))
    await world.look_at_tenant()
    assert ready(world)["status"] == "True"
    assert world.tenant_status["identity"] == {"clientId": OPERATOR_CLIENT_ID}
    for own in (OPERATOR_CLIENT_ID, OTHER_CLIENT):
        assert await is_own(world, own)
    assert not await is_own(world, CLIENT_ID)
    world.entra.error = None
    await world.look_at_tenant()
    assert world.tenant_status["identity"]["clientId"] == OTHER_CLIENT
    assert before.closed == 1
    assert not await is_own(world, OPERATOR_CLIENT_ID)


async def is_own(world: World, client_id: str) -> bool:
    """Tell whether an application counts as the operator's own."""
    access = world.tenants.access("default")
    tenant = getattr(access, "tenant", None)
    assert tenant is not None
    return client_id in tenant.operator_client_ids


async def test_limits_count_at_once_while_a_new_one_waits() -> None:
    world, _ = await rotating(REJECTED)
    await world.look_at_tenant()
    world.put_tenant(certificate=REFERENCE)
    path = next(p for p in world.api.objects if p.endswith("entratenants/default"))
    document = world.api.objects[path]
    document["spec"]["limits"] = {"types": ["Certificate"]}
    await world.look_at_tenant()
    await world.look()
    assert world.ready["reason"] == "TypeNotAllowed"
