"""Two AppCredentials that want one Secret: the loser gives up what it issued in vain."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from appcredential.kube.secret_store import secrets_path
from tests.support.builders import MINUTE, OTHER_OWNER, OWNER, SECOND
from tests.support.world import SECRETS, TARGET, World

PENDING = secrets_path(OWNER.namespace, f"appcredential-pending-{OWNER.hash}")


def _put_anothers(world: World, owner: str = str(OTHER_OWNER)) -> None:
    """Have the other one publish first."""
    data = {"AZURE_CLIENT_SECRET": base64.b64encode(b"theirs").decode()}
    metadata: dict[str, Any] = {"annotations": {"appcredential.io/owner": owner}}
    world.api.put(TARGET, {"type": "Opaque", "metadata": metadata, "data": data})
    world.states.invalidate(OWNER)


async def _minted() -> World:
    """Return a world in which the resource has a successor, and another one the Secret."""
    world = World()
    world.put_resource(OTHER_OWNER)
    await world.look_at_tenant()
    await world.until(lambda: len(world.entra.credentials) == 1)
    world.clock.advance(20 * SECOND)
    _put_anothers(world)
    return world


async def _pass(world: World, minutes: int) -> None:
    until = world.clock.now() + minutes * MINUTE
    while world.clock.now() < until:
        again = await world.look() or MINUTE
        world.clock.advance(min(max(again, SECOND), MINUTE))


async def test_what_was_issued_in_vain_is_gone_within_two_minutes() -> None:
    world = await _minted()
    before = world.api.objects[TARGET]
    await world.look()
    assert world.conditions["Stalled"]["reason"] == "SecretConflict"
    await _pass(world, 2)
    assert world.entra.credentials == {}
    assert PENDING not in world.api.objects
    assert world.api.objects[TARGET] == before
    assert [e["reason"] for e in world.events].count("OrphanRemoved") == 1
    assert world.conditions["Stalled"]["reason"] == "SecretConflict"
    assert "pending" not in world.status
    assert world.status["inventory"]["managed"] == 0


async def test_status_shows_it_until_it_is_gone() -> None:
    world = await _minted()
    world.entra.failures.clear()
    shown: list[tuple[int, bool]] = []
    for _ in range(12):
        await world.look()
        inventory = world.status.get("inventory") or {"managed": 0}
        shown.append((inventory["managed"], bool(world.entra.credentials)))
        world.clock.advance(10 * SECOND)
    assert all(managed == 1 for managed, is_there in shown if is_there), shown
    assert shown[-1] == (0, False)


async def test_it_issues_again_once_the_secret_is_free() -> None:
    world = await _minted()
    await _pass(world, 3)
    del world.api.objects[TARGET]
    world.states.invalidate(OWNER)
    await world.until(lambda: world.ready["status"] == "True")
    assert len(world.entra.credentials) == 1


async def test_what_another_process_made_is_kept_but_told() -> None:
    """Nobody knows whether it was published before that process ended, and pods may use it."""
    world = await _minted()
    world.states.of(OWNER).made = None
    await _pass(world, 5)
    assert len(world.entra.credentials) == 1
    assert PENDING in world.api.objects
    assert world.status["pending"]["keyId"] in world.entra.credentials
    assert world.status["inventory"]["managed"] == 1
    assert world.conditions["Stalled"]["reason"] == "SecretConflict"


async def test_another_term_tells_nothing_of_what_was_made() -> None:
    world = await _minted()
    world.process.terms.begin(world.clock.now())
    await _pass(world, 5)
    assert len(world.entra.credentials) == 1


@pytest.mark.parametrize("spec", [{"suspend": True}, {"mode": "Observe"}])
async def test_nothing_is_given_up_for_one_that_may_not_write(spec: dict[str, Any]) -> None:
    world = await _minted()
    world.put_resource(OWNER, **spec)
    await _pass(world, 5)
    assert len(world.entra.credentials) == 1


async def test_a_publish_whose_answer_was_lost_is_no_attempt_in_vain() -> None:
    """It may be in the Secret, and somebody may have read it there."""
    world = World()
    await world.look_at_tenant()

    def lose(method: str, path: str) -> None:
        if method == "POST" and path == SECRETS and PENDING in world.api.objects:
            raise TimeoutError

    world.api.before = lose
    for _ in range(60):
        try:
            world.clock.advance(await world.look() or SECOND)
        except TimeoutError:
            break
    assert world.states.of(OWNER).made is None
    world.api.before = lambda *_: None
    _put_anothers(world)
    await _pass(world, 5)
    assert len(world.entra.credentials) == 1
