"""One thing after another: calls of the operator, timers, and what the world does meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.observed.entra import Application
from appcredential.settings import Settings
from tests.support.builders import IDENTITY, NOW
from tests.world.cluster import SYSTEM, Cluster
from tests.world.entra import Entra
from tests.world.loop import VirtualLoop
from tests.world.observer import Observer
from tests.world.ports import Call, Fate, Server
from tests.world.process import UPKEEP, Process

STEP: Final = 0.05
"""How many seconds each call takes."""
MOST_IDLE: Final = 600.0
"""After so many seconds without anything due, looks have a turn."""
_BEGIN: Final = 1000.0
_MAPS: Final = f"/api/v1/namespaces/{SYSTEM}/configmaps/"
_TICKETS: Final = f"{_MAPS}appcredential-ticket-"


class World:
    """The whole world. Fields are what events change.

    Attributes:
        identity: the cluster's, with the other clusters that its operator adopts from.
        processes: of the operator, dead ones too.
        waiting: the calls that are to happen, oldest first.
        down: the servers that do not answer, by the time until when.
        fates: what becomes of the next calls, by server or None for any; each once.
        steps: how many calls and jumps in time there were; renewals of Leases do not count.
        most_idle: the longest jump in time.
        broken: what those who watch have raised.
        asked: how often each of them had a promise to judge.
        delay: how many seconds more the next call takes.
        starved_until: no Lease is renewed before; by the loop's time.
        effects: how many writes processes made, renewals of Leases and Events aside.
    """

    def __init__(self, settings: Settings, identity: ClusterIdentity = IDENTITY) -> None:
        self.settings = settings
        self.identity = identity
        self.loop = VirtualLoop()  # type: ignore[abstract]  # it needs what the operator uses
        self._clock = (self.loop.now, NOW)
        self.cluster = Cluster(self.now)
        self.entra = Entra(self.now)
        self.processes: list[Process] = []
        self.waiting: list[Call] = []
        self.down: dict[Server, float] = {}
        self.fates: list[tuple[Server | None, bool, Fate]] = []
        self.observers: list[Observer] = []
        self._heard: dict[str, list[Callable[..., object]]] = {}
        self.broken: list[Exception] = []
        self.asked: dict[str, int] = {}
        self.steps = 0
        self.most_idle = MOST_IDLE
        self.last: str = ""
        self.delay = self.starved_until = 0.0
        self.effects = 0
        self._trouble = self.loop.now
        self._kept: tuple[object, int, bool] = (None, 0, False)
        self.cluster.watchers.append(self._show)
        self.cluster.heard = self._changed

    def now(self) -> datetime:
        """Return the true time."""
        at, time = self._clock
        if at != self.loop.now:
            time = NOW + timedelta(seconds=self.loop.now - _BEGIN)
            self._clock = (self.loop.now, time)
        return time

    def start(self, offset: timedelta = timedelta(0)) -> Process:
        """Start a process of the operator."""
        with self.loop:
            made = Process(self, f"operator-{len(self.processes) + 1}", offset)
        self.processes.append(made)
        return made

    def ended(self) -> None:
        """Start a process in the place of one that ended itself, as a kubelet does."""
        self.start()

    def close(self) -> None:
        """End all that still runs."""
        for process in self.processes:
            process.is_dead = True
        self.loop.close()

    @property
    def alive(self) -> list[Process]:
        return [p for p in self.processes if not p.is_dead]

    # --- trouble ---------------------------------------------------------------------------

    def trouble(self) -> None:
        """Note that something happened which may explain what is not well."""
        self._trouble = self.loop.now

    def calm_for(self) -> timedelta:
        """Return for how long nothing has happened that may explain what is not well."""
        now, entra = self.loop.now, self.entra
        is_calm = not (
            entra.is_missing
            or entra.skew != entra.usual_skew
            or len(entra.read_lags) > 1
            or entra.read_lags[0]
            or len(entra.token_lags) > 1
            or entra.token_lags[0]
            or any(p.is_held or p.is_blind or p.clock.offset for p in self.alive)
            or any(until > now for until in self.down.values())
            or self.fates
            or not self.alive
        )
        if not is_calm:
            self._trouble = now
        return timedelta(seconds=now - self._trouble)

    def calm_down(self) -> None:
        """End every fault."""
        self.down, self.fates, self.delay, self.starved_until = {}, [], 0.0, 0.0
        entra = self.entra
        entra.is_missing, entra.skew = False, entra.usual_skew
        entra.read_lags = entra.token_lags = (0.0,)
        for process in self.alive:
            process.is_blind, process.paused_until = False, 0.0
            process.clock.offset = timedelta(0)
            process.lists_anew()
        if not self.alive:
            self.start()

    # --- stepping ----------------------------------------------------------------------------

    def wait(self, call: Call) -> None:
        self.waiting.append(call)

    def _is_held(self, process: Process | None) -> bool:
        return process is not None and process.is_held

    def step(self, pick: int = 0) -> bool:
        """Let the next thing happen; return False if nothing ever will.

        Args:
            pick: which of the calls that wait goes first.
        """
        self.steps += 1
        with self.loop:
            while (upkeep := self._upkeep()) is not None:
                self._let_happen(upkeep)
            if self.loop.fire(self._is_held):
                self.loop.drain()
            ready = [c for c in self.waiting if not c.process.is_held]
            if ready:
                self._let_happen(ready[pick % len(ready)])
                return True
            return self._jump()

    def _upkeep(self) -> Call | None:
        """Return the next call that renews a Lease; who leads comes first."""
        while True:
            calls = [c for c in self.waiting if c.is_upkeep and not c.process.is_held]
            if calls:
                return calls[0]
            alive = self.alive
            if len(alive) > 1:
                alive.sort(key=lambda p: not p.leads)
            if not any(p.begin_upkeep() for p in alive):
                return None
            self.loop.drain()

    def _let_happen(self, call: Call) -> None:
        self.waiting.remove(call)
        if call.go.done() or call.process.is_dead:
            return  # given up meanwhile
        self.loop.now += STEP + self.delay
        self.delay = 0.0
        self.last = f"{call.process.name}: {call.name}"
        fate = self._fate(call)
        self._tell("happens", call, fate)
        process = call.process
        process.answers = hash((process.answers, call.name, fate.name, self.loop.now))
        call.go.set_result(fate)
        self.loop.drain()

    def _fate(self, call: Call) -> Fate:
        if self.down.get(call.server, 0.0) > self.loop.now:
            return Fate.UNSENT
        if call.is_upkeep and self.starved_until > self.loop.now:
            return Fate.UNSENT
        for entry in self.fates:
            server, only_writes, fate = entry
            if server in {None, call.server} and (call.is_write or not only_writes):
                self.fates.remove(entry)
                return fate
        return Fate.DONE

    def _jump(self) -> bool:
        """Let time pass until something is due."""
        times = [p.paused_until for p in self.alive if p.is_held]
        for process in self.alive:
            if not process.is_held:
                due = process.next_due()
                times.append(self._next_timer(process) if due is None else due)
        if not times:
            return False
        when = min(*times, self.loop.now + self.most_idle)
        self._pass(max(0.0, when - self.loop.now))
        self.last = "time passes"
        return True

    def _pass(self, seconds: float) -> None:
        """Let time pass, in which processes that reach the API server renew their Leases."""
        if max(self.down.get(Server.KUBE, 0.0), self.starved_until) <= self.loop.now:
            for process in self.alive:
                if not process.is_held:
                    process.renewed(max(0.0, seconds - UPKEEP))
        self.loop.now += seconds

    def _next_timer(self, process: Process) -> float:
        due = self.loop.next_timer(lambda whose: whose is not process)
        return due if due is not None else float("inf")

    # --- what processes do -------------------------------------------------------------------

    def _tell(self, what: str, *about: Any) -> None:
        """Tell all who watch. The operator would take what they raise for its own error."""
        try:
            for told in self.listeners(what):
                told(*about)
        except Exception as exc:
            self.broken.append(exc)
            raise

    def listeners(self, what: str) -> list[Callable[..., object]]:
        """Return what those who watch have to say to one kind of news; all watch by then."""
        found = self._heard.get(what)
        if found is None:
            asked = [o for o in self.observers if getattr(type(o), what) != getattr(Observer, what)]
            found = self._heard[what] = [getattr(observer, what) for observer in asked]
        return found

    def _changed(self, path: str, event: str, found: dict[str, Any]) -> None:
        self._tell("changes", path, event, found)

    def _show(self, kind: str, event: str, document: dict[str, Any]) -> None:
        with self.loop:
            for process in self.alive:
                process.on_event(kind, event, document)

    def has_revocations(self) -> bool:
        """Return whether a revocation is scheduled."""
        objects, version = self.cluster.objects, self.cluster.version
        if self._kept[0] is not objects or self._kept[1] != version:
            found = any(p.startswith(_TICKETS) for p in objects)
            self._kept = (objects, version, found)
        return self._kept[2]

    def has_unowned(self) -> bool:
        """Return whether there is a record of what was issued, and no resource."""
        records = any(p.startswith(f"{_MAPS}appcredential-issued-") for p in self.cluster.objects)
        return records and not any("/appcredentials/" in p for p in self.cluster.objects)

    def sees(self, process: Process, path: str, found: Mapping[str, Any]) -> None:
        self._tell("sees", process, path, found)

    def reads(self, process: Process, found: Application) -> None:
        self._tell("reads", process, found)

    def writes(
        self,
        process: Process,
        method: str,
        path: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        if "/leases" not in path and "/events" not in path:
            self.effects += 1
        self._tell("writes", process, method, path, before, after)

    def made(self, process: Process, id_: str) -> None:
        self._tell("made", process, id_)

    def patches(self, process: Process, id_: str) -> None:
        self._tell("patches", process, id_)

    def removes(self, process: Process, id_: str) -> None:
        self.effects += 1
        self._tell("removes", process, id_)
