"""What must hold of what is issued and published."""

from __future__ import annotations

from collections import deque
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.marker import attempt_id
from appcredential.domain.observed.entra import Application
from appcredential.domain.spec.model import KeyId
from tests.support.builders import DAY, HOUR, IDENTITY, MINUTE, SECOND
from tests.world import facts
from tests.world.cluster import RESOURCE, SECRETS, SOURCE, TARGET
from tests.world.observer import FRESH, GAP, Document, Observer
from tests.world.ports import Server

if TYPE_CHECKING:
    from tests.world.process import Process
    from tests.world.world import World

LATEST_NEED: Final = 75 * MINUTE
"""A credential that has more left is not renewed: 40 minutes, a lifetime that changed, a clock."""
NOTICED: Final = 15 * MINUTE
"""By then a removal in the portal is noticed."""
WITHDRAWN: Final = 75 * MINUTE
"""By then a withdrawn grant is noticed: a lost tag that no list shows, by the read of each hour."""
PENDING: Final = f"{SECRETS}/appcredential-pending-"


class Publishing(Observer):
    """Only what Entra has, and what signed in, is given to workloads; the value is kept first."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._required_since: float | None = None
        self._taken = -GAP - 1

    def changes(self, path: str, event: str, found: Document) -> None:
        if path.startswith(PENDING):
            self._taken = self.world.steps  # unless a process says next that it wrote this
        elif path == RESOURCE:
            mode = (found["spec"].get("verification") or {}).get("mode", "Required")
            if mode != "Required":
                self._required_since = None
            elif self._required_since is None:
                self._required_since = self.world.loop.now

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        if path.startswith(PENDING):
            self._taken = -GAP - 1
        if path != TARGET or after is None or (before or {}).get("data") == after.get("data"):
            return
        entra = self.world.entra
        key = facts.key_in(entra, after)
        self.promise(key is not None, "a Secret without a credential is written")
        if key is None or key == facts.key_in(entra, before):
            return
        by, _ = entra.removed.get(key, ("", None))
        self.promise(key in entra.credentials or not by, f"{key} is published and was removed")
        since = self._required_since
        if since is not None and self.world.loop.now - since > FRESH:
            runs = entra.runs.get(key, 0)
            self.promise(runs >= 3, f"{key} is published and signed in {runs} times")
        if self.world.steps - self._taken <= GAP:
            return
        told, p = facts.annotation(after, "key-id"), facts.pending(self.world)
        self.promise(
            facts.annotation(p, "key-id") == told, f"{told} is published and is not what is pending"
        )


class Bounds(Observer):
    """Few credentials of ours are there at a time; few are made in a while, none unannounced."""

    MOST: Final = 7
    BURST: Final = 3
    WINDOW: Final = 90 * SECOND

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._times: deque[datetime] = deque()
        self._attempts: set[str] = set()
        self._used: dict[str, str] = {}

    def made(self, process: Process, id_: str) -> None:
        self._check_intent(id_)
        world, entra = self.world, self.world.entra
        live = [k for k in facts.ours(world) if k in entra.trusts or entra.accepts(k)]
        self.promise(len(live) <= self.MOST, f"{len(live)} valid credentials of ours are there")
        self._times.append(world.now())
        while world.now() - self._times[0] > self.WINDOW:
            self._times.popleft()
        self.promise(
            len(self._times) <= self.BURST, f"{len(self._times)} were made within {self.WINDOW}"
        )

    def changes(self, path: str, event: str, found: Document) -> None:
        if path.startswith(PENDING):
            number = facts.annotation(found, "attempt-number")
            if number.isdigit():
                uid = str(found["metadata"]["uid"])
                self._attempts.add(str(attempt_id(IDENTITY, uid, int(number))))

    def _check_intent(self, id_: str) -> None:
        found = self.world.entra.credentials.get(KeyId(id_))
        if found is not None:
            attempt = facts.attempt_of(found)
            self.promise(attempt in self._attempts, f"{id_} is made without an intent")
            # Registering a certificate again, by its own id, is the same as registering it once.
            is_new = self._used.get(attempt, id_) == id_ or self.world.cluster.was_restored
            self.promise(is_new, f"{id_} is the second that one intent made")
            self._used[attempt] = id_


class Needs(Observer):
    """A credential is made only when one is needed and granted, and none that was removed."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._granted = world.loop.now
        self._is_edited = False
        self._edited = world.now()

    def changes(self, path: str, event: str, found: Document) -> None:
        if path == TARGET and not self._is_edited:
            self._is_edited, self._edited = True, self.world.now()  # unless a process wrote this

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        if path == TARGET and facts.annotation(after, "attempt"):
            self._is_edited = False  # a record without an attempt is still what somebody left

    def stepped(self) -> None:
        if facts.is_granted(self.world):
            self._granted = self.world.loop.now

    def made(self, process: Process, id_: str) -> None:
        entra = self.world.entra
        self.stepped()
        since = self.world.loop.now - self._granted
        self.promise(since <= WITHDRAWN.total_seconds(), f"{id_} is made {since} s after its grant")
        if id_ in entra.trusts:
            return
        until = self._edited if self._is_edited else self.world.now()
        again = [k for k, (by, t) in entra.removed.items() if not by and until - t > NOTICED]
        self.promise(
            entra.values[id_] not in {entra.values.get(k) for k in again},
            f"{id_} is what somebody removed",
        )
        t, spec = facts.target(self.world), (facts.resource(self.world) or {}).get("spec") or {}
        rotation = spec.get("rotation") or {}
        is_asked = any(name in rotation for name in ("rotateIssuedBefore", "revokeIssuedBefore"))
        if t is None or self._is_edited or is_asked or not self._is_plain(process):
            return
        if SOURCE in self.world.cluster.objects:
            return
        held = entra.credentials.get(KeyId(facts.key_in(entra, t) or ""))
        if held is not None and spec.get("lifetime") == "2h" and entra.accepts(held.key_id):
            end = min(held.end, held.start + 2 * HOUR)
            left = end - entra.time()
            self.promise(left <= LATEST_NEED, f"{id_} is made, and {held.key_id} has {left} left")

    def _is_plain(self, process: Process) -> bool:
        entra = self.world.entra
        return not (
            any(entra.token_lags)
            or self.world.down.get(Server.TOKEN, 0.0) + 600 > self.world.loop.now
            or process.clock.offset
            or entra.skew != entra.usual_skew
            or self.world.cluster.was_restored
        )


class Windows(Observer):
    """Outside all windows nothing takes the place of what works, unless it is to end or revoked."""

    EDGE: Final = 30 * SECOND
    """The publish may be decided so much earlier than it is seen here."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._is_edited = self._was_edited = False
        self._doubted = False
        self._changed = world.now()
        self._spec: object = None

    def changes(self, path: str, event: str, found: Document) -> None:
        if path == TARGET:  # unless a process says next that it wrote this
            self._was_edited, self._is_edited = self._is_edited, True
        elif path == RESOURCE and found["spec"] != self._spec:
            self._spec, self._changed = found["spec"], self.world.now()

    def reads(self, process: Process, found: Application) -> None:
        key = facts.key_in(self.world.entra, facts.target(self.world))
        if key is not None and all(c.key_id != key for c in found.credentials):
            self._doubted = True

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Document | None,
        after: Document | None,
    ) -> None:
        if path != TARGET:
            return
        self._is_edited = not facts.annotation(after, "attempt")
        entra = self.world.entra
        held, key = facts.key_in(entra, before), facts.key_in(entra, after)
        windows = facts.spec_rotation(self.world).get("windows")
        if held is not None and key is not None and key != held and windows:
            told = self._was_edited or self._doubted or entra.refused.get(held)
            if not told and self.world.now() - self._changed > self.EDGE and self._is_plain():
                self._check(held, windows)
        if key != held:
            self._doubted = False

    def _is_plain(self) -> bool:
        world = self.world
        return not world.cluster.was_restored and world.entra.skew == world.entra.usual_skew

    def _check(self, held: str, windows: Any) -> None:
        entra = self.world.entra
        found, now = entra.credentials.get(KeyId(held)), entra.time()
        before = facts.revoked_before(self.world)
        if found is None or not entra.accepts(held) or (before and found.start < before):
            return
        openings = [_opening(w, now + n * DAY) for w in windows for n in (0, 1)]
        is_open = any(a - self.EDGE <= now < b + self.EDGE for a, b in openings)
        closes = min((b for a, b in openings if a > now), default=now)
        overlap = facts.overlap(self.world)
        ends_soon = closes + overlap > found.end - self.EDGE
        self.promise(is_open or ends_soon, f"{held} is replaced outside all windows")


def _opening(window: Any, day: datetime) -> tuple[datetime, datetime]:
    """Return when a window of UTC opens and closes on a day."""
    opens, closes = (time.fromisoformat(window[name]) for name in ("from", "to"))
    return (
        datetime.combine(day, opens, day.tzinfo),
        datetime.combine(day, closes, day.tzinfo),
    )
