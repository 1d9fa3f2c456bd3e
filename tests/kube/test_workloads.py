"""Lists of workloads, never taken for whole when they are not, and the patch that restarts one."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest

from appcredential.domain.observed.workloads import MAX_SELECTED, Selection, WorkloadKind
from appcredential.domain.workloads import listed
from appcredential.errors import (
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
    UnusableListError,
)
from appcredential.kube import workloads as module
from appcredential.kube.workloads import KubeWorkloads
from tests.support.api_server import ApiServer, copied
from tests.support.builders import NOW
from tests.support.workloads import PLURALS, RESTARTED_AT, path_of, whole, workload

USING: Final = Selection(secret="orders-entra")
OTHERS: Final = Selection(secret="other")
LABELLED: Final = Selection(secret="", labels=(("a", "b"), ("c", "d")))
PLAIN: Final[dict[str, Any]] = {"containers": []}


def served(*names: str, kind: str = "Deployment", **fields: Any) -> ApiServer:
    api = ApiServer()
    for name in names:
        api.put(path_of(kind, name), workload(kind, name=name, **fields))
    return api


async def selected(api: ApiServer, selection: Selection = USING) -> list[str]:
    found = await KubeWorkloads(api).selected("shop", {selection})
    return [str(w) for w in whole(found[selection])]


async def test_all_kinds_are_listed_in_a_stable_order() -> None:
    api = served("b", "a")
    for kind in PLURALS:
        api.put(path_of(kind, "z"), workload(kind, name="z"))
    assert await selected(api) == [
        *("DaemonSet/z", "Deployment/a", "Deployment/b", "Deployment/z"),
        *("Rollout/z", "StatefulSet/z"),
    ]


async def test_a_cluster_without_rollouts_has_the_others() -> None:
    assert await selected(served("a")) == ["Deployment/a"]
    api = served("a")
    api.refuse("GET", "/statefulsets", "gone", status=404, reason="NotFound")
    with pytest.raises(NotFoundError):
        await selected(api)


async def test_only_those_of_the_namespace_that_are_asked_for() -> None:
    api = served("a")
    api.put(path_of("Deployment", "plain"), workload(name="plain", pod_spec=PLAIN))
    api.put(path_of("Deployment", "far", "other"), workload(name="far"))
    assert await selected(api) == ["Deployment/a"]
    assert await selected(api, OTHERS) == []


async def test_labels_are_selected_by_the_api_server() -> None:
    api = served("a", labels={"a": "b", "c": "d"}, pod_spec=PLAIN)
    api.put(path_of("Deployment", "b"), workload(name="b", labels={"a": "b"}))
    assert await selected(api, LABELLED) == ["Deployment/a"]


async def test_one_list_answers_for_all_secrets() -> None:
    api = served("a")
    found = await KubeWorkloads(api).selected("shop", {USING, OTHERS, LABELLED})
    assert {s: len(whole(w)) for s, w in found.items()} == {USING: 1, OTHERS: 0, LABELLED: 0}
    assert api.count("GET", "/deployments") == 2


async def test_of_too_many_one_more_than_may_be_is_kept() -> None:
    api = served(*(f"w{number}" for number in range(500)))
    assert len(await selected(api)) == MAX_SELECTED + 1


async def test_more_than_are_read_are_no_answer_to_that_question() -> None:
    api = served(*(f"w{number}" for number in range(2001)), pod_spec=PLAIN)
    labels = {"a": "b", "c": "d"}
    api.put(path_of("Deployment", "w7"), workload(name="w7", pod_spec=PLAIN, labels=labels))
    found = await KubeWorkloads(api).selected("shop", {USING, LABELLED})
    assert isinstance(found[USING], UnusableListError)
    assert [str(w) for w in whole(found[LABELLED])] == ["Deployment/w7"]
    del api.objects[path_of("Deployment", "w7")]
    assert await selected(api) == []


async def test_each_workload_is_read_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    number: Counter[str] = Counter()

    def counted(kind: WorkloadKind, document: Any) -> Any:
        number[document["metadata"]["name"]] += 1
        return listed(kind, document)

    monkeypatch.setattr(module, "listed", counted)
    asked = {Selection(secret=f"secret-{n}") for n in range(1000)} | {USING}
    found = await KubeWorkloads(served("a", "b")).selected("shop", asked)
    assert number == {"a": 1, "b": 1}
    assert [len(whole(found[s])) for s in found if found[s]] == [2]


class Odd(ApiServer):
    """Answers lists of Deployments with something else."""

    answer: Any = None

    async def request(self, method: str, path: str, **words: Any) -> dict[str, Any]:
        if path.endswith("/deployments"):
            return {"items": self.answer}
        return await super().request(method, path, **words)


@pytest.mark.parametrize("answer", [None, {}, ["text"], [{}], [{"metadata": {"name": "a"}}]])
async def test_what_is_no_list_of_workloads_is_no_answer(answer: Any) -> None:
    api = Odd()
    api.answer = answer
    with pytest.raises(UnavailableError):
        await selected(api)


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (403, "Forbidden", PermissionDeniedError),
        (410, "Expired", UnavailableError),
        (500, "InternalError", UnavailableError),
    ],
)
async def test_a_page_that_is_refused_is_an_error(
    status: int, reason: str, error: type[Exception]
) -> None:
    api = served("a")
    api.refuse("GET", "/statefulsets", "no", status=status, reason=reason)
    with pytest.raises(error):
        await selected(api)


async def test_a_restart_changes_one_annotation() -> None:
    api = served("a", stamps={"theirs": "kept"})
    path = path_of("Deployment", "a")
    before = copied(api.objects[path])
    port = KubeWorkloads(api)
    (found,) = whole((await port.selected("shop", {USING}))[USING])
    await port.restart("shop", found, NOW)
    after = copied(api.objects[path])
    stamps = after["spec"]["template"]["metadata"]["annotations"]
    assert stamps == {"theirs": "kept", RESTARTED_AT: "2026-11-22T10:00:00Z"}
    del stamps[RESTARTED_AT]
    for document in (before, after):
        del document["metadata"]["resourceVersion"]
    assert after == before
    (again,) = whole((await port.selected("shop", {USING}))[USING])
    assert again.stamps == (NOW,)
    assert again.kind is WorkloadKind.DEPLOYMENT
    with pytest.raises(ConflictError):
        await port.restart("shop", found, NOW)
    del api.objects[path]
    with pytest.raises(NotFoundError):
        await port.restart("shop", again, NOW)
