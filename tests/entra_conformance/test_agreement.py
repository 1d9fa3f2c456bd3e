"""The emulator passes every check over TLS, and broken emulators do not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from entra_conformance.__main__ import main
from entra_conformance.bench import PREFIX
from entra_conformance.checks import CHECKS
from entra_emulator.directory.entities import PasswordCredential
from entra_emulator.errors.graph import bad_request
from entra_emulator.graph import delta, owners
from entra_emulator.graph import passwords as password_calls
from entra_emulator.rules import federated, keys
from entra_emulator.rules.passwords import new_password
from entra_emulator.tokens import client_login, endpoint
from tests.entra_conformance.conftest import Suite
from tests.support.emulator import Emulator

DOCUMENT = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()


def test_an_emulator_of_its_own_passes_every_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    assert main(["--target", "emulator", "--json", str(report)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == f"{len(CHECKS)} agrees"
    assert captured.err == ""
    results = json.loads(report.read_text())["results"]
    assert [one["number"] for one in results] == [check.number for check in CHECKS]
    assert {one["verdict"] for one in results} == {"agrees"}


def test_a_named_tenant_passes_and_nothing_stays(suite: Suite, emulator: Emulator) -> None:
    before = names(emulator)
    ran = suite("--yes")
    assert ran.verdicts("agrees") == {"F23": "skipped"}
    assert ran.code == 0
    assert names(emulator) == before
    assert ran.report["notRemoved"] == []


def names(emulator: Emulator) -> list[str]:
    """Return the names of all applications, deleted ones included."""
    return emulator.do(
        lambda world: [
            record.properties.display_name
            for tenant in world.directory.tenants()
            for record in world.directory.applications(tenant.id)
        ]
    )


def test_read_only_writes_nothing(suite: Suite, emulator: Emulator) -> None:
    ran = suite("--read-only")
    assert ran.code == 0
    assert set(ran.verdicts()) == {check.number for check in CHECKS if not check.writes}
    assert {one.operation for one in emulator.requests()} <= {
        "token",
        "batch",
        "unknown",
        "application.list",
        "application.delta",
        "application.get",
        "servicePrincipal.get",
    }


def test_a_looser_emulator_is_caught(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes any secret, date, double, owner and filter of a delta query."""

    def any_secret(
        _record: Any, view: Any, _secret: Any, _sees: Any, _now: Any
    ) -> PasswordCredential:
        password: PasswordCredential = view.passwords[0]
        return password

    monkeypatch.setattr(keys, "_check_dates", lambda *_: None)
    monkeypatch.setattr(federated, "_check_pair", lambda *_: None)
    monkeypatch.setattr(client_login, "_check_secret", any_secret)
    monkeypatch.setattr(owners, "_principal_at", lambda _, reference: reference[-36:])
    monkeypatch.setattr(delta, "_ids", lambda text: (text[-37:-1],))
    ran = suite("--yes")
    assert ran.code == 1
    differing = {"C5", "C6", "F3", "T4", "T16", "P11", "A19", "Q3"}
    assert set(ran.verdicts("agrees", "skipped")) >= differing


def test_a_stricter_emulator_is_caught(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that refuses ends after two years, names of azwi, base64 with white space and `Basic`."""

    def only_two_years(*wanted: Any) -> PasswordCredential:
        made = new_password(*wanted)
        if made.end > replace(new_password({}, *wanted[1:])).end:
            raise bad_request("The end is too far away.")
        return made

    monkeypatch.setattr(password_calls, "new_password", only_two_years)
    monkeypatch.setattr(federated, "_NAME", re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,119}"))
    monkeypatch.setattr(keys, "decode_binary", strict_base64)
    monkeypatch.setattr(endpoint, "read_basic", lambda _: None)
    ran = suite("--yes")
    assert ran.code == 1
    differing = {"P3", "F10", "F24", "C10", "C16", "T15", "T16"}
    assert set(ran.verdicts("agrees", "skipped")) == differing


def strict_base64(text: str) -> bytes:
    """Refuse what is not one line."""
    import base64

    return base64.b64decode(text, validate=True)


def test_numbers_are_used_once_and_the_document_names_the_areas() -> None:
    numbers = [check.number for check in CHECKS]
    assert len(set(numbers)) == len(numbers)
    rows = re.findall(r"^\| `([A-Z])1`–`[A-Z](\d+)` \|.*\| (yes|no) \|$", DOCUMENT, re.MULTILINE)
    documented = {area: (int(last), writes == "yes") for area, last, writes in rows}
    areas = {number[0] for number in numbers}
    assert documented == {
        area: (
            sum(number[0] == area for number in numbers),
            any(check.writes for check in CHECKS if check.number[0] == area),
        )
        for area in areas
    }
    assert "None of the checks below has ever been run against Entra" in DOCUMENT


def test_names_begin_alike(suite: Suite, emulator: Emulator) -> None:
    seen: set[str] = set()
    emulator.do(lambda world: _note_names(world, seen))
    suite("--yes")
    assert seen
    assert all(re.fullmatch(PREFIX + "[0-9a-f]+", name) for name in seen)


def _note_names(world: Any, seen: set[str]) -> None:
    """Note the name of each application that is added from now on."""
    add = world.directory.add_application

    def noting(record: Any) -> None:
        seen.add(record.properties.display_name)
        add(record)

    world.directory.add_application = noting
