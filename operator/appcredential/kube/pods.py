"""Lists the pods of a namespace that use certain Secrets, page by page, for all who ask.

A pod's document may be large, and a namespace may have many. So of each page only what the question
asks for stays in memory, and of that only the oldest pods.
"""

from __future__ import annotations

import re
from bisect import insort
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from appcredential.domain.observed.pods import MAX_USERS, PodUser, PodUsers, UsersBySecrets
from appcredential.domain.pod_secrets import used_secrets
from appcredential.domain.times import parse_time
from appcredential.errors import RejectedError, UnavailableError, UnusableListError
from appcredential.kube.client import KubeClient

_PAGE: Final = 200
MAX_PAGES: Final = 500
MAX_TRIES: Final = 3
"""A list whose pages come too slowly expires in the middle, and is begun anew so often."""

_EXPIRED: Final = frozenset({"Expired", "Gone"})
_FINISHED: Final = frozenset({"Succeeded", "Failed"})
_UNFINISHED: Final = ("fieldSelector", ",".join(f"status.phase!={p}" for p in sorted(_FINISHED)))
_HASHES: Final = (
    ("pod-template-hash", "Deployment"),
    ("rollouts-pod-template-hash", "Rollout"),
)
"""The label by which a ReplicaSet's name tells that of its own owner, and the owner's kind."""
_NAME: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")
_MAX_OWNER: Final = 140


class KubePods:
    """The Pods port."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def users(self, namespace: str, asked: Collection[frozenset[str]]) -> UsersBySecrets:
        """See `ports.Pods`."""
        for _ in range(MAX_TRIES):
            try:
                return await self._whole_list(namespace, asked)
            except RejectedError as exc:
                if exc.code not in _EXPIRED:
                    raise
        raise UnavailableError(f"the list of pods expired {MAX_TRIES} times")

    async def _whole_list(
        self, namespace: str, asked: Collection[frozenset[str]]
    ) -> UsersBySecrets:
        tallies = {secrets: _Tally() for secrets in asked}
        by_name: dict[str, list[_Tally]] = defaultdict(list)
        for secrets, tally in tallies.items():
            for name in secrets:
                by_name[name].append(tally)
        async for page in self._pages(f"/api/v1/namespaces/{namespace}/pods"):
            for pod, names in _users(page, by_name.keys()):
                # One that uses two Secrets of a set counts once.
                for tally in {tally for name in names for tally in by_name[name]}:
                    tally.add(pod)
        return {secrets: tally.users() for secrets, tally in tallies.items()}

    async def _pages(self, path: str) -> AsyncIterator[Mapping[str, Any]]:
        number = 0
        async for page in self._kube.lists(path, (_UNFINISHED,), most=_PAGE):
            number += 1
            if number > MAX_PAGES:
                raise UnusableListError(f"a list of pods has more than {MAX_PAGES} pages")
            yield page


@dataclass(slots=True, eq=False)
class _Tally:
    """The pods that use a Secret of one set, as far as the list was read."""

    count: int = 0
    oldest: list[PodUser] = field(default_factory=list)

    def add(self, pod: PodUser) -> None:
        self.count += 1
        insort(self.oldest, pod)
        del self.oldest[MAX_USERS:]

    def users(self) -> PodUsers:
        return PodUsers(users=tuple(self.oldest), more=self.count - len(self.oldest))


def _users(
    page: Mapping[str, Any], secrets: AbstractSet[str]
) -> Iterator[tuple[PodUser, frozenset[str]]]:
    """Yield the unfinished pods of a page that use some of these Secrets, and which.

    Raises:
        UnavailableError: it is no page of pods. It must not pass for one without any.
    """
    items = page.get("items")
    if not isinstance(items, list):
        raise UnavailableError("an answer of the API server is no list of pods")
    for item in items:
        if (found := _user(item, secrets)) is not None:
            yield found


def _user(pod: object, secrets: AbstractSet[str]) -> tuple[PodUser, frozenset[str]] | None:
    metadata, spec, status = (_part(pod, name) for name in ("metadata", "spec", "status"))
    created = parse_time(metadata.get("creationTimestamp"))
    if created is None or not spec:
        raise UnavailableError("an entry in the API server's list of pods is no pod")
    names = used_secrets(spec) & secrets
    if status.get("phase") in _FINISHED or not names:
        return None
    return PodUser(created, _owner(metadata)), names


def _part(document: object, name: str) -> Mapping[str, Any]:
    found = document.get(name) if isinstance(document, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _owner(metadata: Mapping[str, Any]) -> str:
    """Return kind and name of what a pod belongs to, as a person knows it.

    Anybody who may create a pod writes its references: what is no name of Kubernetes is not shown.
    """
    kind, name = _controller(metadata) or ("Pod", str(metadata.get("name") or ""))
    if kind == "ReplicaSet":
        kind, name = _above(name, _part(metadata, "labels"))
    found = f"{kind}/{name}"
    return found if len(found) <= _MAX_OWNER else f"{found[: _MAX_OWNER - 1]}…"


def _controller(metadata: Mapping[str, Any]) -> tuple[str, str] | None:
    references = metadata.get("ownerReferences")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, Mapping) and reference.get("controller") is True:
            kind, name = str(reference.get("kind")), str(reference.get("name"))
            return (kind, name) if _NAME.fullmatch(kind) and _NAME.fullmatch(name) else None
    return None


def _above(name: str, labels: Mapping[str, Any]) -> tuple[str, str]:
    """Return the owner of a ReplicaSet by its name, which costs neither a right nor a read."""
    for label, kind in _HASHES:
        suffix = f"-{labels.get(label)}"
        if name.endswith(suffix) and name != suffix:
            return kind, name.removesuffix(suffix)
    return "ReplicaSet", name
