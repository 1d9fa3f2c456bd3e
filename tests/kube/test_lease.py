"""The Lease: taken, renewed, lost and released, by clocks of both sides that are injected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.errors import ConflictError, UnavailableError
from appcredential.kube.lease import Lease, LeaseLostError, LeaseSettings
from appcredential.runtime.effect_guard import EffectGuard
from tests.support.api_server import ApiServer
from tests.support.builders import SECOND
from tests.support.clock import HandClock

DURATION = timedelta(seconds=60)
EFFECT_MARGIN = timedelta(seconds=30)
MINT_MARGIN = timedelta(seconds=45)
PATH = "/apis/coordination.k8s.io/v1/namespaces/appcredential-system/leases/appcredential"


def spec_of(server: ApiServer) -> dict[str, Any]:
    """Return the stored Lease's spec itself."""
    spec: dict[str, Any] = server.objects[PATH]["spec"]
    return spec


def lease_of(server: ApiServer, clock: HandClock, holder: str) -> Lease:
    settings = LeaseSettings(
        namespace="appcredential-system", name="appcredential", holder=holder, duration=DURATION
    )
    return Lease(server, clock, settings)


def gate_of(lease: Lease) -> EffectGuard:
    return EffectGuard(
        remaining=lease.remaining,
        is_synced=lambda: True,
        effect_margin=EFFECT_MARGIN,
        mint_margin=MINT_MARGIN,
    )


@pytest.fixture
async def server() -> ApiServer:
    return ApiServer()


@pytest.fixture
async def lease(server: ApiServer, clock: HandClock) -> Lease:
    return lease_of(server, clock, "one")


@pytest.fixture
async def other(server: ApiServer, clock: HandClock) -> Lease:
    return lease_of(server, clock, "two")


async def test_nothing_is_allowed_before_the_first_lease(lease: Lease) -> None:
    assert not lease.is_leader()
    assert lease.remaining() < 0
    assert gate_of(lease).problem() is not None
    assert not gate_of(lease).allows_mint()


async def test_a_missing_lease_is_created(server: ApiServer, lease: Lease) -> None:
    assert await lease.try_hold()
    assert lease.is_leader()
    assert server.methods == ["GET", "POST"]
    assert spec_of(server) == {
        "holderIdentity": "one",
        "leaseDurationSeconds": 60,
        "renewTime": "2026-11-22T10:00:00.000000Z",
        "acquireTime": "2026-11-22T10:00:00.000000Z",
        "leaseTransitions": 0,
    }


async def test_a_renewal_moves_the_end_and_not_the_beginning(
    server: ApiServer, clock: HandClock, lease: Lease
) -> None:
    assert await lease.try_hold()
    clock.advance(40 * SECOND)
    assert lease.remaining() == 20
    assert await lease.try_hold()
    assert lease.remaining() == 60
    assert spec_of(server)["renewTime"] == "2026-11-22T10:00:40.000000Z"
    assert spec_of(server)["acquireTime"] == "2026-11-22T10:00:00.000000Z"
    assert spec_of(server)["leaseTransitions"] == 0


async def test_the_end_counts_from_before_the_request(
    server: ApiServer, clock: HandClock, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = server.request

    async def slow(*args: Any, **kwargs: Any) -> dict[str, Any]:
        clock.advance(5 * SECOND)
        return await answer(*args, **kwargs)

    monkeypatch.setattr(server, "request", slow)
    assert await lease.try_hold()
    assert lease.remaining() == 50


async def test_a_foreign_lease_is_left_until_it_was_seen_unchanged_for_its_duration(
    clock: HandClock, lease: Lease, other: Lease
) -> None:
    assert await lease.try_hold()
    clock.advance(50 * SECOND)
    assert not await other.try_hold()  # seen for the first time: the clock of `other` starts here
    clock.advance(59 * SECOND)
    assert not await other.try_hold()
    clock.advance(SECOND)
    assert await other.try_hold()
    assert other.is_leader()


async def test_every_renewal_starts_the_wait_anew(
    clock: HandClock, lease: Lease, other: Lease
) -> None:
    for _ in range(20):
        assert await lease.try_hold()
        assert not await other.try_hold()
        clock.advance(10 * SECOND)
        assert lease.is_leader()
        assert not other.is_leader()


async def test_a_longer_duration_of_the_holder_is_respected(
    server: ApiServer, clock: HandClock, lease: Lease, other: Lease
) -> None:
    assert await lease.try_hold()
    spec_of(server)["leaseDurationSeconds"] = 300
    assert not await other.try_hold()
    clock.advance(299 * SECOND)
    assert not await other.try_hold()
    clock.advance(SECOND)
    assert await other.try_hold()


async def test_at_no_moment_do_two_lead_when_the_first_hangs(
    clock: HandClock, lease: Lease, other: Lease
) -> None:
    assert await lease.try_hold()
    seconds = 0
    while not await other.try_hold():
        clock.advance(SECOND)
        seconds += 1
        assert seconds < 200
    assert not lease.is_leader()
    assert seconds == 60


async def test_a_takeover_counts_a_transition_and_begins_anew(
    server: ApiServer, clock: HandClock, lease: Lease, other: Lease
) -> None:
    assert await lease.try_hold()
    assert not await other.try_hold()
    clock.advance(60 * SECOND)
    assert await other.try_hold()
    assert spec_of(server)["holderIdentity"] == "two"
    assert spec_of(server)["leaseTransitions"] == 1
    assert spec_of(server)["acquireTime"] == "2026-11-22T10:01:00.000000Z"


async def test_the_old_holder_learns_that_it_lost(
    clock: HandClock, lease: Lease, other: Lease
) -> None:
    assert await lease.try_hold()
    assert not await other.try_hold()
    clock.advance(60 * SECOND)
    assert await other.try_hold()
    assert not await lease.try_hold()
    assert not lease.is_leader()
    assert gate_of(lease).problem() is not None


async def test_losing_the_race_for_a_free_lease_is_no_leadership(
    server: ApiServer, clock: HandClock, lease: Lease
) -> None:
    original = server.request

    async def beaten(method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        if method == "POST":
            raise ConflictError("another was first")
        return await original(method, path, **kwargs)

    server.request = beaten  # type: ignore[method-assign]
    assert not await lease.try_hold()
    assert not lease.is_leader()


async def test_an_unreachable_api_server_lets_the_lease_run_out_and_no_longer(
    server: ApiServer, clock: HandClock, lease: Lease
) -> None:
    assert await lease.try_hold()
    gate = gate_of(lease)

    def give_no_answer(_method: str, _path: str) -> None:
        raise UnavailableError("no answer")

    server.before = give_no_answer
    for _ in range(3):
        clock.advance(10 * SECOND)
        with pytest.raises(UnavailableError):
            await lease.try_hold()
        assert gate.problem() is None
    clock.advance(0.5 * SECOND)
    assert gate.problem() is not None, "an effect may take longer than what is left"
    assert lease.is_leader()
    clock.advance(29.5 * SECOND)
    assert not lease.is_leader()


async def test_a_mint_needs_more_of_the_lease_than_another_effect(
    clock: HandClock, lease: Lease
) -> None:
    assert await lease.try_hold()
    gate = gate_of(lease)
    clock.advance(15 * SECOND)
    assert gate.allows_mint()
    clock.advance(0.5 * SECOND)
    assert not gate.allows_mint()
    assert gate.problem() is None


async def test_nothing_starts_while_stopping_or_before_the_first_lists(lease: Lease) -> None:
    assert await lease.try_hold()
    gate = gate_of(lease)
    gate.stopping = True
    assert gate.problem() is not None
    assert not gate.allows_mint()
    gate.stopping = False
    gate.is_synced = lambda: False
    assert gate.problem() is not None


async def test_a_released_lease_can_be_taken_at_once(
    server: ApiServer, lease: Lease, other: Lease
) -> None:
    assert await lease.try_hold()
    await lease.release()
    assert not lease.is_leader()
    assert spec_of(server)["holderIdentity"] == ""
    assert await other.try_hold()


async def test_release_writes_nothing_after_the_lease_was_lost(
    server: ApiServer, clock: HandClock, lease: Lease, other: Lease
) -> None:
    assert await lease.try_hold()
    assert not await other.try_hold()
    clock.advance(60 * SECOND)
    assert await other.try_hold()
    before = len(server.requests)
    await lease.release()
    assert len(server.requests) == before
    assert spec_of(server)["holderIdentity"] == "two"


async def test_release_leaves_a_lease_that_names_another_alone(
    server: ApiServer, lease: Lease
) -> None:
    assert await lease.try_hold()
    spec_of(server)["holderIdentity"] = "two"  # edited by a person
    await lease.release()
    assert server.methods[-1] == "GET"
    assert spec_of(server)["holderIdentity"] == "two"


async def test_a_lease_deleted_by_a_person_is_made_anew(
    server: ApiServer, clock: HandClock, lease: Lease
) -> None:
    assert await lease.try_hold()
    del server.objects[PATH]
    clock.advance(10 * SECOND)
    assert await lease.try_hold()
    assert lease.remaining() == 60


async def test_an_older_lease_than_was_written_ends_the_process(
    server: ApiServer, clock: HandClock, lease: Lease
) -> None:
    assert await lease.try_hold()
    backup = server.objects[PATH]
    clock.advance(10 * SECOND)
    assert await lease.try_hold()
    server.objects[PATH] = backup
    with pytest.raises(LeaseLostError):
        await lease.try_hold()


async def test_a_backup_from_before_the_lease_ends_the_process_too(
    server: ApiServer, lease: Lease
) -> None:
    assert await lease.try_hold()
    del server.objects[PATH]
    server.version = 50
    with pytest.raises(LeaseLostError):
        await lease.try_hold()
