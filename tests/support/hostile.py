"""A TLS server, or a proxy that was trusted, whose answers are made to hurt whoever reads them."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from tests.support.tokenserver import serve

MIB: Final = 2**20
_MOST: Final = 64 * MIB
_PIECE: Final = b"x" * 65536
_DEEP: Final = b"[" * 50_000 + b"]" * 50_000

BODIES: Final = {
    "huge token": b'{"access_token": "' + b"x" * 2 * MIB + b'", "expires_in": 3599}',
    "many values": b'{"value": [' + b"{}," * 1_000_000 + b"{}]}",
    "deep": b'{"access_token": "t", "expires_in": 1, "value": ' + _DEEP + b"}",
    "deep in ours": b'{"value": ' + _DEEP + b', "access_token": ' + _DEEP + b"}",
    "huge number": b'{"access_token": "t", "expires_in": ' + b"9" * 5000 + b', "value": 1e999}',
    "number in text": b'{"access_token": "t", "expires_in": "' + b"9" * 5000 + b'"}',
    "surrogate": b'{"access_token": "\\ud800", "value": ["\\udfff"]}',
    "no UTF-8": b'{"access_token": "\xff\xfe", "value": "\xff"}',
    "NaN": b'{"access_token": NaN, "value": Infinity}',
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "HTML": b"<html><body>Sign in to this network</body></html>",
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
}
"""What is sent whole, as JSON, by name."""


class HostileServer:
    """Answers all requests alike.

    Attributes:
        how: `gzip`, `endless`, `slow` or a name in `BODIES`.
        status: of the answers.
        kind: their Content-Type.
        sent: how many bytes of bodies it could send.
        encodings: what each request said that it takes.
    """

    def __init__(self, folder: Path) -> None:
        self.ca_file = str(folder / "ca.pem")
        self.url = ""
        self.how = "HTML"
        self.status = 200
        self.kind = "application/json"
        self.sent = 0
        self.encodings: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.encodings.append(request.headers.get("Accept-Encoding", ""))
        response = web.StreamResponse(status=self.status, headers={"Content-Type": self.kind})
        if self.how == "gzip":
            response.headers["Content-Encoding"] = "gzip"
        await response.prepare(request)
        async for piece in self._pieces():
            await response.write(piece)
            self.sent += len(piece)
        return response

    async def _pieces(self) -> AsyncIterator[bytes]:
        if self.how == "gzip":
            yield gzip.compress(bytes(_MOST))
        elif self.how == "endless":
            for _ in range(_MOST // len(_PIECE)):
                yield _PIECE
                await asyncio.sleep(0)  # to hear that the client went away
        elif self.how == "slow":
            yield b"{"
            await asyncio.sleep(30)  # the server's shutdown ends it
        else:
            yield BODIES[self.how]


@asynccontextmanager
async def hostile_server(folder: Path) -> AsyncIterator[HostileServer]:
    """Serve on a free port of 127.0.0.1."""
    server = HostileServer(folder)
    async with serve(folder, server.handle) as server.url:
        yield server
