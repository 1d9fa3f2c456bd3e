"""Lists of grants before a credential is issued: shared, and parsed where something changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from appcredential.cache.grants import LIVE_FOR, Grants, Site
from appcredential.cache.informer import Informer, parse_grant
from appcredential.cache.store import Store
from appcredential.kube.custom_resources import GRANTS, KubeObjects, path_of
from appcredential.kube.namespaces import KubeNamespaces
from tests.support.api_server import ApiServer
from tests.support.builders import CLIENT_ID
from tests.support.clock import HandClock


class Cluster:
    """Two grants, and a store that may lag behind them."""

    def __init__(self) -> None:
        self.api, self.clock, self.store = ApiServer(), HandClock(), Store()
        objects = KubeObjects(self.api)
        self.informer = Informer(objects, self.store, (), lambda *_, **__: None, lambda _: None)
        self.grants = Grants(
            objects, self.store, self.clock, KubeNamespaces(self.api), Site("c", "system")
        )
        for name in ("shop", "stock"):
            self.put(name)

    def put(self, name: str, most: int = 5) -> None:
        spec = {
            "applications": {"clientIds": [CLIENT_ID]},
            "namespaces": {"names": [name]},
            "maxCredentials": most,
        }
        self.api.put(path_of(GRANTS, "", name), {"spec": spec})

    def watch(self) -> None:
        """Let the store see what is there."""
        for path, document in self.api.objects.items():
            assert path.startswith(path_of(GRANTS))
            self.informer.on_event(GRANTS, "MODIFIED", document)

    @property
    def lists(self) -> int:
        return sum(request.path == path_of(GRANTS) for request in self.api.requests)


async def test_all_that_issue_at_once_share_one_list() -> None:
    cluster = Cluster()
    found = await asyncio.gather(*(cluster.grants.live() for _ in range(100)))
    assert [sorted(grants) for grants in found] == [["shop", "stock"]] * 100
    assert cluster.lists == 1


async def test_a_withdrawn_grant_counts_after_two_seconds_at_most() -> None:
    cluster = Cluster()
    cluster.watch()
    assert sorted(await cluster.grants.live()) == ["shop", "stock"]
    del cluster.api.objects[path_of(GRANTS, "", "shop")]
    cluster.clock.advance(LIVE_FOR + timedelta(milliseconds=1))
    assert sorted(await cluster.grants.live()) == ["stock"]
    assert sorted(cluster.grants.known()) == ["shop", "stock"]  # the watch has not told it yet


async def test_only_what_the_watch_has_not_told_yet_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster()
    cluster.watch()
    parsed: list[str] = []

    def noting(document: dict[str, dict[str, str]]) -> object:
        parsed.append(document["metadata"]["name"])
        return parse_grant(document)

    monkeypatch.setattr("appcredential.cache.grants.parse_grant", noting)
    assert sorted(await cluster.grants.live()) == ["shop", "stock"]
    assert parsed == []
    cluster.put("stock", most=7)
    cluster.clock.advance(LIVE_FOR * 2)
    found = await cluster.grants.live()
    assert parsed == ["stock"]
    assert (found["shop"].max_credentials, found["stock"].max_credentials) == (5, 7)
