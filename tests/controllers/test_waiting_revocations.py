from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.kube.revocations import KubeRevocations
from tests.support.api_server import ApiServer
from tests.support.builders import KEY, MINUTE, OWNER, SECOND
from tests.support.deletions import RESOURCE, SECRETS, Deletion
from tests.support.revocation_documents import REVOCATIONS, revocation_document

IN_A_DAY = "2026-11-23T10:00:00Z"


async def test_nothing_is_read_for_a_revocation_that_is_not_due_for_long() -> None:
    world = Deletion({"due": IN_A_DAY})
    await world.pass_(timedelta(hours=2))
    assert {path for _, path, _ in world.kube.requests} == {REVOCATIONS}


async def test_only_the_owner_is_looked_for_until_it_is_due() -> None:
    world = Deletion({"due": IN_A_DAY})
    world.clock.advance(timedelta(hours=24) - 10 * MINUTE)
    await world.pass_(9 * MINUTE)
    assert world.kube.count("GET", RESOURCE) == 19
    assert world.kube.count("GET", SECRETS) == 0
    assert world.directory.reads == []


async def test_the_revocation_is_no_later_for_that() -> None:
    world = Deletion({"due": IN_A_DAY})
    world.clock.advance(timedelta(hours=24) - 11 * MINUTE)
    await world.pass_(11 * MINUTE)
    assert world.directory.removed == [KEY]


async def test_a_restart_counts_the_absence_anew() -> None:
    world = Deletion()
    await world.pass_(9 * MINUTE)
    world.start()
    await world.pass_(9 * MINUTE)
    assert world.directory.removed == []
    await world.pass_(MINUTE)
    assert world.directory.removed == [KEY]


async def test_secrets_are_read_once_a_round() -> None:
    world = Deletion()
    await world.pass_(10 * MINUTE)
    world.kube.requests.clear()
    world.clock.advance(30 * SECOND)
    await world.revocation_controller.run_once()
    assert world.kube.count("GET", SECRETS) == 2


async def test_no_secret_is_read_while_the_tenant_cannot_be_used() -> None:
    world = Deletion()
    del world.tenants["default"]
    await world.pass_(timedelta(hours=1))
    assert world.kube.count("GET", SECRETS) == 0


async def test_nothing_is_removed_by_a_process_that_was_paused() -> None:
    world = Deletion()
    paused: list[str] = []

    def pause(method: str, path: str) -> None:
        # The last read before the removal takes longer than anything may be relied upon.
        if world.directory.reads and path == f"{REVOCATIONS}/{world.name}" and not paused:
            paused.append(path)
            world.clock.advance(16 * SECOND)

    world.kube.before = pause
    await world.pass_(10 * MINUTE)
    assert paused
    assert world.directory.removed == []
    await world.pass_(MINUTE)
    assert world.directory.removed == [KEY]


async def test_nothing_is_removed_after_the_lease_ended() -> None:
    world = Deletion()

    def lose_the_lease(method: str, path: str) -> None:
        if world.directory.reads and path == f"{REVOCATIONS}/{world.name}":
            world.gate.remaining = lambda: 0.0

    world.kube.before = lose_the_lease
    await world.pass_(30 * MINUTE)
    assert world.directory.reads
    assert world.directory.removed == []


async def test_a_revocation_that_fails_unexpectedly_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Deletion()
    other, document = revocation_document({"name": "aaa", "due": "2026-11-22T10:00:00Z"})
    world.kube.put(f"{REVOCATIONS}/{other}", document)

    def fail(method: str, path: str) -> None:
        if path.endswith("/appcredentials/aaa"):
            raise KeyError("metadata")

    world.kube.before = fail
    await world.pass_(20 * MINUTE)
    assert world.directory.removed == [KEY]
    assert not world.is_open
    assert any(r.exc_info for r in caplog.records)


async def test_revocations_are_listed_in_pages() -> None:
    kube = ApiServer()
    for number in range(1, 1002):
        name, document = revocation_document({"name": f"orders-{number}"})
        kube.put(f"{REVOCATIONS}/{name}", document)
    asked: list[dict[str, str]] = []
    request: Any = kube.request

    async def noted(method: str, path: str, **words: Any) -> Any:
        asked.append(dict(words.get("query") or ()))
        return await request(method, path, **words)

    kube.request = noted  # type: ignore[method-assign]
    found = await KubeRevocations(kube, "appcredential-system").list()
    assert len({t.owner for t in found}) == 1001
    assert {t.owner.namespace for t in found} == {OWNER.namespace}
    assert [query["limit"] for query in asked] == ["25", "100", "400", "500"]


async def test_absence_is_counted_anew_after_a_cancellation_in_the_middle_of_a_round() -> None:
    """Cancelled while another one is worked on; its ConfigMap is still in this round's list."""
    world = Deletion()
    other, document = revocation_document({"name": "payments", "due": "2026-11-22T10:00:00Z"})
    assert other < world.name
    world.kube.put(f"{REVOCATIONS}/{other}", document)
    await world.pass_(9 * MINUTE)

    def cancel(method: str, path: str) -> None:
        if path.endswith("/appcredentials/payments"):
            world.open_revocations.note(world.name, None)

    world.kube.before = cancel
    await world.pass_(9 * MINUTE)
    assert world.directory.removed == []
