"""A scheduled revocation that a backup brings back, into the same cluster or another one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.domain.marker import ClusterIdentity, Marker, Owner
from tests.support import deletions
from tests.support.builders import CLONE_IDENTITY, KEY, OTHER_IDENTITY
from tests.support.deletions import SECRETS, Deletion

LONG = timedelta(minutes=20)
ELSEWHERE = pytest.mark.parametrize(
    "identity", [OTHER_IDENTITY, CLONE_IDENTITY], ids=["another id", "the same id"]
)


def restored(m: pytest.MonkeyPatch, identity: ClusterIdentity | None = None) -> Deletion:
    """Return a cluster into which revocation and Secret were restored, without the resource.

    What a backup tool restores is another object with the same content.
    """
    with m.context() as patched:
        if identity is not None:
            patched.setattr(deletions, "IDENTITY", identity)
        found = Deletion()
    path = f"{SECRETS}/orders-entra"
    secret = found.kube.objects.pop(path)
    secret["metadata"] = {**secret["metadata"], "uid": "restored-uid"}
    found.kube.put(path, secret)
    return found


@ELSEWHERE
async def test_in_another_cluster_it_ends_and_touches_nothing(
    monkeypatch: pytest.MonkeyPatch, identity: ClusterIdentity
) -> None:
    world = restored(monkeypatch, identity)
    await world.pass_(LONG)
    assert not world.is_open
    assert world.directory.removed == []
    assert world.has_target, "it is not the object that the deleted resource had"


@ELSEWHERE
async def test_one_that_goes_by_the_owner_alone_is_caught(
    monkeypatch: pytest.MonkeyPatch, identity: ClusterIdentity
) -> None:
    def by_owner(self: Marker, _: ClusterIdentity, owner: Owner) -> bool:
        return self.owner == owner.hash

    monkeypatch.setattr(Marker, "is_removable_by", by_owner)
    world = restored(monkeypatch, identity)
    await world.pass_(LONG)
    assert world.directory.removed == [KEY]


async def test_in_the_same_cluster_it_revokes_what_no_resource_claims(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = restored(monkeypatch)
    await world.pass_(LONG)
    assert not world.is_open
    assert world.directory.removed == [KEY]
    assert world.has_target


async def test_in_the_same_cluster_a_resource_that_is_back_is_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = restored(monkeypatch)
    world.apply()
    await world.pass_(LONG)
    assert world.directory.removed == []
    assert world.has_target
