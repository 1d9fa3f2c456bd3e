"""Plays one history: a scene, events at their steps, and then quiet.

A history is written as `SCENE:EVENT EVENT …`, each event as `STEPS/NAME/NUMBER`: so many steps
after the one before, this happens.
"""

from __future__ import annotations

import base64
import functools
import marshal
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import parse_time
from appcredential.settings import Settings
from tests.support.builders import ADOPTING, DAY, HOUR, IDENTITY, MINUTE, NOW
from tests.support.keys import MadeCertificate, make_certificate
from tests.world import facts
from tests.world.cluster import RESOURCE, SOURCE, TARGET
from tests.world.consumers import Consumers
from tests.world.events import BY_HAND, EVENTS
from tests.world.observer import BrokenPromiseError, Document, Observer
from tests.world.oracles import ORACLES
from tests.world.pods import Pods
from tests.world.process import settings_of
from tests.world.scenes import SCENES, Scene
from tests.world.workloads import Workloads
from tests.world.world import World

PATIENCE: Final = 12 * HOUR
"""Within this time after the last fault all is well: the longest backoff is six hours."""
REST: Final = 50 * MINUTE
RESTART: Final = 25 * MINUTE
"""So long a restart takes if nothing holds it up: two rollouts, and looks between them."""
MOST_EFFECTS: Final = 60
RESTART_EFFECTS: Final = 20
"""More, where each renewal has two workloads restarted and status tell of it."""
MOST_STEPS: Final = 12_000
_TOKEN: Final = "e30.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlL2NsdXN0ZXItMS8ifQ.e30"


@functools.cache
def source_certificate(number: int, end: datetime) -> MadeCertificate:
    """Return one of the certificates that somebody else makes."""
    return make_certificate(f"orders-{number}", start=NOW - DAY, end=end)


def _settings() -> Settings:
    handle, path = tempfile.mkstemp(prefix="appcredential-world-")
    with os.fdopen(handle, "w") as file:
        file.write(_TOKEN)
    return settings_of(path)


SETTINGS: Final = _settings()


@dataclass(frozen=True, slots=True)
class Move:
    """One event, so many steps after the one before."""

    steps: int
    event: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.steps}/{self.event}/{self.number}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A history that can be played."""

    scene: str
    moves: tuple[Move, ...] = ()

    def __str__(self) -> str:
        return f"{self.scene}:{' '.join(map(str, self.moves))}"


def parse(text: str) -> Plan:
    """Read a history.

    Raises:
        ValueError: it is none.
    """
    scene, _, rest = text.partition(":")
    moves = []
    for part in rest.split():
        steps, event, number = part.split("/")
        if event not in EVENTS:
            raise ValueError(f"no event is called {event}")
        moves.append(Move(int(steps), event, int(number)))
    if scene not in SCENES:
        raise ValueError(f"no scene is called {scene}; there are {', '.join(SCENES)}")
    return Plan(scene, tuple(moves))


class _Versions(Observer):
    """Keeps what the target Secret was."""

    def __init__(self, history: History) -> None:
        super().__init__(history.world)
        self._history = history

    def changes(self, path: str, event: str, found: Document) -> None:
        if path == TARGET and event != "DELETED":
            self._history.versions.append(dict(found))
            del self._history.versions[:-5]


class History:
    """One world, and what happens to it.

    Attributes:
        backups: of etcd.
        versions: what the target Secret was.
        spec: of the AppCredential, as the user has it in Git.
    """

    def __init__(self, scene: Scene, tell: Callable[[str], None] | None = None) -> None:
        self.scene = scene
        self.world = World(SETTINGS, ADOPTING if scene.is_adopting else IDENTITY)
        self.consumers = Consumers(self.world, *(make() for make in scene.consumers))
        self.backups: list[Any] = []
        self.versions: list[dict[str, Any]] = []
        self.spec: Mapping[str, Any] = dict(scene.spec)
        self._tell = tell
        self.world.observers += [self.consumers, _Versions(self)]
        self.pods = self._pods()
        if self.pods is not None:
            self.world.observers.append(self.pods)
            self.consumers.pods = self.pods
        self.world.observers += [make(self.world, self.consumers) for make in ORACLES.values()]
        if self.pods is not None:
            self.pods.begin()
        self._sources = 0
        if scene.is_brought:
            self.renew_source()
        self.world.cluster.apply(RESOURCE, self.spec)
        for _ in range(scene.processes):
            self.world.start()

    def _pods(self) -> Pods | None:
        if self.scene.has_restarts:
            return Workloads(self.world)
        return Pods(self.world) if self.scene.has_pods else None

    # --- what events do ----------------------------------------------------------------------

    def change_spec(self, **changes: Any) -> None:
        """Apply another spec; what is given as None stays away."""
        self.spec = {**self.spec, **changes}
        self.world.cluster.apply(RESOURCE, self.spec)

    def renew_source(self) -> None:
        """Write another certificate into the Secret that the spec names as its source."""
        if not self.scene.is_brought:
            return
        made = source_certificate(self._sources, NOW + (1 + self._sources) * DAY)
        self._sources += 1
        data = {"tls.crt": made.pem, "tls.key": made.key_pem}
        encoded = {name: base64.b64encode(raw).decode() for name, raw in data.items()}
        self.world.cluster.put(SOURCE, {"type": "kubernetes.io/tls", "data": encoded})

    def restored(self) -> None:
        """Have watchers notice that etcd was set back: their lists begin anew."""
        for process in self.world.alive:
            process.lists_anew()
        self.consumers.changes(TARGET, "MODIFIED", facts.target(self.world) or {})
        if self.pods is not None:
            self.pods.restored()

    def run_for(self, length: timedelta) -> None:
        """Let time pass."""
        end = self.world.now() + length
        while self.world.now() < end and self.step():
            pass

    # --- playing -----------------------------------------------------------------------------

    def play(self, moves: Iterable[Move], is_new: Callable[[int], bool] = lambda _: True) -> bool:
        """Let everything happen, and then quiet.

        Args:
            moves: what happens.
            is_new: whether a digest of the state after the last event was never seen; otherwise
                how that goes on is known.

        Returns:
            Whether it was played to its end.

        Raises:
            BrokenPromiseError: an oracle says so.
        """
        try:
            self.go_through(moves)
            if not is_new(self.digest()):
                return False
            self.calm_down()
            self.settle()
            return True
        finally:
            self.world.close()

    def go_through(self, moves: Iterable[Move]) -> None:
        """Let the events happen, each after its steps."""
        for move in moves:
            for _ in range(move.steps):
                self.step()
            if self._tell is not None:
                said = (EVENTS[move.event].__doc__ or "").split("\n")[0].rstrip(".")
                self._tell(f"{self.world.now():%d %H:%M:%S}  ! {said} ({move.event} {move.number})")
            self.world.trouble()
            EVENTS[move.event](self, move.number)

    def digest(self) -> int:
        """Return a digest of all that decides how the history goes on.

        What a process knows follows from what it was answered, and when; so that counts for it.
        """
        world = self.world
        cluster = marshal.dumps(sorted(world.cluster.objects.items()), 2)
        entra = (str(world.entra.credentials), str(world.entra.trusts))
        known = tuple((p.name, p.is_held, p.answers) for p in world.processes if not p.is_dead)
        faults = (str(world.fates), str(world.down))
        pods = self.pods.state() if self.pods is not None else ""
        return hash((world.loop.now, cluster, entra, known, faults, pods))

    def step(self) -> bool:
        """Let the next thing happen."""
        world = self.world
        if world.steps > MOST_STEPS:
            raise BrokenPromiseError("Liveness", f"{MOST_STEPS} steps and no rest")
        if not world.step():
            raise BrokenPromiseError("Liveness", "nothing will ever happen again")
        if self._tell is not None and world.last != "time passes":
            self._tell(f"{world.now():%d %H:%M:%S}    {world.last}")
        if world.broken:
            raise world.broken[0]
        for stepped in world.listeners("stepped"):
            stepped()
        if world.loop.faults:
            raise BrokenPromiseError("Liveness", f"a task broke: {world.loop.faults[0]}")
        return True

    def calm_down(self) -> None:
        """End every fault, and undo what keeps the spec from being met."""
        world = self.world
        if self._tell is not None:
            self._tell(f"{world.now():%d %H:%M:%S}  ! All faults end")
        world.trouble()
        world.calm_down()
        world.cluster.put_grant()
        t = facts.target(world)
        if t is not None and not facts.is_ours(t):
            world.cluster.delete(TARGET)
        trusts = world.entra.trusts
        if not any(world.entra.makers.get(id_) for id_ in trusts):  # somebody's may be in the way
            for id_ in [i for i, found in trusts.items() if found.description == BY_HAND]:
                world.entra.forget(id_, "")
        if self.pods is not None:
            self.pods.calm_down()
        self.change_spec(suspend=False, mode="Manage")
        self.renew_source()  # what was removed may have leaked: a person has to act

    def settle(self) -> None:
        """Wait until all is well, and see that it stays so.

        Raises:
            BrokenPromiseError: it does not come about, or does not last.
        """
        end = self.world.now() + PATIENCE
        while (wrong := self.not_well() or self._not_restarted()) and self.world.now() < end:
            self.step()
        if wrong:
            raise BrokenPromiseError("Liveness", f"after {PATIENCE}: {wrong}")
        before = self.world.effects
        for _ in range(2):
            self.run_for(REST)
            wrong = self.not_well() or self._not_restarted(RESTART) or self._left_over()
            if wrong:
                raise BrokenPromiseError("Liveness", f"it was well, and {REST} later: {wrong}")
            if not self._has_plans():
                break  # another rest would be the same looks once more
        done = self.world.effects - before
        if done > MOST_EFFECTS + (RESTART_EFFECTS if self.scene.has_restarts else 0):
            raise BrokenPromiseError("Liveness", f"{done} writes within {2 * REST} of rest")

    def not_well(self) -> str:
        """Return what is not as the spec asks; empty if all is."""
        world = self.world
        found = facts.resource(world)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return self._reapply()
        status = found.get("status") or {}
        ready = facts.condition(world, "Ready")
        if status.get("observedGeneration") != found["metadata"]["generation"]:
            return "status is not of this generation"
        if ready.get("status") != "True":
            return f"Ready is {ready.get('status')}: {ready.get('reason')} {ready.get('message')}"
        for kind in ("Stalled", "Reconciling"):
            if facts.condition(world, kind).get("status") == "True":
                about = facts.condition(world, kind)
                return f"{kind}: {about.get('reason')} {about.get('message')}"
        return self._not_well_in_entra()

    def _has_plans(self) -> bool:
        """Return whether status tells of anything that is due within another rest."""
        status = (facts.resource(self.world) or {}).get("status") or {}
        renewal = parse_time(status.get("renewalTime") or "")
        is_renewed_soon = renewal is not None and renewal - self.world.now() < 2 * REST
        return is_renewed_soon or bool(status.get("pending") or status.get("retiring"))

    def _reapply(self) -> str:
        if facts.resource(self.world) is None:
            self.change_spec()
        return "the AppCredential is gone"

    def _left_over(self) -> str:
        """Return which credential of ours should have gone by now."""
        world = self.world
        when = facts.spec_rotation(world).get("retireWhen")
        if when not in {"OverlapElapsed", "RolledOut"}:
            return ""
        known = {facts.key_in(world.entra, facts.target(world))}
        known.add(facts.annotation(facts.pending(world), "key-id"))
        key = facts.key_in(world.entra, facts.target(world))
        published = world.entra.credentials[KeyId(key or "")]  # `not_well` has looked for it
        now = world.entra.time()
        for id_ in facts.ours(world):
            found = world.entra.credentials.get(KeyId(id_))
            if found is not None and id_ not in known and published.end > found.end + HOUR / 2:
                told = facts.entry_of(world, id_).get("since"), facts.published_time(world)
                times = [parse_time(text) for text in told]
                since = max([t for t in times if t is not None], default=found.start)
                rolled = self.pods.rolled if self.pods is not None else since
                if when == "OverlapElapsed" and self.scene.has_restarts:
                    since = max(since, rolled - 20 * MINUTE)
                if when == "RolledOut":
                    if not facts.entry_of(world, id_).get("secret") or rolled <= since:
                        continue  # pods cannot tell of it, or are still there
                    # The longer they stayed, the longer are the pauses between two looks.
                    since = max(since, rolled + (rolled - since) / 4 - 25 * MINUTE)
                if now - since > 45 * MINUTE and found.end - now > HOUR / 4:
                    return f"{id_} is left"
        return ""

    def _not_well_in_entra(self) -> str:
        world = self.world
        if self.scene.is_federated:
            return "" if any(world.entra.makers.get(t) for t in world.entra.trusts) else "no trust"
        if world.has_revocations():
            return "a revocation is left"
        t, p = facts.target(world), facts.pending(world)
        key = facts.key_in(world.entra, t)
        if key is None or not world.entra.accepts(key):
            return "what the Secret holds does not work"
        known = str((t or {})["metadata"]) + str((p or {}).get("metadata"))
        for id_ in facts.ours(world):
            listed = world.entra.credentials[id_]  # type: ignore[index]
            if id_ not in known and facts.attempt_of(listed) not in known:
                return f"{id_} is in no record"
        return ""

    def _not_restarted(self, age: timedelta = timedelta(0)) -> str:
        """Return why a restart is open that is older; empty without one.

        What status asks a person for is done: what somebody took back is restarted by hand.
        """
        since = parse_time(facts.annotation(facts.target(self.world), "restart-since"))
        if since is None or self.world.entra.time() - since <= age:
            return ""
        ready, pods = facts.condition(self.world, "Ready"), self.pods
        is_asked = "took back" in str(ready.get("message"))
        if isinstance(pods, Workloads) and is_asked and not pods.rolling:
            pods.roll_out()
        return f"workloads are not restarted: {ready.get('reason')} {ready.get('message')}"


def play(plan: Plan, tell: Callable[[str], None] | None = None) -> History:
    """Play a history to its end.

    Raises:
        BrokenPromiseError: a promise was broken on the way.
    """
    history = History(SCENES[plan.scene], tell)
    history.play(plan.moves)
    return history
