"""The tenant's app management policy: told in status, kept over failures, heeded by all users."""

from __future__ import annotations

from typing import Any

from appcredential.domain.observed.app_policy import (
    PERMISSION_MISSING,
    UNRESTRICTED,
    AppPolicy,
    Restriction,
)
from appcredential.domain.spec.model import CredentialType
from appcredential.errors import RejectedError, UnavailableError
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS
from appcredential.runtime.ready import Key
from tests.support.builders import DAY, HOUR, MINUTE, OWNER
from tests.support.world import World

SHORT = AppPolicy(
    restrictions=(Restriction(type=CredentialType.CLIENT_SECRET, max_lifetime=30 * DAY),)
)
USER = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)


def told(world: World) -> dict[str, str]:
    (document,) = (
        found for path, found in world.api.objects.items() if path.endswith(f"/{TENANTS}/default")
    )
    found: dict[str, Any] = document["status"]["appManagementPolicy"]
    return found


async def test_status_tells_what_the_policy_allows() -> None:
    world = World()
    world.entra.policy = SHORT
    await world.look_at_tenant()
    assert told(world) == {"clientSecret": "at most 30d", "certificate": "not restricted"}


async def test_status_tells_that_it_may_not_be_read() -> None:
    world = World()
    world.entra.policy = AppPolicy(unknown=PERMISSION_MISSING)
    await world.look_at_tenant()
    assert set(told(world).values()) == {"Unknown: permission missing"}
    assert world.tenant_conditions["Ready"]["status"] == "True"


async def test_what_was_never_learnt_is_unknown() -> None:
    world = World()
    world.entra.policy = None
    await world.look_at_tenant()
    assert set(told(world).values()) == {"Unknown: Graph gave no usable answer yet"}


async def test_what_was_learnt_outlives_failures_and_another_credential() -> None:
    world = World()
    world.entra.policy = SHORT
    await world.look_at_tenant()
    world.entra.policy = None
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    assert told(world)["clientSecret"] == "at most 30d"
    world.entra.probe_errors = [UnavailableError("probe: HTTP 503")]
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    world.put_identity("YW5vdGhlcg==")
    await world.look_at_tenant()
    assert len(world.sessions) == 2
    assert told(world)["clientSecret"] == "at most 30d"


async def test_what_is_asked_for_is_what_it_allows() -> None:
    world = World()
    world.entra.policy = SHORT
    await world.publish()
    (credential,) = world.entra.credentials.values()
    assert credential.end - credential.start <= 30 * DAY
    assert credential.end - credential.start >= 30 * DAY - 6 * MINUTE
    assert world.status["requestedLifetime"] == "29d23h55m"


async def test_users_hear_of_another_policy_and_of_no_other_probe() -> None:
    world = World()
    await world.look_at_tenant()
    world.woken.clear()
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    assert USER not in world.woken
    world.entra.policy = SHORT
    world.clock.advance(HOUR)
    await world.look_at_tenant()
    assert USER in world.woken


async def test_a_refusal_by_the_policy_has_it_read_again_at_once() -> None:
    """It was tightened since: the next try knows, and does not wait for the hourly look."""
    world = World()
    await world.look_at_tenant()
    world.clock.advance(2 * MINUTE)
    world.entra.policy = SHORT
    world.entra.add_errors = [RejectedError("no", code="CredentialInvalidLifetimeAsPerAppPolicy")]
    await world.until(lambda: "Stalled" in world.conditions)
    stalled = world.conditions["Stalled"]
    assert stalled["reason"] == "LifetimeOverPolicy"
    assert "spec.lifetime" in stalled["message"]
    assert world.entra.policy is not UNRESTRICTED
    probes = world.entra.probes
    await world.look_at_tenant()
    assert world.entra.probes == probes + 1
    await world.until(lambda: world.ready["status"] == "True")
    (credential,) = world.entra.credentials.values()
    assert credential.end - credential.start <= 30 * DAY
