"""What a run makes is removed however it ends, and what cannot be removed is named."""

from __future__ import annotations

import asyncio
import os
import re
import signal

import pytest

from entra_conformance import __main__ as command
from entra_conformance.bench import Bench
from entra_conformance.check import Check
from entra_conformance.checks import CHECKS
from tests.entra_conformance.conftest import Suite
from tests.entra_conformance.test_agreement import names
from tests.support.emulator import Emulator


def only(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    monkeypatch.setattr(command, "CHECKS", checks)


async def broken(bench: Bench) -> str:
    await bench.signing_in()
    raise RuntimeError("a bug of the suite")


def test_a_bug_leaves_nothing(
    suite: Suite, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = names(emulator)
    only(monkeypatch, Check("X1", "a bug", "", broken))
    with pytest.raises(RuntimeError, match="a bug"):
        suite("--yes")
    assert names(emulator) == before
    assert emulator.counts()["application.create"] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_leaves_nothing(
    suite: Suite, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    async def interrupted(bench: Bench) -> str:
        await bench.signing_in()
        os.kill(os.getpid(), number)
        async with asyncio.timeout(60):
            await asyncio.Event().wait()
        return "never"

    before = names(emulator)
    only(monkeypatch, CHECKS[0], Check("X1", "interrupted", "", interrupted))
    former = signal.signal(number, signal.SIG_IGN)  # as in a shell's background job
    try:
        ran = suite("--yes")
    finally:
        signal.signal(number, former)
    assert ran.code == 2
    assert ran.report["stopped"] == "interrupted"
    assert ran.verdicts() == {"T1": "agrees"}
    assert names(emulator) == before


def test_an_application_whose_creation_was_not_answered_is_removed(
    suite: Suite, emulator: Emulator
) -> None:
    before = names(emulator)
    operation = {"operation": "application.create"}
    emulator.add_rule("timeout-after-commit", count=1, match=operation)
    assert suite("--yes").verdicts("agrees", "skipped") == {"A1": "failed"}
    assert names(emulator) == before


def test_what_stays_is_named(
    suite: Suite, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (create,) = (check for check in CHECKS if check.number == "A1")
    only(monkeypatch, create)
    emulator.add_rule("forbidden", match={"operation": "application.delete"})
    ran = suite("--yes")
    assert ran.code == 1
    assert ran.verdicts("agrees") == {}
    (left,) = ran.report["notRemoved"]
    pattern = r"application (entra-conformance-\w+) \(object id [\w-]+\): 403 \w+"
    found = re.fullmatch(pattern, left)
    assert found is not None
    assert found[1] in names(emulator)
    assert f"not removed: {left}" in ran.out


def test_an_application_that_cannot_be_purged_is_named(
    suite: Suite, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (create,) = (check for check in CHECKS if check.number == "A1")
    only(monkeypatch, create)
    emulator.add_rule("forbidden", match={"operation": "deletedApplication.purge"})
    ran = suite("--yes")
    assert ran.code == 1
    (left,) = ran.report["notRemoved"]
    assert left.startswith("deleted application entra-conformance-")


def test_an_interrupted_clean_up_names_what_stays(
    suite: Suite, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(_bench: Bench) -> list[str]:
        raise KeyboardInterrupt

    (create,) = (check for check in CHECKS if check.number == "A1")
    only(monkeypatch, create)
    monkeypatch.setattr(Bench, "clean_up", interrupted)
    ran = suite("--yes")
    assert ran.code == 2
    assert [one in names(emulator) for one in told(ran.report["notRemoved"])] == [True]


def told(left: list[str]) -> list[str]:
    """Return the names in what was told."""
    return [line.removeprefix("application ").split(":")[0] for line in left]
