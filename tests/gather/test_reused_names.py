from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.spec.model import TenantId
from tests.support.builders import KEY, MINUTE
from tests.support.deletions import ANOTHER, SECRETS, Deletion

LONG = timedelta(minutes=20)
OTHER_TENANT = TenantId("88888888-8888-8888-8888-888888888888")


async def test_a_revocation_acts_when_its_owner_is_gone() -> None:
    world = Deletion()
    await world.pass_(9 * MINUTE)
    assert world.directory.removed == []
    await world.pass_(LONG)
    assert world.directory.removed == [KEY]
    assert not world.is_open
    assert not world.has_target


async def test_a_revocation_waits_while_its_owner_is_back() -> None:
    world = Deletion()
    await world.pass_(5 * MINUTE)
    world.apply()
    await world.pass_(LONG)
    assert world.directory.reads == []
    assert world.is_open


async def test_a_revocation_waits_for_a_resource_that_cannot_be_read() -> None:
    world = Deletion()
    world.apply(type="Password")
    await world.pass_(LONG)
    assert world.is_open


@pytest.mark.parametrize("name", ["orders-entra", "another-secret"])
async def test_a_name_used_for_another_application_ends_no_revocation(name: str) -> None:
    world = Deletion()
    path = world.add_pending()
    world.apply(application={"clientId": ANOTHER}, secret={"name": name})
    await world.pass_(LONG)
    assert world.directory.removed == [KEY]
    assert not world.is_open
    # What the new resource publishes to stays, and so does its pending Secret.
    assert world.has_target == (name == "orders-entra")
    assert path in world.kube.objects


async def test_the_successor_of_the_name_keeps_a_secret_that_it_takes_up_late() -> None:
    world = Deletion()
    await world.pass_(10 * MINUTE)
    world.apply(application={"clientId": ANOTHER})
    await world.pass_(LONG)
    assert not world.is_open
    assert world.has_target


@pytest.mark.parametrize(
    ("tenant_id", "is_same"), [(None, True), (OTHER_TENANT, False), ("unknown", True)]
)
async def test_another_tenant_of_the_same_directory_is_no_other_application(
    tenant_id: Any, is_same: bool
) -> None:
    world = Deletion()
    if tenant_id != "unknown":
        world.rename_tenant("second", tenant_id)
    world.apply(tenantRef={"name": "second"})
    await world.pass_(LONG)
    assert world.is_open == is_same
    assert world.directory.removed == ([] if is_same else [KEY])


async def test_a_resource_that_comes_back_at_the_last_moment_keeps_its_credential() -> None:
    world = Deletion()
    seen: list[str] = []

    def apply_late(method: str, path: str) -> None:
        # After the read that finds the owner absent, and before the removal.
        if world.directory.reads and not seen:
            seen.append(path)
            world.apply()

    world.kube.before = apply_late
    await world.pass_(LONG)
    assert seen
    assert world.directory.removed == []
    assert world.is_open


async def test_a_secret_made_anew_between_decision_and_deletion_stays() -> None:
    world = Deletion()
    path = f"{SECRETS}/orders-entra"
    deleted: list[str] = []

    def make_anew(method: str, asked: str) -> None:
        if method == "DELETE" and asked == path and not deleted:
            deleted.append(path)
            document = world.kube.objects.pop(path)
            document["metadata"].pop("uid")
            world.kube.put(path, document)

    world.kube.before = make_anew
    await world.pass_(3 * LONG)
    assert deleted
    assert world.has_target
    assert not world.is_open
