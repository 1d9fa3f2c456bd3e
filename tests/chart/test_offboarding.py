"""What leaves the values is named, and only what they made is ever removed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from localcluster import Cluster
from tests.chart.helming import CHART, RELEASE, ROOT, Helm, documents, flags
from tests.chart.test_schema import GUID, TENANT
from tests.integration.installation import GROUP

pytestmark = pytest.mark.cluster

HOME: Final = "kube-system"
"""A namespace that no grant may name."""
GRANT: Final = {"applications": {"clientIds": [GUID]}, "namespaces": {"names": ["shop"]}}
APPLIED: Final = ("by-flux", "by-kubectl", "by-hand", "exported")
"""Grants that left the values, and that somebody else has under the same name."""
MADE: Final = ("stays", "left", "edited", "moved", *APPLIED)
ALL: Final = {"tenants.gone": TENANT, "grants": dict.fromkeys(MADE, GRANT)}
ONE: Final = {"grants": {"stays": GRANT}}


def manifest(name: str) -> dict[str, Any]:
    """Return a grant as somebody else than the chart declares it."""
    kind = {"apiVersion": "appcredential.io/v1alpha1", "kind": "ApplicationGrant"}
    return {**kind, "metadata": {"name": name}, "spec": GRANT}


PRUNED: Final = {**ONE, "prune.grants": True, "extraObjects": [manifest("moved")]}
FOREIGN: Final[dict[str, dict[str, str]]] = {
    "by-another-release": {"meta.helm.sh/release-name": "other"},
    "of-another-namespace": {"meta.helm.sh/release-namespace": "other"},
    "of-a-parent-chart": {"app.kubernetes.io/part-of": "platform"},
    "of-the-trial": {"app.kubernetes.io/component": "emulator"},
    "not-kept": {"helm.sh/resource-policy": ""},
}
"""Grants that bear all marks of one of ours but one."""
LOOSER: Final = (
    (tuple(FOREIGN), r"\$marks := dict .* }}", "$marks := dict }}"),
    (APPLIED[:1], r'eq \.operation "Apply"', "false"),
    (APPLIED[1:2], "f:kubectl.kubernetes.io/last-applied-configuration", "nothing"),
    (APPLIED[3:], r"\(gt \(len \(uniq \$markers\)\) 1\)", "false"),
)
"""Names, and what of the chart alone keeps them: a pattern, and what loosens it."""
DOCUMENTED: Final = (ROOT / "docs" / "upgrade.md").read_text()


@pytest.fixture
def helm_step(bare: Cluster, bare_helm: Helm) -> Iterator[Callable[..., str]]:
    """Installs or upgrades, and returns what helm prints."""
    bare.install_crds(CHART / "crds")

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


def take_over(cluster: Cluster) -> None:
    """Apply the same names as others do, take one by the documented command, and edit another."""
    by_flux, by_kubectl = (json.dumps(manifest(name)) for name in APPLIED[:2])
    words = ("apply", "--server-side", "--force-conflicts", "--field-manager=flux", "-f", "-")
    cluster.kubectl(*words, input=by_flux)
    cluster.kubectl("apply", "-f", "-", input=by_kubectl)
    exported = cluster.api.call("GET", f"{GROUP}/applicationgrants/{APPLIED[3]}")
    kept = {k: exported["metadata"][k] for k in ("name", "labels", "annotations")}
    cluster.kubectl(*words, input=json.dumps({**exported, "metadata": kept}))
    (typed,) = re.findall(r"^kubectl (label applicationgrant .*)$", DOCUMENTED, re.MULTILINE)
    cluster.kubectl(*typed.replace("NAME", APPLIED[2]).split())
    change = json.dumps({"spec": {"maxLifetime": "30d"}})
    cluster.kubectl("patch", "applicationgrant", "edited", "--type=merge", "-p", change)


def test_what_leaves_the_values(
    bare: Cluster, helm_step: Callable[..., str], tmp_path: Path
) -> None:
    """It is named and stays; an upgrade that was asked to prune removes grants of its own alone."""
    assert "left the values" not in helm_step("install", ALL)
    notes = helm_step("upgrade", ONE)
    left = sorted(set(MADE) - {"stays"})
    assert f"still allow what they say: {', '.join(left)}." in notes
    assert f"kubectl delete applicationgrant {' '.join(left)}\n" in notes
    assert "kubectl delete entratenant --wait=false gone\n" in notes
    assert names(bare) == set(MADE)

    for name, changed in FOREIGN.items():
        imitate(bare, name, changed)
    take_over(bare)
    assert "kubectl delete applicationgrant edited left moved\n" in helm_step(
        "upgrade", ONE, "--dry-run=server"
    )
    for kept, pattern, instead in LOOSER:
        chart = _looser(tmp_path / kept[0], pattern, instead)
        loose = helm_step("upgrade", PRUNED, "--dry-run=server", chart=chart)
        assert all(f'name: "{name}"' in loose for name in kept), "nothing else keeps them"
    notes = helm_step("upgrade", PRUNED)
    assert "they left the values: the ApplicationGrants edited, left." in notes
    assert names(bare) == {"stays", "moved", *APPLIED, *FOREIGN}
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


def _looser(folder: Path, pattern: str, instead: str) -> Path:
    """Return a chart that takes more for its own."""
    copied = folder / CHART.name
    shutil.copytree(CHART, copied)
    path = copied / "templates" / "_left.tpl"
    loose, count = re.subn(pattern, instead, path.read_text())
    assert count == 1
    path.write_text(loose)
    return copied
