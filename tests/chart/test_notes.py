"""What helm prints after an installation leads on from there, whatever was chosen."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from localcluster import Cluster
from tests.chart.helming import CHART, NAMESPACE, RELEASE, VALUES, Helm, flags
from tests.chart.test_schema import GUID, TENANT
from tests.integration.installation import GROUP

pytestmark = pytest.mark.cluster
GRANT = {"applications": {"clientIds": [GUID]}, "namespaces": {"names": ["shop"]}}


@pytest.fixture(scope="module")
def served(bare: Cluster) -> Cluster:
    """The cluster with our kinds, and nothing of them, and the namespaces that are named."""
    bare.install_crds(CHART / "crds")
    for name in ("orders", "shop", "forgotten"):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        bare.kubectl("apply", "-f", "-", input=json.dumps(namespace))
    return bare


def notes(
    helm: Helm, values: Mapping[str, Any] = MappingProxyType({}), *, verb: str = "install"
) -> str:
    """Return the notes of an installation that is only tried."""
    tried = (RELEASE, CHART, "-n", NAMESPACE, "--dry-run=server")
    _, _, text = helm.run(verb, *tried, *flags(dict(values))).partition("\nNOTES:\n")
    return text


def pasted(text: str) -> list[str]:
    """Return the commands of the notes that read a manifest, as they are printed.

    Whatever follows, a shell takes for the manifest until it reads the end as a line of its own.
    """
    command = r"^ *kubectl apply [^\n]*<<EOF\n.*?^ *EOF\n"
    commands = re.findall(command, f"{text}\n", re.MULTILINE | re.DOTALL)
    assert len(commands) == text.count("<<")
    return commands


def kinds(text: str) -> list[str]:
    """Return what the notes have a person apply."""
    return [kind for command in pasted(text) for kind in re.findall(r"kind: (\w+)", command)]


def check(cluster: Cluster, text: str) -> None:
    """Type what the notes would have applied into a shell, and have the API server look at it."""
    kubectl = f'kubectl() {{ {cluster.binaries.kubectl} "$@" --dry-run=server; }}\n'
    for command in pasted(text):
        done = subprocess.run(
            ["bash", "-c", f"{kubectl}{command}echo and then"],
            env=cluster.env(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        assert re.fullmatch(r"\S+ created \(server dry run\)\nand then\n", done.stdout), command


def test_without_a_tenant_they_have_one_made(served: Cluster, bare_helm: Helm) -> None:
    text = notes(bare_helm)
    assert "for all namespaces." in text
    assert "kubectl create secret generic operator-identity" in text
    assert kinds(text) == ["EntraTenant", "ApplicationGrant"]
    check(served, text)


@pytest.mark.parametrize(
    ("values", "identity"),
    [
        ({"workloadIdentity.enabled": True}, "workloadIdentity: {clientId: 00000000"),
        (
            {"workloadIdentity.webhook": True, "workloadIdentity.clientId": GUID},
            f"workloadIdentity: {{clientId: {GUID}}}",
        ),
        ({"managedIdentity.enabled": True}, "managedIdentity: {}"),
    ],
)
def test_the_tenant_is_of_the_identity_that_was_chosen(
    served: Cluster, bare_helm: Helm, values: dict[str, Any], identity: str
) -> None:
    text = notes(bare_helm, values)
    assert identity in text
    assert "create secret" not in text
    check(served, text)


def test_a_namespace_is_one_that_is_served(served: Cluster, bare_helm: Helm) -> None:
    text = notes(bare_helm, {"watchNamespaces": ["orders", "shop"]})
    assert "for orders, shop." in text
    assert "namespaces: {names: [orders]}" in text
    check(served, text)


def test_what_is_looked_after_no_more_is_named(served: Cluster, bare_helm: Helm) -> None:
    """Nobody else would say so: without an operator status stays as it was."""
    spec = {"application": {"clientId": GUID}, "type": "ClientSecret", "clientSecret": {}}
    body = {"apiVersion": "appcredential.io/v1alpha1", "kind": "AppCredential", "spec": spec}
    path = f"{GROUP}/namespaces/forgotten/appcredentials"
    served.api.call("POST", path, {**body, "metadata": {"name": "orders"}})
    try:
        text = notes(bare_helm, {"watchNamespaces": ["shop"]})
        assert "looked after no more, and expire: forgotten." in text
        for values in ({}, {"watchNamespaces": ["forgotten"]}):
            assert "WARNING" not in notes(bare_helm, values)
    finally:
        served.api.call("DELETE", f"{path}/orders")


def test_with_tenant_and_grant_nothing_is_left_to_make(served: Cluster, bare_helm: Helm) -> None:
    text = notes(bare_helm, {"tenants.default": TENANT, "grants.shop": GRANT})
    assert kinds(text) == []
    assert "See that it signs in" in text
    made = {"apiVersion": "appcredential.io/v1alpha1", "metadata": {"name": "default"}}
    for kind, spec in (("EntraTenant", TENANT), ("ApplicationGrant", GRANT)):
        served.api.call("POST", f"{GROUP}/{kind.lower()}s", {**made, "kind": kind, "spec": spec})
    try:
        assert kinds(notes(bare_helm)) == [], "made by hand, as an upgrade finds them"
    finally:
        served.kubectl("delete", "entratenant/default", "applicationgrant/default")


def test_a_trial_shows_its_example_and_its_end(served: Cluster, bare_helm: Helm) -> None:
    words = ("install", RELEASE, CHART, "-n", NAMESPACE, "--dry-run=client")
    # The usual namespace may be there, made by another test.
    named = ("-f", VALUES / "trial.yaml", "--set", "trial.namespace=notes")
    text = bare_helm.run(*words, *named)
    assert "kubectl get appcred -n notes -w" in text
    assert "kubectl delete namespace notes" in text
    # Else the operator in earnest would keep it for ever: it is of another directory.
    assert f"kubectl delete configmap -n {NAMESPACE} -l appcredential.io/ticket=true" in text


def test_an_upgrade_reminds_of_the_crds(served: Cluster, bare_helm: Helm) -> None:
    told = "helm show crds CHART | kubectl apply --server-side --force-conflicts -f -"
    assert told not in notes(bare_helm)
    bare_helm.run("install", RELEASE, CHART, "-n", NAMESPACE)
    try:
        assert told in notes(bare_helm, verb="upgrade")
    finally:
        bare_helm.run("uninstall", RELEASE, "-n", NAMESPACE)
