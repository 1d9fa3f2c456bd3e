"""A trial's emulator keeps nothing, so what it is seeded with must be the same each time."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import pytest

from demo.stack import EmulatorProcess
from localcluster import Cluster
from tests.chart.helming import CHART, NAMESPACE, Helm, HelmError, documents, flags, one
from tests.chart.test_schema import TENANT
from tests.integration.installation import GROUP

pytestmark = pytest.mark.process

_OPERATOR: Final = {
    "app.kubernetes.io/name": "appcredential",
    "app.kubernetes.io/instance": "appcredential",
    "app.kubernetes.io/component": "operator",
}
_APPLICATION: Final = "33333333-3333-4333-8333-333333333333"


def test_a_restarted_emulator_has_the_same_application_and_owner(
    helm: Helm, tmp_path: Path
) -> None:
    """Else the operator would find another application, or not own it, and stand still."""
    found = documents(helm.template("--set", "trial.enabled=true"))
    seed = json.loads(base64.b64decode(one(found, "Secret")["data"]["seed.json"]))
    first, second = (_application(tmp_path / name, seed) for name in ("first", "second"))
    assert first["passwordCredentials"] == second["passwordCredentials"] == []
    assert (first["id"], first["owners"]) == (second["id"], second["owners"])


def test_only_the_operator_and_the_trials_namespace_reach_the_emulator(helm: Helm) -> None:
    """Its administration has no password."""
    rendered = helm.template(*flags({"trial.enabled": True, "trial.namespace": "playground"}))
    (rule,) = one(documents(rendered), "NetworkPolicy", "appcredential-entra")["spec"]["ingress"]
    operator, namespace = rule["from"]
    assert operator == {"podSelector": {"matchLabels": _OPERATOR}}
    name = {"kubernetes.io/metadata.name": "playground"}
    assert namespace == {"namespaceSelector": {"matchLabels": name}}


@pytest.mark.cluster
def test_a_cluster_with_a_real_tenant_has_no_trial(bare: Cluster, bare_helm: Helm) -> None:
    """The trial's operator would look after the AppCredentials of the real one, and stop them."""
    bare.install_crds(CHART / "crds")
    made = {"apiVersion": "appcredential.io/v1alpha1", "kind": "EntraTenant"}
    tried = ("install", "trial", CHART, "-n", NAMESPACE, "--dry-run=server")
    # The usual namespace may be there, made by another test.
    wanted = {"trial.enabled": True, "trial.namespace": "n"}
    custom = {**TENANT, "cloud": "Custom"}
    for name, spec in (("contoso", TENANT), ("lab", custom)):
        body = {**made, "metadata": {"name": name}, "spec": spec}
        bare.api.call("POST", f"{GROUP}/entratenants", body)
    try:
        with pytest.raises(HelmError, match="the EntraTenant contoso of cloud Public"):
            bare_helm.run(*tried, *flags(wanted))
        bare_helm.run(*tried)
        bare.kubectl("delete", "entratenant/contoso")
        bare_helm.run(*tried, *flags(wanted))
        # The one namespace that need not exist: it comes with the trial.
        bare_helm.run(*tried, *flags({**wanted, "watchNamespaces": ["n"]}))
    finally:
        bare.kubectl("delete", "entratenant/contoso", "entratenant/lab", "--ignore-not-found")


def _application(folder: Path, seed: dict[str, Any]) -> dict[str, Any]:
    running = EmulatorProcess(folder, seed)
    try:
        application: dict[str, Any] = running.call("GET", f"/applications/{_APPLICATION}")
    finally:
        running.child.stop()
    return application
