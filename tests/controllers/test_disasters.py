"""Disasters that move a resource or its Secret: to another cluster, or to an earlier release."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.marker import ClusterIdentity, Marker, Owner
from tests.support import world as worlds
from tests.support.api_server import ApiServer
from tests.support.builders import (
    CLONE_IDENTITY,
    DAY,
    HOUR,
    IDENTITY,
    MINUTE,
    OTHER_IDENTITY,
    OWNER,
)
from tests.support.world import RESOURCE, TARGET, World

PREFIX: Final = "appcredential.io/"
SPEC: Final[dict[str, Any]] = {
    "lifetime": "10d",
    "rotation": {"renewBefore": "2d", "overlap": "6h", "retireWhen": "OverlapElapsed"},
}


class Cluster(World):
    """A cluster whose workload always signs in with what its Secret holds."""

    async def live(self, length: timedelta) -> None:
        """Let the operator work for so long; the published value works at each look."""
        end = self.clock.now() + length
        while self.clock.now() < end:
            wait = await self.look() or MINUTE
            if self.published:
                assert self.published in self.entra.credentials, "what the Secret holds is gone"
            self.clock.advance(min(max(wait, timedelta(seconds=1)), end - self.clock.now()))

    @property
    def annotations(self) -> dict[str, str]:
        """Our annotations of the target Secret."""
        found = self.api.objects.get(TARGET, {}).get("metadata", {}).get("annotations") or {}
        return {name.removeprefix(PREFIX): value for name, value in found.items()}

    @property
    def published(self) -> str:
        return self.annotations.get("key-id", "")

    def backup(self) -> dict[str, Any]:
        """Return the target Secret as a backup has it."""
        found = deepcopy(self.api.objects[TARGET])
        for name in ("uid", "resourceVersion"):
            found["metadata"].pop(name, None)
        return found

    @property
    def adds(self) -> int:
        return self.entra.calls.count("add")


async def issued() -> Cluster:
    """Return a cluster in which a credential is published."""
    cluster = Cluster()
    cluster.put_resource(OWNER, **SPEC)
    await cluster.publish()
    cluster.clock.advance(HOUR)
    return cluster


def elsewhere(
    m: pytest.MonkeyPatch, former: Cluster, identity: ClusterIdentity = OTHER_IDENTITY
) -> Cluster:
    """Return another cluster, whose operator signs in to the same Entra."""
    with m.context() as patched:
        patched.setattr(worlds, "IDENTITY", identity)
        cluster = Cluster(api=ApiServer(), clock=former.clock)
    cluster.entra = former.entra
    cluster.put_resource(OWNER, **SPEC)
    return cluster


def restore_secret(cluster: Cluster, backup: dict[str, Any], uid: str) -> None:
    metadata = {**backup["metadata"], "uid": uid}
    cluster.api.put(TARGET, {**backup, "metadata": metadata})


async def test_secrets_come_first_into_a_new_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they hold stays until a credential of this cluster is proven; it is not ours to end."""
    former = await issued()
    first, adds = former.published, former.adds
    cluster = elsewhere(monkeypatch, former)
    restore_secret(cluster, former.backup(), "restored-uid")
    await cluster.look_at_tenant()
    await cluster.live(3 * HOUR)
    assert cluster.ready["status"] == "True"
    assert cluster.published != first
    assert cluster.annotations["cluster"] == OTHER_IDENTITY.cluster
    assert cluster.adds == adds + 1
    await cluster.live(2 * DAY)
    assert cluster.adds == adds + 1
    assert first not in cluster.entra.removed
    assert cluster.status["inventory"]["foreign"] == 1, "it is reported"


async def test_the_resource_comes_first_into_a_new_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then the backup's Secret replaces the one that was just issued: once more, and no more."""
    former = await issued()
    first, adds = former.published, former.adds
    cluster = elsewhere(monkeypatch, former)
    await cluster.publish()
    second = cluster.published
    cluster.clock.advance(20 * MINUTE)
    restore_secret(cluster, former.backup(), cluster.api.objects[TARGET]["metadata"]["uid"])
    cluster.states.forget(OWNER)
    await cluster.live(5 * HOUR)
    assert cluster.ready["status"] == "True"
    assert cluster.published not in {first, second}
    assert cluster.adds == adds + 2
    await cluster.live(2 * DAY)
    assert cluster.adds == adds + 2
    assert first not in cluster.entra.removed


async def test_a_cluster_that_adopts_uses_what_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The former cluster is lost: nothing is issued before the renewal, and nothing is removed."""
    former = await issued()
    first, adds = former.published, former.adds
    adopting = replace(OTHER_IDENTITY, adopted=frozenset({IDENTITY.cluster}))
    cluster = elsewhere(monkeypatch, former, adopting)
    restore_secret(cluster, former.backup(), "restored-uid")
    await cluster.look_at_tenant()
    await cluster.live(7 * DAY)
    assert (cluster.published, cluster.adds) == (first, adds)
    assert cluster.ready["status"] == "True"
    assert "Another cluster issued it" in cluster.ready["message"]
    await cluster.live(2 * DAY)
    assert cluster.published != first
    assert cluster.annotations["cluster"] == OTHER_IDENTITY.cluster
    assert cluster.adds == adds + 1
    assert first not in cluster.entra.removed
    assert cluster.status["inventory"]["foreign"] == 1, "it is reported"


async def live_beside(m: pytest.MonkeyPatch, identity: ClusterIdentity) -> None:
    """Let two clusters live for twenty days, each on its own."""
    blue = await issued()
    green = elsewhere(m, blue, identity)
    await green.publish()
    owners = {blue.published: blue, green.published: green}
    for _ in range(20 * 4):
        for cluster in (blue, green):
            removed = len(blue.entra.removed)
            await cluster.live(3 * HOUR)
            owners.setdefault(cluster.published, cluster)
            for key in blue.entra.removed[removed:]:
                assert owners[key] is cluster, "it removed what the other one issued"
    assert blue.published != green.published
    assert len(blue.entra.removed) >= 2, "both have rotated"


BOTH: Final = pytest.mark.parametrize(
    "identity", [OTHER_IDENTITY, CLONE_IDENTITY], ids=["another id", "the same id"]
)


@BOTH
async def test_both_clusters_live_and_leave_each_other_alone(
    monkeypatch: pytest.MonkeyPatch, identity: ClusterIdentity
) -> None:
    await live_beside(monkeypatch, identity)


@BOTH
async def test_one_that_takes_every_clusters_credentials_for_its_own_is_caught(
    monkeypatch: pytest.MonkeyPatch, identity: ClusterIdentity
) -> None:
    def by_owner(self: Marker, _: ClusterIdentity, owner: Owner) -> bool:
        return self.owner == owner.hash

    monkeypatch.setattr(Marker, "is_usable_by", by_owner)
    monkeypatch.setattr(Marker, "is_removable_by", by_owner)
    with pytest.raises(AssertionError, match=r"the other one issued|the Secret holds is gone"):
        await live_beside(monkeypatch, identity)


async def test_after_a_downgrade_nothing_is_lost() -> None:
    """A later release wrote what this one does not know, and noted a cause of its own."""
    cluster = await issued()
    first = cluster.published
    await cluster.live(8 * DAY + 3 * HOUR)
    second = cluster.published
    assert second != first
    found = deepcopy(cluster.api.objects[TARGET])
    held = found["metadata"]["annotations"]
    entries = [
        {**entry, "cause": "Postponed", "until": "Monday"}
        for entry in json.loads(held[f"{PREFIX}retiring"])
    ]
    assert [entry["keyId"] for entry in entries] == [first]
    held[f"{PREFIX}retiring"] = json.dumps(entries)
    held[f"{PREFIX}generation-of-keys"] = "7"
    cluster.api.put(TARGET, found)
    later = deepcopy(cluster.api.objects[RESOURCE])
    later["status"] |= {"sealed": {"until": "Monday"}}
    later["status"]["conditions"].append({"type": "Sealed", "status": "True", "reason": "Asked"})
    cluster.api.put(RESOURCE, later)
    cluster.states.forget(OWNER)
    downgraded, adds = cluster.clock.now(), cluster.adds
    await cluster.live(6 * HOUR)
    assert first not in cluster.entra.removed, "what it does not understand keeps the overlap"
    await cluster.live(DAY)
    assert (cluster.published, cluster.adds) == (second, adds)
    assert cluster.ready["status"] == "True"
    assert cluster.clock.now() - downgraded > DAY
