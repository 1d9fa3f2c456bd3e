"""A release of the chart whose operator runs in pods, out of the image."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from demo.exchanging import add_cluster_issuer
from demo.processes import Child
from demo.stack import EmulatorProcess, OperatorProcess
from localcluster import Cluster
from tests.chart.helming import CHART, NAMESPACE, RELEASE, Helm, flags
from tests.chart.released import QUICK, TENANT
from tests.conftest import wait_until
from tests.integration.installation import CORE, Installation, Team
from tests.node import pods

SELECTOR: Final = f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component=operator"
LEASE: Final = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/appcredential"
AUTHORITY: Final = "entra-authority"
_VALUE: Final = "appcredential.io/value-sha256"


class PodsLog(Child):
    """The operator's pods in the place of a process: what they say, and nothing to end."""

    def __init__(self, cluster: Cluster, path: Path) -> None:
        self._cluster, self._path = cluster, path

    @property
    def log(self) -> Path:  # type: ignore[override]
        """A file with what all of them have said until now."""
        words = ("logs", "-n", NAMESPACE, "-l", SELECTOR, "--tail=-1", "--prefix")
        self._path.write_text(self._cluster.kubectl(*words, check=False).stdout)
        return self._path

    def check(self) -> None:
        """Fail when a part of the cluster has ended."""
        self._cluster.check()

    def stop(self, seconds: float = 75) -> int:
        """Leave them: helm takes them away."""
        return 0


class PodOperator(OperatorProcess):
    """The operator that the release runs."""

    def __init__(
        self,
        cluster: Cluster,
        emulator: EmulatorProcess | None,
        folder: Path,
        settings: Mapping[str, str],
        name: str = "operator",
    ) -> None:
        self._cluster = cluster
        self.child = PodsLog(cluster, folder / f"{name}.log")

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Wait until both replicas are."""

        def ready() -> bool:
            found = pods.pods(self._cluster, NAMESPACE, SELECTOR)
            return len(found) == 2 and all(map(pods.is_ready, found))

        wait_until(ready, f"both replicas are Ready\n{self.child.log.read_text()[-2000:]}", seconds)


class PodRelease(Installation):
    """Installed by helm when it is made, with the values that its users set and short times."""

    def __init__(
        self, helm: Helm, cluster: Cluster, emulator: EmulatorProcess, folder: Path
    ) -> None:
        self._helm = helm
        add_cluster_issuer(cluster, emulator)
        super().__init__(cluster, emulator, folder, {}, process=PodOperator)
        self.make_secret(NAMESPACE, AUTHORITY, {"ca.pem": emulator.ca_file.read_text()})
        values: dict[str, Any] = {
            "settings": QUICK,
            "custom.authority": emulator.url,
            "custom.graph": emulator.url,
            "custom.ca.secretName": AUTHORITY,
            "tenants.default": TENANT,
            "rbac.restarts": True,
        }
        helm.run("install", RELEASE, CHART, "-n", NAMESPACE, *flags(values))

    def replicas(self) -> list[dict[str, Any]]:
        """Return the operator's pods."""
        return pods.pods(self.cluster, NAMESPACE, SELECTOR)

    def leader(self) -> str:
        """Return the name of the pod that leads; empty before one does."""
        found = self.kube.get(LEASE) or {"spec": {}}
        return str(found["spec"].get("holderIdentity", "")).rpartition("_")[0]

    def delete_pod(self, name: str) -> float:
        """Delete a pod; return the moment."""
        self.kube.delete(f"{CORE}/namespaces/{NAMESPACE}/pods/{name}")
        return time.monotonic()

    def uninstall(self) -> None:
        """Take the release away, and wait for its pods to go."""
        self._helm.run("uninstall", RELEASE, "-n", NAMESPACE, "--ignore-not-found", "--wait")
        path = f"{CORE}/namespaces/{NAMESPACE}/pods?labelSelector={SELECTOR}"
        self.until(lambda: self.kube.items(path) == [], "its pods are gone", 90)

    def end(self) -> None:
        """Take away the release, what tests made, and a Lease that its leader could not give up."""
        self.uninstall()
        self.close()
        self.kube.delete(LEASE)


def team_of(release: PodRelease, prefix: str) -> Team:
    """Return a team whose namespace enforces *restricted* and has what its pods run."""
    team = release.team(prefix)
    label = "pod-security.kubernetes.io/enforce=restricted"
    release.cluster.kubectl("label", "namespace", team.namespace, label)
    pods.provide_script(release.cluster, team.namespace)
    pods.provide_authority(release.cluster, team.namespace, release.emulator.ca_file)
    return team


def value_of(team: Team) -> str:
    """Return the hash of what is published."""
    secret = team.secret()
    assert secret is not None
    return str(secret["metadata"]["annotations"][_VALUE])
