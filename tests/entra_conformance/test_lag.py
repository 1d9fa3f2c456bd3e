"""With the patience for real tenants, replicas that lag as Entra's do change no verdict."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from entra_conformance.target import REAL, Patience
from tests.entra_conformance.conftest import Suite
from tests.entra_conformance.test_agreement import names
from tests.support.emulator import Emulator


@pytest.fixture
def patience(emulator: Emulator) -> Patience:
    """The patience for real tenants, on the emulator's clock: waiting moves it."""
    emulator.stop_clock()

    async def sleep(seconds: float) -> None:
        emulator.move_clock(seconds)

    return replace(REAL, sleep=sleep, now=lambda: emulator.now().timestamp())


def test_lag_changes_no_verdict_and_is_measured(
    suite: Suite, emulator: Emulator, patience: Patience
) -> None:
    before = names(emulator)
    emulator.set_faults(seed=7, profile="realistic")
    ran = suite("--yes", patience=patience)
    assert ran.verdicts("agrees") == {"F23": "skipped"}
    assert names(emulator) == before
    assert ran.report["notRemoved"] == []
    notes = {one["number"]: one["note"] for one in ran.report["results"]}
    for number in ("P10", "P11", "C11", "C15", "Q5", "Q6"):
        seconds = [float(found) for found in re.findall(r"after ([\d.]+) s", notes[number])]
        assert seconds
        # The profile: 4 to 18 s; by chance, all looks may have gone to the quickest replica.
        assert all(2 <= one <= 20 for one in seconds), notes[number]
