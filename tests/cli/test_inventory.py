"""`inventory` against the emulator, without a cluster: what it shows, bounds and refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from appcredential.cli.main import run
from appcredential.domain.marker import ClusterIdentity, Owner, attempt_id, build_display_name
from entra_emulator.admin.policies import set_default
from entra_emulator.admin.seed import read_document
from entra_emulator.policies.documents import TenantPolicy
from tests.cli.entra_scene import EntraPerson, emulator, person
from tests.support.emulator import READ_ALL, MadeApplication
from tests.support.keys import make_certificate

__all__ = ["emulator", "person"]

EVIL = "\x1b]0;owned\x07\x1b[31mOrders\u202e"
SUBJECT = "repo:contoso/shop:environment:production"
OURS = build_display_name(
    ClusterIdentity.of("uid"),
    Owner("shop", "orders"),
    attempt_id(ClusterIdentity.of("uid"), "p", 1),
    "x",
)


def six(person: EntraPerson, **fields: Any) -> MadeApplication:
    """Make an application with six credentials, of which one value is known."""
    emulator = person.emulator
    app = emulator.create_application(
        person.tenant,
        displayName="Orders",
        passwords=[
            {"displayName": "by hand", "startInDays": -100, "endInDays": 265, "value": "v" * 40},
            {"displayName": "forgotten", "startInDays": -800, "endInDays": -70},
            {"displayName": "for ever", "endDateTime": "2299-12-31T00:00:00Z"},
            {"displayName": OURS, "endInDays": 90},
        ],
        **fields,
    )
    emulator.add_key(app.app_id, certificate=make_certificate().pem.decode(), displayName="CN=a")
    emulator.add_federated(
        app.app_id,
        name="github",
        issuer="https://token.actions.githubusercontent.com",
        subject=SUBJECT,
    )
    return app


def shown(person: EntraPerson, *words: str) -> list[dict[str, Any]]:
    """Return the credentials as programs see them, of all applications."""
    found = json.loads(person.did("inventory", *words, "-o", "json"))
    return [one for app in found["applications"] for one in app["credentials"]]


def test_every_credential_is_shown_with_whose_it_is_and_what_is_wrong(person: EntraPerson) -> None:
    app = six(person)
    found = {one["name"]: one for one in shown(person, "--client-id", app.app_id)}
    assert len(found) == 6
    assert found["by hand"]["findings"] == []
    assert found["forgotten"]["findings"] == ["expired"]
    assert found["for ever"]["findings"] == ["never expires"]
    assert "expirationTime" not in found["for ever"]
    assert found["x"]["whose"] == "some cluster", "no cluster was asked"
    assert {one["whose"] for name, one in found.items() if name != "x"} == {"foreign"}
    assert found["github"]["subject"] == SUBJECT
    assert found["CN=a"]["type"] == "Certificate"


def test_the_table_has_a_line_for_each_application_and_a_total(person: EntraPerson) -> None:
    app = six(person)
    status, out, err = person.run("inventory", "--client-id", app.app_id)
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == f"Orders ({app.app_id})"
    assert lines[1].strip() == (
        "4 client secrets, 1 certificate, 1 federated identity; 1 some cluster, 5 foreign; "
        "1 expired, 1 never expires"
    )
    assert lines[2].split()[:4] == ["TYPE", "NAME", "WHOSE", "FINDINGS"]
    assert lines[-1].startswith("1 application: 4 client secrets")
    assert "note: The report of sign-ins is not readable for you" in err
    assert "note: The app management policy is not readable for you" in err
    assert "more than 731 days counts as too long" in err
    assert "vvv" not in out


def test_only_findings_can_be_shown(person: EntraPerson) -> None:
    app = six(person)
    out = person.did("inventory", "--client-id", app.app_id, "--findings", "--max-lifetime", "180d")
    assert "forgotten" in out
    assert "longer than allowed" in next(line for line in out.splitlines() if "by hand" in line)
    assert "github" not in out


def test_all_and_owned_differ(person: EntraPerson) -> None:
    six(person, owner=person.client_id)
    person.emulator.create_application(person.tenant, passwords=[{"displayName": "other's"}])
    assert len(shown(person, "--owned")) == 6
    every = shown(person, "--all")
    assert len(every) == 8, "the person's own client has a secret, too"
    assert sum(one["type"] == "FederatedIdentity" for one in every) == 1


def test_what_nobody_uses_is_found_where_the_report_is_readable(person: EntraPerson) -> None:
    app = six(person)
    readers = f"{READ_ALL} AuditLog.Read.All Policy.Read.All"
    person.emulator.set_permissions(person.tenant, person.client_id, readers)
    assert _sign_in(person, app.app_id, "v" * 40)
    found = {one["name"]: one for one in shown(person, "--client-id", app.app_id)}
    used = datetime.fromisoformat(found["by hand"]["lastSignInTime"])
    assert abs((used - datetime.now(UTC)).total_seconds()) < 60
    assert found["by hand"]["findings"] == []
    assert found["for ever"]["findings"] == ["never expires"], "it is new"
    everything = {one["name"]: one for one in shown(person, "--all")}
    assert everything["by hand"]["lastSignInTime"] == found["by hand"]["lastSignInTime"]


def _sign_in(person: EntraPerson, client_id: str, secret: str) -> bool:
    before = person.client_id, person.secret
    person.client_id, person.secret = client_id, secret
    try:
        return bool(person.token())
    finally:
        person.client_id, person.secret = before


def test_a_policy_that_is_readable_decides_what_is_too_long(person: EntraPerson) -> None:
    app = six(person)
    reader = f"{READ_ALL} Policy.Read.All"
    person.emulator.set_permissions(person.tenant, person.client_id, reader)
    limit = {"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P100D"}
    restrictions = {"passwordCredentials": [limit]}
    policy = {"isEnabled": True, "applicationRestrictions": restrictions}
    person.emulator.do(
        lambda world: set_default(world, person.tenant, read_document(TenantPolicy, policy))
    )
    status, out, err = person.run("inventory", "--client-id", app.app_id, "-o", "yaml")
    assert status == 0
    found = {one["name"]: one for one in yaml.safe_load(out)["applications"][0]["credentials"]}
    assert found["by hand"]["findings"] == ["longer than allowed"]
    assert found["x"]["findings"] == []
    assert "counts as too long" not in err


def test_names_reach_a_terminal_without_their_escapes(person: EntraPerson) -> None:
    app = person.emulator.create_application(
        person.tenant, displayName=EVIL, passwords=[{"displayName": EVIL}]
    )
    for form in ((), ("-o", "wide"), ("-o", "json"), ("-o", "yaml")):
        out = person.did("inventory", "--client-id", app.app_id, *form)
        assert not {"\x1b", "\x07", "\u202e"} & set(out)
    assert "Orders" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Give NAME, --client-id, --owned or --all"),
        (("--all", "--owned"), "Give NAME, --client-id, --owned or --all"),
        (("--client-id", "orders"), "a client id is a GUID"),
        (("orders",), "leave --tenant-id out"),
    ],
)
def test_wrong_words_are_one_line(person: EntraPerson, words: tuple[str, ...], told: str) -> None:
    assert told in person.refused("inventory", *words)


def test_an_application_that_does_not_exist_is_one_line(person: EntraPerson) -> None:
    missing = "99999999-9999-4999-8999-999999999999"
    assert f"There is no application {missing}" in person.refused(
        "inventory", "--client-id", missing
    )


def test_no_right_is_one_line(person: EntraPerson) -> None:
    person.client_id, person.secret = person.emulator.create_operator(person.tenant, "")
    person.begin()
    assert "You may not read this in Microsoft Graph" in person.refused("inventory", "--all")


def test_no_cluster_and_no_tenant_is_one_line(person: EntraPerson) -> None:
    assert run(["inventory", "--all"]) == 1
    (line,) = person.captured.readouterr().err.splitlines()
    assert line.startswith("error: The kubeconfig")


def test_a_closed_pipe_ends_it_quietly(person: EntraPerson) -> None:
    names = [{"displayName": f"{number} {'x' * 80}"} for number in range(600)]
    app = person.emulator.create_application(person.tenant, passwords=names)
    words = ("inventory", "--client-id", app.app_id, "-o", "wide")
    where = ("--tenant-id", person.tenant, "--cloud", "Custom")
    with subprocess.Popen(
        [sys.executable, "-m", "appcredential", "ctl", *words, *where],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "operator")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline()
        child.stdout.close()
        said = child.stderr.read()
    assert child.returncode == 141
    assert "Traceback" not in said
