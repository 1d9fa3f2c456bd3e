"""What must hold after each step, whatever happened. Each class is one promise."""

from __future__ import annotations

import marshal
from collections import deque
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.marker import attempt_id, parse_marker
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import format_time
from tests.support.builders import DAY, HOUR, IDENTITY, MINUTE, OWNER, SECOND
from tests.world import facts
from tests.world.cluster import GRANT, RESOURCE, SECRETS, SOURCE, SYSTEM, TARGET
from tests.world.consumers import Consumer, Consumers
from tests.world.observer import Document, Observer
from tests.world.ports import Call, Fate, Server

if TYPE_CHECKING:
    from tests.world.process import Process
    from tests.world.world import World

OVERLAP: Final = 20 * MINUTE
"""The default of the scenes, where a spec was edited away."""
ABSENCE: Final = 10 * MINUTE
RECOVERY: Final = 60 * MINUTE
"""What cannot sign in any more is given up after half an hour, and pauses last a quarter."""
LATEST_NEED: Final = 75 * MINUTE
"""A credential that has more left is not renewed: 40 minutes, a lifetime that changed, a clock."""
NOTICED: Final = 15 * MINUTE
"""By then a removal in the portal is noticed."""
GAP: Final = 2
"""Steps between the last look at a Secret and what follows: nobody can look any later."""
PENDING: Final = f"{SECRETS}/appcredential-pending-"
FRESH: Final = 20.0
"""For so many seconds, what was read may be relied on."""


def takes_values(consumer: Consumer) -> bool:
    """Return whether a workload takes a new value up within the overlap, as is demanded."""
    return consumer.lag is not None or consumer.restarts is not None


class Removals(Observer):
    """No removal of ours takes a sign-in from a workload, or comes before its time."""

    def __init__(self, world: World, consumers: Consumers) -> None:
        super().__init__(world)
        self._consumers = consumers
        self._replaced: dict[str, datetime] = {}
        self._published: str | None = None
        self._absent: datetime | None = None
        self._back: datetime | None = None
        self._given: set[str] = set()
        self._touched = -1

    def changes(self, path: str, event: str, found: Document) -> None:
        now = self.world.now()
        if path == RESOURCE and event == "DELETED":
            self._absent, self._back = now, None
        elif path == RESOURCE and self._absent is not None and self._back is None:
            self._back = now
        if path != TARGET:
            return
        self._touched = self.world.steps
        key = None if event == "DELETED" else facts.key_in(self.world.entra, found)
        if key != self._published:
            if self._published is not None:
                self._replaced[self._published] = self.world.now()
            self._published = key
        if key is not None:
            self._given.add(key)

    def removes(self, process: Process, id_: str) -> None:
        entra = self.world.entra
        found = entra.credentials.get(KeyId(id_))
        if found is None or entra.time() >= found.end:
            return  # of a trust, see below; what has expired is missed by nobody
        if self._absent is not None and not self._is_back():
            if id_ not in self._given:
                return  # nobody has it, and nobody ever will
            gone = self.world.now() - self._absent
            # One that is back already may have its own reasons.
            if gone >= ABSENCE or self._back is None:
                self.promise(gone >= ABSENCE, f"{id_} is removed {gone} after its owner went")
                return
        before = facts.revoked_before(self.world)
        leaked = before is not None and found.start < before
        if self.world.steps - self._touched <= GAP:
            return
        self._check_secrets(id_)
        if id_ in self._given:
            self._check_survivor(found, is_leaked=leaked)
            if not leaked:
                self._check_overlap(id_)
                users = self._users_of(id_)
                self.promise(not users, f"{id_} is removed while {users} uses it")

    def _users_of(self, id_: str) -> list[str]:
        """Return who would lose its sign-in, of those on whom a removal has to wait."""
        users = [c.name for c in self._consumers.users_of(id_) if takes_values(c)]
        pods, rotation = self._consumers.pods, facts.spec_rotation(self.world)
        if pods is not None and rotation.get("retireWhen") == "RolledOut":
            users += pods.users_of(id_)
        return users

    def _is_back(self) -> bool:
        """Return whether the resource is there again, for longer than a call may take."""
        back = self._back
        return back is not None and (self.world.now() - back).total_seconds() > FRESH

    def _check_secrets(self, id_: str) -> None:
        t, p = facts.target(self.world), facts.pending(self.world)
        holds = facts.key_in(self.world.entra, t)
        self.promise(holds != id_ or not facts.is_ours(t), f"{id_} is in the target Secret")
        in_vain = t is not None and not facts.is_ours(t) and id_ not in self._given
        is_next = facts.annotation(p, "key-id") == id_ and facts.annotation(p, "state") == "Minted"
        self.promise(not is_next or in_vain, f"{id_} is in the pending Secret")

    def _check_survivor(self, leaves: Credential, *, is_leaked: bool) -> None:
        entra = self.world.entra
        key = facts.key_in(entra, facts.target(self.world))
        now = self.world.now()
        self.promise(key is not None and entra.accepts(key), "what the Secret holds does not work")
        survivor = entra.credentials[KeyId(key or "")]
        signed = entra.signed_in.get(survivor.key_id)
        self.promise(
            signed is not None and now - signed <= 30 * SECOND,
            f"{survivor.key_id} did not sign in just before {leaves.key_id} goes",
        )
        if not is_leaked:
            self.promise(survivor.end > leaves.end, f"{survivor.key_id} does not live longer")

    def _check_overlap(self, id_: str) -> None:
        world = self.world
        rotation = ((facts.resource(world) or {}).get("spec") or {}).get("rotation") or {}
        self.promise(
            rotation.get("retireWhen") != "Expired", f"{id_} goes before it expires, unasked"
        )
        overlap = facts.spec_duration(world, "rotation", "overlap", default=OVERLAP)
        since = self._replaced.get(id_)
        age = world.now() - since if since is not None else timedelta(0)
        self.promise(age >= overlap - SECOND, f"{id_} goes {age} after it was replaced")


class SignIns(Observer):
    """What workloads have works, unless a person or an outage is to blame."""

    def __init__(self, world: World, consumers: Consumers) -> None:
        super().__init__(world)
        self._consumers = consumers
        self._unmanaged = 0.0

    def _check_target(self) -> None:
        """Whatever happened to it, the Secret holds something that works again within an hour."""
        world = self.world
        if not self._consumers.consumers or SOURCE in world.cluster.objects:
            return  # a supplied certificate that was removed stays away until a person acts
        t = facts.target(world)
        if t is not None and not facts.is_ours(t):
            return  # it was taken from us: a person has to act, too
        key = facts.key_in(world.entra, facts.target(world))
        self.promise(
            key is not None and world.entra.accepts(key), "the Secret has held nothing that works"
        )

    def _is_managed(self) -> bool:
        found = facts.resource(self.world)
        spec = (found or {"spec": {"suspend": True}})["spec"]
        t = facts.target(self.world)
        is_ours = t is None or facts.is_ours(t)  # taken from us, it waits for a person
        is_meant = is_ours and not spec.get("suspend") and spec.get("mode") != "Observe"
        return is_meant and GRANT in self.world.cluster.objects and not self.world.has_revocations()

    def stepped(self) -> None:
        world = self.world
        if not self._is_managed():
            self._unmanaged = world.loop.now
        if (
            world.calm_for() < RECOVERY
            or world.loop.now - self._unmanaged < RECOVERY.total_seconds()
        ):
            return
        self._check_target()
        for consumer in self._consumers.consumers:
            if consumer.has is None or not takes_values(consumer):
                continue
            found = world.entra.credentials.get(KeyId(consumer.has))
            if found is None:
                continue  # removed in the portal, or by us, which `Removals` judges
            works = world.entra.accepts(consumer.has)
            self.promise(works, f"{consumer.name} has {consumer.has}, which does not work")


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
    """A credential is made only when one is needed, and never again what somebody removed."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
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
        if path == TARGET:
            self._is_edited = False

    def made(self, process: Process, id_: str) -> None:
        entra = self.world.entra
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
        self._is_edited = False
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
        overlap = facts.spec_duration(self.world, "rotation", "overlap", default=OVERLAP)
        ends_soon = closes + overlap > found.end - self.EDGE
        self.promise(is_open or ends_soon, f"{held} is replaced outside all windows")


def _opening(window: Any, day: datetime) -> tuple[datetime, datetime]:
    """Return when a window of UTC opens and closes on a day."""
    opens, closes = (time.fromisoformat(window[name]) for name in ("from", "to"))
    return (
        datetime.combine(day, opens, day.tzinfo),
        datetime.combine(day, closes, day.tzinfo),
    )


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
        if call.server is Server.GRAPH or "/status" in call.name or "/secrets" in call.name:
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


class Trusts(Observer):
    """A trust that a wired ServiceAccount needs is not removed by us."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._there_since: float | None = None

    def changes(self, path: str, event: str, found: Document) -> None:
        if path == RESOURCE and event == "DELETED":
            self._there_since = None
        elif path == RESOURCE and self._there_since is None:
            self._there_since = self.world.loop.now

    def removes(self, process: Process, id_: str) -> None:
        found = self.world.entra.trusts.get(id_)
        spec: Any = (facts.resource(self.world) or {}).get("spec") or {}
        account = ((spec.get("federatedIdentity") or {}).get("serviceAccount") or {}).get("name")
        since = self._there_since
        if found is None or not account or since is None or self.world.loop.now - since < FRESH:
            return
        wanted = f"system:serviceaccount:{OWNER.namespace}:{account}"
        others = [
            t
            for t in self.world.entra.trusts.values()
            if t.subject == wanted and t.id != id_ and t.issuer == found.issuer
        ]
        self.promise(found.subject != wanted or others, f"the trust of {account} is removed")


ORACLES: Final[dict[str, Callable[[World, Consumers], Observer]]] = {
    "Removals": Removals,
    "SignIns": SignIns,
    "Publishing": lambda w, _: Publishing(w),
    "Ownership": lambda w, _: Ownership(w),
    "Bounds": lambda w, _: Bounds(w),
    "Needs": lambda w, _: Needs(w),
    "Windows": lambda w, _: Windows(w),
    "Leaks": lambda w, _: Leaks(w),
    "Leadership": lambda w, _: Leadership(w),
    "Status": Status,
    "Trusts": lambda w, _: Trusts(w),
}
