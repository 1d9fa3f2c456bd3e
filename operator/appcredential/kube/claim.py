"""The claim on a cluster: a Lease that one installation holds for good.

It is no leader election, which is among the replicas of one installation: it never expires, and
only an administrator has it replaced or deletes it. Whoever may not have it, touches nothing.

It also holds into how many shards the installation divides the cluster. That number changes as a
claim is replaced: who acted by the former one has stopped before anybody acts by the new one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.claim import (
    RECENT,
    STALE,
    UNREAD,
    Claim,
    Record,
    Recorded,
    claim_problem,
    missing_right,
    shards_problem,
)
from appcredential.errors import ConflictError, NotFoundError, PermissionDeniedError
from appcredential.kube.claim_wait import ClaimWait
from appcredential.kube.client import KubeClient
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

CLAIM_NAME: Final = "appcredential-claim"
_WRITE_WITHIN: Final = 5.0  # seconds, since the question whose answer is written over


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSettings:
    """What this installation claims, and where.

    Attributes:
        own: its claim.
        namespace: of the Lease, the same for all installations in a cluster.
        replaced: the text of another claim that it may replace.
        shards: into how many shards it divides the cluster.
        longest: an effect lasts no longer. A shard begins none that could outlast the patience
            after its last look: the number may have changed since, and others wait no longer.
        patience: how long it acts by what a look has shown, and how long it waits at least after
            a claim was replaced: until then, whoever acted by that has seen it, and its last
            effect has ended. For as long it believes in a missing right: a Role that was just
            made takes a moment.
    """

    own: Claim
    namespace: str
    replaced: str
    patience: timedelta
    shards: int = 1
    longest: timedelta = timedelta(0)

    @property
    def recorded(self) -> Recorded:
        """What the Lease says once it is claimed."""
        return Recorded(str(self.own), self.shards)


class ClusterClaim:
    """The claim as it was last seen."""

    def __init__(self, kube: KubeClient, clock: Clock, settings: ClaimSettings) -> None:
        self._kube = kube
        self._clock = clock
        self._settings = settings
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{settings.namespace}/leases"
        self._place = f"{settings.namespace}/{CLAIM_NAME}"
        self._missing = missing_right(self._place, "in which installations claim the cluster")
        self._replaced = Recorded.parse(settings.replaced).claim
        self._record = Record()
        self._wait = ClaimWait(clock, settings.recorded, settings.patience)
        self._forbidden_since: float | None = None
        self._goes_without = False
        self._looked: float | None = None
        self._left = float("-inf")
        self._problem = UNREAD
        self._told_wait = ""

    @property
    def problem(self) -> str:
        """Why this installation may have no effects; empty when it may.

        Whoever replaces the claim counts on it that this one looks, or stops.
        """
        trust, now = self._wait.trust.total_seconds(), self._clock.monotonic()
        if self._looked is not None and now - self._looked > trust:
            return self._problem or STALE
        return self._problem

    @property
    def waits(self) -> str:
        """Why this process may have no effects for now, though its installation may."""
        settings = self._settings
        if found := shards_problem(settings.shards, self._recorded, self._place):
            return found
        now, trust = self._clock.monotonic(), self._wait.trust - settings.longest
        if settings.shards > 1 and now - self._left > trust.total_seconds():
            return STALE
        return "" if self._wait.is_over else RECENT

    @property
    def may_act(self) -> bool:
        """Return whether nothing in the claim is against effects of this process now."""
        return not self.problem and not self.waits

    @property
    def is_held(self) -> bool:
        """Return whether the claim is this installation's, and nobody else acts by it any more."""
        is_ours = self._recorded.claim == str(self._settings.own) or self._goes_without
        return is_ours and not self.waits

    @property
    def _recorded(self) -> Recorded:
        return self._record.what

    async def look(self, *, may_take: Callable[[], bool]) -> None:
        """Read the claim, and make it ours if it is to be taken and may be.

        Args:
            may_take: returns whether this process is the one to write it, now.

        Raises:
            AppCredentialError: the API server could not be asked; what was seen stays.
        """
        try:
            await self._look(may_take)
        finally:
            self._tell_wait()

    async def _look(self, may_take: Callable[[], bool]) -> None:
        left = self._clock.monotonic()
        try:
            document = await self._get()
        except PermissionDeniedError:
            self._go_without(self._missing)
            return
        self._left = left  # what the answer shows may be as old as the request
        self._note(document)
        if self._problem or not self._wait.needs_write(self._record):
            return
        if not may_take() or self._clock.monotonic() - left > _WRITE_WITHIN:
            return  # it was held up: what it would write over may have ended long ago
        try:
            self._note(await self._write(document))
        except PermissionDeniedError:
            if not self._recorded.claim:
                self._go_without("")  # it leads on, and does nothing until then
            elif self._recorded != self._settings.recorded:  # else only the patience is shorter
                self._tell(self._missing)

    def _go_without(self, problem: str) -> None:
        """Do without a claim where the rights are those of an earlier release.

        A new image with former roles must not stop all renewals. A claim that was read counts on.

        Args:
            problem: why nothing is done until the right has been missing for long enough.
        """
        now = self._clock.monotonic()
        if self._settings.shards > 1:
            self._tell(self._missing)  # another number may be recorded, by which others act
            return
        if self._recorded.claim or self._goes_without:
            self._looked = now  # an answer, though it shows nothing
            return
        if self._forbidden_since is None:
            self._forbidden_since = now
        if now - self._forbidden_since < self._settings.patience.total_seconds():
            self._tell(problem)
            return
        log.warning("works without a claim on the cluster", extra={"problem": self._missing})
        self._goes_without = True
        self._problem = ""

    async def _get(self) -> dict[str, Any] | None:
        try:
            return await self._kube.request("GET", f"{self._path}/{CLAIM_NAME}")
        except NotFoundError:
            return None

    def _note(self, document: dict[str, Any] | None) -> None:
        settings = self._settings
        self._record = Record.of((document or {}).get("spec") or {})
        recorded = self._recorded
        if recorded.claim:
            self._forbidden_since, self._goes_without = None, False
        if recorded.claim == str(settings.own):
            # Once it was ours, only a restart lets it be taken back from who replaced it: two that
            # may each replace the other would go on doing so.
            self._replaced = ""
        self._wait.note(self._record, self._now())
        self._looked = self._clock.monotonic()
        self._tell(claim_problem(settings.own, recorded.claim, self._replaced, self._place))

    def _now(self) -> datetime:
        """Return the time by the API server's clock, which all processes share."""
        return self._clock.now() + (self._kube.skew() or timedelta(0))

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.error("not ready", extra={"problem": problem})
        self._problem = problem

    def _tell_wait(self) -> None:
        """Log why this process does nothing for now, when that is new."""
        waits = "" if self._problem else self.waits
        if waits and waits != self._told_wait:
            is_usual = waits == RECENT or not self._recorded.claim
            level = logging.INFO if is_usual else logging.WARNING
            log.log(level, "waits", extra={"problem": waits})
        self._told_wait = waits

    async def _write(self, old: dict[str, Any] | None) -> dict[str, Any] | None:
        """Write our claim; return what stands there then."""
        body = old or {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": CLAIM_NAME},
        }
        method, path = ("PUT", f"{self._path}/{CLAIM_NAME}") if old else ("POST", self._path)
        spec = body["spec"] if self._recorded == self._settings.recorded else self._replacement()
        body["spec"] = {**spec, "leaseDurationSeconds": self._wait.seconds}
        try:
            return await self._kube.request(method, path, body=body)
        except ConflictError:
            return await self._get()

    def _replacement(self) -> dict[str, Any]:
        """Return what says that the claim is ours from now on."""
        # Also one that is gone may be held by a process that has not looked since.
        is_replaced = bool(self._recorded.claim) or self._wait.is_after_another
        if is_replaced:
            self._wait.begin()  # before the write: the other one may see it at once
            log.info("claim replaced", extra={"former": str(self._recorded)})
        return {
            "holderIdentity": str(self._settings.recorded),
            "acquireTime": self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "leaseTransitions": int(is_replaced),
        }
