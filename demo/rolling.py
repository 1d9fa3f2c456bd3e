"""Pods that read the Secret once: a successor is published, they are replaced, the old one goes."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

from demo.observing import NAMESPACE, Observing
from demo.reporting import Reporter
from demo.signing_in import SigningIn
from demo.stack import ROOT, Stack

EXAMPLE: Final = ROOT / "examples" / "quickstart-rollout.yaml"
NAME: Final = "orders-rollout"
DEPLOYMENT: Final = "orders"
REPLICAS: Final = 2
KUBELET_MAY_LAG: Final = timedelta(seconds=70)
"""So long after a publish new pods may hold the former value; the settle time is part of it."""
STEPS: Final = (
    "pods that read the Secret at their start sign in",
    "their Secret has another value, and they keep the old one",
    "the old one waits for them, and status names them",
    "the Deployment rolled, and only new pods are left",
    "the old one was retired, and no pod was ever refused",
)
_PODS: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
_LOOK_SECONDS: Final = 0.5


class Pods:
    """What a kubelet does with a Deployment's pods, by hand: this cluster has no node.

    A pod that its controller creates is given what the Secret holds at that moment, signs in with
    it every second, and is Ready. It ends when it is deleted.
    """

    def __init__(self, stack: Stack, story: Observing) -> None:
        self._api, self._story = stack.cluster.api, story
        self._running: dict[str, SigningIn] = {}
        self._ended: list[SigningIn] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pods", daemon=True)

    def start(self) -> None:
        """Begin to look for pods."""
        self._thread.start()

    def stop(self) -> None:
        """End all pods."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        for name in list(self._running):
            self._end(name)

    @property
    def names(self) -> set[str]:
        """Those that run."""
        return set(self._running)

    @property
    def tries(self) -> int:
        """How often any of them has signed in."""
        return sum(pod.tries for pod in self._all())

    @property
    def failures(self) -> list[str]:
        """What went wrong with any of them."""
        return [failure for pod in self._all() for failure in pod.failures]

    def _all(self) -> list[SigningIn]:
        return [*self._ended, *self._running.values()]

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            found = self._api.call("GET", f"{_PODS}?labelSelector=app={DEPLOYMENT}")["items"]
            names = {pod["metadata"]["name"] for pod in found}
            for name in self.names - names:
                self._end(name)
            for name in names - self.names:
                self._begin(name)

    def _begin(self, name: str) -> None:
        values = self._story.values(NAME)
        pod = SigningIn(lambda: self._story.signs_in(values))
        pod.__enter__()
        self._running[name] = pod
        document = self._api.call("GET", f"{_PODS}/{name}")
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": _now()}
        document["status"] = {"phase": "Running", "conditions": [ready]}
        self._api.call("PUT", f"{_PODS}/{name}/status", document)

    def _end(self, name: str) -> None:
        pod = self._running.pop(name)
        pod.__exit__(None, None, None)
        self._ended.append(pod)


class Rollout:
    """Two chapters, with others between them: a kubelet is given a minute to follow a publish."""

    def __init__(self, stack: Stack, tell: Reporter, story: Observing) -> None:
        self._cluster, self._tell, self._story = stack.cluster, tell, story
        self._pods = Pods(stack, story)
        self._first: dict[str, str] = {}
        self._published = datetime.now(UTC)
        self._old = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._pods.stop()

    def publish(self) -> None:
        """Publish a successor while pods hold the former value."""
        self._tell.chapter(f"kubectl apply -f {EXAMPLE.relative_to(ROOT)}: a Deployment reads it")
        self._cluster.kubectl("apply", "-f", EXAMPLE)
        self._story.wait("Ready", lambda: "credential" in self._story.status(NAME), 60)
        self._first = self._story.values(NAME)
        self._pods.start()
        self._story.wait("its pods", lambda: self._pods.tries > REPLICAS, 60)
        before = sorted(self._pods.names)
        self._tell.say(f"{' and '.join(before)} sign in (this cluster has no node: by hand)")
        self._story.tick(STEPS[0])
        self._rotate()
        self._tell.say("a kubelet may hand out the former value for a minute: other chapters first")
        self._story.tick(STEPS[1])

    def _rotate(self) -> None:
        credential = self._story.status(NAME)["credential"]
        self._old, started = credential["keyId"], _parse(credential["startTime"])
        # Its successor has to end later by the overlap, of 5 s.
        late_enough = started + timedelta(seconds=7)
        self._story.wait("an overlap", lambda: datetime.now(UTC) >= late_enough, 10)
        patch = json.dumps({"spec": {"rotation": {"rotateIssuedBefore": _now()}}})
        words = ("appcred", NAME, "-n", NAMESPACE, "--type=merge", "-p", patch)
        self._cluster.kubectl("patch", *words)
        self._story.wait("a successor", self._is_replaced, 120)
        self._published = datetime.now(UTC)

    def _is_replaced(self) -> bool:
        return bool(self._story.status(NAME)["credential"]["keyId"] != self._old)

    def restart(self) -> None:
        """Replace the pods, and see the old credential go after them."""
        self._tell.chapter("The Deployment is restarted, and the old secret goes after its pods")
        self._story.wait("status names the pods", self._waits_for_pods, 60)
        self._tell.say(f"status.retiring: waiting for {self._waiting_for()}")
        self._story.tick(STEPS[2])
        ready = self._published + KUBELET_MAY_LAG
        self._story.wait("the kubelet's minute", lambda: datetime.now(UTC) >= ready, 90)
        before, began = self._pods.names, time.monotonic()
        self._cluster.kubectl("rollout", "restart", f"deployment/{DEPLOYMENT}", "-n", NAMESPACE)
        self._story.wait("new pods", lambda: self._has_rolled(before), 60)
        self._tell.say(f"kubectl rollout restart: new pods after {time.monotonic() - began:.0f} s")
        self._story.tick(STEPS[3])
        self._story.wait("retirement", lambda: not self._story.signs_in(self._first), 120)
        self._tell.say(
            f"the old secret is refused, {time.monotonic() - began:.0f} s after the restart; "
            f"{self._pods.tries} sign-ins of pods, {len(self._pods.failures)} refused"
        )
        if not self._pods.failures:
            self._story.tick(STEPS[4])

    def _has_rolled(self, before: set[str]) -> bool:
        names = self._pods.names
        return len(names) == REPLICAS and names.isdisjoint(before)

    def _waiting_for(self) -> str:
        (entry, *_) = self._story.status(NAME).get("retiring") or [{}]
        return str(entry.get("waitingFor", ""))

    def _waits_for_pods(self) -> bool:
        return self._waiting_for().startswith(f"Deployment/{DEPLOYMENT}: {REPLICAS} pods")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text)
