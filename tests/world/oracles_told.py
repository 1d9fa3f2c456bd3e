"""What must hold of who acts, on what, and of what is said."""

from __future__ import annotations

import marshal
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.marker import parse_marker
from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import format_time
from tests.support.builders import IDENTITY, MINUTE, OWNER
from tests.world import facts
from tests.world.cluster import RESOURCE, SECRETS, SYSTEM, TARGET
from tests.world.consumers import Consumers
from tests.world.observer import Document, Observer
from tests.world.ports import Call, Fate, Server

if TYPE_CHECKING:
    from tests.world.process import Process
    from tests.world.world import World


class Ownership(Observer):
    """Nothing that is not ours is touched, in Entra or in the cluster."""

    def removes(self, process: Process, id_: str) -> None:
        self._check(id_)

    def patches(self, process: Process, id_: str) -> None:
        self._check(id_)

    def _check(self, id_: str) -> None:
        entra = self.world.entra
        self.promise(entra.makers.get(id_), f"{id_} is somebody else's")
        found = entra.credentials.get(KeyId(id_))
        if found is not None:
            marker = parse_marker(found.display_name)
            self.promise(
                marker is not None and marker.is_removable_by(IDENTITY, OWNER),
                f"{id_} does not carry our exact marker",
            )

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        if path.startswith(SECRETS):
            mine = before is None or facts.is_ours(before)
            adopted = facts.annotation(before, "adopt") == str(OWNER)
            self.promise(mine or adopted, f"{path} is another's and is written")
        elif path == RESOURCE and before is not None and after is not None:
            self.promise(before["spec"] == after["spec"], "the spec is changed")
        elif "/configmaps/" in path:
            self.promise(path.startswith(f"/api/v1/namespaces/{SYSTEM}/"), f"{path} is written")


class Leaks(Observer):
    """No secret value appears anywhere but in the data of a Secret."""

    MARKS: Final = (b"canary-key", b"Y2FuYXJ5LWtleS", b"PRIVATE KEY", b"UFJJVkFURSBLRVk")

    def happens(self, call: Call, fate: Fate) -> None:
        self.promise("canary-key" not in call.name, f"a value is in {call.name}")

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        if after is None:
            return
        shown: Any = after["metadata"] if "/secrets/" in path else after
        text = marshal.dumps(shown)
        self.promise(not any(m in text for m in self.MARKS), f"a value is in {path}")


class Leadership(Observer):
    """Nothing is written by a process whose Lease has ended."""

    EXEMPT: Final = ("/events", "/leases", "secrets/appcredential-pending-")

    def happens(self, call: Call, fate: Fate) -> None:
        if not call.is_write or any(part in call.name for part in self.EXEMPT):
            return
        judged = any(part in call.name for part in ("/status", "/secrets", "/apis/apps/"))
        if call.server is Server.GRAPH or judged:
            left = call.process.operator._lease.remaining()
            self.promise(left >= 0, f"{call.name} {-left:.0f} s after the end of the Lease")


class Status(Observer):
    """Status says what is true, and what is not true any more only for a bounded time."""

    LATEST: Final = 30 * MINUTE

    def __init__(self, world: World, consumers: Consumers) -> None:
        super().__init__(world)
        self._consumers = consumers.consumers
        self._false_since: datetime | None = None
        self._is_edited = False

    def changes(self, path: str, event: str, found: Document) -> None:
        if path == TARGET:
            self._is_edited = True  # unless a process says next that it wrote this

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        if path == TARGET:
            self._is_edited = False
        if path != RESOURCE or before is None or after is None:
            return
        old, new = before.get("status") or {}, after.get("status") or {}
        if old == new:
            return
        generation = int(after["metadata"]["generation"])
        self.promise(
            int(new.get("observedGeneration", -1)) <= generation, "observedGeneration runs ahead"
        )
        self._check_transitions(old, new)
        self._check_credential(new)

    def _check_transitions(self, old: Document, new: Document) -> None:
        was = {c["type"]: c for c in old.get("conditions", ())}
        for found in new.get("conditions", ()):
            known = was.get(found["type"])
            if known is not None and known["status"] == found["status"]:
                same = known["lastTransitionTime"] == found["lastTransitionTime"]
                self.promise(same, f"lastTransitionTime of {found['type']} moves by itself")

    def _check_credential(self, new: Document) -> None:
        told = new.get("credential") or {}
        found = self.world.entra.credentials.get(KeyId(told.get("keyId") or ""))
        if found is not None and told.get("expirationTime") and not self._is_edited:
            self.promise(
                told["expirationTime"] == format_time(found.end), "expirationTime is not Entra's"
            )

    def stepped(self) -> None:
        world = self.world
        ready = facts.condition(world, "Ready")
        says = ready.get("status") == "True" and self._consumers
        if not says or self._is_true():
            self._false_since = None
            return
        if self._false_since is None or world.calm_for() == timedelta(0):
            self._false_since = world.now()
        age = world.now() - self._false_since
        quiet = world.calm_for()
        self.promise(
            min(age, quiet) <= self.LATEST, f"Ready is True, and has not been true for {age}"
        )

    def _is_true(self) -> bool:
        if facts.resource(self.world) is None:
            return True
        key = facts.key_in(self.world.entra, facts.target(self.world))
        return key is not None and self.world.entra.accepts(key)
