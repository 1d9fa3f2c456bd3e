"""An API server in memory, as far as the adapters of `kube/` use one, and a clock moved by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from appcredential.errors import ConflictError, NotFoundError, RejectedError
from appcredential.kube.client import JSON, KubeClient
from tests.support.builders import NOW


class HandClock:
    """A ports.Clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 1000)

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, length: timedelta) -> None:
        self.seconds += length.total_seconds()


class FakeKube(KubeClient):
    """Objects by path. Writes are held to uid and resourceVersion, as the API server does."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        """Called before each request; may raise or change the objects."""
        self._version = 100

    def put(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Store an object as if somebody else had written it."""
        collection, name = path.rsplit("/", 1)
        found = copy.deepcopy(dict(document))
        known = self.objects.get(path, {"metadata": {}})["metadata"]
        self._version += 1
        found["metadata"] = {
            "creationTimestamp": "2026-11-12T10:00:00Z",
            "uid": f"uid-{self._version}",
            **found.get("metadata", {}),
            **({"uid": known["uid"]} if known else {}),
            "name": name,
            "resourceVersion": str(self._version),
        }
        if "/namespaces/" in collection:
            found["metadata"]["namespace"] = collection.split("/namespaces/")[1].split("/")[0]
        self.objects[path] = found
        return copy.deepcopy(found)

    def count(self, method: str, part: str) -> int:
        return sum(m == method and part in p for m, p in self.requests)

    async def close(self) -> None:
        return

    def skew(self) -> timedelta | None:
        return timedelta(0)

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
        self.requests.append((method, path))
        self.before(method, path)
        if method == "GET":
            found = self.objects.get(path)
            return copy.deepcopy(found) if found is not None else self._list(path, dict(query))
        wanted = dict(body or {})
        if method == "POST":
            return self._create(f"{path}/{wanted['metadata']['name']}", wanted)
        if path not in self.objects:
            raise NotFoundError(f"{method} {path}: 404")
        if method == "DELETE":
            self._check(path, wanted["preconditions"])
            return self.objects.pop(path)
        if method == "PATCH":
            self._check(path, wanted["metadata"])
            return self._annotate(path, wanted["metadata"]["annotations"])
        if method == "PUT":
            self._check(path, wanted["metadata"])
            return self.put(path, wanted)
        raise RejectedError(f"{method} is not served here")

    def _annotate(self, path: str, changes: Mapping[str, str | None]) -> dict[str, Any]:
        """Apply a merge-patch of annotations: null removes one."""
        found = copy.deepcopy(self.objects[path])
        held = {**found["metadata"].get("annotations", {}), **changes}
        found["metadata"]["annotations"] = {k: v for k, v in held.items() if v is not None}
        return self.put(path, found)

    def _create(self, path: str, wanted: dict[str, Any]) -> dict[str, Any]:
        if path in self.objects:
            raise ConflictError(f"POST {path}: 409 AlreadyExists")
        return self.put(path, wanted)

    def _check(self, path: str, asked: Mapping[str, Any]) -> None:
        live = self.objects[path]["metadata"]
        for key in ("uid", "resourceVersion"):
            if asked.get(key, live[key]) != live[key]:
                raise ConflictError(f"{path}: 409 {key}")

    def _list(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        plural = path.rsplit("/", 1)[1]
        if plural not in {"configmaps", "appcredentials", "entratenants", "applicationgrants"}:
            raise NotFoundError(f"GET {path}: 404")
        items = [
            copy.deepcopy(found)
            for where, found in sorted(self.objects.items())
            if where.rsplit("/", 1)[0] == path and _is_selected(found, query)
        ]
        start = int(query.get("continue") or 0)
        end = start + int(query.get("limit") or len(items))
        token = str(end) if end < len(items) else ""
        return {"metadata": {"continue": token}, "items": items[start:end]}


def _is_selected(found: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    selector = query.get("labelSelector", "")
    if not selector:
        return True
    key, value = selector.split("=", 1)
    return (found["metadata"].get("labels") or {}).get(key) == value
