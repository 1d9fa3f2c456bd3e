"""The issuer of this cluster's ServiceAccount tokens, by the operator's own token.

The token's `iss` is the one that Entra sees in workloads' tokens. The API server's discovery
document has to name the same: while a cluster changes its issuer, the two differ until the old
token is renewed.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from pathlib import Path
from typing import Final

import msgspec

from appcredential.domain.conditions import Problem
from appcredential.domain.issuer_agreement import agreed_issuer
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.status.problems_kube import (
    DISCOVERY_UNREAD,
    ISSUERS_DIFFER,
    OWN_TOKEN_UNREAD,
)
from appcredential.errors import AppCredentialError
from appcredential.kube.client import KubeClient
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

DISCOVERY: Final = "/.well-known/openid-configuration"
_MAX_AGE: Final = 30.0
_MAX_TOKEN: Final = 65536


class _Claims(msgspec.Struct):
    iss: str


class KubeIssuer:
    """Implements `ports.kube.IssuerSource`. An answer is at most half a minute old.

    Args:
        token_file: path of the operator's own projected token, which the kubelet renews.
    """

    def __init__(self, kube: KubeClient, clock: Clock, token_file: str) -> None:
        self._kube = kube
        self._clock = clock
        self._path = Path(token_file)
        self._lock = asyncio.Lock()
        self._found: Issuer | Problem = DISCOVERY_UNREAD
        self._agreed: Issuer | None = None
        self._read_time: float | None = None

    async def current(self) -> Issuer | Problem:
        """See `ports.kube.IssuerSource`."""
        async with self._lock:
            now = self._clock.monotonic()
            if self._read_time is None or now - self._read_time > _MAX_AGE:
                self._found = await self._read_both()
                self._read_time = now
            return self._found

    async def _read_both(self) -> Issuer | Problem:
        issuer = await asyncio.to_thread(self._own_issuer)
        if issuer is None:
            return OWN_TOKEN_UNREAD
        try:
            document = await self._kube.request("GET", DISCOVERY)
        except AppCredentialError as exc:
            log.warning("issuer discovery failed", extra={"error": str(exc)})
            return DISCOVERY_UNREAD
        now = self._clock.now()
        self._agreed = agreed_issuer(self._agreed, issuer, document.get("issuer"), now)
        return self._agreed or ISSUERS_DIFFER

    def _own_issuer(self) -> str | None:
        """Read the `iss` of our own token, unverified: the kubelet put it there."""
        try:
            token = self._path.read_bytes()[:_MAX_TOKEN].strip()
            payload = token.split(b".")[1]
            padded = payload + b"=" * (-len(payload) % 4)
            return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims).iss
        except (OSError, IndexError, ValueError, msgspec.MsgspecError, RecursionError):
            return None
