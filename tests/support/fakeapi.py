"""An API server in memory behind the real adapters of `kube/`; it can be told to refuse."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from appcredential.kube.client import JSON, METADATA_ONLY, KubeClient
from appcredential.kube.translate import raise_for_status
from tests.support.builders import NOW


@dataclass
class Refusal:
    """Answers one kind of request with an error `Status`, as the API server words it."""

    methods: tuple[str, ...]
    part: str
    status: int
    reason: str
    message: str

    def body(self) -> dict[str, Any]:
        return {"kind": "Status", "reason": self.reason, "message": self.message}


class FakeApi(KubeClient):
    """Objects by path; resourceVersions count up; writes are held to uid and resourceVersion."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.refusals: list[Refusal] = []
        self._version = 100

    async def close(self) -> None:
        return

    def skew(self) -> timedelta | None:
        return timedelta(0)

    def put(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Store an object as if somebody else had written it."""
        known = self.objects.get(path, {"metadata": {}})["metadata"]
        self._version += 1
        found = copy.deepcopy(dict(document))
        space = re.search(r"/namespaces/([^/]+)/", path)
        found["metadata"] = {
            "creationTimestamp": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
            "uid": known.get("uid", f"uid-{self._version}"),
            "generation": 1,
            **found.get("metadata", {}),
            "name": path.rsplit("/", 1)[1],
            "resourceVersion": str(self._version),
            **({"namespace": space[1]} if space else {}),
        }
        self.objects[path] = found
        return copy.deepcopy(found)

    def refuse(
        self,
        methods: str,
        part: str,
        message: str,
        *,
        status: int = 403,
        reason: str = "Forbidden",
    ) -> Refusal:
        """Refuse requests from now on."""
        refusal = Refusal(tuple(methods.split()), part, status, reason, message)
        self.refusals.append(refusal)
        return refusal

    def count(self, methods: str, part: str, accept: str = "") -> int:
        """Count the requests so far."""
        return sum(
            m in methods.split() and part in p and accept in {"", a} for m, p, a in self.requests
        )

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
        self.requests.append((method, path, accept))
        for refusal in self.refusals:
            if method in refusal.methods and refusal.part in path:
                raise_for_status(refusal.status, refusal.body(), {}, f"{method} {path}")
        if method == "GET":
            return self._get(path, accept)
        wanted = dict(body or {})
        if method == "POST":
            path = f"{path}/{wanted['metadata']['name']}"
            self._fail_if(method, path, 409, found=path in self.objects)
            return self.put(path, wanted)
        return self._change(method, path, wanted)

    def _get(self, path: str, accept: str) -> dict[str, Any]:
        if path.rsplit("/", 1)[1] in {"entratenants", "appcredentials", "applicationgrants"}:
            items = [o for p, o in sorted(self.objects.items()) if p.rsplit("/", 1)[0] == path]
            return {"metadata": {}, "items": copy.deepcopy(items)}
        self._fail_if("GET", path, 404, found=path not in self.objects)
        found = copy.deepcopy(self.objects[path])
        return {"metadata": found["metadata"]} if accept == METADATA_ONLY else found

    def _change(self, method: str, path: str, wanted: dict[str, Any]) -> dict[str, Any]:
        target = path.removesuffix("/status")
        self._fail_if(method, path, 404, found=target not in self.objects)
        live = self.objects[target]
        asked = wanted.get("preconditions") or wanted["metadata"]
        same = all(
            asked.get(k, live["metadata"][k]) == live["metadata"][k]
            for k in ("uid", "resourceVersion")
        )
        self._fail_if(method, path, 409, found=not same)
        if method == "DELETE":
            return self.objects.pop(target)
        if method == "PUT":
            return self.put(target, wanted)
        if path != target:
            return self.put(target, live | {"status": wanted["status"]})
        metadata = live["metadata"] | {"finalizers": wanted["metadata"]["finalizers"]}
        return self.put(target, live | {"metadata": metadata})

    def _fail_if(self, method: str, path: str, status: int, *, found: bool) -> None:
        if found:
            raise_for_status(status, {}, {}, f"{method} {path}")
