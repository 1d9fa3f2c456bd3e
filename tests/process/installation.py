"""What the process tests run against: a cluster, an emulator, operators with their own Leases.

A `Site` is an operator's namespace with its ServiceAccount, identity and Lease, and
a namespace for workloads that only this operator watches. So tests do not meet,
although they share the API server and the emulator. Its operators claim the cluster in a
namespace of their own, unless a test says where: else they would refuse each other.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from demo.processes import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from demo.seed import OPERATOR_SECRET
from demo.stack import QUICK, RBAC, EmulatorProcess, write_own_token
from localcluster import Cluster
from tests.integration.installation import Kube
from tests.process.operators import Operator

SETTINGS: Final[Mapping[str, str]] = {
    # Shorter than the demonstration's: the emulator has no lag unless a test says so.
    **QUICK,
    "APPCREDENTIAL_SETTLE": "2s",
    "APPCREDENTIAL_REMOVAL_FLOOR": "2s",
    "APPCREDENTIAL_TICKET_ABSENCE": "1s",
    "APPCREDENTIAL_LEASE_DURATION": "4s",
    "APPCREDENTIAL_EFFECT_MARGIN": "1s",
    "APPCREDENTIAL_MINT_MARGIN": "2s",
    "APPCREDENTIAL_CONFLICT_SPACING": "2s",
    "APPCREDENTIAL_NEXT_PROOF_COUNT": "3",
    "APPCREDENTIAL_NEXT_PROOF_SPREAD_MIN": "2s",
    "APPCREDENTIAL_NEXT_PROOF_SPREAD_MAX": "2s",
}
# What a lost answer left behind is found when the application is read the next time.
READING: Final[Mapping[str, str]] = {**SETTINGS, "APPCREDENTIAL_DIRECTORY_RESYNC": "8s"}


class Site:
    """An operator's namespace, a namespace of workloads, and the operators that run there."""

    def __init__(
        self, cluster: Cluster, emulator: EmulatorProcess, folder: Path, claims: str = ""
    ) -> None:
        suffix = secrets.token_hex(3)
        self.cluster = cluster
        self.kube = Kube(cluster)
        self.emulator = emulator
        self.folder = folder / suffix
        self.operator_namespace = f"operator-{suffix}"
        self.namespace = f"team-{suffix}"
        self.claims = claims or self.operator_namespace
        self.operators: list[Operator] = []
        self._install()

    def _install(self) -> None:
        identity = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "operator-identity", "namespace": self.operator_namespace},
            "stringData": {"clientSecret": OPERATOR_SECRET},
        }
        team = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        rights = RBAC.read_text().replace(OPERATOR_NAMESPACE, self.operator_namespace)
        documents = [*yaml.safe_load_all(rights), identity, team]
        for document in documents:
            if document["kind"] == "ClusterRoleBinding":
                document["metadata"]["name"] = self.operator_namespace
            if document["metadata"].get("namespace") == "default":
                document["metadata"]["namespace"] = self.claims
                document["metadata"]["name"] = f"claim-{self.operator_namespace}"
            if document.get("roleRef", {}).get("name") == "appcredential-claim":
                document["roleRef"]["name"] = f"claim-{self.operator_namespace}"
        text = yaml.safe_dump_all(documents)
        self.cluster.kubectl("apply", "--server-side", "-f", "-", input=text)

    @contextmanager
    def operator(
        self, name: str = "operator", settings: Mapping[str, str] = SETTINGS
    ) -> Iterator[Operator]:
        """Run an operator here; wait until it is ready, and end it afterwards."""
        with self.replicas(name, settings=settings) as started:
            yield started[0]

    @contextmanager
    def replicas(
        self, *names: str, settings: Mapping[str, str] = SETTINGS
    ) -> Iterator[list[Operator]]:
        """Run several, started together."""
        started = [self._start(name, settings) for name in names]
        self.operators += started
        try:
            for one in started:
                one.wait_until_ready()
            yield started
        finally:
            for one in started:
                if one.is_alive():
                    one.child.kill()

    def _start(self, name: str, settings: Mapping[str, str]) -> Operator:
        folder = self.folder / name
        folder.mkdir(parents=True)
        kubeconfig = self.cluster.service_account_kubeconfig(
            self.operator_namespace, OPERATOR_ACCOUNT, folder / "kubeconfig"
        )
        own = folder / "token"
        write_own_token(self.cluster, self.operator_namespace, own)
        env = {
            "KUBECONFIG": str(kubeconfig),
            "APPCREDENTIAL_SERVICE_ACCOUNT_TOKEN_FILE": str(own),
            "APPCREDENTIAL_NAMESPACE": self.operator_namespace,
            "APPCREDENTIAL_CLAIM_NAMESPACE": self.claims,
            "APPCREDENTIAL_WATCH_NAMESPACES": self.namespace,
            "APPCREDENTIAL_POD_NAME": name,
            "APPCREDENTIAL_HEALTH_ADDRESS": "127.0.0.1",
            "APPCREDENTIAL_HEALTH_PORT": "0",
            "APPCREDENTIAL_METRICS_PORT": "0",
            "APPCREDENTIAL_CUSTOM_AUTHORITY": self.emulator.url,
            "APPCREDENTIAL_CUSTOM_GRAPH": self.emulator.url,
            "APPCREDENTIAL_CUSTOM_CA_FILE": str(self.emulator.ca_file),
            **settings,
        }
        return Operator(folder, env)

    def lease(self) -> dict[str, Any]:
        """Return the Lease's spec; empty when there is none."""
        return self._lease(self.operator_namespace, "appcredential")

    def claim(self) -> str:
        """Return the claim on what its operators take for the cluster; empty without one."""
        return str(self._lease(self.claims, "appcredential-claim").get("holderIdentity") or "")

    def _lease(self, namespace: str, name: str) -> dict[str, Any]:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        found = self.kube.get(f"{path}/{name}")
        return dict(found["spec"]) if found is not None else {}

    def since_renewal(self) -> timedelta:
        """Return how long ago the Lease was renewed."""
        return datetime.now(UTC) - datetime.fromisoformat(self.lease()["renewTime"])

    def take_rights_in_own_namespace(self) -> Callable[[], object]:
        """Take the operator's rights in its own namespace, the Lease's too.

        Returns:
            What gives them back.
        """
        bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.operator_namespace}"
        path = f"{bindings}/rolebindings"
        binding = self.kube.get(f"{path}/{OPERATOR_ACCOUNT}")
        assert binding is not None
        self.kube.delete(f"{path}/{OPERATOR_ACCOUNT}")
        metadata = {"name": OPERATOR_ACCOUNT}
        return partial(self.kube.create, path, {**binding, "metadata": metadata})

    def tickets(self, name: str) -> list[dict[str, Any]]:
        """Return the open tickets of a resource."""
        path = f"/api/v1/namespaces/{self.operator_namespace}/configmaps"
        found = self.kube.items(f"{path}?labelSelector=appcredential.io/ticket%3Dtrue")
        return [one for one in found if (one.get("data") or {}).get("name") == name]
