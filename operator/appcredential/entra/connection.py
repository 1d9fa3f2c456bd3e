"""The connection of one EntraTenant to Graph: its token, its HTTP client, and Entra's clock."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

import httpx
from kiota_abstractions.api_error import APIError
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.kiota_client_factory import KiotaClientFactory
from kiota_http.middleware import ParametersNameDecodingHandler
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from appcredential import __version__
from appcredential.domain.clock_skew import Skew, http_date
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.entra.clouds import Endpoints
from appcredential.entra.operations import Observe, ignore
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.sent import Sent, SentCalls
from appcredential.entra.tls import tls_context
from appcredential.entra.translate import (
    STUMBLES,
    RedirectRefusedError,
    graph_code,
    graph_error,
    no_answer,
    transport_error,
)
from appcredential.errors import AppCredentialError
from appcredential.graph_call import note_write
from appcredential.ports.local import Clock
from appcredential.transport import (
    MIB,
    UNCOMPRESSED,
    UnboundedAnswerError,
    check_uncompressed,
    read_bounded,
)

USER_AGENT: Final = f"appcredential/{__version__}"

_MOST_BYTES: Final = 32 * MIB
_MOST_BYTES_OF_AN_ERROR: Final = MIB // 16
_MAX_SKEW: Final = LifecycleSettings().max_clock_skew

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Time-outs in seconds. `request` covers a whole Graph request."""

    connect: float = 5.0
    request: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request. `make` builds it anew for each attempt, right before it is sent."""

    operation: str
    is_write: bool
    make: Callable[[], RequestInformation]


class _Bounded(httpx.AsyncByteStream):
    """The body of an answer up to a bound, which kiota would read without one."""

    def __init__(self, stream: httpx.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield await read_bounded(aiter(self._stream), self._limit)

    async def aclose(self) -> None:
        await self._stream.aclose()


class Connection:
    """The SDK's client for one tenant, through which all its requests are sent.

    The SDK's builders make the requests; answers come back as bytes. Nothing is retried:
    kiota's default handler would send addPassword again after a 504, and nobody would know
    the first password. Redirects are refused. For one event loop.

    Args:
        token: the operator's own; closed with the connection.
        ca_file, extra_ca_file: as for `tls_context`.
        transport: replaces the network, in tests.
    """

    def __init__(
        self,
        token: OperatorToken,
        endpoints: Endpoints,
        *,
        ca_file: str | None,
        extra_ca_file: str | None = None,
        clock: Clock,
        timeouts: Timeouts = Timeouts(),
        observe: Observe = ignore,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._timeouts = timeouts
        self._observe = observe
        self._skew = Skew()
        self._sent = SentCalls()
        self._token = token
        self._http = self._http_client(tls_context(ca_file, extra_ca_file), transport)
        self._adapter = self._request_adapter(endpoints)
        self.graph = GraphServiceClient(request_adapter=self._adapter)

    def skew(self) -> timedelta | None:
        """Return Entra's clock minus ours, from Graph's answers; None when unknown.

        The Date header has whole seconds, so the result is up to 1 s too small.
        """
        return self._skew.ahead(self._clock.now(), self._clock.monotonic())

    def is_skew_doubted(self) -> bool:
        """Return whether one answer has shown a large difference, which a second may confirm."""
        return self._skew.is_doubted

    async def send(self, call: Call) -> bytes:
        """Send a request and return the body of a success; it is empty for 204.

        After a 401 the operator's token is renewed and the request is sent once more. That is
        safe for a write, too: Graph refused it before it changed anything.

        Raises:
            AppCredentialError: as `translate.py` translates the failure. Its `graph` says which
                call it was, if any was sent.
        """
        sent = Sent()
        try:
            body = await self._send(call, sent)
        except AppCredentialError as error:
            error.graph = sent.as_call(call.operation)
            raise
        if call.is_write:
            note_write(sent.as_call(call.operation))
        return body

    async def _send(self, call: Call, sent: Sent) -> bytes:
        await self._token.warm()
        generation = self._token.generation
        try:
            return await self._attempt(call, sent)
        except APIError as error:
            if error.response_status_code != 401:
                raise self._refused(error, call, sent) from None
        await self._token.forget(generation)
        await self._token.warm()
        try:
            return await self._attempt(call, sent)
        except APIError as error:
            raise self._refused(error, call, sent) from None

    def _refused(self, error: APIError, call: Call, sent: Sent) -> AppCredentialError:
        sent.code = graph_code(error)
        return graph_error(error, call.operation, self._clock.now(), is_write=call.is_write)

    async def write(self, call: Call) -> None:
        """Send a write that Graph answers with 204.

        Raises:
            OutcomeUnknownError: there is an answer, so somebody else than Graph gave it.
            AppCredentialError: as `translate.py` translates the failure.
        """
        if await self.send(call):
            why = "an answer where Graph gives none"
            raise no_answer(call.operation, why, is_write=call.is_write)

    async def forget_token(self) -> None:
        """Make the next request ask for a new token of the operator."""
        await self._token.forget(self._token.generation)

    async def close(self) -> None:
        """Close every connection, to Graph and to the token endpoint."""
        await self._http.aclose()
        await self._token.close()

    async def _attempt(self, call: Call, sent: Sent) -> bytes:
        started = self._clock.monotonic()
        sent.status = 0
        try:
            async with asyncio.timeout(self._timeouts.request):
                body = await self._send_raw(call, sent)
            sent.status = 200
        except APIError as error:
            sent.status = int(error.response_status_code or 0)
            raise
        except httpx.HTTPError as error:
            raise transport_error(error, call.operation, is_write=call.is_write) from None
        except TimeoutError:
            why = f"no answer in {self._timeouts.request:g} s"
            raise no_answer(call.operation, why, is_write=call.is_write) from None
        except UnboundedAnswerError as error:
            raise no_answer(call.operation, str(error), is_write=call.is_write) from None
        except STUMBLES:
            # For instance a claims challenge that is not base64, which kiota does not expect.
            why = "an answer the SDK cannot read"
            raise no_answer(call.operation, why, is_write=call.is_write) from None
        finally:
            self._observe(call.operation, sent.status, self._clock.monotonic() - started)
            self._sent.end(sent)
        return body

    async def _send_raw(self, call: Call, sent: Sent) -> bytes:
        info = call.make()
        # The SDK keeps a client id in a place that all requests share, and reads it from there
        # once it has a token, which may be after others were made.
        info.path_parameters = dict(info.path_parameters)
        request_id = self._sent.begin(sent)
        info.headers.try_add("client-request-id", request_id)
        _log.debug("%s: client-request-id %s", call.operation, request_id)
        body = await self._adapter.send_primitive_async(info, "bytes", {"XXX": ODataError})
        return body if isinstance(body, bytes) else b""

    def _http_client(
        self, tls: ssl.SSLContext, transport: httpx.AsyncBaseTransport | None
    ) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            verify=tls,
            http2=False,
            timeout=httpx.Timeout(self._timeouts.request, connect=self._timeouts.connect),
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=50),
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, **UNCOMPRESSED},
            event_hooks={"response": [self._answered]},
            transport=transport,
        )
        # The only handler that stays: builders write `%24select`, Graph documents `$select`.
        return KiotaClientFactory.create_with_custom_middleware(
            [ParametersNameDecodingHandler()], client=client
        )

    def _request_adapter(self, endpoints: Endpoints) -> GraphRequestAdapter:
        provider = AzureIdentityAuthenticationProvider(
            self._token, scopes=[endpoints.graph_scope], allowed_hosts=[]
        )
        adapter = GraphRequestAdapter(provider, client=self._http)
        adapter.base_url = endpoints.graph_base_url
        return adapter

    async def _answered(self, response: httpx.Response) -> None:
        """Check every answer of Graph before kiota reads it."""
        self._sent.answered(response)
        if response.is_redirect:
            # kiota would take a redirect that it does not follow for a success.
            raise RedirectRefusedError(f"HTTP {response.status_code}")
        check_uncompressed(response.headers)
        limit = _MOST_BYTES if response.is_success else _MOST_BYTES_OF_AN_ERROR
        stream = cast("httpx.AsyncByteStream", response.stream)  # as the client is an async one
        response.stream = _Bounded(stream, limit)
        date = http_date(response.headers.get("Date", ""))
        if date is not None:
            clock = self._clock
            self._skew = self._skew.seen(date, clock.now(), clock.monotonic(), _MAX_SKEW)
