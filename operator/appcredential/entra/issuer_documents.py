"""The discovery documents of issuers, which Entra has to read before it accepts a token.

Only issuers that the operator's settings list are looked at: the operator never connects to an
address that somebody wrote into a custom resource.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from appcredential.domain.observed.federated import IssuerDocument
from appcredential.entra.tls import tls_context
from appcredential.ports.local import Clock

DISCOVERY: Final = "/.well-known/openid-configuration"

_PERIOD: Final = 600.0
_TIMEOUT: Final = 10.0
_MAX_BYTES: Final = 65536

log = logging.getLogger(__name__)


class _Document(msgspec.Struct):
    issuer: str


class IssuerDocuments:
    """Implements `ports.local.IssuerDocumentSource`.

    An answer counts once two looks in a row got it, so that a moment's trouble is no news. An
    issuer that does not answer at all says nothing: the operator may have no way to it.

    Args:
        issuers: the only ones that are looked at, every ten minutes while somebody asks.
        ca_file: PEM file of authorities to trust besides the public ones, as behind a proxy.
        transport: replaces the network, in tests.
    """

    def __init__(
        self,
        issuers: tuple[str, ...],
        clock: Clock,
        ca_file: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._issuers = issuers
        self._clock = clock
        self._ca_file = ca_file
        self._transport = transport
        self._last: dict[str, IssuerDocument | None] = {}
        self._known: dict[str, IssuerDocument] = {}
        self._refreshed: float | None = None
        self._looking: asyncio.Task[None] | None = None

    def known(self) -> Mapping[str, IssuerDocument]:
        """See `ports.local.IssuerDocumentSource`. The look itself holds nobody up."""
        now = self._clock.monotonic()
        is_due = self._refreshed is None or now - self._refreshed >= _PERIOD
        if self._issuers and is_due:
            self._refreshed = now
            self._looking = asyncio.create_task(self.refresh(), name="issuer documents")
        return self._known

    async def refresh(self) -> None:
        """Read every document once."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        trusted = tls_context(None, self._ca_file)
        async with httpx.AsyncClient(
            headers=headers, timeout=_TIMEOUT, transport=self._transport, verify=trusted
        ) as client:
            for issuer in self._issuers:
                self._note(issuer, await _guarded(client, issuer))

    def _note(self, issuer: str, found: IssuerDocument | None) -> None:
        is_again = issuer in self._last and self._last[issuer] == found
        self._last[issuer] = found
        if not is_again:
            return
        if found is None:
            self._known.pop(issuer, None)
            return
        if self._known.get(issuer) != found and found.issuer != issuer:
            answer = {"issuer": issuer, "status": found.status, "named": found.issuer[:200]}
            log.warning("an issuer's discovery document lets no token be accepted", extra=answer)
        self._known[issuer] = found


async def _guarded(client: httpx.AsyncClient, issuer: str) -> IssuerDocument | None:
    """Return what the issuer answered; no answer of one ends the looks at the others."""
    try:
        return await _look(client, issuer)
    except Exception:  # an outer guard: what one server sends is its own affair
        log.exception("an issuer could not be looked at", extra={"issuer": issuer})
        return None


async def _look(client: httpx.AsyncClient, issuer: str) -> IssuerDocument | None:
    """Return what the issuer answered; None without an answer."""
    try:
        async with (
            asyncio.timeout(_TIMEOUT),
            client.stream("GET", f"{issuer.rstrip('/')}{DISCOVERY}") as response,
        ):
            status = response.status_code
            named = _issuer_of(await _bounded(response)) if status == 200 else ""
            return IssuerDocument(status=status, issuer=named)
    except (TimeoutError, httpx.HTTPError) as exc:
        kind = type(exc).__name__
        log.info("an issuer did not answer", extra={"issuer": issuer, "kind": kind})
        return None


async def _bounded(response: httpx.Response) -> bytes:
    """Return the body as it was sent, not decompressed; nothing of one that is too long."""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > _MAX_BYTES:
            return b""
    return body


def _issuer_of(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Document).issuer
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
