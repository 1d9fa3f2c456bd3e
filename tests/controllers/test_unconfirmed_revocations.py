from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from appcredential.domain.spec.model import TenantId
from tests.support.builders import KEY, MINUTE
from tests.support.deletions import Deletion

LONG = timedelta(minutes=20)
OTHER = TenantId("88888888-8888-8888-8888-888888888888")


async def test_a_tenant_made_anew_for_another_directory_ends_no_deletion() -> None:
    world = Deletion()
    world.rename_tenant("default", OTHER)
    world.directory.is_missing = True
    await world.pass_(LONG)
    assert world.directory.reads == []
    assert world.is_open
    assert world.has_target
    world.rename_tenant("default")
    world.directory.is_missing = False
    await world.pass_(5 * MINUTE)
    assert world.directory.removed == [KEY]
    assert not world.is_open


async def test_a_tenant_that_is_gone_is_waited_for() -> None:
    world = Deletion()
    del world.tenants["default"]
    await world.pass_(LONG)
    assert world.is_open
    assert world.has_target


async def test_a_deletion_finds_the_application_without_its_object_id() -> None:
    world = Deletion({"objectId": "", "tenantId": ""})
    await world.pass_(LONG)
    assert world.directory.removed == [KEY]
    assert [event[0] for event in world.events] == ["Revoked"]


async def test_nothing_is_waited_for_when_nothing_was_issued_and_no_tenant_exists() -> None:
    world = Deletion({"objectId": "", "tenantId": "", "secretUid": ""})
    del world.tenants["default"]
    await world.pass_(LONG)
    assert world.directory.reads == []
    assert not world.is_open


async def test_an_end_without_a_look_at_entra_is_said(caplog: pytest.LogCaptureFixture) -> None:
    world = Deletion()
    world.directory.is_missing = True
    await world.pass_(LONG)
    assert not world.is_open
    assert [(reason, warning) for reason, _, warning in world.events] == [
        ("RevocationUnconfirmed", True)
    ]
    assert [r.levelno for r in caplog.records if "client_id" in vars(r)] == [logging.WARNING]


async def test_an_application_is_gone_after_three_reads_over_five_minutes() -> None:
    world = Deletion()
    world.directory.is_missing = True
    await world.pass_(LONG)
    first, last = world.directory.reads[0], world.directory.reads[-1]
    assert last - first == 5 * MINUTE
    rare = Deletion()
    rare.directory.is_missing = True
    await rare.pass_(10 * MINUTE)
    rare.clock.advance(6 * MINUTE)
    await rare.revocation_controller.run_once()
    assert len(rare.directory.reads) == 2
    assert rare.is_open
    await rare.pass_(MINUTE)
    assert not rare.is_open


async def test_what_was_seen_in_another_directory_counts_no_more() -> None:
    world = Deletion({"tenantId": ""})
    world.directory.is_missing = True
    await world.pass_(14 * MINUTE)
    assert len(world.directory.reads) > 3
    world.rename_tenant("default", OTHER)
    world.directory.reads.clear()
    await world.pass_(4 * MINUTE)
    assert len(world.directory.reads) > 3
    assert world.is_open
