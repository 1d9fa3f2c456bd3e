"""Helm's whole life cycle on a real API server: no step of it takes a credential away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from demo.stack import EmulatorProcess
from localcluster import Cluster
from tests.chart.helming import CHART, NAMESPACE, Helm
from tests.chart.released import FROZEN, QUICK, Release
from tests.integration.installation import CORE, Team
from tests.integration.stories_federation import Federated

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_SECRET: Final = "app"
_CERTIFICATE: Final = "certified"
_TRUST: Final = "trusted"


def _credentials(team: Team) -> dict[str, Any]:
    """Return all that no step may change: what Entra has, and what workloads mount."""
    secrets = {name: team.secret(name) or {} for name in (_SECRET, _CERTIFICATE)}
    federated = Federated(team)
    return {
        "trusts in Entra": sorted(c["id"] for c in federated.listed()),
        "told to the ServiceAccount": federated.annotations(),
        "secrets in Entra": sorted(team.key_ids()),
        "certificates in Entra": sorted(team.certificates()),
        "minted": team.minted(),
        "uids": {name: found["metadata"]["uid"] for name, found in secrets.items()},
        "versions": {name: found["metadata"]["resourceVersion"] for name, found in secrets.items()},
    }


def _settled(release: Release, team: Team) -> dict[str, Any]:
    """Return the same after the new process has led and looked at everything several times."""
    release.until(lambda: release.looked_at() >= 6, "it has looked at the resources")
    for name in (_SECRET, _CERTIFICATE, _TRUST):
        assert team.condition("Ready", name)["status"] == "True"
    assert team.pending() == []
    return _credentials(team)


def test_no_step_takes_a_credential_away(
    bare: Cluster,
    bare_helm: Helm,
    emulator: EmulatorProcess,
    tmp_path: Path,
    tell: Callable[[str], None],
) -> None:
    bare.install_crds(CHART / "crds")
    release = Release(bare_helm, bare, emulator, tmp_path, chart=FROZEN)
    try:
        release.operator.wait_until_ready()
        team = release.team("life")
        team.apply(_SECRET, deletionGracePeriod="0s")
        _apply_certificate(team)
        federated = Federated(team)
        federated.account()
        account = {"name": "orders"}
        federated.apply(_TRUST, serviceAccount=account, deletionGracePeriod="0s")
        team.ready(_SECRET)
        team.ready(_CERTIFICATE)
        federated.ready(_TRUST)
        team.until(lambda: team.pending() == [], "nothing is on its way")
        before = _credentials(team)
        _tell(tell, "install (frozen chart)", before)
        installed = release.objects()

        release.upgrade(replicas=3, settings=QUICK)
        _tell(tell, "upgrade", _settled(release, team), before)
        release.roll_back(1)
        _tell(tell, "rollback", _settled(release, team), before)
        assert release.objects() == installed
        _assert_nothing_was_refused(release)

        release.uninstall()
        _tell(tell, "uninstall", _credentials(team), before)
        assert release.objects() == {"EntraTenant /default"}
        assert _left_in_the_namespace(bare) == {"Secret operator-identity", "Lease appcredential"}
        assert bare.kubectl("get", "crd", "appcredentials.appcredential.io").returncode == 0
        assert team.signs_in(_SECRET)

        release.reinstall()
        _tell(tell, "reinstall", _settled(release, team), before)

        team.rotated(_SECRET)
        team.delete(_SECRET)
        team.delete(_CERTIFICATE)
        team.delete(_TRUST)
        release.until(lambda: release.tickets(team.namespace) == [], "the deletions are finished")
        assert (team.key_ids(), team.certificates(), federated.listed()) == ([], {}, [])
        assert federated.annotations() == {}
        assert (team.secret(_SECRET), team.secret(_CERTIFICATE)) == (None, None)
        _assert_nothing_was_refused(release)
    finally:
        release.end()


def _tell(
    tell: Callable[[str], None],
    step: str,
    now: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    """Print the credentials after a step; they must be those from before it."""
    counts = (len(now[f"{kind} in Entra"]) for kind in ("secrets", "certificates", "trusts"))
    line = "{} client secret, {} certificate, {} trust in Entra".format(*counts)
    tell(f"helm {step}: {line}; minted so far {now['minted']}")
    assert before is None or now == before, step


def _apply_certificate(team: Team) -> None:
    manifest = team.manifest(
        _CERTIFICATE,
        type="Certificate",
        certificate={"source": "Generate"},
        deletionGracePeriod="0s",
    )
    del manifest["spec"]["clientSecret"]
    path = f"/apis/appcredential.io/v1alpha1/namespaces/{team.namespace}/appcredentials"
    team.i.kube.create(path, manifest)


def _left_in_the_namespace(cluster: Cluster) -> set[str]:
    """Return everything in the release's namespace but what every namespace has, and Events."""
    paths = {
        f"{CORE}/namespaces/{NAMESPACE}/secrets": "Secret",
        f"{CORE}/namespaces/{NAMESPACE}/configmaps": "ConfigMap",
        f"{CORE}/namespaces/{NAMESPACE}/serviceaccounts": "ServiceAccount",
        f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases": "Lease",
    }
    found = {
        f"{kind} {item['metadata']['name']}"
        for path, kind in paths.items()
        for item in cluster.api.call("GET", path)["items"]
    }
    return found - {"ConfigMap kube-root-ca.crt", "ServiceAccount default"}


def _assert_nothing_was_refused(release: Release) -> None:
    """The rendered rights are enough for all that this process did."""
    lines = release.operator.child.log.read_text(errors="replace").splitlines()
    assert [line for line in lines if '"code": 403' in line] == []
