"""The claim on a cluster: a Lease that one installation holds for good.

It is no leader election, which is among the replicas of one installation: it never expires, and
only an administrator has it replaced or deletes it. Whoever may not have it, touches nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.claim import STALE, UNREAD, Claim, claim_problem
from appcredential.domain.times import parse_time
from appcredential.errors import ConflictError, NotFoundError, PermissionDeniedError
from appcredential.kube.client import KubeClient
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

CLAIM_NAME: Final = "appcredential-claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSettings:
    """What this installation claims, and where.

    Attributes:
        own: its claim.
        namespace: of the Lease, the same for all installations in a cluster.
        replaced: the text of another claim that it may replace.
        patience: how long it waits after it replaced one: until then, the other installation has
            seen it, and its last effect has ended. For as long it believes in a missing right:
            a Role that was just made takes a moment.
    """

    own: Claim
    namespace: str
    replaced: str
    patience: timedelta


class ClusterClaim:
    """The claim as it was last seen."""

    def __init__(self, kube: KubeClient, clock: Clock, settings: ClaimSettings) -> None:
        self._kube = kube
        self._clock = clock
        self._settings = settings
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{settings.namespace}/leases"
        self._place = f"{settings.namespace}/{CLAIM_NAME}"
        self._replaced = settings.replaced
        self._recorded = ""
        self._has_met_another = False
        self._begin = float("-inf")
        self._forbidden_since: float | None = None
        self._goes_without = False
        self._looked: float | None = None
        self._problem = UNREAD

    @property
    def problem(self) -> str:
        """Why this installation may have no effects; empty when it may.

        Whoever replaces the claim counts on it that this one looks, or stops.
        """
        patience, now = self._settings.patience.total_seconds(), self._clock.monotonic()
        if self._looked is not None and now - self._looked > patience:
            return self._problem or STALE
        return self._problem

    @property
    def is_held(self) -> bool:
        """Return whether the claim is this installation's, and nobody else acts by it any more."""
        is_ours = self._recorded == str(self._settings.own) or self._goes_without
        return is_ours and self._clock.monotonic() >= self._begin

    async def look(self, *, take: bool) -> None:
        """Read the claim, and make it ours if it is to be taken and may be.

        Raises:
            AppCredentialError: the API server could not be asked; what was seen stays.
        """
        try:
            document = await self._get()
        except PermissionDeniedError:
            self._go_without(self._missing)
            return
        self._note(document)
        if not take or self._problem or self._recorded == str(self._settings.own):
            return
        try:
            self._note(await self._write(document))
        except PermissionDeniedError:
            if self._recorded:  # it is another's, to be replaced
                self._tell(self._missing)
            else:
                self._go_without("")  # it leads on, and does nothing until then

    @property
    def _missing(self) -> str:
        return (
            f"the operator may not read and write the Lease {self._place}, in which "
            "installations claim the cluster: give it the Role of examples/deploy/rbac.yaml"
        )

    def _go_without(self, problem: str) -> None:
        """Do without a claim where the rights are those of an earlier release.

        A new image with former roles must not stop all renewals. A claim that was read counts on.

        Args:
            problem: why nothing is done until the right has been missing for long enough.
        """
        now = self._clock.monotonic()
        if self._recorded or self._goes_without:
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
        settings, spec = self._settings, (document or {}).get("spec") or {}
        self._recorded = str(spec.get("holderIdentity") or "")
        if self._recorded:
            self._forbidden_since, self._goes_without = None, False
        if self._recorded == str(settings.own):
            # Once it was ours, only a restart lets it be taken back from who replaced it: two that
            # may each replace the other would go on doing so.
            self._replaced = ""
            if self._looked is None and spec.get("leaseTransitions"):
                self._wait_since(parse_time(spec.get("acquireTime")))
        elif self._recorded:
            self._has_met_another = True
        self._looked = self._clock.monotonic()
        self._tell(claim_problem(settings.own, self._recorded, self._replaced, self._place))

    def _wait_since(self, replaced: datetime | None) -> None:
        """Wait for what is left of the patience: a process that has ended began to wait."""
        past = self._clock.now() - replaced if replaced is not None else timedelta(0)
        rest = self._settings.patience - max(past, timedelta(0))
        self._begin = self._clock.monotonic() + rest.total_seconds()

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.error("not ready", extra={"problem": problem})
        self._problem = problem

    async def _write(self, old: dict[str, Any] | None) -> dict[str, Any] | None:
        """Write our claim; return what stands there then."""
        body = old or {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": CLAIM_NAME},
        }
        since = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        method, path = ("PUT", f"{self._path}/{CLAIM_NAME}") if old else ("POST", self._path)
        # Also one that is gone may be held by a process that has not looked since.
        is_replaced = bool(self._recorded) or self._has_met_another
        body["spec"] = {
            "holderIdentity": str(self._settings.own),
            "acquireTime": since,
            "leaseTransitions": int(is_replaced),
        }
        if is_replaced:
            # Before the write: the other one may see it at once.
            self._begin = self._clock.monotonic() + self._settings.patience.total_seconds()
            log.info("claim replaced", extra={"former": self._recorded})
        try:
            return await self._kube.request(method, path, body=body)
        except ConflictError:
            return await self._get()
