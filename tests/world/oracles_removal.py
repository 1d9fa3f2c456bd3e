"""What must hold of removals, and of the sign-ins that workloads need."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from appcredential.domain.observed.entra import Credential
from appcredential.domain.spec.model import KeyId
from tests.support.builders import MINUTE, OWNER, SECOND
from tests.world import facts
from tests.world.cluster import RESOURCE, SOURCE, TARGET
from tests.world.consumers import Consumer, Consumers
from tests.world.observer import FRESH, GAP, Document, Observer

if TYPE_CHECKING:
    from tests.world.process import Process
    from tests.world.world import World

ABSENCE: Final = 10 * MINUTE
RECOVERY: Final = 60 * MINUTE
"""What cannot sign in any more is given up after half an hour, and pauses last a quarter."""


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
        signed = entra.signed_in.get(KeyId(key or ""))
        # Somebody may remove it between its sign-in and our removal: nobody can look any later.
        worked = signed is not None and (now - signed).total_seconds() <= FRESH
        works = key is not None and (entra.accepts(key) or worked)
        self.promise(works, "what the Secret holds does not work")
        survivor = entra.credentials.get(KeyId(key or ""))
        if survivor is None:
            return
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
        overlap = facts.overlap(world)
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
        return is_meant and facts.is_granted(self.world) and not self.world.has_revocations()

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
