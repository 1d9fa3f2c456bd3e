"""Pods that read the Secret once, at their start, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.times import format_time
from tests.support.api_server import Refusal
from tests.support.builders import HOUR, MINUTE, NOW, OWNER, SECOND
from tests.world import facts
from tests.world.cluster import TARGET
from tests.world.observer import Document, Observer

if TYPE_CHECKING:
    from tests.world.world import World

KUBELET_LAG: Final = 60 * SECOND
"""For so long after a publish a kubelet may give new pods what the Secret held before."""
ROLLOUT: Final = 22 * MINUTE
"""So long after a publish the Deployment is restarted: the overlap is over by then."""
_REFERENCE: Final = {"name": "orders-entra", "key": "AZURE_CLIENT_SECRET"}
_VARIABLE: Final = {"name": "SECRET", "valueFrom": {"secretKeyRef": _REFERENCE}}
ENV: Final[Mapping[str, Any]] = {
    "containers": [{"name": "app", "image": "app", "env": [_VARIABLE]}]
}
"""A pod that reads the Secret from its environment."""
VOLUME: Final[Mapping[str, Any]] = {
    "containers": [{"name": "app", "image": "app"}],
    "volumes": [{"name": "secret", "secret": {"secretName": "orders-entra"}}],
}
"""A pod that mounts the Secret."""
_ELSEWHERE: Final = "elsewhere"
_MOST: Final = 6


@dataclass(slots=True, eq=False)
class Pod:
    """One pod.

    Attributes:
        has: the credential that it signs in with; None until the Secret exists.
        ends: when it is gone; None for one that runs on.
        app: the workload whose it is; empty for nobody's.
    """

    path: str
    has: str | None
    ends: datetime | None = None
    app: str = ""


class Pods(Observer):
    """A Deployment of two pods, and whatever else uses the Secret or only its name.

    Attributes:
        running: the pods that sign in, those that are being deleted too.
        is_kept: nothing restarts the Deployment.
        rolled: when the last of the pods that a restart ended was gone, or will be.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.running: list[Pod] = []
        self.is_kept = False
        self.rolled = world.now()
        self._number = 0
        self._held: str | None = None
        self._former: str | None = None
        self._published = world.now()
        self._next: datetime | None = None
        self._refusal: Refusal | None = None

    def begin(self) -> None:
        """Start the first pods, which wait for the Secret; all who watch are there."""
        self.begin_elsewhere()
        for way in ("env", "volume"):
            self.start(way)

    def begin_elsewhere(self) -> None:
        """Start a pod of another namespace, whose Secret is called the same."""
        self.world.cluster.put(f"/api/v1/namespaces/{_ELSEWHERE}/pods/theirs", _document("env"))

    def start(self, way: str, app: str = "") -> Pod:
        """Start a pod: it gets what the Secret holds, or for a while what it held before."""
        self._number += 1
        path = f"/api/v1/namespaces/{OWNER.namespace}/pods/orders-{self._number}"
        self.world.cluster.put(path, _document(way, app))
        is_late = self._former is not None and self.world.now() < self._published + KUBELET_LAG
        self.running.append(Pod(path, self._former if is_late else self._held, app=app))
        return self.running[-1]

    def end(self, pod: Pod, grace: timedelta) -> None:
        """Have a pod end within so much time."""
        if pod.ends is None:
            pod.ends = self.world.now() + grace
            self.world.cluster.edit(pod.path, _be_ending)

    def roll_out(self, grace: timedelta = 30 * SECOND) -> None:
        """Start new pods, and have the others end within so much time."""
        now = self.world.now()
        for pod in self.running:
            self.end(pod, grace)
        for way in ("env", "volume"):
            self.start(way)
        self.rolled = max(self.rolled, now + grace)
        self._next = None

    def finish(self) -> None:
        """Have the oldest pod finish: it stays listed, and signs in no more."""
        if self.running:
            pod = self.running.pop(0)
            self.world.cluster.edit(pod.path, lambda o: o["status"].update(phase="Succeeded"))

    def hide(self) -> None:
        """Have the API server refuse lists of pods, or answer them again."""
        refusals = self.world.cluster.refusals
        if self._refusal is None:
            self._refusal = self.world.cluster.refuse("GET", "/pods", "no right")
        else:
            refusals.remove(self._refusal)
            self._refusal = None

    def calm_down(self) -> None:
        """End every fault, and restart what is old."""
        if self._refusal is not None:
            self.hide()
        self.is_kept = False
        self.roll_out()

    def users_of(self, id_: str) -> list[str]:
        """Return the pods that sign in with a credential."""
        return [pod.path.rsplit("/", 1)[1] for pod in self.running if pod.has == id_]

    def state(self) -> str:
        """Return what decides how this goes on, the objects of the cluster aside."""
        return str([(p.path, p.has, p.ends) for p in self.running])

    def restored(self) -> None:
        """Have the kubelets start what etcd has again, and end what it has no more."""
        objects = self.world.cluster.objects
        for path in [p for p in objects if p.startswith(f"{facts.PODS}/")]:
            if objects[path]["status"].get("phase") == "Running":
                self._again(path)
        self.running = [pod for pod in self.running if pod.path in objects]
        self.changes(TARGET, "MODIFIED", facts.target(self.world) or {})

    def _again(self, path: str) -> None:
        if all(pod.path != path for pod in self.running):
            world = self.world
            has = facts.key_in(world.entra, facts.target(world))
            ends = world.now() + HOUR if _is_ending(world, path) else None
            labels = world.cluster.objects[path]["metadata"]["labels"]
            self.running.append(Pod(path, has, ends, labels.get("app", "")))

    def changes(self, path: str, event: str, found: Document) -> None:
        if path != TARGET:
            return
        key = None if event == "DELETED" else facts.key_in(self.world.entra, found)
        if key is None or key == self._held:
            return
        now = self.world.now()
        self._former, self._held, self._published = self._held, key, now
        for pod in self.running:
            if pod.has is None:
                pod.has = key
        self._next = now + ROLLOUT if self._former is not None else None

    def stepped(self) -> None:
        now, objects = self.world.now(), self.world.cluster.objects
        ended = [pod for pod in self.running if pod.ends is not None and pod.ends <= now]
        for pod in ended:
            self.running.remove(pod)
            if pod.path in objects:
                self.world.cluster.take_away(pod.path)
        if self._next is not None and self._next <= now and not self.is_kept:
            self.roll_out()

    def is_full(self) -> bool:
        """Return whether no more pods should start for now."""
        return len(self.running) >= _MOST


def _be_ending(found: dict[str, Any]) -> None:
    found["metadata"]["deletionTimestamp"] = format_time(NOW)


def _is_ending(world: World, path: str) -> bool:
    return "deletionTimestamp" in world.cluster.objects[path]["metadata"]


def _document(way: str, app: str = "") -> dict[str, Any]:
    """Return a pod that reads the Secret in one of the usual ways."""
    spec = ENV if way == "env" else VOLUME
    owner = {"kind": "ReplicaSet", "name": "orders-6d4cf56db6", "controller": True}
    labels = {"pod-template-hash": "6d4cf56db6", "app": app}
    metadata = {"labels": labels, "ownerReferences": [owner]}
    return {"metadata": metadata, "spec": spec, "status": {"phase": "Running"}}
