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
            seen it, and its last effect has ended.
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
        self.problem = UNREAD

    @property
    def is_held(self) -> bool:
        """Return whether the claim is this installation's, and nobody else acts by it any more."""
        is_ours = self._recorded == str(self._settings.own)
        return is_ours and self._clock.monotonic() >= self._begin

    async def look(self, *, take: bool) -> None:
        """Read the claim, and make it ours if it is to be taken and may be.

        Raises:
            AppCredentialError: the API server could not be asked; what was seen stays.
        """
        try:
            document = await self._get()
            self._note(document)
            if take and not self.problem and self._recorded != str(self._settings.own):
                self._note(await self._write(document))
        except PermissionDeniedError:
            self._tell(
                f"the operator may not read and write the Lease {self._place}, in which "
                "installations claim the cluster: give it the Role of examples/deploy/rbac.yaml"
            )

    async def _get(self) -> dict[str, Any] | None:
        try:
            return await self._kube.request("GET", f"{self._path}/{CLAIM_NAME}")
        except NotFoundError:
            return None

    def _note(self, document: dict[str, Any] | None) -> None:
        settings = self._settings
        self._recorded = str(((document or {}).get("spec") or {}).get("holderIdentity") or "")
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
