"""`kubectl annotate` makes an operator that looks rarely look now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from tests.integration.installation import SETTINGS, Installation, Team

pytestmark = [pytest.mark.cluster, pytest.mark.process]


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """An operator that by itself would not look again while these tests last."""
    rare = {"APPCREDENTIAL_SECRET_CHECK": "1h", "APPCREDENTIAL_DIRECTORY_RESYNC": "1h"}
    return {**SETTINGS, **rare}


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
