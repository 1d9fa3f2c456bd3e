"""Each line of the log that docs/troubleshooting.md explains is one that the operator writes."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Final

import pytest

from appcredential.controllers.looks import LOOKS_FAIL, LOOKS_SUCCEED
from appcredential.errors import UnavailableError
from appcredential.kube.outage import Outage
from appcredential.runtime.logs import JsonFormatter
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import WorkQueue
from tests.docs.reading import ROOT, rows
from tests.support.builders import HOUR
from tests.support.clock import HandClock
from tests.support.revocation_documents import REVOCATIONS
from tests.support.unseen import Unseen

PAGE: Final = (ROOT / "docs" / "troubleshooting.md").read_text()
ORDINARY: Final = {"issued", "published"}
"""What needs no explanation."""
KEY: Final = Key("appcredentials", "shop", "orders")


async def _fail_with(error: Exception) -> None:
    """Let a queue meet an error once."""
    queue, stop = WorkQueue(HandClock()), asyncio.Event()

    async def reconcile(_key: Key) -> None:
        stop.set()
        raise error

    queue.add(KEY)
    async with asyncio.timeout(5):
        await queue.run(reconcile, stop)


async def _go_without_a_finalizer() -> None:
    """Let a resource go so, with and without the right to write its record."""
    world = Unseen()
    refusal = world.api.refuse("POST", REVOCATIONS, "no")
    await world.issue()
    world.api.refusals.remove(refusal)
    world.clock.advance(HOUR)
    await world.look()
    world.vanish()
    await world.unowned.run_once()
    assert world.tickets


async def test_the_page_explains_what_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="appcredential")
    looks = Outage(HandClock(), begins=LOOKS_FAIL, ends=LOOKS_SUCCEED)
    for outage in (Outage(HandClock()), looks):
        outage.note_failure(OSError())
        outage.note_answer()
    await _fail_with(UnavailableError("GET to the API server failed"))
    await _fail_with(ValueError())
    await _go_without_a_finalizer()
    told = [record for record in caplog.records if record.message not in ORDINARY]
    lines = [json.loads(JsonFormatter().format(record)) for record in told]
    written = {word for line in lines for word in (line["event"], line["level"].upper(), *line)}
    cells = [cell for cell, *_ in rows(PAGE, "the log has", "because", "do")]
    assert len(cells) == 6
    explained = {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}
    assert explained <= written
    assert {line["event"] for line in lines} <= explained
