"""What one client may hold of a server that anybody can reach, over the loopback interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web

from appcredential.runtime import http_server
from appcredential.runtime.http_server import HttpServer

BOUND = 4
HALF = b"GET /page HTTP/1.1\r\nHost: x\r\n"
WHOLE = HALF + b"\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(text: str = "here\n", connections: int = BOUND) -> AsyncIterator[HttpServer]:
    async def page(_request: web.BaseRequest) -> web.Response:
        return web.Response(text=text)

    server = HttpServer({"/page": page}, connections=connections)
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.stop()


async def send(server: HttpServer, request: bytes) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    await writer.drain()
    return reader, writer


async def is_over(streams: Streams) -> bool:
    """Read until the server ends the connection."""
    reader, writer = streams
    async with asyncio.timeout(5):
        with suppress(ConnectionResetError):
            while await reader.read(65536):
                pass
    writer.close()
    return True


async def answer(server: HttpServer, request: bytes = WHOLE) -> bytes:
    reader, writer = await send(server, request)
    async with asyncio.timeout(5):
        text = await reader.read()
    writer.close()
    return text


def open_connections(server: HttpServer) -> int:
    assert server._runner is not None
    assert server._runner.server is not None
    return len(server._runner.server.connections)


async def test_half_requests_make_room_for_whole_ones() -> None:
    async with serving() as server:
        held = [await send(server, HALF) for _ in range(5 * BOUND)]
        assert b" 200 OK" in await answer(server)
        assert [await is_over(one) for one in held[: -BOUND + 1]]
        for _, writer in held:
            writer.close()


async def test_a_burst_does_not_end_what_was_asked_before_it() -> None:
    async with serving(connections=16) as server:
        # All of these wait in the kernel before the server accepts the first one.
        asking = begin(server, WHOLE)
        burst = [begin(server, HALF) for _ in range(60)]
        reader, writer = await asyncio.open_connection(sock=asking)
        async with asyncio.timeout(5):
            assert b" 200 OK" in await reader.read()
        writer.close()
        for one in burst:
            one.close()


def begin(server: HttpServer, request: bytes) -> socket.socket:
    """Connect and send without giving the server's loop a turn."""
    one = socket.socket()
    one.settimeout(0)
    one.connect_ex(("127.0.0.1", server.port))
    with suppress(OSError):
        one.send(request)
    return one


@pytest.mark.parametrize("start", [b"", HALF])
async def test_a_request_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    assert http_server.HEAD_SECONDS == 5
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.05)
    async with serving() as server:
        assert await is_over(await send(server, start))


async def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert http_server.LIFE_SECONDS == 10
    monkeypatch.setattr(http_server, "LIFE_SECONDS", 0.2)
    async with serving("x" * 50_000_000) as server:
        reader, writer = await send(server, WHOLE)
        async with asyncio.timeout(5):
            # The client reads nothing meanwhile.
            while open_connections(server):  # noqa: ASYNC110 - a loss sets no event
                await asyncio.sleep(0.01)
        assert len(await reader.read(100_000_000)) < 50_000_000
        writer.close()


async def test_a_connection_serves_one_request() -> None:
    async with serving() as server:
        assert (await answer(server, WHOLE + WHOLE)).count(b"200 OK") == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_only_reading_is_answered(method: str) -> None:
    async with serving() as server:
        head = f"{method} /page HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
        assert b" 405 " in await answer(server, head.encode())


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /page HTTP/1.1\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
        b"GET /page HTTP/1.1\r\na: " + b"b" * 1_000_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_short_request_ends_the_connection(request_: bytes) -> None:
    async with serving() as server:
        with suppress(ConnectionError):
            assert b" 200 OK" not in await answer(server, request_)
        assert b" 200 OK" in await answer(server)


async def test_a_free_port_is_told_and_given_back() -> None:
    async with serving() as server:
        url = f"http://127.0.0.1:{server.port}/page"
        async with aiohttp.ClientSession() as session, session.get(url) as found:
            assert await found.text() == "here\n"
    with pytest.raises(ConnectionRefusedError):
        await answer(server)


async def test_a_server_that_never_started_can_be_stopped() -> None:
    await HttpServer({}, connections=1).stop()
