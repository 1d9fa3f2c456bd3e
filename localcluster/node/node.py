"""A node, from the start to the end of its cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from localcluster import kubeconfig
from localcluster.api import Api
from localcluster.cache import cache_folder, locked
from localcluster.errors import ClusterError
from localcluster.node import cgroups, configuration, network
from localcluster.node.binaries import NodeBinaries
from localcluster.node.images import write_archive
from localcluster.pki import Authority
from localcluster.processes import Children

NAME: Final = "node"
HERE: Final = Path(__file__).parent
NAMESPACES: Final = ("--net", "--mount", "--pid", "--cgroup", "--uts", "--ipc")
LOAD_SECONDS: Final = 300.0
Wait: TypeAlias = Callable[[str, Callable[[], bool]], None]

_READS_NAMES: Final = {
    "metadata": {"name": "localcluster:coredns"},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        # The ClusterRole `view` does not allow reading Secrets.
        "name": "view",
    },
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "coredns"}],
}


class Node:
    """A node. `open` makes its namespaces and link; `join` makes it a node of the cluster."""

    def __init__(self, binaries: NodeBinaries, children: Children, folder: Path) -> None:
        self._binaries = binaries
        self._children = children
        self._name = folder.name
        self.folder = folder / NAME
        # Linux allows 15 characters in the name of a link.
        self._link = f"ac-{folder.name[-8:]}"
        self._groups: list[cgroups.Group] = []

    def open(self, wait: Wait) -> str:
        """Make the namespaces and the link; return the machine's address on the link."""
        self.folder.mkdir(mode=0o700)
        self._groups = cgroups.make(self._name)
        inside = [sys.executable, "-I", "-S", str(HERE / "inside.py"), str(self.folder)]
        inside += [",".join(group.controllers) for group in self._groups]
        unshare = ["unshare", *NAMESPACES, "--fork", "--kill-child", "--propagation", "private"]
        self._children.start(NAME, [*self._joining(), *unshare, *inside])
        wait(NAME, (self.folder / "pid").exists)
        # Clusters that start at the same time must choose different addresses.
        with locked(cache_folder() / "node-network.lock"):
            self.network = network.choose(self._link)
            network.connect(self.network, self.pid)
        return str(self.network.host)

    @property
    def pid(self) -> int:
        """The process id of the node's first process."""
        return first_process(self.folder.parent)

    def join(self, authority: Authority, server: str, api: Api, wait: Wait) -> None:
        """Start the node's programs; return when the node is Ready."""
        self._api = api
        self._authority, self._server = authority, server
        self._start_containerd(wait)
        self._start_names()
        self._start_kubelet()
        self._start_proxy()
        wait("kubelet", self._is_ready)

    def _start_containerd(self, wait: Wait) -> None:
        cni = self.folder / "cni"
        cni.mkdir()
        configuration.write(cni / "10-pods.conflist", configuration.pod_network())
        config = self._write("containerd.toml", configuration.containerd(self.folder))
        self._start("containerd", ["containerd", "--config", config])
        wait("containerd", self._containerd_answers)
        pause = self.folder / "pause.tar"
        self.load(write_archive(pause, configuration.PAUSE_IMAGE, self._binaries.pause))

    def _start_names(self) -> None:
        path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
        self._api.call("POST", path, _READS_NAMES)
        config = configuration.coredns(self.network, self._kubeconfig("coredns"))
        corefile = self._write("Corefile", config)
        self._write("resolv.conf", f"nameserver {self.network.node}\n")
        self._start("coredns", [self._binaries.coredns, "-conf", corefile])

    def _start_kubelet(self) -> None:
        server = self._authority.issue("kubelet", serves=[NAME, str(self.network.node)])
        kubelet = configuration.kubelet(self.folder, self.network, self._authority.file, server)
        config = self._write("kubelet.yaml", kubelet)
        client = self._kubeconfig(f"system:node:{NAME}", "system:nodes")
        command: list[str | Path] = [self._binaries.kubelet, f"--config={config}"]
        command += [f"--kubeconfig={client}", f"--hostname-override={NAME}"]
        self._start("kubelet", [*command, f"--node-ip={self.network.node}"])

    def _start_proxy(self) -> None:
        proxy = configuration.proxy(self._kubeconfig("system:kube-proxy"))
        config = self._write("kube-proxy.yaml", proxy)
        named = f"--hostname-override={NAME}"
        self._start("kube-proxy", [self._binaries.proxy, f"--config={config}", named])

    def load(self, archive: Path) -> None:
        """Load the images of an archive, such as `docker save` writes, into the node."""
        load_images(self.pid, archive)

    def _containerd_answers(self) -> bool:
        return run_inside(self.pid, "ctr", "version").returncode == 0

    def _is_ready(self) -> bool:
        status, text = self._api.send("GET", f"/api/v1/nodes/{NAME}")
        if status != 200:
            return False
        conditions = json.loads(text)["status"].get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def _write(self, name: str, content: dict[str, Any] | str) -> Path:
        return configuration.write(self.folder / name, content)

    def _kubeconfig(self, user: str, group: str | None = None) -> Path:
        client = self._authority.issue(user, organisation=group)
        path = self.folder / f"{user.rpartition(':')[2]}.kubeconfig"
        return kubeconfig.with_certificate(path, self._server, self._authority.file, client)

    def _start(self, name: str, command: list[str | Path]) -> None:
        self._children.start(name, [*self._joining(), *_entering(self.pid), *command])

    def _joining(self) -> list[str]:
        """Return the command prefix that moves a process into the node's cgroups first."""
        folders = [str(group.folder) for group in self._groups]
        return [sys.executable, "-I", "-S", str(HERE / "joining.py"), *folders, "--"]

    def remove(self) -> None:
        """Remove cgroups and link after the node's processes were ended."""
        cgroups.remove([group.folder for group in self._groups])
        network.disconnect(self._link)


def first_process(cluster: Path) -> int:
    """Return the process id of the first process of the node in a cluster's folder."""
    return int((cluster / NAME / "pid").read_text())


def _entering(pid: int) -> list[str]:
    return ["nsenter", "--target", str(pid), *NAMESPACES, "--wd=/", "--"]


def run_inside(pid: int, *words: str, seconds: float = 20) -> subprocess.CompletedProcess[str]:
    """Run a program in the namespaces of the node with this first process."""
    command = [*_entering(pid), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


def load_images(pid: int, archive: Path) -> None:
    """Load the images of an archive into the node with this first process.

    Raises:
        ClusterError: the node refuses the archive; the message says why.
    """
    words = ("ctr", "--namespace", "k8s.io", "images", "import", str(archive))
    done = run_inside(pid, *words, seconds=LOAD_SECONDS)
    if done.returncode != 0:
        raise ClusterError(f"the node does not take {archive}: {done.stderr.strip()}")
