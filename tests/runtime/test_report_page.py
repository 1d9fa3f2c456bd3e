"""Who is shown the report, and what somebody who may not see it can cost."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import pytest
from aiohttp.web_protocol import RequestHandler

from appcredential.domain.secret_value import SecretValue
from appcredential.errors import PermissionDeniedError, UnavailableError
from appcredential.ports.viewers import ViewerAccess
from appcredential.runtime import http_server
from appcredential.runtime.health import probe_server
from appcredential.runtime.report_page import QUESTIONS_PER_SECOND, Rendering, ReportPage
from tests.support.clock import HandClock

TOKEN: Final = "eyJhbGciOi.canary-canary-canary.c2lnbmF0dXJl"
SECURITY: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


@dataclass
class World:
    """An API server that knows one token, and a page."""

    clock: HandClock = field(default_factory=HandClock)
    access: ViewerAccess = ViewerAccess.ALLOWED
    error: Exception | None = None
    problem: str = ""
    asked: list[str] = field(default_factory=list)
    rendered: int = 0
    hold: threading.Event | None = None
    answers: asyncio.Event | None = None

    async def viewer(self, token: SecretValue) -> ViewerAccess:
        self.asked.append(token.reveal())
        if self.answers is not None:
            await self.answers.wait()
        if self.error is not None:
            raise self.error
        return self.access if token.reveal() == TOKEN else ViewerAccess.UNKNOWN

    def render(self) -> str:
        assert threading.current_thread() is not threading.main_thread()
        self.rendered += 1
        if self.hold is not None:
            assert self.hold.wait(20)
        return f"<p>page {self.rendered}</p>"


class Viewers:
    """Implements `ports.Viewers`."""

    def __init__(self, world: World) -> None:
        self.access = world.viewer


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[str]:
    rendering = Rendering(lambda: world.problem, world.render, "default-src 'none'")
    page = ReportPage(Viewers(world), rendering, world.clock)
    server = probe_server(str, str, page)
    await server.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop()


@dataclass
class Got:
    """One answer."""

    status: int
    text: str
    headers: dict[str, str]


async def get(url: str, authorization: str | None = f"Bearer {TOKEN}", how: str = "GET") -> Got:
    headers = {} if authorization is None else {"Authorization": authorization}
    timeout = aiohttp.ClientTimeout(total=20)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.request(how, f"{url}/report", headers=headers) as answer,
    ):
        return Got(answer.status, await answer.text(), dict(answer.headers))


async def test_who_may_list_them_sees_the_page() -> None:
    world = World()
    async with serving(world) as url:
        got = await get(url)

    assert (got.status, got.text) == (200, "<p>page 1</p>")
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"
    assert world.asked == [TOKEN]
    assert got.headers.items() >= SECURITY.items()


@pytest.mark.parametrize(
    ("authorization", "asked"),
    [
        (None, False),
        ("", False),
        (TOKEN, False),
        ("Basic dXNlcjpwYXNz", False),
        ("Bearer", False),
        ("Bearer two words", False),
        ("Bearer mit-Ümlaut", False),
        ("Bearer " + "x" * 8001, False),
        ("Bearer somebody-else-s", True),
    ],
)
async def test_without_a_good_token_it_says_how(authorization: str | None, asked: bool) -> None:
    world = World()
    async with serving(world) as url:
        got = await get(url, authorization)

    assert got.status == 401
    assert got.headers["WWW-Authenticate"] == 'Bearer realm="appcredential"'
    assert got.text.count("\n") == 1
    assert bool(world.asked) is asked
    assert world.rendered == 0
    assert got.headers.items() >= SECURITY.items()


async def test_who_may_not_list_them_is_refused() -> None:
    world = World(access=ViewerAccess.REFUSED)
    async with serving(world) as url:
        got = await get(url)

    told = "this token's user may not list appcredentials in all namespaces\n"
    assert (got.status, got.text) == (403, told)
    assert world.rendered == 0


async def test_a_page_that_asks_nobody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with a page that takes each token for one that may."""

    async def allow(*_: object) -> ViewerAccess:
        return ViewerAccess.ALLOWED

    monkeypatch.setattr(ReportPage, "_ask", allow)
    with pytest.raises(AssertionError):
        await test_who_may_not_list_them_is_refused()


async def test_a_yes_is_not_kept() -> None:
    """Somebody who loses the right is refused at once, though the page is still there."""
    world = World()
    async with serving(world) as url:
        assert (await get(url)).status == 200
        world.access = ViewerAccess.REFUSED
        assert (await get(url)).status == 403
        world.access = ViewerAccess.UNKNOWN
        assert (await get(url)).status == 401


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (UnavailableError("no answer"), "5"),
        (TimeoutError(), "5"),
        (PermissionDeniedError("no right"), "60"),
    ],
)
async def test_without_an_answer_of_the_api_server_nobody_sees_it(
    error: Exception, after: str
) -> None:
    world = World(error=error)
    async with serving(world) as url:
        got = await get(url)

    assert (got.status, got.headers["Retry-After"]) == (503, after)
    assert got.text.count("\n") == 1
    assert world.rendered == 0


async def test_before_the_first_lists_there_is_nothing_to_see() -> None:
    world = World(problem="the first lists are not complete")
    async with serving(world) as url:
        got = await get(url)

    assert (got.status, got.text) == (503, "the first lists are not complete\n")


@pytest.mark.parametrize("how", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_it_is_only_read(how: str) -> None:
    world = World()
    async with serving(world) as url:
        assert (await get(url, how=how)).status == 405
        head = await get(url, how="HEAD")
    assert (head.status, head.text) == (200, "")
    assert world.asked == [TOKEN]


async def test_a_page_is_rendered_once_for_those_who_come_within_seconds() -> None:
    world = World(hold=threading.Event())
    async with serving(world) as url:
        first = [asyncio.create_task(get(url)) for _ in range(4)]
        await turns(lambda: bool(world.rendered) and len(world.asked) == len(first))
        assert (await probe(url)) == 200, "probes are answered meanwhile"
        assert world.hold is not None
        world.hold.set()
        assert {got.text for got in await asyncio.gather(*first)} == {"<p>page 1</p>"}
        world.clock.seconds += 4
        assert (await get(url)).text == "<p>page 1</p>"
        world.clock.seconds += 2
        assert (await get(url)).text == "<p>page 2</p>"


async def turns(holds: Callable[[], bool]) -> None:
    """Let others run until a condition holds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0)


async def probe(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/livez") as answer:
        return answer.status


async def test_made_up_tokens_cannot_have_the_api_server_asked_without_end() -> None:
    world = World()
    async with serving(world) as url:
        many = [await get(url, f"Bearer made-up-{number}") for number in range(30)]
        assert [got.status for got in many[:QUESTIONS_PER_SECOND]] == [401] * QUESTIONS_PER_SECOND
        assert {got.status for got in many[QUESTIONS_PER_SECOND:]} == {503}
        assert many[-1].headers["Retry-After"] == "1"
        assert len(world.asked) == QUESTIONS_PER_SECOND
        world.clock.seconds += 1
        assert (await get(url)).status == 200


async def test_an_api_server_that_does_not_answer_is_asked_four_times_at_most() -> None:
    world = World(answers=asyncio.Event())
    async with serving(world) as url:
        waiting = [asyncio.create_task(get(url)) for _ in range(4)]
        await turns(lambda: len(world.asked) == len(waiting))
        assert (await get(url)).status == 503
        assert world.answers is not None
        world.answers.set()
        assert [got.status for got in await asyncio.gather(*waiting)] == [200] * 4
        assert (await get(url)).status == 200


async def test_a_token_is_in_no_log_and_in_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    long = TOKEN + "x" * 20_000
    for world in (World(), World(access=ViewerAccess.REFUSED), World(error=TimeoutError())):
        async with serving(world) as url:
            answers = [await get(url), await get(url, f"Bearer {TOKEN}!"), await get(url, TOKEN)]
            refused = await get(url, f"Bearer {long}")
            assert 400 <= refused.status < 500
            for got in (*answers, refused):
                assert "canary" not in got.text + str(got.headers)
    assert "canary" not in caplog.text


async def test_a_server_that_quotes_what_it_cannot_read_is_noticed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with the library's own answer to a header that is too long."""
    monkeypatch.setattr(http_server, "_Handler", RequestHandler)
    with pytest.raises(AssertionError):
        await test_a_token_is_in_no_log_and_in_no_answer(caplog)
    assert "canary" in caplog.text


async def test_without_the_setting_there_is_no_such_page() -> None:
    server = probe_server(str, str)
    await server.start("127.0.0.1", 0)
    try:
        assert (await get(f"http://127.0.0.1:{server.port}")).status == 404
    finally:
        await server.stop()
