"""How azure-identity reaches the token endpoint: over connections of ours, with bounded answers."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import msgspec
from azure.core.pipeline.transport import AioHttpTransport

from appcredential.entra.answers import decoded
from appcredential.entra.operations import TOKEN
from appcredential.entra.tls import tls_context
from appcredential.entra.translate import usable
from appcredential.transport import UNCOMPRESSED, BoundedResponse


class _Token(msgspec.Struct):
    """The members that azure-identity uses. Managed identities have some of them as text."""

    access_token: str
    expires_in: int | str = 0
    expires_on: int | str = 0
    refresh_in: int | str = 0


_TOKEN: Final = msgspec.json.Decoder(_Token)


class TokenTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily
    """azure-core's transport, whose answers end at a bound and are tokens when they say success.

    Args:
        ca_file, extra_ca_file: as for `tls_context`.
    """

    def __init__(self, ca_file: str | None, extra_ca_file: str | None = None) -> None:
        super().__init__(connection_timeout=5, read_timeout=8)
        self._tls = tls_context(ca_file, extra_ca_file)
        self._is_new = True

    async def open(self) -> None:
        """Open the session; azure-core calls it before each request."""
        if self._is_new:
            self._is_new = False
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=True,
                response_class=BoundedResponse,
                auto_decompress=False,
                headers=UNCOMPRESSED,
            )
        await super().open()

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request and read its whole answer.

        Raises:
            AzureError: no answer.
            UnavailableError: the answer says success and is no token.
        """
        response = await super().send(request, **options)
        if response.status_code == 200:
            # An AzureError would be retried.
            with usable(TOKEN, is_write=False):
                decoded(_TOKEN, response.body(), "a token")
        return response
