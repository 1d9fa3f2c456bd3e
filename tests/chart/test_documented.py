"""What docs/ tells to type is typed: installing, upgrading, and what an uninstall leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from demo.seed import TENANT_ID
from demo.stack import EmulatorProcess
from localcluster import Cluster
from tests.chart.documented import Shell, block, lines
from tests.chart.helming import CHART, NAMESPACE, ROOT, Helm
from tests.chart.released import Release
from tests.conftest import wait_until
from tests.docs.reading import blocks
from tests.integration.installation import CORE, GROUP, Team

pytestmark = [pytest.mark.cluster, pytest.mark.process]

UNINSTALL: Final = (ROOT / "docs" / "uninstall.md").read_text()
_APPLICATION: Final = "33333333-3333-4333-8333-333333333333"
_OPERATOR: Final = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def shell(bare: Cluster, helm_binary: Path, tmp_path: Path) -> Iterator[Shell]:
    """A shell on the cluster, which has the CRDs again afterwards."""
    folder = tmp_path / "shell"
    folder.mkdir()
    bare.install_crds(CHART / "crds")
    yield Shell(bare, helm_binary, folder)
    bare.install_crds(CHART / "crds")


@pytest.fixture
def release(
    shell: Shell, bare: Cluster, bare_helm: Helm, emulator: EmulatorProcess, tmp_path: Path
) -> Iterator[Release]:
    """A release with a running operator."""
    running = Release(bare_helm, bare, emulator, tmp_path)
    try:
        running.operator.wait_until_ready()
        yield running
    finally:
        bare.install_crds(CHART / "crds")
        kinds = ("appcredentials", "entratenants", "applicationgrants")
        served = [f"{GROUP}/{kind}" for kind in kinds]
        # Just made anew, they are not served at once.
        wait_until(lambda: all(bare.api.send("GET", p)[0] == 200 for p in served), "they are there")
        running.end()


def _spec(cluster: Cluster, path: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster.api.call("GET", f"{GROUP}/{path}")["spec"]
    return found


def test_installing_and_upgrading(shell: Shell, bare: Cluster) -> None:
    try:
        _install(shell, bare)
        _upgrade(shell)
        _confine(shell)
        _move(shell, bare)
    finally:
        shell.run("helm uninstall appcredential -n appcredential-system --ignore-not-found")
        shell.run("helm uninstall moved -n elsewhere --ignore-not-found")
        shell.run(
            "kubectl delete appcred -A --all; kubectl delete entratenants,applicationgrants --all"
        )


def _install(shell: Shell, cluster: Cluster) -> None:
    ids = {"TENANT_ID": TENANT_ID, "OPERATOR_CLIENT_ID": _OPERATOR}
    ids |= {"REGISTRY": "registry.example", "APPLICATION_CLIENT_ID": _APPLICATION}
    first, *rest = block("install.md", "grants:\n  shop:").splitlines()
    assert first == f"kubectl create namespace {NAMESPACE}"  # the cluster has it
    assert "STATUS: deployed" in shell.run("\n".join(rest), ids)
    identity = _spec(cluster, "entratenants/default")["identity"]
    assert identity == {"workloadIdentity": {"clientId": _OPERATOR}}
    grant = _spec(cluster, "applicationgrants/shop")
    assert grant["applications"] == {"clientIds": [_APPLICATION]}
    subject = shell.run(block("guides/operator-identity.md", "serviceAccountName"))
    assert f'"subject\\": \\"{subject.strip()}\\"' in block("install.md", "federated-credential")
    cluster.kubectl("delete", "namespace", "shop", "--ignore-not-found")  # another test's
    *commands, wait = block("install.md", "kind: AppCredential").splitlines()
    assert wait.startswith("kubectl wait")  # nothing runs here
    assert "appcredential.appcredential.io/orders created" in shell.run("\n".join(commands), ids)
    shell.run(block("install.md", "create rolebinding"), {"GROUP": "team"})


def _upgrade(shell: Shell) -> None:
    new = {"NEW": str(CHART)}
    said = shell.run(block("upgrade.md", "helm show crds $NEW"), new)
    assert len(re.findall(r"\.appcredential\.io serverside-applied$", said, re.MULTILINE)) == 3
    shell.run(block("upgrade.md", "--take-ownership"))
    shell.run("helm uninstall appcredential-crds -n appcredential-system")
    command = lines(block("upgrade.md", "helm upgrade appcredential $NEW"), "helm upgrade")
    assert "STATUS: deployed" in shell.run(command, new)
    values = json.loads(shell.run("helm get values appcredential -n appcredential-system -o json"))
    assert values["image"] == {"registry": "registry.example"}  # one's own are kept
    back = lines(block("upgrade.md", "helm rollback"), "helm rollback")
    assert "Rollback was a success" in shell.run(back)
    _go_back_to_a_tenant(shell, back)


def _go_back_to_a_tenant(shell: Shell, back: str) -> None:
    """Helm cannot roll back to what left the values and stayed in the cluster."""
    values = "--reset-values --set image.registry=registry.example"
    shell.run(f"helm upgrade appcredential {CHART} -n {NAMESPACE} {values}")
    assert "must be specified for an update" in shell.run(back, fails=True)
    place = {"OLD": str(CHART), "REVISION": "1", "values.yaml": str(shell.folder / "values.yaml")}
    assert "STATUS: deployed" in shell.run(block("upgrade.md", "--revision REVISION"), place)


def _confine(shell: Shell) -> None:
    """The namespaces of the page, on the release that is there."""
    shell.run("kubectl create namespace payments; kubectl create namespace billing")
    command = block("guides/some-namespaces.md", "billing")
    assert command.startswith("kubectl create namespace billing\n")
    shell.run(command.partition("\n")[2])
    roles = shell.run("kubectl get roles -A -o name -l app.kubernetes.io/part-of=appcredential")
    # Those of three namespaces, of its own, and of the one for Events about the cluster's kinds.
    assert len(roles.splitlines()) == 5


def _move(shell: Shell, cluster: Cluster) -> None:
    """To another name in another namespace, with a deletion that waits for its time."""
    metadata = {"name": "waiting", "labels": {"appcredential.io/ticket": "true"}}
    ticket = {"metadata": metadata, "data": {"due": "2030-01-01T00:00:00Z"}}
    cluster.api.call("POST", f"{CORE}/namespaces/{NAMESPACE}/configmaps", ticket)
    shell.run("kubectl create namespace elsewhere")
    place = {"NEW": str(CHART), "NAMESPACE": "elsewhere", "RELEASE": "moved"}
    place["values.yaml"] = str(shell.folder / "values.yaml")
    *first, install = block("upgrade.md", "helm uninstall").splitlines()
    shell.run("\n".join(first), place)
    refused = shell.run(install.replace(" --take-ownership", ""), place, fails=True)
    assert "invalid ownership metadata" in refused
    assert "STATUS: deployed" in shell.run(install, place)
    moved = cluster.api.call("GET", f"{CORE}/namespaces/elsewhere/configmaps/waiting")
    assert (moved["data"], moved["metadata"]["labels"]) == (ticket["data"], metadata["labels"])
    shell.run(f"kubectl delete configmap waiting -n {NAMESPACE}")


def test_uninstalling(shell: Shell, release: Release) -> None:
    """Uninstalled too early, released by hand; installed again, and removed as a whole."""
    hanging, staying = release.team("hanging"), release.team("staying")
    for team in (hanging, staying):
        team.apply(deletionGracePeriod="24h")
    for team in (hanging, staying):
        team.ready()
    release.until(lambda: hanging.pending() == staying.pending() == [], "nothing is on its way")
    keys = (hanging.key_ids(), staying.key_ids())
    shell.run(block("uninstall.md", "helm uninstall appcredential"))
    release.operator.child.stop()
    _see_it_hang(shell, release, hanging)
    _release_by_hand(shell, release, staying)
    wait_until(lambda: not _exists(release, hanging), "the namespace is gone")
    assert (hanging.key_ids(), staying.key_ids()) == keys
    _look_for_what_is_left(shell, release, staying)

    shell.run(block("uninstall.md", "appcredential.io/issued=true"))
    release.reinstall()
    release.until(lambda: _finalizers(release, staying), "it looks after what was released")
    staying.ready()
    release.until(lambda: release.records(staying.namespace), "what exists is recorded anew")
    assert release.tickets(hanging.namespace) == [], "what was let go by hand is kept"
    _remove_all_of_it(shell, release)
    # Of the other one nobody knew any more.
    assert (hanging.key_ids(), staying.key_ids()) == (keys[0], [])


def _exists(release: Release, team: Team) -> bool:
    return release.kube.get(f"{CORE}/namespaces/{team.namespace}") is not None


def _finalizers(release: Release, team: Team) -> list[str]:
    found = release.kube.get(f"{GROUP}/namespaces/{team.namespace}/appcredentials/app")
    assert found is not None
    return found["metadata"].get("finalizers") or []


def _see_it_hang(shell: Shell, release: Release, team: Team) -> None:
    release.cluster.kubectl("delete", "namespace", team.namespace, "--wait=false")
    release.cluster.kubectl("delete", "entratenant", "default", "--wait=false")
    typed = next(b for b in blocks(UNINSTALL, "console") if "NamespaceFinalizersRemaining" in b)
    command, says = typed.removeprefix("$ ").replace("shop", team.namespace).splitlines()
    wait_until(lambda: shell.run(command).strip() == says, "the namespace hangs")
    noted = shell.run(lines(block("uninstall.md", "DELETED:"), "kubectl get appcred -A"))
    assert all(key in noted for key in team.key_ids())


def _release_by_hand(shell: Shell, release: Release, team: Team) -> None:
    """Somebody else's finalizer stays, and stops the patch where it comes first."""
    path = f"{GROUP}/namespaces/{team.namespace}/appcredentials/app"
    theirs = "example.com/theirs"
    release.kube.edit(path, lambda found: found["metadata"]["finalizers"].insert(0, theirs))
    one, of_a_tenant = block("uninstall.md", "OURS='").partition("kubectl patch entratenant")[::2]
    assert of_a_tenant
    refused = shell.run(one, {"NAMESPACE": team.namespace, "NAME": "app"}, fails=True)
    assert "The request is invalid" in refused
    release.kube.edit(path, lambda found: found["metadata"]["finalizers"].reverse())
    variable = one.partition("kubectl")[0]
    shell.run(variable + block("uninstall.md", "for name in $(kubectl get entratenants"))
    assert release.kube.get(f"{GROUP}/entratenants/default") is None
    assert _finalizers(release, team) == [theirs]
    release.kube.edit(path, lambda found: found["metadata"].update(finalizers=[]))


def _look_for_what_is_left(shell: Shell, release: Release, team: Team) -> None:
    place = {"NAMESPACE": team.namespace, "NAME": "app"}
    account = ("serviceaccount", "orders", "-n", team.namespace)
    release.cluster.kubectl("create", *account)
    wired = ("azure.workload.identity/client-id=x", "appcredential.io/wired-by=x")
    release.cluster.kubectl("annotate", *account, *wired)
    look = block("uninstall.md", "get serviceaccounts -A")
    assert re.search(rf"^{team.namespace} +secret/app ", shell.run(look), re.MULTILINE)
    assert f"{team.namespace}/orders" in shell.run(look)
    found = shell.run(block("uninstall.md", "io/key-id}"), place).split()
    (credential,) = release.emulator.credentials(team.client_id)
    marker = re.compile(r"appcred1\.([a-z2-7]{8})\.[a-z2-7]{20}\.[a-z2-7]{14} (.*)")
    named = marker.fullmatch(credential["displayName"])
    assert named is not None
    assert found == [named[1], credential["keyId"]]
    assert named[2] == f"{team.namespace}/app"
    secret, annotations = block("uninstall.md", "kubectl annotate").split("kubectl annotate")
    shell.run(secret, place)
    shell.run(f"kubectl annotate{annotations}", {**place, "NAME": "orders"})
    # Of this team: in the cluster are also those of other tests.
    assert team.namespace not in shell.run(look)


def _remove_all_of_it(shell: Shell, release: Release) -> None:
    assert "24h" in shell.run(block("uninstall.md", "GRACE:"))
    shell.run(block("uninstall.md", '"deletionGracePeriod":"0s"'))
    tickets = block("uninstall.md", "appcredential.io/ticket=true")
    release.until(lambda: "No resources found" in shell.run(tickets), "no ticket is left")
    rest = block("uninstall.md", "kubectl delete crd")
    shell.run(lines(rest, "kubectl delete applicationgrants", "kubectl delete entratenants"))
    shell.run(lines(rest, "helm uninstall"))
    release.operator.child.stop()
    shell.run(lines(rest, "kubectl delete crd"))
    left = shell.run("kubectl api-resources --api-group=appcredential.io -o name")
    assert left.strip() == ""
