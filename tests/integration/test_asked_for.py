"""`kubectl annotate` makes an operator that looks rarely look now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from tests.integration.installation import SETTINGS, Installation

pytestmark = [pytest.mark.cluster, pytest.mark.process]


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """An operator that by itself would not look again while these tests last."""
    rare = {"APPCREDENTIAL_SECRET_CHECK": "1h", "APPCREDENTIAL_DIRECTORY_RESYNC": "1h"}
    return {**SETTINGS, **rare}


@pytest.mark.parametrize("name", ["appcredential.io/check", "reconcile.fluxcd.io/requestedAt"])
def test_a_deleted_secret_is_noticed_when_somebody_asks(
    installation: Installation, name: str
) -> None:
    i, team = installation, installation.team("asked")
    made = team.apply()["metadata"]
    team.ready()
    team.until(lambda: not team.pending(), "nothing is under way")
    first, reads = team.key(), len(i.requests(team.client_id))
    i.kube.delete(team.secret_path())
    i.pass_time(i.now() + timedelta(seconds=4))
    assert team.secret() is None
    assert len(i.requests(team.client_id)) == reads
    of = ("--namespace", team.namespace, "--overwrite")
    i.cluster.kubectl("annotate", "appcredential", made["name"], f"{name}=1", *of)
    team.until(lambda: team.key() not in {"", first}, "a new one is published")
    team.ready()
    assert team.signs_in()


def test_a_tenant_is_probed_when_somebody_asks(installation: Installation) -> None:
    i = installation

    def probes() -> int:
        return len(i.emulator.call("GET", "/requests?operation=application.list"))

    before = probes()
    i.cluster.kubectl("annotate", "entratenant", "default", "appcredential.io/check=1")
    i.until(lambda: probes() > before, "it is probed")
