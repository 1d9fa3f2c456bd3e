"""`import` against the emulator, without a cluster: what it writes, where, and its refusals."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from appcredential.domain.spec.grant import NamedApplications
from appcredential.domain.spec.parse import parse_app_credential, parse_application_grant
from tests.cli.entra_scene import EntraPerson, emulator, person
from tests.cli.test_inventory import six

__all__ = ["emulator", "person"]


def test_the_three_files_are_valid_and_nothing_is_changed(person: EntraPerson) -> None:
    app, folder = six(person), person.home / "manifests"
    person.emulator.reset_log()
    status, out, err = person.run(
        "import", "--client-id", app.app_id.upper(), "-n", "shop", "--output-dir", str(folder)
    )
    assert (status, out) == (0, ""), err
    assert "3 AppCredentials; 2 credentials are left out" in err
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert sorted(texts) == ["1-grant.yaml", "2-observe.yaml", "3-manage.yaml"]
    for grant in filter(None, yaml.safe_load_all(texts["1-grant.yaml"])):
        named = parse_application_grant(grant).applications
        assert named == NamedApplications(frozenset({app.app_id}))
    for name in ("2-observe.yaml", "3-manage.yaml"):
        for one in filter(None, yaml.safe_load_all(texts[name])):
            assert parse_app_credential(one).client_id == app.app_id
    assert set(person.emulator.counts()) == {
        *("token", "application.get", "application.federatedIdentityCredentials.list"),
        *("policy.default.get", "signInActivities.list"),
    }, "it only reads"
    again = person.refused(
        "import", "--client-id", app.app_id, "-n", "shop", "--output-dir", str(folder)
    )
    assert "1-grant.yaml exists already" in again


def test_stdout_holds_one_stage_so_that_a_pipe_manages_nothing(person: EntraPerson) -> None:
    app = six(person)
    out = person.did("import", "--client-id", app.app_id, "-n", "shop", "--secret", "orders-entra")
    found = list(filter(None, yaml.safe_load_all(out)))
    assert {one["kind"] for one in found} == {"ApplicationGrant", "AppCredential"}
    modes = {one["spec"]["mode"] for one in found if one["kind"] == "AppCredential"}
    assert modes == {"Observe"}
    out = person.did("import", "--client-id", app.app_id, "-n", "shop", "--stage", "manage")
    assert {one["spec"]["mode"] for one in filter(None, yaml.safe_load_all(out))} == {"Manage"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Give the application with --client-id"),
        (("--preset", "Raw"), "go with --secret"),
        (("-n", "Shop"), "is no name of a namespace"),
    ],
)
def test_wrong_words_are_one_line(person: EntraPerson, words: tuple[str, ...], told: str) -> None:
    app = six(person)
    given = ("--client-id", app.app_id, *words) if words else ()
    assert told in person.refused("import", *given)


def test_nothing_to_import_is_said(person: EntraPerson) -> None:
    app = person.emulator.create_application(
        person.tenant, passwords=[{"displayName": "old", "startInDays": -9, "endInDays": -1}]
    )
    status, out, err = person.run("import", "--client-id", app.app_id)
    assert (status, out) == (1, "")
    assert "left out: ClientSecret old" in err
    assert err.splitlines()[-1] == "error: There is nothing to import."


def test_a_folder_that_cannot_be_written_is_one_line(person: EntraPerson) -> None:
    app = six(person)
    file = Path(person.home / "file")
    file.write_text("")
    told = person.refused(
        "import", "--client-id", app.app_id, "--output-dir", os.fspath(file / "below")
    )
    assert "cannot be written: Not a directory" in told
