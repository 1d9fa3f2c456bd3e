"""Workloads whose pods read the Secret once, at their start, and the controllers that roll them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.times import format_time
from tests.support.api_server import Refusal
from tests.support.builders import MINUTE, SECOND
from tests.support.workloads import RESTARTED_AT, done, failed, path_of, rolling, workload
from tests.world.observer import Document
from tests.world.pods import ENV, Pod, Pods

if TYPE_CHECKING:
    from tests.world.world import World

BY_KUBECTL: Final = "kubectl.kubernetes.io/restartedAt"
ROLLS: Final = 2 * MINUTE
"""So long after a template changed its new pod is ready, and the former ones are ended."""
_GRACE: Final = 30 * SECOND
_KINDS: Final = {"orders": "Deployment", "store": "StatefulSet"}
PLACES: Final = {path_of(kind, name): (kind, name) for name, kind in _KINDS.items()}
"""What is there, by its path: of which kind, and by which name."""


class Workloads(Pods):
    """A Deployment and a StatefulSet of one pod each, and whatever else uses the Secret.

    Attributes:
        rolling: whose rollout is under way, or has failed, since when.
        forged: by name, which time somebody wrote into a template.
        is_broken: no new pod becomes ready.
        is_taken_back: another controller takes back what is written into pod templates.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.rolling: dict[str, datetime] = {}
        self.forged: dict[str, datetime] = {}
        self.is_broken = self.is_taken_back = False
        self._templates: dict[str, Document] = {}
        self._new: dict[str, Pod | None] = {}
        self._no_right: Refusal | None = None

    def begin(self) -> None:
        """Create the workloads; their first pods wait for the Secret."""
        self.begin_elsewhere()
        for path in PLACES:
            self._create(path)

    # --- what people do ----------------------------------------------------------------------

    def roll_out(self, grace: timedelta = _GRACE) -> None:
        """Restart all of them by hand, as `kubectl rollout restart` does."""
        for path in PLACES:
            self.stamp(path, BY_KUBECTL, format_time(self.world.now()))

    def stamp(self, path: str, name: str, text: str) -> None:
        """Write an annotation into a pod template."""

        def change(found: dict[str, Any]) -> None:
            metadata = found["spec"]["template"]["metadata"]
            metadata["annotations"] = {**metadata.get("annotations", {}), name: text}

        self.world.cluster.edit(path, change)

    def forge(self, path: str, time: datetime) -> None:
        """Have somebody write into a pod template when the workload was restarted."""
        self.forged[PLACES[path][1]] = time
        self.stamp(path, RESTARTED_AT, format_time(time))

    def replace(self, path: str) -> None:
        """Delete a workload; create it anew, without any time of a restart, if it is gone."""
        if path in self.world.cluster.objects:
            self.world.cluster.take_away(path)
        else:
            self._create(path)

    def refuse(self, methods: str) -> None:
        """Take a right to workloads away, or give it back."""
        cluster = self.world.cluster
        if self._no_right is None:
            self._no_right = cluster.refuse(methods, "/apis/apps/", "no right")
        else:
            cluster.refusals.remove(self._no_right)
            self._no_right = None

    def calm_down(self) -> None:
        """End every fault, create what is gone, and end the pods that are nobody's."""
        if self._refusal is not None:
            self.hide()
        if self._no_right is not None:
            self.refuse("")
        self.is_broken = self.is_taken_back = False
        self._end([pod for pod in self.running if not pod.app])
        for path in PLACES:
            if path not in self.world.cluster.objects:
                self._create(path)

    # --- what is so --------------------------------------------------------------------------

    def holders_of(self, id_: str, since: datetime) -> list[str]:
        """Return the workloads whose pods have a credential that was replaced then.

        One does not count in whose template somebody wrote that it was restarted after that, and
        not in the future: nobody can tell that from the truth.
        """
        latest, long_ago = self.world.now() + MINUTE, since - MINUTE
        pods = [p for p in self.running if p.app and p.has == id_ and p.ends is None]
        return [p.app for p in pods if not since <= self.forged.get(p.app, long_ago) <= latest]

    def state(self) -> str:
        """Return what decides how this goes on, the objects of the cluster aside."""
        faults = (self.is_broken, self.is_taken_back, self._no_right is not None)
        return f"{super().state()} {self.rolling} {faults} {self.forged}"

    def restored(self) -> None:
        """Have the controllers go on with what etcd has."""
        super().restored()
        objects, now = self.world.cluster.objects, self.world.now()
        there = [path for path in PLACES if path in objects]
        self._templates = {path: objects[path]["spec"]["template"] for path in there}
        unfinished = [p for p in there if objects[p]["status"] != _status(done, p, objects[p])]
        self.rolling, self._new = dict.fromkeys(unfinished, now), {}

    def changes(self, path: str, event: str, found: Document) -> None:
        super().changes(path, event, found)
        self._next = None  # nobody but the operator sees to it

    # --- the controllers ---------------------------------------------------------------------

    def stepped(self) -> None:
        super().stepped()
        objects = self.world.cluster.objects
        for path in PLACES:
            if path not in objects:
                self._forget(path)
                continue
            if self.is_taken_back and _annotations(objects[path]):
                self.world.cluster.edit(path, _take_back)
            if objects[path]["spec"]["template"] != self._templates.get(path):
                self._begin(path)
            if path in self.rolling and self.world.now() >= self.rolling[path] + ROLLS:
                self._go_on(path)

    def _create(self, path: str) -> None:
        kind, name = PLACES[path]
        made = workload(kind, name=name, pod_spec=ENV)
        del made["metadata"]["uid"]
        found = self.world.cluster.put(path, made)
        self._templates[path] = found["spec"]["template"]
        self.start("env", name)

    def _forget(self, path: str) -> None:
        if self._templates.pop(path, None) is not None:
            self.rolling.pop(path, None)
            self._end(self._pods_of(path))

    def _begin(self, path: str) -> None:
        """Begin a rollout; its pod reads the Secret now."""
        self._templates[path] = self.world.cluster.objects[path]["spec"]["template"]
        self.rolling[path] = self.world.now()
        self._new[path] = None if self.is_broken else self.start("env", PLACES[path][1])
        self._tell(path, rolling)

    def _go_on(self, path: str) -> None:
        """End a rollout that has lasted long enough, unless its pod does not become ready."""
        new = self._new.get(path)
        if self.is_broken:
            self._tell(path, failed)
        elif new is None:
            self._begin(path)
        else:
            del self.rolling[path]
            self._end([pod for pod in self._pods_of(path) if pod is not new])
            self._tell(path, done)

    def _tell(self, path: str, of: Any) -> None:
        found = self.world.cluster.objects[path]
        status = _status(of, path, found)
        if found["status"] != status:
            self.world.cluster.edit(path, lambda o: o.update(status=status))

    def _pods_of(self, path: str) -> list[Pod]:
        return [pod for pod in self.running if pod.app == PLACES[path][1]]

    def _end(self, pods: list[Pod]) -> None:
        for pod in pods:
            self.end(pod, _GRACE)
        self.rolled = self.world.now() + _GRACE


def _status(of: Any, path: str, found: Document) -> Any:
    return of(PLACES[path][0], found["metadata"]["generation"])


def _annotations(found: Document) -> Any:
    return found["spec"]["template"]["metadata"].get("annotations")


def _take_back(found: dict[str, Any]) -> None:
    found["spec"]["template"]["metadata"]["annotations"] = {}
