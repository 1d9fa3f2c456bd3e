"""Pods of workloads: made, listened to and looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from appcredential import __version__
from image.engine import OPERATOR
from localcluster import Cluster
from tests.conftest import wait_until
from tests.integration.installation import CORE
from tests.integration.stories_federation import AUDIENCE

SCRIPT: Final = Path(__file__).with_name("workload.py")
AUTHORITY_MAP: Final = "entra-ca"
PATIENCE: Final = 90.0
_POD: Final = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "fsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_CONTAINER: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """One attempt of a workload: the hash of the secret it used, and Entra's refusal if any."""

    sha256: str
    refusal: str


class Workload:
    """A pod that signs in again and again.

    Args:
        words: what workload.py is called with.
        volumes: what is mounted beside it, by its path.
        account: its ServiceAccount.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        words: list[str],
        volumes: dict[str, dict[str, Any]],
        *,
        account: str = "default",
    ) -> None:
        self._cluster, self._namespace, self.name = cluster, namespace, name
        pod = manifest(name, words, volumes, account)
        cluster.api.call("POST", f"{CORE}/namespaces/{namespace}/pods", pod)

    def sign_ins(self) -> list[SignIn]:
        """Return its attempts, oldest first; none before it has started."""
        said = self._cluster.kubectl("logs", self.name, "-n", self._namespace, check=False)
        return sign_ins_in(said.stdout) if said.returncode == 0 else []

    def last(self, seconds: float = PATIENCE) -> SignIn:
        """Wait for an attempt that begins now; return it."""
        before = len(self.sign_ins())
        # The one that is under way has begun before.
        wait_until(lambda: len(self.sign_ins()) > before + 1, f"{self.name} tries again", seconds)
        return self.sign_ins()[-1]


def sign_ins_in(log: str) -> list[SignIn]:
    """Return what a workload's log says; a line that is not whole yet is left out."""
    lines = (line for line in log.splitlines() if line.startswith("{") and line.endswith("}"))
    return [SignIn(**json.loads(line)) for line in lines]


def manifest(
    name: str, words: list[str], volumes: dict[str, dict[str, Any]], account: str
) -> dict[str, Any]:
    """Return the pod; it is as *restricted* wants it."""
    mounted: dict[str, dict[str, Any]] = {
        "/opt/workload": {"configMap": {"name": "workload"}},
        "/etc/entra": {"configMap": {"name": AUTHORITY_MAP}},
        **volumes,
    }
    names = {path: f"v{number}" for number, path in enumerate(mounted)}
    container = {
        "name": "workload",
        "image": f"{OPERATOR}:{__version__}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "/opt/workload/workload.py", *words],
        "securityContext": _CONTAINER,
        "volumeMounts": [{"name": names[p], "mountPath": p, "readOnly": True} for p in mounted],
    }
    spec = {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": _POD,
        "containers": [container],
        "volumes": [{"name": names[p], **source} for p, source in mounted.items()],
    }
    return {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def mounted_secret(name: str) -> dict[str, dict[str, Any]]:
    """Return the volume of a Secret."""
    return {"/etc/credential": {"secret": {"secretName": name}}}


def projected_token() -> dict[str, dict[str, Any]]:
    """Return the volume that the workload identity webhook would add."""
    token = {"audience": AUDIENCE, "expirationSeconds": 3600, "path": "azure-identity-token"}
    source = {"projected": {"sources": [{"serviceAccountToken": token}]}}
    return {"/var/run/secrets/azure/tokens": source}


def provide_script(cluster: Cluster, namespace: str) -> None:
    """Put what the pods run into their namespace."""
    body = {"metadata": {"name": "workload"}, "data": {SCRIPT.name: SCRIPT.read_text()}}
    cluster.api.call("POST", f"{CORE}/namespaces/{namespace}/configmaps", body)


def provide_authority(cluster: Cluster, namespace: str, ca_file: Path) -> None:
    """Put the authority of Entra's stand-in into a namespace."""
    body = {"metadata": {"name": AUTHORITY_MAP}, "data": {"ca.pem": ca_file.read_text()}}
    cluster.api.call("POST", f"{CORE}/namespaces/{namespace}/configmaps", body)


def pods(cluster: Cluster, namespace: str, selector: str) -> list[dict[str, Any]]:
    """Return the pods with those labels that are not ending."""
    path = f"{CORE}/namespaces/{namespace}/pods?labelSelector={selector}"
    found: list[dict[str, Any]] = cluster.api.call("GET", path)["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def is_ready(pod: dict[str, Any]) -> bool:
    """Tell whether its probes say so."""
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def cold_start(pod: dict[str, Any]) -> float:
    """Return the seconds from the container's start to the pod's Ready; the API has whole ones."""
    (container,) = pod["status"]["containerStatuses"]
    (ready,) = (c for c in pod["status"]["conditions"] if c["type"] == "Ready")
    started = datetime.fromisoformat(container["state"]["running"]["startedAt"])
    return (datetime.fromisoformat(ready["lastTransitionTime"]) - started).total_seconds()


def restarts(found: list[dict[str, Any]]) -> int:
    """Return how often containers of the pods were started again."""
    return sum(c["restartCount"] for pod in found for c in pod["status"]["containerStatuses"])
