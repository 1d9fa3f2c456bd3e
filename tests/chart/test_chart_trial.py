"""A trial's emulator keeps nothing, so what it is seeded with must be the same each time."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import pytest

from demo.stack import EmulatorProcess
from tests.chart.helming import Helm, documents, one

pytestmark = pytest.mark.process

_APPLICATION: Final = "33333333-3333-4333-8333-333333333333"


def test_a_restarted_emulator_has_the_same_application_and_owner(
    helm: Helm, tmp_path: Path
) -> None:
    """Else the operator would find another application, or not own it, and stand still."""
    found = documents(helm.template("--set", "trial.enabled=true"))
    seed = json.loads(base64.b64decode(one(found, "Secret")["data"]["seed.json"]))
    first, second = (_application(tmp_path / name, seed) for name in ("first", "second"))
    assert first["passwordCredentials"] == second["passwordCredentials"] == []
    assert (first["id"], first["owners"]) == (second["id"], second["owners"])


def _application(folder: Path, seed: dict[str, Any]) -> dict[str, Any]:
    running = EmulatorProcess(folder, seed)
    try:
        application: dict[str, Any] = running.call("GET", f"/applications/{_APPLICATION}")
    finally:
        running.child.stop()
    return application
