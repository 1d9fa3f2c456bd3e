"""Who issues this cluster's ServiceAccount tokens, by the operator's own token.

Its `iss` is what Entra will see in workloads' tokens. The discovery document of the
API server has to agree: while a cluster changes its issuer, the two differ for as long
as the old token lives.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from pathlib import Path
from typing import Final

import msgspec

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.observed.federated import Issuer
from appcredential.errors import AppCredentialError
from appcredential.kube.client import KubeClient
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

DISCOVERY: Final = "/.well-known/openid-configuration"
_MAX_AGE: Final = 30.0
_MAX_TOKEN: Final = 65536

NO_TOKEN: Final = Problem(
    reason=Reason.ISSUER_UNKNOWN,
    message="The operator's own ServiceAccount token cannot be read, which says who issues tokens "
    "here. Mount one and name its file in APPCREDENTIAL_SERVICE_ACCOUNT_TOKEN_FILE.",
)
UNREAD: Final = Problem(
    reason=Reason.ISSUER_UNKNOWN,
    message="The API server's issuer discovery document cannot be read. Let the operator's "
    "ServiceAccount read it: ClusterRole system:service-account-issuer-discovery.",
    stalled=False,
)
DIFFERENT: Final = Problem(
    reason=Reason.ISSUER_UNKNOWN,
    message="The API server's discovery document names another issuer than the operator's own "
    "token. That passes when the cluster's issuer was changed lately.",
    stalled=False,
)


class _Claims(msgspec.Struct):
    iss: str


class KubeIssuer:
    """The IssuerSource port. What it says is at most half a minute old.

    Args:
        token_file: path of the operator's own projected token, which the kubelet renews.
    """

    def __init__(self, kube: KubeClient, clock: Clock, token_file: str) -> None:
        self._kube = kube
        self._clock = clock
        self._path = Path(token_file)
        self._lock = asyncio.Lock()
        self._found: Issuer | Problem = UNREAD
        self._agreed: Issuer | None = None
        self._read: float | None = None

    async def current(self) -> Issuer | Problem:
        """See `ports.IssuerSource`."""
        async with self._lock:
            now = self._clock.monotonic()
            if self._read is None or now - self._read > _MAX_AGE:
                self._found = await self._look()
                self._read = now
            return self._found

    async def _look(self) -> Issuer | Problem:
        issuer = await asyncio.to_thread(self._own)
        if issuer is None:
            return NO_TOKEN
        try:
            document = await self._kube.request("GET", DISCOVERY)
        except AppCredentialError as exc:
            log.warning("issuer discovery failed", extra={"error": str(exc)})
            return UNREAD
        if document.get("issuer") != issuer:
            # Reads that do not agree end the time for which they did.
            self._agreed = None
            return DIFFERENT
        if self._agreed is None or self._agreed.url != issuer:
            self._agreed = Issuer(url=issuer, since=self._clock.now())
        return self._agreed

    def _own(self) -> str | None:
        """Read the `iss` of our own token. The API server made it, so nothing is verified."""
        try:
            token = self._path.read_bytes()[:_MAX_TOKEN].strip()
            payload = token.split(b".")[1]
            padded = payload + b"=" * (-len(payload) % 4)
            return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims).iss
        except (OSError, IndexError, binascii.Error, msgspec.MsgspecError, UnicodeDecodeError):
            return None
