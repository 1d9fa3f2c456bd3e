"""Installed wrongly, the operator says what to do and does no harm; put right, it goes on."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appcredential.domain.demanded import SCHEMA_ANNOTATION, SCHEMA_VERSION
from demo.stack import EmulatorProcess
from localcluster import Binaries, Cluster
from tests.chart.helming import CHART, NAMESPACE, RELEASE, Helm, HelmError
from tests.chart.released import QUICK, Release
from tests.integration.confined import may
from tests.integration.installation import Team

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_REMEDY = "python -m appcredential crds | kubectl apply --server-side --force-conflicts -f -"
_CRD = "appcredentials.appcredential.io"

# Our own lists are too rare to help: what happens soon was watched or looked for.
SLOW = {**QUICK, "relist": "10m"}


@pytest.fixture
def empty(binaries: Binaries) -> Iterator[Cluster]:
    """A cluster without our kinds."""
    with Cluster(binaries=binaries) as running:
        running.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        yield running


def _readiness(release: Release) -> str:
    """Return what /readyz says."""
    try:
        with urllib.request.urlopen(f"{release.operator.health_url}/readyz", timeout=5) as answer:  # noqa: S310
            said: str = answer.read().decode()
    except urllib.error.HTTPError as refused:
        said = refused.read().decode()
    except OSError as error:
        said = str(error)
    return said


def _told(release: Release) -> int:
    """Return how often the log says how to get the CRDs: once, however often it looks."""
    return release.operator.child.log.read_text().count(_REMEDY)


def test_without_crds_it_waits_and_says_how_to_get_them(
    empty: Cluster, helm_binary: Path, emulator: EmulatorProcess, tmp_path: Path
) -> None:
    helm = Helm(helm_binary, tmp_path, empty)
    release = Release(helm, empty, emulator, tmp_path, options=["--skip-crds"], tenants=False)
    try:
        release.until(lambda: _REMEDY in _readiness(release), "it says how to get them")
        assert _told(release) == 1
        # Not yet whole: with two of three it would be half an operator.
        empty.kubectl("apply", "--server-side", "-f", CHART / "crds" / "entratenants.yaml")
        empty.install_crds(CHART / "crds")
        release.until(lambda: _readiness(release) == "ok\n", "it goes on by itself", 60)
        release.make_tenant("default")
        team = release.team("late")
        team.apply()
        team.ready()
        _an_older_crd_stops_it(release, team)
    finally:
        release.operator.child.stop()


def _knows(release: Release, name: str) -> bool:
    return any(f'name="{name}"' in sample for sample in release.operator.metrics())


def _leader(release: Release) -> str:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/appcredential"
    return str(release.cluster.api.call("GET", path)["spec"]["holderIdentity"])


def _an_older_crd_stops_it(release: Release, team: Team) -> None:
    """As after an upgrade of the chart without its CRDs."""
    annotate = ("annotate", "crd", _CRD, "--overwrite")
    release.cluster.kubectl(*annotate, f"{SCHEMA_ANNOTATION}={SCHEMA_VERSION - 1}")
    release.roll_out("older-crd")
    release.until(lambda: _REMEDY in _readiness(release), "it says how to get newer ones")
    assert _told(release) == 1
    minted = team.minted()
    team.apply("second")
    # Seen in vain: when the CRDs are mended nothing but the operator itself wakes it.
    release.until(lambda: _knows(release, "second"), "a list of its own shows it")
    release.pass_time(release.now() + timedelta(seconds=3))
    assert "is missing or older than this operator" in _readiness(release)
    assert (team.minted(), team.secret("second")) == (minted, None)
    assert _leader(release) == ""  # so that a replica of the version before may go on
    assert team.signs_in()
    release.cluster.kubectl(*annotate, f"{SCHEMA_ANNOTATION}={SCHEMA_VERSION}")
    release.until(lambda: _readiness(release) == "ok\n", "it goes on by itself", 60)
    # Sooner than the minute after which a resource is looked at again in any case.
    team.ready("second", 30)


def test_without_a_tenant_nothing_is_issued_and_it_is_said(
    bare: Cluster, bare_helm: Helm, emulator: EmulatorProcess, tmp_path: Path
) -> None:
    bare.install_crds(CHART / "crds")
    release = Release(bare_helm, bare, emulator, tmp_path, tenants=False)
    try:
        team = release.team("homeless")
        team.apply()
        team.until(lambda: team.has("Stalled", "True", "TenantNotFound"), "it is said")
        assert "create it" in team.condition("Stalled")["message"]
        assert (team.minted(), team.secret()) == (0, None)
        release.make_tenant("default")
        team.ready()
    finally:
        release.end()


def test_a_namespace_that_does_not_exist_is_named_before_anything_is_changed(
    bare: Cluster, bare_helm: Helm
) -> None:
    """An upgrade that fails halfway leaves an operator without the rights that it had."""
    wanted = ("--set-json", 'watchNamespaces=["default","absent"]')
    bare_helm.run("install", RELEASE, CHART, "-n", NAMESPACE)
    try:
        with pytest.raises(HelmError, match="has absent, which does not exist: create"):
            bare_helm.run("upgrade", RELEASE, CHART, "-n", NAMESPACE, *wanted)
        assert may(bare, NAMESPACE, "update", "secrets", "default")
    finally:
        bare_helm.run("uninstall", RELEASE, "-n", NAMESPACE)
