"""A headless Chromium, steered by its protocol: what a page asks for, complains of and shows."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp

PROGRAM: Final = shutil.which("chromium")
"""None where it is not installed."""
_SECONDS: Final = 60
_FLAGS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--remote-debugging-port=0", "--disable-background-networking", "--force-color-profile=srgb"),
    *("--disable-dev-shm-usage", "--disable-component-update", "--font-render-hinting=none"),
)


class Tab:
    """One page of a browser.

    Attributes:
        requested: the addresses of all that the page asked for.
        complaints: what was written to the console, and exceptions.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._loaded = False
        self.requested: list[str] = []
        self.complaints: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result; what happens meanwhile is noted."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(message)
        while True:
            answer = await self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    async def open(self, url: str) -> None:
        """Load a page and wait until all of it is there."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        self._loaded = False
        await self.call("Page.navigate", url=url)
        while not self._loaded:
            await self._receive()

    async def value(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def media(self, kind: str = "", **features: str) -> None:
        """Have the page shown for a medium, such as print, with features such as dark colours."""
        wanted = [{"name": n.replace("_", "-"), "value": v} for n, v in features.items()]
        await self.call("Emulation.setEmulatedMedia", media=kind, features=wanted)

    async def size(self, width: int, height: int, scale: float = 1) -> None:
        """Give the window a size."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    async def picture(self) -> bytes:
        """Return what is in the window as PNG."""
        found = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(found["data"])

    async def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._socket.receive_json(timeout=_SECONDS)
        self._note(str(message.get("method")), message.get("params") or {})
        return message

    def _note(self, method: str, told: Mapping[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requested.append(told["request"]["url"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.complaints.append(str(told))
            case "Page.loadEventFired":
                self._loaded = True
            case _:
                pass


@asynccontextmanager
async def chromium() -> AsyncIterator[Tab]:
    """Start a browser with an empty page, and end it."""
    assert PROGRAM is not None
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        running = await asyncio.create_subprocess_exec(
            PROGRAM,
            *_FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_SECONDS), aiohttp.ClientSession() as session:
                port = await _port(running)
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = [p for p in await answer.json() if p["type"] == "page"]
                url = pages[0]["webSocketDebuggerUrl"]
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    yield Tab(socket)
        finally:
            running.terminate()
            await running.communicate()


async def _port(running: asyncio.subprocess.Process) -> int:
    assert running.stderr is not None
    async for line in running.stderr:
        if b"DevTools listening on ws://" in line:
            return int(line.rsplit(b":", 1)[1].split(b"/")[0])
    raise AssertionError("chromium ended before it listened")
