"""What the HTTP clients of `entra/` and `kube/` share: proxies, and answers that end at a bound.

A proxy, a broken server or an object that a user made large decides how much an answer holds. So
it is asked for uncompressed and read piece by piece, and given up at the first byte too many.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

MIB: Final = 2**20

UNCOMPRESSED: Final[Mapping[str, str]] = {"Accept-Encoding": "identity"}
"""Headers of a request. A few KiB of gzip can hold gigabytes."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Through which proxy one server is reached, as aiohttp's requests take it.

    Attributes:
        url: without credentials; None for a direct connection.
        headers: for the proxy alone, with its credentials.
    """

    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def environment_proxy(url: str) -> Proxy:
    """Return the proxy that HTTPS_PROXY and its kin name for a server, and NO_PROXY does not spare.

    For sessions with `trust_env=False`. With True, aiohttp reads the environment and the file
    .netrc anew for each request, in two threads, which costs more than the request.
    """
    server = urlsplit(url)
    named = getproxies().get(server.scheme)
    if not named or proxy_bypass(server.hostname or ""):
        return Proxy()
    proxy = urlsplit(named)
    user, password = (unquote(part or "") for part in (proxy.username, proxy.password))
    if not user:
        return Proxy(named)
    address = proxy._replace(netloc=proxy.netloc.rpartition("@")[2])
    credentials = aiohttp.encode_basic_auth(user, password)
    return Proxy(address.geturl(), {"Proxy-Authorization": credentials})


class UnboundedAnswerError(Exception):
    """An answer is larger than any that the server has reason to send, or compressed unasked."""


def check_uncompressed(headers: Mapping[str, str]) -> None:
    """Check an answer's headers.

    Raises:
        UnboundedAnswerError: its body would grow when it is read.
    """
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        raise UnboundedAnswerError("an answer that is compressed, which was not asked for")


async def read_bounded(pieces: AsyncIterator[bytes], limit: int) -> bytes:
    """Return all of a body.

    Raises:
        UnboundedAnswerError: it has more than `limit` bytes; the rest is not read.
    """
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            raise UnboundedAnswerError(f"an answer of more than {limit} bytes")
    return bytes(body)


async def read_lines(answer: aiohttp.ClientResponse, limit: int) -> AsyncIterator[bytes]:
    """Yield the lines of an answer as they come, without the last one if it has no end.

    Raises:
        TooLargeError: a line has more than `limit` bytes, or the answer is compressed.
    """
    try:
        check_uncompressed(answer.headers)
    except UnboundedAnswerError as error:
        raise TooLargeError(str(error)) from None
    rest = bytearray()
    async for piece in answer.content.iter_any():
        rest += piece
        *whole, last = rest.split(b"\n") if b"\n" in piece else (rest,)
        for line in whole:
            yield bytes(line)
        rest = last
        if len(rest) > limit:
            raise TooLargeError(f"a line of more than {limit} bytes")


class TooLargeError(aiohttp.ClientPayloadError):
    """What aiohttp's users see of an UnboundedAnswerError."""


class BoundedResponse(aiohttp.ClientResponse):
    """For `response_class` of an aiohttp session that has `auto_decompress=False`.

    Whatever library reads the body gets a TooLargeError at the bound.
    """

    limit: ClassVar[int] = MIB

    async def read(self) -> bytes:
        """Read the whole body."""
        if self._body is None:
            try:
                check_uncompressed(self.headers)
                self._body = await read_bounded(self.content.iter_any(), self.limit)
            except UnboundedAnswerError as error:
                # To close TLS in order, asyncio would go on reading what the server sends.
                if self.connection is not None and self.connection.transport is not None:
                    self.connection.transport.abort()
                self.close()
                raise TooLargeError(str(error)) from None
            except BaseException:
                self.close()
                raise
        return self._body
