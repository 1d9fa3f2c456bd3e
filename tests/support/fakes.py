"""Stand-ins for what the process's parts ask of outside: a clock by hand and one Lease."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kubernetes.aio import client

from appcredential.errors import AppCredentialError, ConflictError, NotFoundError
from appcredential.kube.client import JSON, KubeClient

START: Final = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


class HandClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        self._seconds += seconds


class OneLease(KubeClient):
    """An API server that holds at most one Lease, and checks versions like the real one.

    `fail_next` is raised instead of the next answer. `requests` counts by method.
    """

    def __init__(self, clock: HandClock) -> None:
        super().__init__(client.ApiClient(client.Configuration()), clock)
        self.document: dict[str, Any] | None = None
        self.version = 100
        self.fail_next: AppCredentialError | None = None
        self.requests: list[str] = []

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
        self.requests.append(method)
        failure, self.fail_next = self.fail_next, None
        if failure is not None:
            raise failure
        if method == "GET":
            if self.document is None:
                raise NotFoundError("no such Lease")
            return copy.deepcopy(self.document)
        assert body is not None
        return self.write(body, create=method == "POST")

    def write(self, body: Mapping[str, Any], *, create: bool) -> dict[str, Any]:
        """Store a Lease as the API server would."""
        if create != (self.document is None):
            raise ConflictError("it exists already" if create else "it is gone")
        if self.document is not None:
            live = self.document["metadata"]["resourceVersion"]
            if body["metadata"].get("resourceVersion") != live:
                raise ConflictError("another version")
        self.version += 1
        self.document = copy.deepcopy(dict(body))
        self.document["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.document)

    @property
    def spec(self) -> dict[str, Any]:
        """The stored Lease's spec."""
        assert self.document is not None
        spec = self.document["spec"]
        assert isinstance(spec, dict)
        return spec
