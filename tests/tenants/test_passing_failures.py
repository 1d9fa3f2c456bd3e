from __future__ import annotations

import pytest

from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    IdentityRejectedError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
    UntrustedServerError,
)
from appcredential.kube.custom_resources import APP_CREDENTIALS
from tests.support.builders import HOUR, MINUTE, SECOND
from tests.support.world import World

DOWN = UnavailableError("probe: HTTP 503")
BUSY = ThrottledError("probe: Graph asks to slow down", retry_after=2 * MINUTE)


async def _ready_for_an_hour(*errors: AppCredentialError | None) -> World:
    """Return a world whose tenant is Ready and due for a probe that ends so."""
    world = World()
    await world.look_at_tenant()
    world.clock.advance(HOUR)
    world.taken(APP_CREDENTIALS)
    world.entra.probe_errors = list(errors)
    return world


@pytest.mark.parametrize("error", [DOWN, BUSY, ConflictError("probe")])
async def test_one_failed_probe_changes_nothing(error: AppCredentialError) -> None:
    world = await _ready_for_an_hour(error, None)
    writes = world.api.count("PATCH", "/status")
    wait = await world.look_at_tenant()
    assert wait == (2 * MINUTE if error is BUSY else 5 * SECOND)
    for _ in range(3):
        world.clock.advance(wait or SECOND)
        wait = await world.look_at_tenant()
    assert world.entra.probes == 3
    assert world.taken(APP_CREDENTIALS) == []
    assert world.api.count("PATCH", "/status") == writes


async def test_two_in_a_row_are_told_once_and_so_is_their_end() -> None:
    world = await _ready_for_an_hour(DOWN, DOWN, DOWN, DOWN)
    woken = []
    for _ in range(4):
        world.clock.advance(await world.look_at_tenant() or SECOND)
        woken.append(len(world.taken(APP_CREDENTIALS)))
    assert woken == [0, 1, 0, 0]
    assert world.tenant_conditions["Ready"]["reason"] == "DirectoryUnavailable"
    assert "Stalled" not in world.tenant_conditions
    await world.look_at_tenant()
    assert world.tenant_conditions["Ready"]["status"] == "True"
    assert len(world.taken(APP_CREDENTIALS)) == 1


async def test_a_proxy_that_re_signs_is_told_at_the_second_time_and_passes() -> None:
    error = UntrustedServerError("token", is_token_endpoint=True)
    error.issuer = "Proxy CA"
    world = await _ready_for_an_hour(error, error)
    assert await world.look_at_tenant() == 5 * SECOND
    assert world.tenant_conditions["Ready"]["status"] == "True"
    world.clock.advance(5 * SECOND)
    await world.look_at_tenant()
    for kind in ("Ready", "Stalled"):
        assert world.tenant_conditions[kind]["reason"] == "TlsNotTrusted"
        assert 'issued by "Proxy CA"' in world.tenant_conditions[kind]["message"]
    world.clock.advance(30 * SECOND)
    await world.look_at_tenant()
    assert world.tenant_conditions["Ready"]["status"] == "True"


async def test_a_look_in_between_is_no_second_failure() -> None:
    world = await _ready_for_an_hour(BUSY)
    await world.look_at_tenant()
    world.clock.advance(MINUTE)
    assert await world.look_at_tenant() == MINUTE
    assert world.entra.probes == 2
    assert world.tenant_conditions["Ready"]["status"] == "True"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (IdentityRejectedError("token: refused"), "IdentityRejected"),
        (PermissionDeniedError("probe: 403"), "PermissionDenied"),
    ],
)
async def test_a_refusal_counts_at_once_and_outlives_one_failure(
    error: AppCredentialError, reason: str
) -> None:
    world = await _ready_for_an_hour(error, DOWN, error)
    for _ in range(3):
        world.clock.advance(await world.look_at_tenant() or SECOND)
        assert world.tenant_conditions["Ready"]["reason"] == reason
    assert len(world.taken(APP_CREDENTIALS)) == 1


@pytest.mark.parametrize("error", [DOWN, BUSY])
async def test_a_tenant_that_was_never_seen_is_decided_soon(error: AppCredentialError) -> None:
    world = World()
    world.entra.probe_errors = [error, error]
    assert await world.look_at_tenant() == 5 * SECOND
    assert not world.tenants.is_known("default")
    assert world.tenant_conditions == {}
    world.clock.advance(5 * SECOND)
    await world.look_at_tenant()
    assert world.tenants.is_known("default")
    assert world.tenant_conditions["Ready"]["reason"] == "DirectoryUnavailable"


async def test_another_identity_is_tried_at_once_although_a_probe_failed() -> None:
    world = await _ready_for_an_hour(BUSY, None)
    await world.look_at_tenant()
    world.put_identity("YW5vdGhlci12YWx1ZQ==")
    await world.look_at_tenant()
    assert world.entra.probes == 3
    assert world.tenant_conditions["Ready"]["status"] == "True"
