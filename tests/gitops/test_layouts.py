"""The example layouts hold together: names, paths and versions that refer to each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.gitops.health import EXAMPLES, KINDS, expressions
from tests.gitops.layouts import Document, documents, files, one

CHART: Final[Document] = yaml.safe_load(
    (Path(__file__).parents[2] / "charts" / "appcredential" / "Chart.yaml").read_text()
)
GROUP: Final = "appcredential.io/v1alpha1"
# The newest that each project serves, as its documentation has it.
VERSIONS: Final = {
    "Application": "argoproj.io/v1alpha1",
    "ApplicationSet": "argoproj.io/v1alpha1",
    "Kustomization": "kustomize.toolkit.fluxcd.io/v1",
    "HelmRelease": "helm.toolkit.fluxcd.io/v2",
    "OCIRepository": "source.toolkit.fluxcd.io/v1",
    "Namespace": "v1",
    "Deployment": "apps/v1",
    **dict.fromkeys(KINDS, GROUP),
}
# Whoever loses one of these loses credentials, or the way to renew and revoke them.
KEPT: Final = {"AppCredential", "EntraTenant", "Namespace"}
FLUX: Final = {d["metadata"]["name"]: d["spec"] for d in documents("flux")}


@pytest.mark.parametrize("path", list(files()), ids=lambda p: str(p.relative_to(EXAMPLES)))
def test_manifests_are_of_kinds_and_versions_that_are_served(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        assert document["apiVersion"] == VERSIONS[document["kind"]]
        assert document["metadata"]["name"]


@pytest.mark.parametrize("folder", ["platform", "teams/shop", "flux/operator"])
def test_no_tool_prunes_what_credentials_hang_on(folder: str) -> None:
    found = [d for d in documents(folder) if d["kind"] in KEPT]
    assert found
    for document in found:
        told = document["metadata"]["annotations"]
        assert told["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
        if not folder.startswith("flux"):
            assert told["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"


def test_the_workload_mounts_what_the_credential_publishes() -> None:
    found = documents("teams/shop")
    (container,) = one(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    published = one(found, "AppCredential")["spec"]["secret"]["name"]
    assert container["envFrom"] == [{"secretRef": {"name": published}}]


def test_the_grant_allows_what_the_team_asks_for() -> None:
    grant = one(documents("platform"), "ApplicationGrant")["spec"]
    asked = one(documents("teams/shop"), "AppCredential")
    assert asked["spec"]["application"]["clientId"] in grant["applications"]["clientIds"]
    assert asked["metadata"]["namespace"] in grant["namespaces"]["names"]
    assert asked["spec"]["type"] in grant["types"]


# --- Flux -----------------------------------------------------------------------------------


def test_each_kustomization_has_a_folder_and_waits_for_those_before() -> None:
    before: set[str] = set()
    for name, spec in FLUX.items():
        assert documents(spec["path"]), name
        assert {d["name"] for d in spec.get("dependsOn", ())} <= before, name
        assert spec["wait"], name
        before.add(name)


def test_expressions_are_given_for_our_kinds_in_each_folder_and_no_other() -> None:
    for name, spec in FLUX.items():
        found = {d["kind"] for d in documents(spec["path"]) if d["apiVersion"] == GROUP}
        told = [(e["apiVersion"], e["kind"]) for e in spec.get("healthCheckExprs", ())]
        assert sorted(told) == sorted((GROUP, kind) for kind in found), name


def test_the_kinds_have_the_same_expressions() -> None:
    assert len({tuple(sorted(expressions(kind).items())) for kind in KINDS}) == 1


def test_flux_installs_this_chart_and_upgrades_its_crds() -> None:
    found = documents("flux/operator")
    source, release = one(found, "OCIRepository"), one(found, "HelmRelease")
    assert source["spec"]["url"].endswith(f"/{CHART['name']}")
    assert source["spec"]["ref"] == {"tag": CHART["version"]}
    names = {d["metadata"].get("namespace", d["metadata"]["name"]) for d in found}
    assert names == {one(found, "Namespace")["metadata"]["name"]}
    reference = {"kind": "OCIRepository", "name": source["metadata"]["name"]}
    assert release["spec"]["chartRef"] == reference
    assert release["spec"]["install"]["crds"] == release["spec"]["upgrade"]["crds"]
    assert release["spec"]["upgrade"]["crds"] == "CreateReplace"


# --- Argo CD --------------------------------------------------------------------------------


def _applications() -> dict[str, Any]:
    return {d["metadata"]["name"]: d for d in documents("argocd")}


def test_argocd_installs_this_chart() -> None:
    source = _applications()["appcredential"]["spec"]["source"]
    assert (source["chart"], source["targetRevision"]) == (CHART["name"], CHART["version"])
    assert not source["repoURL"].startswith("oci://")  # Argo CD wants it without


def test_argocd_applies_the_operator_then_the_platform_then_the_teams() -> None:
    waves = {
        name: int(d["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for name, d in _applications().items()
    }
    assert sorted(waves, key=lambda name: waves[name]) == [
        "appcredential",
        "appcredential-platform",
        "teams",
    ]
    assert len(set(waves.values())) == 3


def test_every_path_of_argocd_is_a_folder() -> None:
    found = _applications()
    assert documents(found["appcredential-platform"]["spec"]["source"]["path"])
    (generator,) = found["teams"]["spec"]["generators"]
    (pattern,) = (d["path"] for d in generator["git"]["directories"])
    assert [p.name for p in EXAMPLES.glob(pattern)] == ["shop"]


def test_argocd_waits_for_the_credential_before_the_workload() -> None:
    waves = {
        d["kind"]: int(d["metadata"]["annotations"].get("argocd.argoproj.io/sync-wave", 0))
        for d in documents("teams/shop")
    }
    assert waves["Namespace"] < waves["AppCredential"] < waves["Deployment"]
