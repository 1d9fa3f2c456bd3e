"""Whether this process may act: the Lease of its shard, the claim on the cluster, and its terms."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from appcredential.domain.shards import Shard
from appcredential.kube.claim import ClusterClaim
from appcredential.kube.lease import Lease
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard, Terms
from appcredential.runtime.metrics import Metrics

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leadership:
    """Called by loops of `process.py`, each of which may wake the other.

    Attributes:
        holder: the name of this process in the Lease.
        shard: the part of the cluster that the Lease is about.
    """

    clock: Clock
    metrics: Metrics
    holder: str
    shard: Shard
    lease: Lease
    claim: ClusterClaim
    terms: Terms
    guard: EffectGuard

    @property
    def may_begin(self) -> bool:
        """Whether the process leads, and nobody else acts on its part of the cluster any more."""
        return self.lease.is_leader() and self.claim.is_held

    async def hold(self, *, is_fit: bool) -> bool:
        """Take or renew the Lease, and nothing else: no other work may delay a renewal.

        Args:
            is_fit: as the leader it could do something. Else a replica of the former version can.

        Returns:
            Whether a term began.

        Raises:
            LeaseLostError: the process must exit.
            AppCredentialError: the API server could not be asked.
        """
        if not is_fit or self.claim.problem:
            # A leader lets the Lease run out: an effect that began may last as long.
            self._show(leads=self.lease.is_leader())
            return False
        was_leader = self.lease.is_leader()
        try:
            leads = await self.lease.try_hold()
        finally:
            self._show(leads=self.lease.is_leader())
        if not leads or was_leader:
            return False
        log.info("leading", extra={"holder": self.holder})
        self.terms.begin(self.clock.now())
        return True

    def _show(self, *, leads: bool) -> None:
        self.metrics.leader.set(float(leads and not self.claim.waits))

    async def look_at_claim(self) -> None:
        """Confirm that this installation may serve the cluster; as its first leader, claim it.

        The leader of the first shard alone writes the claim, and with it the number of shards: it
        holds the Lease that a process without shards would act by, so none does.
        """
        try:
            await self.claim.look(may_take=self._is_first_leader)
        finally:
            if self.claim.waits and self.terms.is_settled and self.lease.is_leader():
                # Others act meanwhile on what this process knows: it begins anew after that.
                self.terms.begin(self.clock.now())

    def _is_first_leader(self) -> bool:
        return self.shard.is_first and self.lease.is_leader()

    @property
    def claimed(self) -> tuple[str, bool]:
        """What the loops wait for: it changes when a look at the claim has shown something."""
        return self.claim.problem, self.claim.is_held
