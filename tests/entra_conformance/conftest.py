"""The suite as a person starts it, against emulators of the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from entra_conformance.__main__ import main
from entra_conformance.target import EMULATED, Patience
from tests.support.emulator import OWNED_BY, Emulator


@pytest.fixture(scope="session")
def tls_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One CA for the session, because making it takes time."""
    return tmp_path_factory.mktemp("emulator-tls")


@pytest.fixture
def emulator(tls_dir: Path) -> Iterator[Emulator]:
    with Emulator(tls_dir) as running:
        yield running


@dataclass(frozen=True)
class Ran:
    """A run of the command.

    Attributes:
        code: its exit code.
        out: what it printed.
        report: what it wrote as JSON.
    """

    code: int
    out: str
    report: dict[str, Any]

    def verdicts(self, *without: str) -> dict[str, str]:
        """Return the verdict of each check by its number, without those of some kinds."""
        found = {one["number"]: one["verdict"] for one in self.report["results"]}
        return {number: verdict for number, verdict in found.items() if verdict not in without}


@dataclass(frozen=True)
class Suite:
    """Runs the suite as against a real tenant: by address, id and environment."""

    emulator: Emulator
    tenant: str
    client_id: str
    report: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *options: str, patience: Patience = EMULATED) -> Ran:
        where = ["--authority", self.emulator.url, "--graph", self.emulator.url]
        trust = ["--ca-file", str(self.emulator.ca_file), "--json", str(self.report)]
        who = ["--tenant", self.tenant, "--client-id", self.client_id]
        code = main([*where, *trust, *who, *options], patience=patience)
        captured = self.capsys.readouterr()
        assert captured.err == ""
        return Ran(code, captured.out, json.loads(self.report.read_text()))


@pytest.fixture
def suite(
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Suite:
    tenant = emulator.create_tenant()
    client_id, secret = emulator.create_operator(tenant, OWNED_BY)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", secret)
    monkeypatch.delenv("AZURE_CLIENT_CERTIFICATE_PATH", raising=False)
    return Suite(emulator, tenant, client_id, tmp_path / "report.json", capsys)
