"""A revocation that waits longer than it should is told: an Event, a log line, and its age."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from tests.support.builders import DAY, HOUR, KEY, MINUTE
from tests.support.deletions import Deletion
from tests.support.revocation_documents import REVOCATIONS, revocation_document

OVERDUE = "RevocationOverdue"


def _told(world: Deletion) -> list[str]:
    return [note for reason, note, warning in world.events if reason == OVERDUE and warning]


async def test_one_whose_tenant_is_gone_is_told_with_the_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Deletion()
    del world.tenants["default"]
    with caplog.at_level(logging.WARNING):
        await world.pass_(HOUR)
    (note,) = _told(world)
    assert "There is no EntraTenant default: create it again with tenantId" in note
    (line,) = [r for r in caplog.records if r.message == "revocation is overdue"]
    assert (line.owner, line.tenant) == ("shop/orders", "default")  # type: ignore[attr-defined]
    assert world.revocation_controller.overdue == {"default": (50 * MINUTE).total_seconds()}


async def test_it_is_told_once_a_day() -> None:
    world = Deletion()
    del world.tenants["default"]
    await world.pass_(HOUR)
    world.clock.advance(DAY - HOUR)
    await world.pass_(HOUR)
    assert len(_told(world)) == 2


async def test_one_that_goes_its_way_is_not_told() -> None:
    world = Deletion()
    await world.pass_(HOUR)
    assert world.directory.removed == [KEY]
    assert _told(world) == []
    assert world.revocation_controller.overdue == {}


async def test_a_process_that_was_away_does_its_work_before_it_tells() -> None:
    world = Deletion()
    world.clock.advance(2 * DAY)
    await world.pass_(9 * MINUTE)
    assert world.revocation_controller.overdue == {"default": (2 * DAY - MINUTE).total_seconds()}
    await world.pass_(HOUR)
    assert world.directory.removed == [KEY]
    assert _told(world) == []
    assert world.revocation_controller.overdue == {}


async def test_one_whose_owner_is_back_is_not_late() -> None:
    world = Deletion()
    world.apply(mode="Observe")
    await world.pass_(HOUR)
    assert world.is_open
    assert _told(world) == []
    assert world.revocation_controller.overdue == {}


@pytest.mark.parametrize("length", [20 * MINUTE, 22 * MINUTE])
async def test_many_at_once_are_told_one_after_the_other(length: timedelta) -> None:
    world = Deletion()
    del world.tenants["default"]
    for number in range(50):
        other, document = revocation_document(
            {"name": f"more-{number}", "due": "2026-11-22T10:00:00Z"}
        )
        world.kube.put(f"{REVOCATIONS}/{other}", document)
    await world.pass_(length)
    count = len(world.told_of_others) + len(_told(world))
    assert count == (20 if length == 20 * MINUTE else 51)
