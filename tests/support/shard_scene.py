"""Rollouts of shards in virtual time: pods side by side, who acts when, and whether two did."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from appcredential.domain.claim import Claim
from appcredential.domain.shards import Shard
from appcredential.errors import AppCredentialError
from appcredential.kube.claim import ClaimSettings, ClusterClaim
from appcredential.kube.lease import Lease, LeaseSettings
from appcredential.leadership import Leadership
from appcredential.runtime.effect_guard import EffectGuard, Terms
from appcredential.runtime.metrics import Metrics
from appcredential.settings import Settings
from tests.support.api_server import ApiServer
from tests.support.builders import NOW
from tests.support.clock import HandClock

OWN: Final = Claim(namespace="entra", installation="appcredential", cluster_id="uid")
CLAIM: Final = "/apis/coordination.k8s.io/v1/namespaces/default/leases/appcredential-claim"
NAMESPACES: Final = tuple(f"team-{number}" for number in range(20))
EFFECT: Final = 25
MINT: Final = 40
SECOND: Final = timedelta(seconds=1)
SETTINGS: Final = Settings()
SLOW: Final = replace(
    SETTINGS, lease_duration=timedelta(minutes=5), lease_renew=timedelta(minutes=1)
)
RENEW: Final = int(SETTINGS.lease_renew.total_seconds())
LONG: Final = 400
"""Seconds after which a change is over, whatever happened in it."""


class Pod:
    """What of a process says whether it may act. Its effects are as long as they may be.

    Attributes:
        settings: its own; those of others may be different.
        ahead: of the API server's clock is its own.
        is_cut: it does not reach the API server.
        is_blind: it renews its Lease, and cannot read the claim.
    """

    def __init__(
        self,
        kube: ApiServer,
        clock: HandClock,
        name: str,
        shard: Shard,
        ahead: timedelta,
        *,
        settings: Settings = SETTINGS,
    ) -> None:
        self.name, self.shard, self.kube, self.settings = name, shard, kube, settings
        self.clock, self.ahead, self.is_cut = HandClock(NOW + ahead), ahead, False
        self.clock.seconds = clock.seconds
        self.lease = Lease(
            kube,
            self.clock,
            LeaseSettings(
                namespace="entra",
                name=f"appcredential{shard.suffix}",
                holder=name,
                duration=settings.lease_duration,
            ),
        )
        self.claim = ClusterClaim(
            kube,
            self.clock,
            ClaimSettings(
                own=OWN,
                namespace="default",
                replaced="",
                patience=settings.lease_duration + settings.lease_renew,
                shards=shard.count,
                longest=settings.mint_margin,
            ),
        )
        self.terms = Terms()
        self.guard = EffectGuard(
            remaining=self.lease.remaining,
            is_synced=lambda: self.terms.is_settled and self.claim.may_act,
            effect_margin=settings.effect_margin,
            mint_margin=settings.mint_margin,
            shard=shard,
        )
        self.leadership = Leadership(
            clock=self.clock,
            metrics=Metrics(list),
            holder=name,
            shard=shard,
            lease=self.lease,
            claim=self.claim,
            terms=self.terms,
            guard=self.guard,
        )
        self.is_blind = False
        self.busy_until = 0.0

    async def turn(self) -> None:
        """Take part in the election, look at the claim, and begin a term: as the loops do."""
        if self.is_cut:
            return
        self.kube.clock_skew = -self.ahead
        await self.leadership.hold(is_fit=True)
        if self.is_blind:
            return
        await self.leadership.look_at_claim()
        if self.leadership.may_begin:
            self.terms.settled = self.terms.begun

    async def stop(self) -> None:
        """End as asked to: what is under way is finished first."""
        self.guard.stopping = True
        if not self.is_cut:
            await self.lease.release()


@dataclass
class Scene:
    """A cluster, its pods, and who has had effects in which namespace until when.

    Attributes:
        settings: of the pods that start from now on.
    """

    dice: random.Random = field(default_factory=lambda: dice_of(0))
    skewed: timedelta = timedelta(0)
    settings: Settings = SETTINGS
    kube: ApiServer = field(default_factory=ApiServer)
    clock: HandClock = field(default_factory=HandClock)
    pods: list[Pod] = field(default_factory=list)
    until: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    clashes: list[str] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=lambda: iter(range(1000)))
    _seconds: int = 0

    def start(self, number: int, count: int) -> Pod:
        ahead = self.dice.uniform(-1, 1) * self.skewed
        name = f"{number}-of-{count}-{next(self._names)}"
        shard = Shard(number, count)
        pod = Pod(
            self.kube,
            self.clock,
            name,
            shard,
            ahead,
            settings=self.settings,
        )
        self.pods.append(pod)
        return pod

    async def end(self, pod: Pod) -> None:
        """Ask a pod to end, and wait until it did."""
        pod.guard.stopping = True
        for _ in range(MINT):
            if pod.busy_until <= self.clock.monotonic():
                break
            await self.pass_time(1)
        await pod.stop()
        self.crash(pod)

    def crash(self, pod: Pod) -> None:
        """Have a pod gone; what it sent goes on."""
        if pod in self.pods:
            self.pods.remove(pod)

    async def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            for clock in (self.clock, *(pod.clock for pod in self.pods)):
                clock.advance(SECOND)
            self._seconds += 1
            for number, pod in enumerate(list(self.pods)):
                renew = int(pod.settings.lease_renew.total_seconds())
                if (self._seconds + 3 * number) % renew == 0:
                    with suppress(AppCredentialError):
                        await pod.turn()
                self._act(pod)

    def _act(self, pod: Pod) -> None:
        for namespace in NAMESPACES:
            is_mint = pod.shard.serves(namespace) and pod.guard.allows_mint()
            if is_mint or pod.guard.problem(namespace) is None:
                now = self.clock.monotonic()
                others = self.until[namespace]
                self.clashes += [
                    f"{pod.name} and {other} in {namespace}"
                    for other, until in others.items()
                    if other != pod.name and until > now
                ]
                others[pod.name] = now + (MINT if is_mint else EFFECT)
                pod.busy_until = others[pod.name]

    def served(self) -> dict[str, list[str]]:
        """Return which pods may act in each namespace now."""
        return {
            namespace: [pod.name for pod in self.pods if pod.guard.problem(namespace) is None]
            for namespace in NAMESPACES
        }

    def assert_each_is_served_once(self) -> None:
        assert {len(pods) for pods in self.served().values()} == {1}, self.served()

    async def settled(self, count: int, replicas: int = 2) -> list[Pod]:
        """Have an installation of so many shards at work."""
        pods = [self.start(number, count) for number in range(count) for _ in range(replicas)]
        await self.pass_time(LONG + int(self.settings.lease_duration.total_seconds()))
        self.assert_each_is_served_once()
        return pods

    async def roll_out(self, count: int, *, rough: bool = False) -> None:
        """Replace all pods as Deployments do: one is ready before one of the former goes."""
        former = list(self.pods)
        numbers = sorted({pod.shard.number for pod in former} | set(range(count)))
        self.dice.shuffle(numbers)
        for number in numbers:
            for _ in range(2):
                if number < count:
                    self.start(number, count)
                await self.pass_time(self.dice.randrange(1, 60))
                await self._end_one(former, number)
                if rough:
                    self._harm()
        for pod in self.pods:
            pod.is_cut = pod.is_blind = False
        for pod in [pod for pod in self.pods if pod.shard.count != count]:
            await self.end(pod)  # it took the place of one that crashed

    async def _end_one(self, former: list[Pod], number: int) -> None:
        going = [pod for pod in former if pod.shard.number == number and pod in self.pods]
        if going:
            await self.end(self.dice.choice(going))

    def _harm(self) -> None:
        """Crash a pod, cut one off, or let it be; each has its like."""
        pod = self.dice.choice(self.pods)
        what = self.dice.choice(("crash", "cut off", "blind", "blind", "mend", "spare"))
        if what == "crash":
            self.crash(pod)
            self.start(pod.shard.number, pod.shard.count)
        elif what == "cut off":
            pod.is_cut = True
        elif what == "blind":
            pod.is_blind = True
        elif what == "mend":
            for one in self.pods:
                one.is_cut = one.is_blind = False


def dice_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same every time
