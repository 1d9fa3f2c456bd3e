"""Leader election by a Lease: who may have effects, and until when by our own clock.

A Lease is a promise about time: the holder stops by its own monotonic clock
before another may start by theirs. Every effect asks `remaining()` first.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appcredential.domain.claim import missing_right
from appcredential.domain.times import parse_time
from appcredential.errors import ConflictError, NotFoundError, PermissionDeniedError
from appcredential.kube.client import KubeClient
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSettings:
    """How long a lease lasts, where it lives and who holds it."""

    namespace: str
    name: str
    holder: str
    duration: timedelta


class LeaseLostError(Exception):
    """The Lease is older than what we wrote: the cluster's state was restored."""


class Lease:
    """One Lease object, tried again and again by `try_hold`.

    Attributes:
        problem: why this process cannot take part in the election; empty when it can.
    """

    problem: str

    def __init__(self, kube: KubeClient, clock: Clock, settings: LeaseSettings) -> None:
        self._kube = kube
        self._clock = clock
        self._settings = settings
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{settings.namespace}/leases"
        self._held_until = float("-inf")
        self._seen: tuple[str, float] = ("", 0.0)
        self._written_version = 0
        self.problem = ""

    def remaining(self) -> float:
        """Return for how many seconds effects may still run; negative when not leader."""
        return self._held_until - self._clock.monotonic()

    def is_leader(self) -> bool:
        """Tell whether this process holds the Lease now."""
        return self.remaining() > 0

    async def try_hold(self) -> bool:
        """Take or renew the Lease if it is free or ours; tell whether we hold it.

        Raises:
            LeaseLostError: the Lease went back in time; the process must exit.
            AppCredentialError: the API server could not be asked.
        """
        try:
            holds = await self._try_hold()
        except PermissionDeniedError:
            place = f"{self._settings.namespace}/{self._settings.name}"
            self._tell(missing_right(place, "by which its replicas elect their leader"))
            raise
        self._tell("")
        return holds

    def _tell(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.error("not ready", extra={"problem": problem})
        self.problem = problem

    async def _try_hold(self) -> bool:
        started = self._clock.monotonic()
        document = await self._get()
        if document is not None:
            self._check_restored(document)
            if not self._is_free(document):
                self._held_until = float("-inf")
                return False
        try:
            written = await self._write(document)
        except ConflictError:
            self._held_until = float("-inf")
            return False
        self._check_restored(written)  # also a backup from before there was a Lease
        self._written_version = int(written["metadata"]["resourceVersion"])
        self._held_until = started + self._settings.duration.total_seconds()
        return True

    async def release(self) -> None:
        """Give the Lease up so that another replica need not wait."""
        if not self.is_leader():
            return
        self._held_until = float("-inf")
        document = await self._get()
        spec = (document or {}).get("spec") or {}
        if document is None or spec.get("holderIdentity") != self._settings.holder:
            return
        document["spec"] = spec | {"holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            await self._kube.request("PUT", f"{self._path}/{self._settings.name}", body=document)
        except ConflictError:
            return

    def _check_restored(self, document: Mapping[str, Any]) -> None:
        version = int(document["metadata"]["resourceVersion"])
        if version < self._written_version:
            raise LeaseLostError("the Lease is older than what was written; restored cluster?")

    def _is_free(self, document: Mapping[str, Any]) -> bool:
        """Tell whether nobody else holds it: by how long *we* saw it unchanged."""
        spec = document.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder in {"", self._settings.holder}:
            return True
        version, now = str(document["metadata"]["resourceVersion"]), self._clock.monotonic()
        if self._seen[0] != version:
            self._seen = (version, now)
        seconds = max(
            float(spec.get("leaseDurationSeconds") or 0), self._settings.duration.total_seconds()
        )
        return now - self._seen[1] >= seconds

    async def _get(self) -> dict[str, Any] | None:
        try:
            return await self._kube.request("GET", f"{self._path}/{self._settings.name}")
        except NotFoundError:
            return None

    async def _write(self, old: dict[str, Any] | None) -> dict[str, Any]:
        now = self._clock.now()
        if old is None:
            metadata = {"name": self._settings.name}
            body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
            spec: dict[str, Any] = {}
        else:
            body, spec = old, dict(old.get("spec") or {})
        body["spec"] = spec | self._holding(spec, now)
        if old is None:
            return await self._kube.request("POST", self._path, body=body)
        return await self._kube.request("PUT", f"{self._path}/{self._settings.name}", body=body)

    def _holding(self, spec: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        micro = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        is_ours = spec.get("holderIdentity") == self._settings.holder
        acquired = spec.get("acquireTime") if is_ours else None
        transitions = int(spec.get("leaseTransitions") or 0)
        return {
            "holderIdentity": self._settings.holder,
            "leaseDurationSeconds": max(1, round(self._settings.duration.total_seconds())),
            "renewTime": micro,
            "acquireTime": acquired if parse_time(acquired) else micro,
            "leaseTransitions": transitions if is_ours or not spec else transitions + 1,
        }
