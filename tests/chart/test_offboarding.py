"""What leaves the values is named, and only what they made is ever removed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from localcluster import Cluster
from tests.chart.helming import CHART, RELEASE, Helm, documents, flags
from tests.chart.test_schema import GUID, TENANT
from tests.integration.installation import CORE, GROUP

pytestmark = pytest.mark.cluster

HOME: Final = "offboarding"
GRANT: Final = {"applications": {"clientIds": [GUID]}, "namespaces": {"names": ["shop"]}}
MADE: Final = ("stays", "left", "moved")
ALL: Final = {"tenants.gone": TENANT, "grants": dict.fromkeys(MADE, GRANT)}
ONE: Final = {"grants": {"stays": GRANT}}
_MOVED: Final = {
    "apiVersion": "appcredential.io/v1alpha1",
    "kind": "ApplicationGrant",
    "metadata": {"name": "moved"},
    "spec": GRANT,
}
PRUNED: Final = {**ONE, "prune.grants": True, "extraObjects": [_MOVED]}
FOREIGN: Final[dict[str, dict[str, str]]] = {
    "by-another-release": {"meta.helm.sh/release-name": "other"},
    "of-another-namespace": {"meta.helm.sh/release-namespace": "other"},
    "of-a-parent-chart": {"app.kubernetes.io/part-of": "platform"},
    "of-the-trial": {"app.kubernetes.io/component": "emulator"},
    "not-kept": {"helm.sh/resource-policy": ""},
}
"""Grants that bear all marks of one of ours but one."""


@pytest.fixture
def helm_step(bare: Cluster, bare_helm: Helm) -> Iterator[Callable[..., str]]:
    """Installs or upgrades, and returns what helm prints."""
    bare.install_crds(CHART / "crds")
    bare.api.send("POST", f"{CORE}/namespaces", {"metadata": {"name": HOME}})

    def step(verb: str, values: dict[str, Any], *words: str, chart: Path = CHART) -> str:
        return bare_helm.run(verb, RELEASE, chart, "-n", HOME, *words, *flags(values))

    yield step
    bare_helm.run("uninstall", RELEASE, "-n", HOME, "--ignore-not-found")
    bare.kubectl("delete", "applicationgrants,entratenants", "--all")


def names(cluster: Cluster, plural: str = "applicationgrants") -> set[str]:
    """Return what there is of a kind."""
    found = cluster.api.call("GET", f"{GROUP}/{plural}")["items"]
    return {item["metadata"]["name"] for item in found}


def imitate(cluster: Cluster, name: str, changed: dict[str, str]) -> None:
    """Make a grant with the marks of one of the release's, but for those that are given."""
    made = cluster.api.call("GET", f"{GROUP}/applicationgrants/stays")
    metadata: dict[str, Any] = {"name": name}
    for kind in ("labels", "annotations"):
        marks = made["metadata"][kind]
        metadata[kind] = marks | {k: v for k, v in changed.items() if k in marks}
    body = {"apiVersion": made["apiVersion"], "kind": made["kind"], "spec": made["spec"]}
    cluster.api.call("POST", f"{GROUP}/applicationgrants", {**body, "metadata": metadata})


def test_what_leaves_the_values(
    bare: Cluster, helm_step: Callable[..., str], tmp_path: Path
) -> None:
    """It is named and stays; an upgrade that was asked to prune removes grants of its own alone."""
    assert "left the values" not in helm_step("install", ALL)
    notes = helm_step("upgrade", ONE)
    assert "still allow what they say: left, moved." in notes
    assert "kubectl delete applicationgrant left moved\n" in notes
    assert "kubectl delete entratenant --wait=false gone\n" in notes
    assert names(bare) == set(MADE)

    for name, changed in FOREIGN.items():
        imitate(bare, name, changed)
    loose = helm_step("upgrade", PRUNED, "--dry-run=server", chart=_without_marks(tmp_path))
    assert all(f'name: "{name}"' in loose for name in FOREIGN), "the marks keep them"
    notes = helm_step("upgrade", PRUNED)
    assert "they left the values: the ApplicationGrants left." in notes
    assert names(bare) == {"stays", "moved", *FOREIGN}
    assert names(bare, "entratenants") == {"gone"}, "it could not be called back"

    tried = helm_step("install", {"prune.grants": True}, "--dry-run=server", "--replace")
    assert "still allow what they say: moved, stays." in tried
    assert "helm.sh/hook: post-upgrade" not in tried


def test_argo_cd_prunes_grants_where_that_is_asked_for(helm: Helm) -> None:
    """It renders the chart without a cluster, and knows itself what left."""

    def options(**values: Any) -> dict[str, str]:
        found = documents(helm.template(*flags({**ALL, **values})))
        kinds = ("ApplicationGrant", "EntraTenant")
        annotations = {d["kind"]: d["metadata"]["annotations"] for d in found if d["kind"] in kinds}
        assert all(a["helm.sh/resource-policy"] == "keep" for a in annotations.values())
        return {k: a["argocd.argoproj.io/sync-options"] for k, a in annotations.items()}

    kept = "Prune=false,Delete=false"
    assert options() == {"ApplicationGrant": kept, "EntraTenant": kept}
    pruned = options(**{"prune.grants": True})
    assert pruned == {"ApplicationGrant": "Delete=false", "EntraTenant": kept}


def _without_marks(folder: Path) -> Path:
    """Return a chart that takes every grant for one of its own."""
    copied = folder / CHART.name
    shutil.copytree(CHART, copied)
    path = copied / "templates" / "_left.tpl"
    loose, count = re.subn(r"\$marks := dict .* }}", "$marks := dict }}", path.read_text())
    assert count == 1
    path.write_text(loose)
    return copied
