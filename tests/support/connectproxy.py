"""A proxy that tunnels, also to another place than it was asked for, and notes the requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class ConnectProxy:
    """Its address, where it tunnels to instead of some places, and the head of each request.

    A place is `host:port`.
    """

    port: int = 0
    instead: Mapping[str, str] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        asked = head.split()[1]
        host, _, port = self.instead.get(asked, asked).rpartition(":")
        to_reader, to_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_copy(reader, to_writer), _copy(to_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def connect_proxy(instead: Mapping[str, str] | None = None) -> AsyncIterator[ConnectProxy]:
    """Listen on a free port of 127.0.0.1."""
    proxy = ConnectProxy(instead=instead or {})
    async with await asyncio.start_server(proxy.handle, "127.0.0.1", 0) as server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy
