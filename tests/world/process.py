"""One process of the operator: built as `composition.py` builds it, in the world's time.

Its work queue is served as it is. What its other loops do happens in one upkeep, which begins
when ten seconds are over, or more if nothing else is due: what the turns between would have done
again is left out. The Lease is always renewed first.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import itertools
import logging
import marshal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from appcredential.cache.store import Store
from appcredential.composition import build_operator
from appcredential.domain.facts import content
from appcredential.domain.facts.facts import Facts
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import AppCredentialSpec, EntraTenantSpec
from appcredential.domain.spec.parse import parse_app_credential
from appcredential.domain.spec.reserved import ONLY_LISTED, AllowedKeys
from appcredential.errors import AppCredentialError
from appcredential.kube import app_credentials
from appcredential.kube.custom_resources import GRANTS, TENANTS
from appcredential.process import Operator
from appcredential.runtime.metrics import Metrics
from appcredential.settings import Settings
from appcredential.x509 import generate
from tests.support.builders import NOW
from tests.support.clock import HandClock
from tests.world.cluster import SYSTEM, Client
from tests.world.entra import EntraSession
from tests.world.loop import PROCESS, VirtualLoop
from tests.world.ports import Gate

if TYPE_CHECKING:
    from tests.world.world import World

METRICS: Final = Metrics(list)
for _of in (METRICS, METRICS.inventory, METRICS.sign_ins):
    for _one in vars(_of).values():
        if hasattr(_one, "labels"):
            _one.labels = functools.cache(_one.labels)  # millions of requests are counted
UPKEEP: Final = 10.0
"""How often the Lease is renewed, in seconds."""
LOOKS: Final = 60.0
"""How often the loops that only look have a turn."""
_ROUNDS: Final = 3
"""A round of looks begins in one turn, and looks in the next; lists come before it."""
_BEGIN: Final = 1000.0


KEYS: Final = 32
"""More than any history makes certificates."""
_MANIFESTS: Final = 1000


@contextmanager
def prepared() -> Iterator[None]:
    """Log almost nothing, of millions of passes, and do costly work once that is asked for again.

    RSA keys come from a stock in turns. What is the same for the same arguments, and is asked
    for several times in each pass, is kept from the time before.
    """
    log = logging.getLogger("appcredential")
    before, make = log.level, generate.new_key
    made, drawn = functools.cache(lambda size, _number: make(size)), itertools.count()
    log.setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "new_key", lambda size: made(size, next(drawn) % KEYS))
        patch.setattr(app_credentials, "parse_app_credential", _parsed_once(parse_app_credential))
        patch.setattr(content, "_exceeds", _counted_once(content._exceeds))
        yield
    log.setLevel(before)


def _parsed_once(parse: Callable[..., AppCredentialSpec]) -> Callable[..., AppCredentialSpec]:
    """Keep what was read of a manifest, by all that is read of it."""
    known: dict[tuple[AllowedKeys, bytes], AppCredentialSpec] = {}

    def parsed(document: Mapping[str, Any], allowed: AllowedKeys = ONLY_LISTED) -> Any:
        metadata = document["metadata"]
        read = (metadata["namespace"], metadata["name"], document.get("spec"))
        key = allowed, marshal.dumps(read, 2)
        if key not in known:
            if len(known) > _MANIFESTS:
                known.clear()
            known[key] = parse(document, allowed)
        return known[key]

    return parsed


def _counted_once(exceeds: Callable[..., bool]) -> Callable[..., bool]:
    """Keep the last answers about the facts of one pass."""
    last: tuple[Facts | None, dict[int, tuple[SecretValue | None, bool]]] = (None, {})

    def counted(facts: Facts, value: SecretValue | None) -> bool:
        nonlocal last
        if last[0] is not facts:
            last = facts, {}
        known = last[1].get(id(value))
        if known is None or known[0] is not value:
            known = last[1][id(value)] = value, exceeds(facts, value)
        return known[1]

    return counted


def settings_of(token_file: str) -> Settings:
    """Return the settings of this world's operator; all that bears a promise is as shipped."""
    return Settings(
        namespace=SYSTEM,
        workers=1,
        service_account_token_file=token_file,
        lifecycle=LifecycleSettings(federated_overlap=timedelta(hours=1)),
    )


class ProcessClock(HandClock):
    """The clocks of the machine that a process runs on.

    Attributes:
        offset: its wall clock minus the true time.
    """

    def __init__(self, loop: VirtualLoop, offset: timedelta = timedelta(0)) -> None:
        super().__init__(NOW)
        self._loop = loop
        self.offset = offset

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self._loop.now - _BEGIN) + self.offset

    def monotonic(self) -> float:
        return self._loop.now


class Process:
    """One process of the operator.

    Attributes:
        is_dead: it was killed, or ended itself.
        paused_until: nothing of it runs before; by the loop's time.
        is_blind: no watch event reaches it.
        is_upkeep: what calls now is the upkeep.
        answers: a digest of what it was answered so far.
    """

    def __init__(self, world: World, name: str, offset: timedelta = timedelta(0)) -> None:
        self.world = world
        self.name = name
        self.clock = ProcessClock(world.loop, offset)
        self.gate = Gate(self, world.wait)
        self.is_dead = False
        self.paused_until = 0.0
        self.is_blind = False
        self.answers = 0
        self.is_upkeep = self._has_gap = False
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, self)
        self._last_upkeep = self._last_looks = float("-inf")
        self._relisted = float("-inf")
        self._upkeep: asyncio.Task[None] | None = None
        self.operator = self._context.run(self._build)
        self._worker = self._begin(
            self.operator._queue.run(self.operator._deferred.reconcile, self.operator._stop)
        )

    def _build(self) -> Operator:
        self.operator = build_operator(
            replace(self.world.settings, pod_name=self.name),
            Client(self.world.cluster, self.gate),
            self.world.identity,
            self._open,
            Store(),
            METRICS,
            clock=self.clock,
        )
        return self.operator

    def _open(self, spec: EntraTenantSpec, own: OperatorCredential, may_act: Any) -> EntraSession:
        session = EntraSession(self.world.entra, self.gate, self.clock)
        session.client_id = spec.identity.client_id
        return session

    def _begin(self, coroutine: Any) -> asyncio.Task[Any]:
        return self.world.loop.create_task(coroutine, context=self._context.copy())

    @property
    def is_held(self) -> bool:
        """Nothing of it runs now."""
        return self.is_dead or self.world.loop.now < self.paused_until

    @property
    def leads(self) -> bool:
        """It holds the Lease, as far as it knows."""
        return self.operator._lease.is_leader()

    def kill(self) -> None:
        """End it at once; what it remembered is lost."""
        self.is_dead = True

    def on_event(self, kind: str, event: str, document: dict[str, Any]) -> None:
        """Take a watch event."""
        if not (self.is_dead or self.is_blind) and self.operator._store.is_complete:
            self._context.run(self.operator._informer.on_event, kind, event, document)

    def renewed(self, seconds: float) -> None:
        """Hold the Lease and the claim as if they had been renewed meanwhile."""
        operator = self.operator
        if self.leads:
            operator._lease._held_until += seconds
        if operator._claim._looked is not None:
            operator._claim._looked += seconds

    def lists_anew(self) -> None:
        """Have its next upkeep list the three kinds, as after a gap of a watch."""
        self._has_gap = True

    # --- upkeep ------------------------------------------------------------------------------

    def begin_upkeep(self) -> bool:
        """Start the turn of all loops, if it is due; return whether it was."""
        now = self.world.loop.now
        if self._upkeep is not None or self.is_held or now - self._last_upkeep < UPKEEP:
            return False
        self._last_upkeep = now
        self._upkeep = self._begin(self._turn())
        return True

    @property
    def is_renewing(self) -> bool:
        """The upkeep has not come to what else than the Lease there is."""
        return self.is_upkeep and not self.is_held

    def next_due(self) -> float | None:
        """Return when this process has something to do again; None while it is at work.

        An EntraTenant that is well is looked at when something else is due, too.
        """
        queue = self.operator._queue
        if self._upkeep is not None or queue._working or queue._ready:
            return None
        if not self.leads and any(p.leads and not p.is_held for p in self.world.alive):
            return float("inf")  # a standby does nothing
        kinds = {TENANTS, GRANTS} if self._is_calm() else set()
        times = [due for key, (due, _) in queue._due.items() if key.kind not in kinds]
        return min(times, default=float("inf"))

    def _is_calm(self) -> bool:
        """Return whether it leads, and its EntraTenant is well."""
        outcomes = self.operator._controllers.tenants._outcomes.values()
        return (
            bool(outcomes) and not any(outcomes) and self.leads and self.operator._terms.is_settled
        )

    async def _turn(self) -> None:
        operator = self.operator
        jobs = [operator._look_at_claim, operator._hold_lease]
        if self._is_gap():
            jobs.insert(0, self._relist)
        jobs += [operator._settle, operator._cluster.grant_ends.run_once]
        if self.leads and self.world.has_revocations():
            jobs.append(operator._work_revocations)
        if self.leads and self.world.has_unowned():
            jobs.append(operator._look_for_unowned)
        if self.world.loop.now - self._last_looks >= LOOKS:
            self._last_looks = self.world.loop.now
            jobs += [self._look] * _ROUNDS
        try:
            for number, job in enumerate(jobs):
                self.is_upkeep = number < 3
                try:
                    await job()
                except AppCredentialError:
                    continue  # as a loop does: the next turn may succeed
                finally:
                    self.is_upkeep = False
        finally:
            self._upkeep = None
        if operator._stop.is_set() and not self.is_dead:
            self.is_dead = True
            self.world.ended()

    async def _look(self) -> None:
        """Have the loops that only look work, as far as one turn of them goes."""
        looks, controllers = operator_parts(self.operator)
        await controllers.inventory.run_once()
        looks._credit = float(looks._objects)  # what the turns left out have earned
        await looks.run_once()
        await controllers.sign_ins.run_once()
        await asyncio.sleep(1)

    def _is_gap(self) -> bool:
        """Return whether the store may lack something that only a list shows."""
        is_due = self.world.loop.now - self._relisted >= 300
        return self._has_gap or not self.operator._store.is_complete or (self.is_blind and is_due)

    async def _relist(self) -> None:
        self._relisted, self._has_gap = self.world.loop.now, False
        await self.operator._relist()


def operator_parts(operator: Operator) -> tuple[Any, Any]:
    """Return what looks at the cluster, and the controllers."""
    looks = next(one for one in operator._loops if one.name == "looks")
    return looks._job.__self__, operator._controllers  # type: ignore[attr-defined]
