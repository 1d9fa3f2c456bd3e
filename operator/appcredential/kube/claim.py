"""The claim on a cluster: a Lease that one installation holds for good.

It is no leader election, which is among the replicas of one installation: it never expires, and
only an administrator has it replaced or deletes it. Whoever may not have it, touches nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from appcredential.domain.claim import UNREAD, Claim, claim_problem
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
    """The claim as it was last seen.

    Attributes:
        problem: why this installation may have no effects; empty when it may.
    """

    def __init__(self, kube: KubeClient, clock: Clock, settings: ClaimSettings) -> None:
        self._kube = kube
        self._clock = clock
        self._settings = settings
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{settings.namespace}/leases"
        self._place = f"{settings.namespace}/{CLAIM_NAME}"
        self._recorded = ""
        self._begin = float("-inf")
        self._forbidden_since: float | None = None
        self._goes_without = False
        self.problem = UNREAD

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
        if not take or self.problem or self._recorded == str(self._settings.own):
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
        if self._recorded or self._goes_without:
            return
        now = self._clock.monotonic()
        if self._forbidden_since is None:
            self._forbidden_since = now
        if now - self._forbidden_since < self._settings.patience.total_seconds():
            self._tell(problem)
            return
        log.warning("works without a claim on the cluster", extra={"problem": self._missing})
        self._goes_without = True
        self.problem = ""

    async def _get(self) -> dict[str, Any] | None:
        try:
            return await self._kube.request("GET", f"{self._path}/{CLAIM_NAME}")
        except NotFoundError:
            return None

    def _note(self, document: dict[str, Any] | None) -> None:
        settings = self._settings
        self._recorded = str(((document or {}).get("spec") or {}).get("holderIdentity") or "")
        if self._recorded:
            self._forbidden_since, self._goes_without = None, False
        self._tell(claim_problem(settings.own, self._recorded, settings.replaced, self._place))

    def _tell(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.error("not ready", extra={"problem": problem})
        self.problem = problem

    async def _write(self, old: dict[str, Any] | None) -> dict[str, Any] | None:
        """Write our claim; return what stands there then."""
        body = old or {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": CLAIM_NAME},
        }
        since = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body["spec"] = {"holderIdentity": str(self._settings.own), "acquireTime": since}
        method, path = ("PUT", f"{self._path}/{CLAIM_NAME}") if old else ("POST", self._path)
        if self._recorded:
            # Before the write: the other one may see it at once.
            self._begin = self._clock.monotonic() + self._settings.patience.total_seconds()
            log.info("claim replaced", extra={"former": self._recorded})
        try:
            return await self._kube.request(method, path, body=body)
        except ConflictError:
            return await self._get()
