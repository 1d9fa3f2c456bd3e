"""`kubectl appcredential` against an operator at work: what it says is done, is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.seed import OPERATOR_ID, OPERATOR_SECRET
from tests.cli.installations import deployment
from tests.integration.installation import SETTINGS, Installation, Team

pytestmark = [pytest.mark.cluster, pytest.mark.process]

SOURCES = Path(__file__).parents[2] / "operator"


def run(team: Team, installation: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appcredential", "ctl", *words, "-n", team.namespace],
        env={**os.environ, **installation.cluster.env(), "PYTHONPATH": str(SOURCES)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def planned(team: Team, installation: Installation, *words: str, stdin: str = "") -> dict[str, Any]:
    """Return a plan, by somebody who may read in Entra what the operator may."""
    emulator = installation.emulator
    env = {
        "APPCREDENTIAL_CUSTOM_AUTHORITY": emulator.url,
        "APPCREDENTIAL_CUSTOM_GRAPH": emulator.url,
        "APPCREDENTIAL_CUSTOM_CA_FILE": str(emulator.ca_file),
        "AZURE_CLIENT_ID": OPERATOR_ID,
        "AZURE_CLIENT_SECRET": OPERATOR_SECRET,
        "PYTHONPATH": str(SOURCES),
    }
    command = [sys.executable, "-m", "appcredential", "ctl", "plan", *words, "-o", "json"]
    done = subprocess.run(
        [*command, "-n", team.namespace, "--operator-namespace", installation.namespace],
        env={**os.environ, **installation.cluster.env(), **env},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (plan,) = json.loads(done.stdout)
    assert isinstance(plan, dict)
    return plan


@pytest.fixture
def deployed(installation: Installation) -> Iterator[None]:
    """Describe the operator by a Deployment without pods, as the chart does: it runs already."""
    made = deployment(SETTINGS, replicas=0)
    made["metadata"]["namespace"] = installation.namespace
    made["spec"]["selector"] = {"matchLabels": {"a": "b"}}
    made["spec"]["template"]["metadata"] = {"labels": {"a": "b"}}
    (container,) = made["spec"]["template"]["spec"]["containers"]
    container["image"] = "none"
    path = f"/apis/apps/v1/namespaces/{installation.namespace}/deployments"
    installation.kube.create(path, {k: v for k, v in made.items() if k != "status"})
    yield
    installation.kube.delete(f"{path}/{made['metadata']['name']}")


def versions(team: Team, installation: Installation) -> dict[str, str]:
    """Return the version of everything that a plan could change."""
    own, theirs = installation.namespace, team.namespace
    paths = [
        f"/apis/appcredential.io/v1alpha1/namespaces/{theirs}/appcredentials",
        f"/api/v1/namespaces/{theirs}/secrets",
        f"/api/v1/namespaces/{theirs}/serviceaccounts",
        *(f"/api/v1/namespaces/{namespace}/configmaps" for namespace in (own, theirs)),
    ]
    found = (item["metadata"] for path in paths for item in installation.kube.items(path))
    return {metadata["uid"]: metadata["resourceVersion"] for metadata in found}


def writes(team: Team, installation: Installation) -> list[str]:
    """Return what was written to the team's application, in order."""
    asked = installation.requests(team.client_id)
    return [r["operation"] for r in asked if r["method"] != "GET" and r["operation"] != "token"]


def test_what_was_planned_before_applying_is_what_is_done(installation: Installation) -> None:
    team = installation.team("planned")
    before = versions(team, installation)
    manifest = json.dumps(team.manifest(clientSecret={"description": "orders"}))

    plan = planned(team, installation, "-f", "-", stdin=manifest)

    assert versions(team, installation) == before, "planning changes nothing in the cluster"
    assert writes(team, installation) == [], "nor in Entra"
    whats = [f"{step['where']} {step['what']}" for step in plan["steps"]]
    assert [what.split(" to application")[0] for what in whats if what.startswith("Entra add")] == [
        "Entra add a client secret"
    ]
    assert not any(what.startswith("Entra remove") for what in whats)
    assert any("create Secret" in what for what in whats)
    assert (plan["ends"], [later["what"] for later in plan["later"]]) == (
        "",
        ["a successor is due"],
    )

    team.apply(clientSecret={"description": "orders"})
    team.ready()
    team.until(lambda: not team.pending(), "nothing is under way")

    assert writes(team, installation) == ["application.addPassword"]
    assert len(installation.records(team.namespace)) == 1, "the record that was planned"
    before = versions(team, installation)
    plan = planned(team, installation, "app")
    assert (plan["steps"], plan["ends"]) == ([], ""), "no step is left"
    assert versions(team, installation) == before
    assert writes(team, installation) == ["application.addPassword"]


def test_a_revocation_is_planned_with_who_loses_what(
    installation: Installation, deployed: None
) -> None:
    team = installation.team("planned-revocation")
    team.apply()
    team.ready()
    team.until(lambda: not team.pending(), "nothing is under way")
    run(team, installation, "suspend", "app")
    old, now = team.key(), installation.now()
    installation.pass_time(now + timedelta(seconds=1.1))  # the time counts as a full second
    # An apply keeps what others set and the manifest does not name, so this resumes by name.
    revoking = team.manifest(suspend=False, rotation={"revokeIssuedBefore": now.isoformat()})

    plan = planned(team, installation, "-f", "-", stdin=json.dumps(revoking))

    entra = [step["what"] for step in plan["steps"] if step["where"] == "Entra"]
    assert entra[0].startswith("add a client secret")
    assert entra[-1].startswith(f"remove credential {old} from application")
    assert plan["warnings"] == ["No pod uses the Secret app now."]
    assert not any("settings" in text for text in plan["notChecked"])
    assert writes(team, installation) == ["application.addPassword"]


def test_a_wait_ends_when_it_is_done(installation: Installation) -> None:
    team = installation.team("asked-by-hand")
    team.apply()
    done = run(team, installation, "wait", "app", "--timeout=90s")
    assert done.returncode == 0, done.stderr
    first, old = team.key(), team.values()

    done = run(team, installation, "rotate", "app", "--wait", "--timeout=90s")

    assert done.returncode == 0, done.stderr
    second = team.key()
    assert second != first
    assert done.stderr.endswith(f"/app: {second} is published.\n")
    assert team.sign_in(old), "a rotation keeps the old one for its overlap"

    done = run(team, installation, "revoke", "app", "--yes", "--wait", "--timeout=120s")

    assert done.returncode == 0, done.stderr
    assert team.key() not in {first, second}
    assert {first, second} & set(team.key_ids()) == set(), "it is not over while one is valid"
    assert not team.sign_in(old)
    assert team.signs_in()
