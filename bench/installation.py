"""The installation that is measured: cluster, emulator and operator with the chart's settings."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from bench.fleet import Fleet, Member, manifest, resource
from demo.processes import StackError
from demo.seed import OPERATOR_ID, TENANT_ID
from demo.stack import Stack
from demo.weighing import cpu_seconds, family, resident

GROUP: Final = "/apis/appcredential.io/v1alpha1"
SETTINGS: Final[Mapping[str, str]] = {"APPCREDENTIAL_LOG_LEVEL": "INFO"}
"""The defaults, which the chart leaves as they are."""
_HANDS: Final = 8


class Installation:
    """A running stack with a fleet's tenant, namespaces and grants, and nothing else yet."""

    def __init__(self, stack: Stack, fleet: Fleet) -> None:
        self.stack = stack
        self.fleet = fleet
        self._api = stack.cluster.api
        self._prepare()

    def _prepare(self) -> None:
        reference = {"clientId": OPERATOR_ID, "secretRef": {"name": "operator-identity"}}
        spec = {"tenantId": TENANT_ID, "cloud": "Custom", "identity": {"clientSecret": reference}}
        self.create(f"{GROUP}/entratenants", manifest("EntraTenant", {"name": "default"}, spec))
        for namespace in self.fleet.namespaces:
            self.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        for grant in self.fleet.grants():
            self.create(f"{GROUP}/applicationgrants", grant)

    # --- the cluster ------------------------------------------------------------------------

    def create(self, path: str, body: Mapping[str, Any]) -> None:
        """Create an object.

        Raises:
            StackError: the API server refuses it.
        """
        status, text = self._api.send("POST", path, body)
        if status >= 300 or status == 0:
            raise StackError(f"POST {path}: {status} {text[:300]}")

    def apply(self, members: Iterable[Member]) -> None:
        """Create AppCredentials, several at a time."""

        def one(member: Member) -> None:
            self.create(resources(member.namespace), resource(member))

        with ThreadPoolExecutor(_HANDS) as hands:
            list(hands.map(one, members))

    def get(self, path: str) -> dict[str, Any]:
        """Return an object; an empty dict when there is none."""
        status, text = self._api.send("GET", path)
        found: dict[str, Any] = json.loads(text) if status == 200 else {}
        return found

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
        """Send any request; return the status."""
        return self._api.send(method, path, body)[0]

    def state(self, member: Member) -> dict[str, Any]:
        """Return one AppCredential."""
        return self.get(f"{resources(member.namespace)}/{member.name}")

    def listed(self) -> Iterator[dict[str, Any]]:
        """Yield all AppCredentials, in pages."""
        token = ""
        while True:
            page = self.get(f"{GROUP}/appcredentials?limit=500&continue={token}")
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    # --- the operator -----------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The operator's process."""
        return self.stack.operator.child.pid

    def metrics(self) -> dict[str, float]:
        """Return the operator's metrics; empty while it does not answer."""
        try:
            return self.stack.operator.metrics()
        except (urllib.error.URLError, OSError):
            return {}

    def cpu(self) -> float:
        """Return the operator's CPU time in seconds, its helpers included."""
        return sum(map(cpu_seconds, family(self.pid)))

    def memory(self) -> float:
        """Return the operator's resident memory in MiB, its helpers included."""
        return sum(map(resident, family(self.pid)))

    def restart(self) -> None:
        """Stop the operator, which gives up its Lease, and start it again."""
        self.stack.operator.child.stop()
        self.stack.operator.restart()

    @contextmanager
    def watched(self) -> Iterator[Peaks]:
        """Note the most that the operator holds, and how late it answers, during a block."""
        peaks, stop = Peaks(), threading.Event()
        jobs = (self._weigh, self._probe)
        threads = [threading.Thread(target=job, args=(peaks, stop), daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        try:
            yield peaks
        finally:
            stop.set()
            for thread in threads:
                thread.join(10)

    def _weigh(self, peaks: Peaks, stop: threading.Event) -> None:
        while not stop.wait(0.25):
            peaks.memory = max(peaks.memory, self.memory())

    def _probe(self, peaks: Peaks, stop: threading.Event) -> None:
        while not stop.wait(0.1):
            began = time.monotonic()
            try:
                url = f"{self.stack.operator.health_url}/livez"
                with urllib.request.urlopen(url, timeout=30):  # noqa: S310 - our own address
                    pass
            except (urllib.error.URLError, OSError):
                continue
            peaks.stall = max(peaks.stall, time.monotonic() - began)


class Peaks:
    """The worst that was seen: MiB, and seconds for an answer of /livez."""

    def __init__(self) -> None:
        self.memory = 0.0
        self.stall = 0.0


def resources(namespace: str) -> str:
    """Return the path of a namespace's AppCredentials."""
    return f"{GROUP}/namespaces/{namespace}/appcredentials"


def condition(document: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return a condition of an AppCredential; empty without it."""
    conditions = (document.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind), {})
