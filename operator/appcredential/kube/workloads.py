"""Lists the workloads of a namespace page by page, and restarts one by a merge patch.

A workload's document may be large. So of each page only what counts of those that are asked for
stays in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Any, Final

from appcredential.domain.observed.workloads import (
    MAX_LISTED,
    MAX_SELECTED,
    Selection,
    Workload,
    WorkloadKind,
)
from appcredential.domain.times import format_time
from appcredential.domain.workloads import RESTARTED_AT, listed
from appcredential.errors import (
    NotFoundError,
    RejectedError,
    UnavailableError,
    UnusableListError,
)
from appcredential.kube.client import FIELD_MANAGER, MERGE_PATCH, KubeClient
from appcredential.ports.workloads import SelectedWorkloads

_PAGE: Final = 100
_KINDS: Final[Mapping[WorkloadKind, tuple[str, str]]] = {
    WorkloadKind.DAEMON_SET: ("apps/v1", "daemonsets"),
    WorkloadKind.DEPLOYMENT: ("apps/v1", "deployments"),
    WorkloadKind.ROLLOUT: ("argoproj.io/v1alpha1", "rollouts"),
    WorkloadKind.STATEFUL_SET: ("apps/v1", "statefulsets"),
}
_EXPIRED: Final = frozenset({"Expired", "Gone"})
_Labels = tuple[tuple[str, str], ...]


class KubeWorkloads:
    """The Workloads port."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def selected(self, namespace: str, asked: Collection[Selection]) -> SelectedWorkloads:
        """See `ports.Workloads`."""
        found: dict[Selection, tuple[Workload, ...] | UnusableListError] = {}
        # The API server selects by labels; by the Secret one list answers for all.
        for labels in sorted({selection.labels for selection in asked}):
            alike = {s.secret: s for s in asked if s.labels == labels}
            try:
                found |= await self._selected(namespace, labels, alike)
            except UnusableListError as exc:
                found |= dict.fromkeys(alike.values(), exc)
            except RejectedError as exc:
                if exc.code in _EXPIRED:
                    raise UnavailableError("a list of workloads expired") from exc
                raise
        return found

    async def _selected(
        self, namespace: str, labels: _Labels, alike: Mapping[str, Selection]
    ) -> dict[Selection, tuple[Workload, ...]]:
        """Return what one list answers to questions about some labels, or about Secrets by name."""
        found: dict[str, list[Workload]] = {secret: [] for secret in alike}
        async for kind, document in self._documents(namespace, labels):
            workload = _listed(kind, document)
            if workload is None:
                continue
            for secret in found.keys() & workload[1] if not labels else found:
                if len(found[secret]) <= MAX_SELECTED:  # it makes no difference how many more
                    found[secret].append(workload[0])
        return {alike[s]: tuple(sorted(w, key=_place)) for s, w in found.items()}

    async def _documents(
        self, namespace: str, labels: _Labels
    ) -> AsyncIterator[tuple[WorkloadKind, Mapping[str, Any]]]:
        number, selector = 0, ",".join(f"{key}={value}" for key, value in labels)
        query = (("labelSelector", selector),) if selector else ()
        for kind in _KINDS:
            try:
                async for page in self._kube.lists(_path(namespace, kind), query, most=_PAGE):
                    items = page.get("items")
                    if not isinstance(items, list):
                        raise UnavailableError("an answer of the API server is no list")
                    number += len(items)
                    if number > MAX_LISTED:
                        raise UnusableListError(f"there are more than {MAX_LISTED} workloads")
                    for item in items:
                        yield kind, item
            except NotFoundError:
                if kind is not WorkloadKind.ROLLOUT:
                    raise  # Kubernetes itself serves the others

    async def restart(self, namespace: str, workload: Workload, time: datetime) -> None:
        """See `ports.Workloads`."""
        template = {"metadata": {"annotations": {RESTARTED_AT: format_time(time)}}}
        body = {
            "metadata": {"uid": workload.uid, "resourceVersion": workload.resource_version},
            "spec": {"template": template},
        }
        await self._kube.request(
            "PATCH",
            f"{_path(namespace, workload.kind)}/{workload.name}",
            body=body,
            query=(("fieldManager", FIELD_MANAGER),),
            content_type=MERGE_PATCH,
        )


def _listed(kind: WorkloadKind, document: object) -> tuple[Workload, frozenset[str]] | None:
    try:
        return listed(kind, document if isinstance(document, Mapping) else {})
    except ValueError as exc:
        raise UnavailableError(str(exc)) from exc


def _path(namespace: str, kind: WorkloadKind) -> str:
    group, plural = _KINDS[kind]
    return f"/apis/{group}/namespaces/{namespace}/{plural}"


def _place(workload: Workload) -> tuple[str, str]:
    return workload.kind, workload.name
