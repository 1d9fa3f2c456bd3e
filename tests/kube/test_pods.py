"""Lists of pods: read page by page, and never taken for empty when they cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakSet

import pytest

from appcredential.domain.observed.pods import MAX_USERS, PodUser, PodUsers
from appcredential.errors import (
    AnswerTooLargeError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
    UnusableListError,
)
from appcredential.kube.client import JSON
from appcredential.kube.pods import MAX_PAGES, MAX_TRIES, KubePods
from appcredential.kube.translate import raise_for_status
from tests.support.api_server import ApiServer
from tests.support.builders import DAY, MINUTE, NOW, SECOND
from tests.support.pod_objects import MOUNTED, pod, reference, replica_set

SECRETS: Final = frozenset({"orders-entra"})
PATH: Final = "/api/v1/namespaces/shop/pods"
OLD: Final = NOW - 41 * DAY

KEY_OF: Final = {"secretKeyRef": {"name": "orders-entra", "key": "AZURE_CLIENT_SECRET"}}
ENV: Final = {
    "name": "app",
    "env": [{"name": "A", "value": "b"}, {"name": "S", "valueFrom": KEY_OF}],
}
ENV_FROM: Final = {"name": "app", "envFrom": [{"secretRef": {"name": "orders-entra"}}]}
SUB_PATH: Final = {
    "name": "app",
    "volumeMounts": [{"name": "entra", "mountPath": "/s", "subPath": "AZURE_CLIENT_SECRET"}],
}
OPTIONAL: Final = {"secret": {"secretName": "orders-entra", "optional": True}}
CSI: Final = {"csi": {"driver": "d", "nodePublishSecretRef": {"name": "orders-entra"}}}
PROJECTED: Final = {"projected": {"sources": [{"secret": {"name": "orders-entra"}}]}}

USES: Final[dict[str, Mapping[str, Any]]] = {
    "a volume": MOUNTED,
    "an optional volume": {"volumes": [{"name": "v", **OPTIONAL}]},
    "a projected volume": {"volumes": [{"name": "v", **PROJECTED}]},
    "a csi volume": {"volumes": [{"name": "v", **CSI}]},
    "one file of it": {**MOUNTED, "containers": [SUB_PATH]},
    **{
        f"{way} in {kind}": {kind: [{"name": "other"}, container]}
        for kind in ("containers", "initContainers", "ephemeralContainers")
        for way, container in (("env", ENV), ("envFrom", ENV_FROM))
    },
}


class Served(ApiServer):
    """Serves these pods, and notes the query of each request for a page.

    Attributes:
        most: so many pods a page has at most.
        change: what becomes of each page; the argument is its number.
    """

    def __init__(self, count: int, make: Callable[[int], dict[str, Any]]) -> None:
        super().__init__()
        self.count_of_pods = count
        self.make = make
        self.most = 10**9
        self.queries: list[dict[str, str]] = []
        self.change: Callable[[int, dict[str, Any]], dict[str, Any]] = lambda _, page: page

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = JSON,
        accept: str = JSON,
    ) -> dict[str, Any]:
        assert (method, path, accept) == ("GET", PATH, JSON)
        asked = dict(query)
        self.queries.append(asked)
        start = int(asked.get("continue", "0"))
        end = min(start + int(asked["limit"]), self.count_of_pods)
        token = str(end) if end < self.count_of_pods else ""
        items = [self.make(n) for n in range(start, min(end, start + self.most))]
        page = {"kind": "PodList", "metadata": {"continue": token}, "items": items}
        return self.change(len(self.queries), page)


def one(found: dict[str, Any]) -> Served:
    return Served(1, lambda _: found)


def pods(*found: dict[str, Any]) -> Served:
    return Served(len(found), lambda n: found[n])


async def users(api: Served, secrets: frozenset[str] = SECRETS) -> PodUsers:
    return (await KubePods(api).users("shop", [secrets]))[secrets]


async def owners(api: Served) -> list[str]:
    return [user.owner for user in (await users(api)).users]


# --- which pods count -----------------------------------------------------------------------


@pytest.mark.parametrize("way", USES)
async def test_a_pod_counts_in_whatever_way_it_uses_the_secret(way: str) -> None:
    found = await users(one(pod(OLD, spec=USES[way])))
    assert found.users == (PodUser(OLD, "Pod/orders-7c5-x2"),)
    other = await users(one(pod(OLD, spec=USES[way])), frozenset({"another"}))
    assert other.users == ()


async def test_any_of_several_secrets_counts() -> None:
    found = await users(one(pod(OLD)), SECRETS | {"another"})
    assert len(found.users) == 1


async def test_one_list_answers_all_who_ask() -> None:
    mounts = {"volumes": [*MOUNTED["volumes"], {"name": "b", "secret": {"secretName": "billing"}}]}
    api = pods(pod(OLD, name="both", spec=mounts), pod(OLD, name="orders"), pod(OLD, spec={}))
    asked = [SECRETS, frozenset({"billing"}), SECRETS | {"billing"}, frozenset({"none"})]
    found = await KubePods(api).users("shop", asked)
    assert [[user.owner for user in found[secrets].users] for secrets in asked] == [
        ["Pod/both", "Pod/orders"],
        ["Pod/both"],
        ["Pod/both", "Pod/orders"],
        [],
    ]
    assert len(api.queries) == 1


@pytest.mark.parametrize(
    ("phase", "counts"),
    [("Pending", 1), ("Running", 1), ("Unknown", 1), ("", 1), ("Succeeded", 0), ("Failed", 0)],
)
@pytest.mark.parametrize("deleted", [None, NOW])
async def test_who_has_finished_does_not_count_and_who_terminates_does(
    phase: str, counts: int, deleted: Any
) -> None:
    assert len(await owners(one(pod(OLD, phase=phase, deleted=deleted)))) == counts


async def test_a_foreign_schedulers_pod_counts() -> None:
    assert await owners(one(pod(OLD, spec={**MOUNTED, "schedulerName": "theirs"})))


async def test_only_the_namespace_is_asked_and_only_for_the_unfinished() -> None:
    api = one(pod(OLD))
    await users(api)
    assert api.queries == [
        {"fieldSelector": "status.phase!=Failed,status.phase!=Succeeded", "limit": "25"}
    ]


# --- whose they are -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "owner"),
    [
        (
            {
                "owners": (replica_set("orders-7c5d"),),
                "labels": {"pod-template-hash": "7c5d"},
            },
            "Deployment/orders",
        ),
        (
            {
                "owners": (replica_set("orders-7c5d"),),
                "labels": {"rollouts-pod-template-hash": "7c5d"},
            },
            "Rollout/orders",
        ),
        ({"owners": (replica_set("orders-7c5d"),)}, "ReplicaSet/orders-7c5d"),
        (
            {"owners": (replica_set("-7c5d"),), "labels": {"pod-template-hash": "7c5d"}},
            "ReplicaSet/-7c5d",
        ),
        ({"owners": (reference("StatefulSet", "db"),)}, "StatefulSet/db"),
        (
            {"owners": (reference("Theirs", "x", controller=False), reference("Job", "j"))},
            "Job/j",
        ),
        ({"owners": (reference("Theirs", "x", controller=False),)}, "Pod/orders-7c5-x2"),
        ({"owners": (reference("Kind\nlies", "x"),)}, "Pod/orders-7c5-x2"),
        ({"owners": (reference("Kind", "\x1b[31m"),)}, "Pod/orders-7c5-x2"),
        ({"owners": (reference("Kind", "x" * 200),)}, f"Kind/{'x' * 134}…"),
        ({"owners": ("no reference",)}, "Pod/orders-7c5-x2"),
    ],
)
async def test_a_person_knows_the_owner(found: dict[str, Any], owner: str) -> None:
    assert await owners(one(pod(OLD, **found))) == [owner]


# --- many -----------------------------------------------------------------------------------


def of_many(n: int) -> dict[str, Any]:
    created = OLD + (n * 7919 % 20_000) * SECOND
    return pod(created, spec=None if n % 2 else {}, name=f"p{n}")


class Page(dict[str, Any]):
    """One that can be seen to be gone."""

    __hash__ = object.__hash__  # type: ignore[assignment]


async def test_of_20_000_the_oldest_are_kept_and_one_page_at_a_time() -> None:
    api = Served(20_000, of_many)
    alive: WeakSet[Page] = WeakSet()
    most = []

    def watch(_: int, page: dict[str, Any]) -> dict[str, Any]:
        alive.add(found := Page(page))
        most.append(len(alive))
        return found

    api.change = watch
    found = await users(api)
    assert len(found.users) == MAX_USERS
    assert found.more == 10_000 - MAX_USERS
    assert found.users[0].created <= OLD + 2 * SECOND
    assert list(found.users) == sorted(found.users)
    assert len(api.queries) <= 110
    assert max(int(q["limit"]) for q in api.queries) <= 200
    assert max(most) <= 2


async def test_a_list_without_end_is_given_up() -> None:
    api = Served(10**9, lambda n: pod(OLD, name=f"p{n}", spec={}))
    api.most = 1
    with pytest.raises(UnusableListError):
        await users(api)
    assert len(api.queries) == MAX_PAGES + 1


# --- what goes wrong ------------------------------------------------------------------------


def expire(at: int, times: int) -> Callable[[int, dict[str, Any]], dict[str, Any]]:
    """Let a list expire at its page of that number, so often."""
    expired: list[int] = []

    def change(_: int, page: dict[str, Any]) -> dict[str, Any]:
        if page["items"][0]["metadata"]["name"] == f"p{at}" and len(expired) < times:
            expired.append(at)
            raise_for_status(410, {"reason": "Expired"}, {}, "GET")
        return page

    return change


async def test_a_list_that_expires_is_begun_anew() -> None:
    api = Served(300, lambda n: pod(OLD, name=f"p{n}"))
    api.change = expire(125, MAX_TRIES - 1)
    found = await users(api)
    assert len(found.users) + found.more == 300
    assert [q.get("continue") for q in api.queries].count(None) == MAX_TRIES


async def test_but_not_without_end() -> None:
    api = Served(300, lambda n: pod(OLD, name=f"p{n}"))
    api.change = expire(125, 99)
    with pytest.raises(UnavailableError, match="expired"):
        await users(api)


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"items": None},
        {"items": "pods"},
        {"items": [None]},
        {"items": [{}]},
        {"items": [{**pod(OLD), "spec": None}]},
        {"items": [{**pod(OLD), "metadata": {"name": "x", "creationTimestamp": "yesterday"}}]},
    ],
)
async def test_what_is_no_list_of_pods_is_no_empty_list(page: dict[str, Any]) -> None:
    api = pods(pod(OLD))
    api.change = lambda _, __: page
    with pytest.raises(UnavailableError):
        await users(api)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, PermissionDeniedError),
        (403, PermissionDeniedError),
        (429, ThrottledError),
        (500, UnavailableError),
    ],
)
async def test_a_refusal_is_no_empty_list(status: int, error: type[Exception]) -> None:
    api = Served(300, lambda n: pod(OLD, name=f"p{n}"))

    def refuse(number: int, page: dict[str, Any]) -> dict[str, Any]:
        if number == 2:
            raise_for_status(status, {"reason": "No"}, {}, f"GET {PATH}")
        return page

    api.change = refuse
    with pytest.raises(error):
        await users(api)


async def test_large_pods_come_in_smaller_pages() -> None:
    api = Served(100, lambda n: pod(OLD + MINUTE * n, name=f"p{n}"))

    def bound(_: int, page: dict[str, Any]) -> dict[str, Any]:
        if len(page["items"]) > 10:
            raise AnswerTooLargeError("too much")
        return page

    api.change = bound
    found = await users(api)
    assert len(found.users) == 100
