"""The installation that is measured: cluster, emulator and operator with the chart's settings."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from bench.fleet import Fleet, Member, manifest, resource
from demo.processes import Child, StackError
from demo.stack import OperatorProcess, Stack
from demo.weighing import cpu_seconds, family, resident

GROUP: Final = "/apis/appcredential.io/v1alpha1"
SETTINGS: Final[Mapping[str, str]] = {"APPCREDENTIAL_LOG_LEVEL": "INFO"}
"""The defaults, which the chart leaves as they are."""
_HANDS: Final = 8
T = TypeVar("T")


class ObservedOperator(OperatorProcess):
    """The operator as a process that tells of its event loop, its time and its heap."""

    arguments = ("bench.observed", "run")

    def use(self, settings: Mapping[str, str]) -> None:
        """Start with other settings from now on."""
        self._env = {**self._env, **settings}

    def _start(self) -> Child:
        self._env["BENCH_FOLDER"] = str(self._folder)
        return super()._start()

    def taken(self, name: str, seconds: float) -> dict[str, Any]:
        """Have what was observed written; return one file of it, empty when none comes."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        os.kill(self.child.pid, signal.SIGUSR1)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.child.exit_status() is None:
            with suppress(OSError, ValueError):  # it is not there, or not whole
                found: dict[str, Any] = json.loads(path.read_text())
                return found
            time.sleep(0.1)
        return {}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds.

    Attributes:
        steady: the steady state is watched for this long.
        quiet: the operator is at rest after this long without a write.
    """

    steady: float
    quiet: float = 10.0


class Installation:
    """A running stack with a fleet's tenant, namespaces and grants, and nothing else yet.

    Attributes:
        profiles: where the operator's time went, by scene.
        alone: seconds from apply to Ready at most in a namespace beside which nothing happens.
    """

    def __init__(self, stack: Stack, fleet: Fleet, patience: Patience) -> None:
        self.stack = stack
        self.fleet = fleet
        self.patience = patience
        self.profiles: dict[str, dict[str, Any]] = {}
        self.alone = math.nan
        self._api = stack.cluster.api
        self._stall = 0.0
        self._prepare()

    def _prepare(self) -> None:
        for name, (tenant_id, operator) in self.fleet.tenants.items():
            reference = {"clientId": operator, "secretRef": {"name": "operator-identity"}}
            identity = {"clientSecret": reference}
            spec = {"tenantId": tenant_id, "cloud": "Custom", "identity": identity}
            self.create(f"{GROUP}/entratenants", manifest("EntraTenant", {"name": name}, spec))
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

        self.by_many(one, members)

    def by_many(self, job: Callable[[T], object], members: Iterable[T]) -> None:
        """Do a job with each, several at a time."""
        with ThreadPoolExecutor(_HANDS) as hands:
            list(hands.map(job, members))

    def change(self, member: Member, fields: Mapping[str, Any]) -> None:
        """Set fields of the spec of one AppCredential; again when the operator was faster.

        Raises:
            StackError: it was not changed.
        """
        path = f"{resources(member.namespace)}/{member.name}"
        for _ in range(10):
            changed = self.get(path)
            changed["spec"] |= fields
            if self.send("PUT", path, changed) == 200:
                return
        raise StackError(f"PUT {path}: refused ten times")

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
    def operator(self) -> ObservedOperator:
        """The operator that is measured now."""
        assert isinstance(self.stack.operator, ObservedOperator)  # noqa: S101 - by construction
        return self.stack.operator

    @property
    def pid(self) -> int:
        """The operator's process."""
        return self.operator.child.pid

    def metrics(self) -> dict[str, float]:
        """Return the operator's metrics; empty while it does not answer."""
        try:
            found = self.operator.metrics()
        except (urllib.error.URLError, OSError):
            return {}
        self._stall = max(self._stall, found.pop("bench_loop_stall_seconds", 0.0))
        return found

    def stall(self) -> float:
        """Return for how many seconds the event loop stood still at most since the last call."""
        self.metrics()
        found, self._stall = self._stall, 0.0
        return found

    def profile(self, scene: str) -> None:
        """Keep where the operator's time went since the last call, under a scene's name."""
        self.profiles[scene] = self.operator.taken("profile.json", 10)

    def cpu(self) -> float:
        """Return the operator's CPU time in seconds, its helpers included."""
        return sum(map(cpu_seconds, family(self.pid)))

    def memory(self) -> float:
        """Return the operator's resident memory in MiB, its helpers included."""
        return sum(map(resident, family(self.pid)))

    def restart(self, settings: Mapping[str, str] | None = None) -> None:
        """Stop the operator, which gives up its Lease, and start it again."""
        self.operator.child.stop()
        self.operator.use(settings or {})
        self.operator.restart()
        self._stall = 0.0

    def start_standby(self) -> ObservedOperator:
        """Start another replica; whoever calls this stops it, or has it measured from then on."""
        folder = self.stack.folder / "standby"
        return ObservedOperator(
            self.stack.cluster, self.stack.emulator, folder, SETTINGS, name="standby"
        )

    def measure(self, operator: ObservedOperator) -> None:
        """Measure another replica from now on; the one before has ended."""
        self.stack.operator = operator
        self._stall = 0.0

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
                url = f"{self.operator.health_url}/livez"
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
