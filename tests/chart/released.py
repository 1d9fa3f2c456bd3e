"""A release of the chart, its operator run as a process with what the chart gives its pods.

The process has the environment of the rendered container and a token of the rendered
ServiceAccount, so nothing but the chart's settings and rights.
"""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from charts.generate import camel
from demo.seed import OPERATOR_ID, TENANT_ID
from demo.stack import EmulatorProcess, OperatorProcess
from localcluster import Cluster
from tests.chart.helming import CHART, NAMESPACE, RELEASE, Helm, documents, environment, flags
from tests.chart.rights import Request, Right, end_of, granted, requested
from tests.integration.installation import CORE, GROUP, SETTINGS, Installation

FROZEN: Final = next((Path(__file__).parent / "frozen").glob("*.tgz"))
DEPLOYMENT: Final = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{RELEASE}"
_IDENTITY: Final = {
    "clientSecret": {"clientId": OPERATOR_ID, "secretRef": {"name": "operator-identity"}}
}
TENANT: Final = {"tenantId": TENANT_ID, "cloud": "Custom", "identity": _IDENTITY}


def _typed(value: str) -> object:
    if value in {"true", "false"}:
        return value == "true"
    return int(value) if value.isdigit() else value


QUICK: Final[Mapping[str, Any]] = {camel(name): _typed(v) for name, v in SETTINGS.items()}
"""The tests' settings as values of the chart, where numbers and booleans are such."""
# Where a pod would find them; the process is told by these instead.
_OF_THE_MACHINE: Final = {
    "APPCREDENTIAL_HEALTH_ADDRESS": "127.0.0.1",
    "APPCREDENTIAL_HEALTH_PORT": "0",
    "APPCREDENTIAL_METRICS_PORT": "0",
}


def drop_claim(cluster: Cluster) -> None:
    """Delete the claim that whoever used this cluster before may have left."""
    status, text = cluster.api.send("DELETE", _CLAIM)
    assert status in {200, 404}, text


class Release(Installation):
    """Installed by helm when it is made; its operator is started, and not waited for."""

    def __init__(
        self,
        helm: Helm,
        cluster: Cluster,
        emulator: EmulatorProcess,
        folder: Path,
        *,
        chart: Path = CHART,
        options: Sequence[str] = (),
        tenants: bool = True,
        **values: Any,
    ) -> None:
        self._helm = helm
        self._values: dict[str, Any] = {
            "settings": {k: v for k, v in QUICK.items() if k in settings_of(chart)},
            "custom.authority": emulator.url,
            "custom.graph": emulator.url,
            **({"tenants.default": TENANT} if tenants else {}),
            **values,
        }
        drop_claim(cluster)
        self._asked: Counter[Request] = Counter()
        self._audited = end_of(cluster.audit_log)
        helm.run("install", RELEASE, chart, "-n", NAMESPACE, *options, *flags(self._values))
        super().__init__(cluster, emulator, folder, _environment(cluster, emulator))

    def upgrade(self, chart: Path = CHART, **values: Any) -> None:
        """Upgrade, and replace the operator as a rollout would."""
        self._values |= values
        self._helm.run("upgrade", RELEASE, chart, "-n", NAMESPACE, *flags(self._values))
        self.roll_out("upgraded")
        self.operator.wait_until_ready()

    def roll_back(self, revision: int) -> None:
        """Return to an earlier revision."""
        self._helm.run("rollback", RELEASE, str(revision), "-n", NAMESPACE)
        self.roll_out("rolled-back")
        self.operator.wait_until_ready()

    def uninstall(self) -> None:
        """Take the release away, and the operator with it; harmless when it is gone."""
        self._asked = self.asked()
        self._helm.run("uninstall", RELEASE, "-n", NAMESPACE, "--ignore-not-found")
        self.operator.child.stop()
        # What it asked for without any role is nothing that a role should have given.
        self._audited = end_of(self.cluster.audit_log)

    def end(self) -> None:
        """Take away the release and everything that a test made, for the next one."""
        self.uninstall()
        for plural in ("appcredentials", "applicationgrants", "entratenants"):
            for item in self.kube.items(f"{GROUP}/{plural}"):
                self._take_away(plural, item["metadata"])
        for plural in ("secrets/operator-identity", "configmaps"):
            self.kube.delete(f"{CORE}/namespaces/{NAMESPACE}/{plural}")
        self.kube.delete(f"{_COORDINATION}/namespaces/{NAMESPACE}/leases")

    def reinstall(self, chart: Path = CHART) -> None:
        """Install it again after it was taken away."""
        self._helm.run("install", RELEASE, chart, "-n", NAMESPACE, *flags(self._values))
        self.roll_out("reinstalled")
        self.operator.wait_until_ready()

    def granted(self) -> list[Right]:
        """Return what the release gives the operator."""
        manifest = self._helm.run("get", "manifest", RELEASE, "-n", NAMESPACE)
        return granted(documents(manifest), f"{NAMESPACE}:{RELEASE}")

    def asked(self) -> Counter[Request]:
        """Return what its operators have asked the API server for while they had their roles."""
        user = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
        return self._asked + requested(self.cluster.audit_log, user, self._audited)

    def roll_out(self, name: str) -> None:
        """Replace the operator; not waited for."""
        self.operator.child.stop()
        env = _environment(self.cluster, self.emulator)
        self.operator = OperatorProcess(self.cluster, self.emulator, self.folder, env, name)

    def objects(self) -> set[str]:
        """Return what of the release is in the cluster, as `kind namespace/name`."""
        found: set[str] = set()
        for path, kind in _KINDS.items():
            query = f"?labelSelector=app.kubernetes.io/instance={RELEASE}"
            for item in self.kube.items(path + query):
                metadata = item["metadata"]
                found.add(f"{kind} {metadata.get('namespace', '')}/{metadata['name']}")
        return found

    def looked_at(self, kind: str = "appcredentials") -> float:
        """Return how often this process has reconciled anything of the kind."""
        samples = self.operator.metrics()
        name = f'appcredential_reconciles_total{{kind="{kind}"}}'
        return samples.get(name, 0.0)


_COORDINATION = "/apis/coordination.k8s.io/v1"
_CLAIM: Final = f"{_COORDINATION}/namespaces/default/leases/appcredential-claim"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_KINDS: Final[Mapping[str, str]] = {
    f"{CORE}/serviceaccounts": "ServiceAccount",
    f"{CORE}/services": "Service",
    f"{CORE}/configmaps": "ConfigMap",
    f"{CORE}/secrets": "Secret",
    "/apis/apps/v1/deployments": "Deployment",
    "/apis/policy/v1/poddisruptionbudgets": "PodDisruptionBudget",
    "/apis/networking.k8s.io/v1/networkpolicies": "NetworkPolicy",
    f"{_RBAC}/roles": "Role",
    f"{_RBAC}/rolebindings": "RoleBinding",
    f"{_RBAC}/clusterroles": "ClusterRole",
    f"{_RBAC}/clusterrolebindings": "ClusterRoleBinding",
    f"{_ADMISSION}/validatingadmissionpolicies": "ValidatingAdmissionPolicy",
    f"{_ADMISSION}/validatingadmissionpolicybindings": "ValidatingAdmissionPolicyBinding",
    "/apis/appcredential.io/v1alpha1/entratenants": "EntraTenant",
    "/apis/appcredential.io/v1alpha1/applicationgrants": "ApplicationGrant",
    "/apis/appcredential.io/v1alpha1/appcredentials": "AppCredential",
}


def settings_of(chart: Path) -> set[str]:
    """Return the settings that a chart knows, also one that was packaged long ago."""
    if chart.is_dir():
        text = (chart / "values.schema.json").read_text()
    else:
        with tarfile.open(chart) as archive:
            member = archive.extractfile("appcredential/values.schema.json")
            assert member is not None
            text = member.read().decode()
    return set(json.loads(text)["properties"]["settings"]["properties"])


def _environment(cluster: Cluster, emulator: EmulatorProcess) -> dict[str, str]:
    deployment = cluster.api.call("GET", DEPLOYMENT)
    env = environment(deployment, f"{RELEASE}-0")
    return {**env, **_OF_THE_MACHINE, "APPCREDENTIAL_CUSTOM_CA_FILE": str(emulator.ca_file)}
