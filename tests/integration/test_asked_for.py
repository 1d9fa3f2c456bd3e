"""`kubectl annotate` makes an operator that looks rarely look now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from tests.integration.installation import SETTINGS, Installation, Team
from tests.integration.test_command_line import run

pytestmark = [pytest.mark.cluster, pytest.mark.process]


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """An operator that by itself hardly looks again while these tests last."""
    rare = ("SECRET_CHECK", "DIRECTORY_RESYNC", "CLUSTER_LOOK_CEILING")
    return {**SETTINGS, **{f"APPCREDENTIAL_{name}": "1h" for name in rare}}


@pytest.mark.parametrize("name", ["appcredential.io/check", "reconcile.fluxcd.io/requestedAt"])
def test_all_is_read_anew_when_somebody_asks(installation: Installation, name: str) -> None:
    i, team = installation, installation.team("asked")
    made = team.apply()["metadata"]
    team.ready()
    team.until(lambda: not team.pending(), "nothing is under way")
    first, reads = team.key(), _reads_at_rest(i, team)
    i.kube.delete(team.secret_path())
    of = ("--namespace", team.namespace, "--overwrite")
    i.cluster.kubectl("annotate", "appcredential", made["name"], f"{name}=1", *of)
    team.until(lambda: len(i.requests(team.client_id)) > reads, "the application is read")
    team.until(lambda: team.key() not in {"", first}, "a new one is published")
    team.ready()
    assert team.signs_in()


def test_a_check_says_what_the_operator_found(installation: Installation) -> None:
    team = installation.team("looked-at")
    team.apply()
    team.ready()
    team.until(lambda: not team.pending(), "nothing is under way")
    run(team, installation, "suspend", "app")
    team.until(lambda: team.has("Ready", "True", "Suspended"), "it is suspended")
    story = run(team, installation, "status", "app").stdout
    assert "Suspended: nothing is renewed or removed" in story
    path, found = team.secret_path(), team.secret() or {}
    kept = {k: found["metadata"][k] for k in ("name", "labels", "annotations")}

    def checked() -> str:
        """Delete the Secret, or put it back, and check; return what is said."""
        if installation.kube.get(path) is not None:
            installation.kube.delete(path)
        else:
            installation.kube.create(path.rpartition("/")[0], {**found, "metadata": kept})
        done = run(team, installation, "check", "app", "--wait", "--timeout=20s")
        assert done.returncode == 0, done.stderr
        return done.stderr

    # One that looked by itself just before, as it does every 20 seconds, has nothing new to say.
    said = next(said for _ in range(5) if "status did not change" not in (said := checked()))
    assert "status changed; " in said
    listed = run(team, installation, "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", "app"]


def _reads_at_rest(i: Installation, team: Team) -> int:
    """Return how many requests there were, once none comes any more for a while."""
    found = -1
    for _ in range(12):
        before, found = found, len(i.requests(team.client_id))
        if found == before:
            break
        i.pass_time(i.now() + timedelta(seconds=4))
    return found


def test_a_tenant_is_probed_when_somebody_asks(installation: Installation) -> None:
    i = installation

    def probes() -> int:
        return len(i.emulator.call("GET", "/requests?operation=application.list"))

    before = probes()
    i.cluster.kubectl("annotate", "entratenant", "default", "appcredential.io/check=1")
    i.until(lambda: probes() > before, "it is probed")
