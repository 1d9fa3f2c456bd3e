"""What the log says of an API server that gives no answer."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import pytest

from appcredential.errors import UnavailableError
from appcredential.kube.outage import Outage
from tests.kube.test_bounds import connected
from tests.support.builders import SECOND
from tests.support.clock import HandClock
from tests.support.hostile import hostile_server

PODS: Final = "/api/v1/pods"


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="appcredential.kube.outage")


@pytest.fixture
async def closed(tmp_path: Path) -> str:
    """Return the address of a server that was stopped."""
    async with hostile_server(tmp_path) as running:
        return running.url


def test_an_outage_is_one_line_and_its_end_another(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Outage(clock)
    outage.note_answer()
    for _ in range(300):
        outage.note_failure(TimeoutError())
        clock.advance(SECOND)
    outage.note_answer()
    outage.note_answer()
    first, last = caplog.records
    assert (first.levelname, first.getMessage(), vars(first)["kind"]) == (
        "WARNING",
        "API server unreachable",
        "TimeoutError",
    )
    assert last.getMessage() == "API server reachable again"
    assert (vars(last)["seconds"], vars(last)["failed_requests"]) == (300.0, 300)


def test_the_next_outage_is_told_again(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage(clock)
    for _ in range(2):
        outage.note_failure(OSError())
        outage.note_answer()
    assert [vars(r).get("failed_requests") for r in caplog.records] == [None, 1, None, 1]


async def test_requests_without_an_answer_are_told_once(
    tmp_path: Path, closed: str, caplog: pytest.LogCaptureFixture
) -> None:
    kube = await connected(tmp_path, closed)
    try:
        for _ in range(3):
            with pytest.raises(UnavailableError):
                await kube.request("GET", PODS)
    finally:
        await kube.close()
    assert [r.getMessage() for r in caplog.records] == ["API server unreachable"]


async def test_an_answer_that_is_too_large_is_an_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with hostile_server(tmp_path) as server:
        server.how = "endless"
        kube = await connected(tmp_path, server.url)
        try:
            with pytest.raises(UnavailableError):
                await kube.request("GET", PODS)
        finally:
            await kube.close()
    assert not [r for r in caplog.records if r.name == "appcredential.kube.outage"]
