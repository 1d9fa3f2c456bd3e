"""Sign-ins that prove a credential: one raw request to the token endpoint each.

azure-identity caches tokens and keeps connections open, so a second sign-in with it would
prove nothing. Here each one uses a new connection, so that it may reach another replica.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Final

import aiohttp
import msgspec

from appcredential.domain.proof import UNREACHABLE, UNTRUSTED, UNUSABLE, SignInResult, classify
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, TenantId, VerificationScope
from appcredential.entra.answers import UnreadableAnswerError, decoded
from appcredential.entra.clouds import Endpoints
from appcredential.entra.connection import USER_AGENT
from appcredential.entra.operations import TOKEN, Observe, ignore
from appcredential.entra.tls import is_untrusted, tls_context
from appcredential.entra.translate import retry_after
from appcredential.entra.wire import plain
from appcredential.ports.local import Clock
from appcredential.transport import UNCOMPRESSED, BoundedResponse, environment_proxy
from appcredential.x509.generate import sign_assertion

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_Number = Annotated[int, msgspec.Meta(ge=0, le=999_999_999)]
_log = logging.getLogger(__name__)


class _Token(msgspec.Struct):
    """Decoded only to see whether there is a token."""

    access_token: str


class _Refusal(msgspec.Struct):
    """The AADSTS numbers. More digits than Entra's have, or more numbers, are none of Entra's."""

    error_codes: Annotated[list[_Number], msgspec.Meta(max_length=16)] = []


_TOKEN: Final = msgspec.json.Decoder(_Token)
_REFUSAL: Final = msgspec.json.Decoder(_Refusal)


class TokenEndpoint:
    """Signs applications in, to prove their credentials. Implements `ports.entra.SignIn`.

    Args:
        ca_file, extra_ca_file: as for `tls_context`.
        timeout: seconds for one sign-in, connecting included.
        skew: Entra's clock minus ours, for the times in an assertion.
    """

    def __init__(
        self,
        tenant_id: TenantId,
        endpoints: Endpoints,
        *,
        ca_file: str | None,
        extra_ca_file: str | None = None,
        clock: Clock,
        timeout: float = 15.0,
        observe: Observe = ignore,
        skew: Callable[[], timedelta | None] = lambda: None,
    ) -> None:
        self._skew = skew
        self._url = endpoints.token_url(tenant_id)
        self._proxy = environment_proxy(self._url)
        self._graph_scope = endpoints.graph_scope
        self._tls = tls_context(ca_file, extra_ca_file)
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._observe = observe

    async def with_secret(
        self,
        client_id: ClientId,
        secret: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        """Sign in once on a new connection, and discard the token; see `ports.entra.SignIn`."""
        proof = {"client_secret": secret.reveal()}
        return await self._sign_in(client_id, proof, scope, correlation)

    async def with_certificate(
        self,
        client_id: ClientId,
        value: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        """Sign in with an assertion that a certificate's key signs; see `ports.entra.SignIn`."""
        # Entra judges its times by its own clock, which is known once Graph has answered.
        now = self._clock.now() + (self._skew() or timedelta(0))
        try:
            assertion = await asyncio.to_thread(sign_assertion, value, client_id, self._url, now)
        except ValueError:
            return UNUSABLE
        proof = {"client_assertion": assertion.reveal(), "client_assertion_type": _ASSERTION}
        return await self._sign_in(client_id, proof, scope, correlation)

    async def with_assertion(
        self,
        client_id: ClientId,
        assertion: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        """Sign in with a token of another issuer; see `ports.entra.SignIn`."""
        proof = {"client_assertion": assertion.reveal(), "client_assertion_type": _ASSERTION}
        return await self._sign_in(client_id, proof, scope, correlation)

    async def _sign_in(
        self,
        client_id: ClientId,
        proof: Mapping[str, str],
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        form = {
            "client_id": client_id,
            "grant_type": "client_credentials",
            "scope": self._scope(client_id, scope),
            **proof,
        }
        headers = {"User-Agent": USER_AGENT, "client-request-id": plain(correlation)}
        started = self._clock.monotonic()
        status = 0
        try:
            status, result = await self._post(form, headers)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # Log the name only: some of these errors carry the request.
            _log.debug("sign-in of %s: %s", client_id, type(error).__name__)
            result = UNTRUSTED if is_untrusted(error) else UNREACHABLE
        self._observe(TOKEN, status, self._clock.monotonic() - started)
        return result

    async def _post(
        self, form: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, SignInResult]:
        connector = aiohttp.TCPConnector(ssl=self._tls, force_close=True)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                response_class=BoundedResponse,
                auto_decompress=False,
                headers=UNCOMPRESSED,
            ) as session,
            session.post(
                self._url,
                data=form,
                headers=headers,
                allow_redirects=False,
                proxy=self._proxy.url,
                proxy_headers=self._proxy.headers,
            ) as response,
        ):
            return response.status, self._judge(response, await response.read())

    def _judge(self, response: aiohttp.ClientResponse, body: bytes) -> SignInResult:
        status = response.status
        codes = _codes(body)
        # Without a number, the log is where the status is told.
        level = logging.DEBUG if codes or status == 200 else logging.INFO
        _log.log(level, "sign-in: HTTP %d, AADSTS %s", status, codes[0] if codes else "-")
        if 300 <= status < 400 or (200 <= status < 300 and not _has_token(body)):
            # A proxy or portal answered instead of Entra, which proves nothing.
            return UNREACHABLE
        return classify(status, codes, retry_after(response.headers, self._clock.now()))

    def _scope(self, client_id: ClientId, scope: VerificationScope) -> str:
        return self._graph_scope if scope is VerificationScope.GRAPH else f"{client_id}/.default"


def _codes(body: bytes) -> tuple[int, ...]:
    try:
        return tuple(decoded(_REFUSAL, body, "a refusal").error_codes)
    except UnreadableAnswerError:
        return ()


def _has_token(body: bytes) -> bool:
    try:
        return decoded(_TOKEN, body, "a token").access_token != ""
    except UnreadableAnswerError:
        return False
