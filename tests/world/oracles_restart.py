"""What must hold of the restart of workloads after a publish."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import parse_time
from tests.support.api_server import copied
from tests.support.builders import MINUTE, SECOND
from tests.support.workloads import RESTARTED_AT
from tests.world import facts
from tests.world.cluster import APPS, TARGET
from tests.world.consumers import Consumers
from tests.world.observer import FRESH, GAP, Document, Observer
from tests.world.pods import KUBELET_LAG
from tests.world.ports import Call, Fate
from tests.world.workloads import Workloads

if TYPE_CHECKING:
    from tests.world.process import Process
    from tests.world.world import World

_SINCE: Final = "restart-since"
_MOST: Final = 2
"""So often at most one process restarts a workload for a publish: its clock may have been set."""
_PROVEN: Final = 3 * MINUTE
_LOOK: Final = 20 * SECOND
"""By a look that is no older, a workload is restarted."""


class Restarts(Observer):
    """A publish that replaced something restarts each workload, one by one; until then it stays."""

    def __init__(self, world: World, consumers: Consumers) -> None:
        super().__init__(world)
        self._pods = consumers.pods
        self._open = self._was_open = False
        """Workloads are still to be restarted."""
        self._published: datetime | None = None
        """The last publish that replaced something; None if others have written since."""
        self._replaced: dict[str, datetime] = {}
        self._before: tuple[bool, datetime | None, dict[str, datetime]] = (False, None, {})
        self._touched = (-GAP - 1, -FRESH)
        self._touched_before = self._touched
        self._begun: dict[str, tuple[datetime | None, datetime]] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._fate = Fate.DONE

    # --- what is published --------------------------------------------------------------------

    def changes(self, path: str, event: str, found: Document) -> None:
        if path != TARGET:
            return  # unless a process says next that it wrote this, somebody else did
        self._before = self._open, self._published, self._replaced
        self._touched_before = self._touched
        self._touched = self.world.steps, self.world.loop.now
        is_left = event != "DELETED" and parse_time(facts.annotation(found, _SINCE)) is not None
        self._open, self._published, self._replaced = is_left, None, {}

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        if path.startswith(APPS):
            self._restarts(process, method, path, before, after)
        if path != TARGET:
            return
        self._touched = self._touched_before
        if before is None or after is None:
            self._open = False  # a first issue, or the end
            return
        self._open, self._published, self._replaced = self._before
        entra = self.world.entra
        held, key = facts.key_in(entra, before), facts.key_in(entra, after)
        if held != key:
            self._open, self._published = self._is_asked(), self.world.now()
            if held is not None:
                self._replaced = {**self._replaced, held: self.world.now()}
        elif self._open and not facts.annotation(after, _SINCE):
            self._open = False
            for id_ in self._replaced:
                self._check_holders(id_, "the restart is called complete")

    def _is_asked(self) -> bool:
        return "restart" in facts.spec_rotation(self.world)

    # --- what is restarted --------------------------------------------------------------------

    def happens(self, call: Call, fate: Fate) -> None:
        self._fate = fate

    def _restarts(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        is_patch = method == "PATCH" and before is not None and after is not None
        self.promise(is_patch, f"{method} {path}")
        assert before is not None
        assert after is not None
        self.promise(_without_time(before) == _without_time(after), f"more of {path} is changed")
        self._check_others(path)
        if self.world.loop.now - self._touched[1] < FRESH or self.world.cluster.was_restored:
            return
        self.promise(self._open, f"{path} is restarted, and nothing was replaced")
        now, since = self.world.now(), self._published
        if since is not None:
            age = now - since
            self.promise(age >= KUBELET_LAG, f"{path} is restarted {age} after the publish")
        self._check_proof(path)
        uid = str(before["metadata"]["uid"])
        self._begun[uid] = since, now
        if self._fate is not Fate.LOST:
            about = process.name, uid, since
            number = self._numbers[about] = self._numbers.get(about, 0) + 1
            self.promise(number <= _MOST, f"{path} is restarted {number} times by one process")

    def _check_others(self, path: str) -> None:
        """See that no rollout that the operator began for this publish is under way."""
        if not isinstance(self._pods, Workloads):
            return
        now, objects = self.world.now(), self.world.cluster.objects
        for other, began in self._pods.rolling.items():
            uid = str(objects[other]["metadata"]["uid"]) if other in objects else ""
            published, patched = self._begun.get(uid, (None, now))
            # What somebody else has only just begun, nobody need know.
            is_known = now - began > _LOOK or began - patched <= _LOOK
            is_other = other != path and uid in self._begun and published == self._published
            self.promise(not (is_other and is_known), f"{path} is restarted while {other} is")

    def _check_proof(self, path: str) -> None:
        entra = self.world.entra
        key = facts.key_in(entra, facts.target(self.world))
        signed = entra.signed_in.get(key or "")
        is_proven = signed is not None and self.world.now() - signed <= _PROVEN
        self.promise(is_proven, f"{path} is restarted, and {key} did not sign in just before")

    # --- what is removed ----------------------------------------------------------------------

    def removes(self, process: Process, id_: str) -> None:
        entra = self.world.entra
        found = entra.credentials.get(KeyId(id_))
        if found is None or entra.time() >= found.end or id_ not in self._replaced:
            return
        before = facts.revoked_before(self.world)
        is_leaked = before is not None and found.start < before
        is_gone = facts.resource(self.world) is None or self.world.has_revocations()
        if is_leaked or is_gone or self.world.steps - self._touched[0] <= GAP:
            return
        if self._is_asked():
            self.promise(not self._open, f"{id_} is removed before the restart is complete")
            self._check_holders(id_, f"{id_} is removed")

    def _check_holders(self, id_: str, what: str) -> None:
        is_plain = isinstance(self._pods, Workloads) and not self.world.cluster.was_restored
        if is_plain and self._is_asked():
            since = self._replaced[id_]
            holders = self._pods.holders_of(id_, since)  # type: ignore[union-attr]
            self.promise(not holders, f"{what} while {holders} has {id_}")


def _without_time(found: Document) -> Any:
    """Return what of a workload nobody but its owner may change."""
    rest = copied(dict(found))
    rest.pop("status", None)
    for name in ("resourceVersion", "generation"):
        rest["metadata"].pop(name)
    metadata = rest["spec"]["template"]["metadata"]
    annotations = metadata.pop("annotations", None) or {}
    annotations.pop(RESTARTED_AT, None)
    return rest, annotations
