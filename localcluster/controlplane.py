"""The processes and files of a cluster, from its start to its stop."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from pathlib import Path

from localcluster import audit, components, kubeconfig
from localcluster.api import Api
from localcluster.binaries import Binaries
from localcluster.errors import ComponentError
from localcluster.node.binaries import NodeBinaries
from localcluster.node.node import Node
from localcluster.pki import KeyPair, write_service_account_keys
from localcluster.processes import Children
from localcluster.progress import Progress
from localcluster.runfolder import RunFolder

POLL = 0.05

ISSUER_DISCOVERY = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "localcluster:anonymous-issuer-discovery"},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "system:service-account-issuer-discovery",
    },
    "subjects": [
        {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Group",
            "name": "system:unauthenticated",
        }
    ],
}


class ControlPlane:
    """A running control plane: its construction starts everything, or raises and leaves nothing."""

    def __init__(
        self,
        binaries: Binaries,
        progress: Progress,
        *,
        scheduler: bool,
        audited: bool,
        timeout: float,
        node: NodeBinaries | None = None,
    ) -> None:
        self.binaries = binaries
        self._audited = audited
        self.folder = RunFolder()
        self.children = Children(self.folder.path / "logs")
        self.node = Node(node, self.children, self.folder.path) if node is not None else None
        # Runs at the latest when the interpreter ends, even if nobody calls close.
        self.close = weakref.finalize(self, _close, self.children, self.node, self.folder)
        self._last_answer = ""
        self._deadline = time.monotonic() + timeout
        try:
            self._prepare(progress)
            self._start_server(progress)
            self._start_controllers(scheduler or self.node is not None, progress)
            if self.node is not None:
                progress("starting containerd, CoreDNS, kubelet and kube-proxy")
                self.node.join(self.keys.authority, self.server, self.api, self._wait)
        except BaseException:
            self.close()
            raise

    def _prepare(self, progress: Progress) -> None:
        address = components.LOOPBACK
        if self.node is not None:
            progress("making the node's namespaces and the link to it")
            address = self.node.open(self._wait)
        self.ports = components.free_ports(address)
        self.server = f"https://{address}:{self.ports.apiserver}"
        self.keys = components.make_credentials(self.folder.path / "pki", address)
        self.issuing = components.Issuing((self.server,), (self.keys.service_accounts,))
        self.api = Api(address, self.ports.apiserver, self.keys.ca_file, self.keys.admin)
        self.kubeconfig = self._write_kubeconfig("admin", self.keys.admin)

    def _write_kubeconfig(self, name: str, client: KeyPair) -> Path:
        path = self.folder.path / f"{name}.kubeconfig"
        return kubeconfig.with_certificate(path, self.server, self.keys.ca_file, client)

    def _start_server(self, progress: Progress) -> None:
        progress("starting etcd and the API server")
        data = self.folder.path / "etcd"
        self.children.start("etcd", components.etcd(self.binaries, self.keys, self.ports, data))
        self._start_apiserver()
        self.api.call(
            "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", ISSUER_DISCOVERY
        )

    def _start_apiserver(self) -> None:
        command = components.apiserver(self.binaries, self.keys, self.ports, self.issuing)
        command += audit.flags(self.folder.path) if self._audited else []
        self.children.start("kube-apiserver", command)
        self._wait("kube-apiserver", self._is_ready)

    def reissue(self, issuer: str, *, new_key: bool, timeout: float) -> None:
        """Restart the API server with another issuer or signing key in front of the former ones."""
        issuers, keys = self.issuing.issuers, self.issuing.keys
        if new_key:
            name = f"service-account-{len(keys)}"
            keys = (write_service_account_keys(self.folder.path / "pki", name), *keys)
        others = tuple(known for known in issuers if known != issuer)
        self.issuing = components.Issuing((issuer, *others), keys)
        self._deadline = time.monotonic() + timeout
        self.children.end("kube-apiserver")
        self._start_apiserver()

    def _start_controllers(self, scheduler: bool, progress: Progress) -> None:
        progress("starting the controller manager")
        config = self._write_kubeconfig("controller-manager", self.keys.controller_manager)
        command = components.controller_manager(self.binaries, self.keys, config)
        self.children.start("kube-controller-manager", command)
        if scheduler:
            config = self._write_kubeconfig("scheduler", self.keys.scheduler)
            self.children.start("kube-scheduler", components.scheduler(self.binaries, config))
        self._wait("kube-controller-manager", self._controls)

    def _is_ready(self) -> bool:
        status, self._last_answer = self.api.send("GET", "/readyz?verbose")
        return status == 200

    def _controls(self) -> bool:
        """Return whether the controller manager works: it creates both in every namespace."""
        for made in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
            status, self._last_answer = self.api.send("GET", f"/api/v1/namespaces/default/{made}")
            if status != 200:
                return False
        return True

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        while not ready():
            self.children.check()
            if time.monotonic() > self._deadline:
                raise ComponentError(
                    f"{name} did not become ready in time. Last answer: {self._last_answer[:500]}\n"
                    f"The end of its log:\n{self.children[name].tail()}"
                )
            time.sleep(POLL)


def _close(children: Children, node: Node | None, folder: RunFolder) -> None:
    children.end_all()
    if node is not None:
        node.remove()
    folder.remove()
