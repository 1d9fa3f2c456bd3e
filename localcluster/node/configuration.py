"""The configuration files of all programs on the node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localcluster.node.network import PODS, Network
from localcluster.pki import KeyPair

PAUSE_IMAGE = "localhost/appcredential-pause:1"
PLUGINS = "/usr/lib/cni"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
DOMAIN = "cluster.local"
EVICTIONS = ("memory.available", "nodefs.available", "imagefs.available")


def containerd(folder: Path) -> str:
    """Return containerd's settings: our folders, our pause image, and cgroups of version 1."""
    return f"""\
version = 2
root = "{folder}/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.opt",
]
oom_score = 0

[grpc]
address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# Lowering a score takes a capability that root does not have everywhere.
restrict_oom_score_adj = true
disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{PLUGINS}"
conf_dir = "{folder}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def pod_network() -> dict[str, Any]:
    """Return the CNI configuration: a routed link per pod.

    Over a bridge, replies would bypass the rules of Services.
    """
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": str(PODS)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [
        # The machine has no route to pods, so their traffic gets the node's address.
        {"type": "ptp", "ipMasq": True, "ipam": ipam},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": plugins}


def kubelet(folder: Path, network: Network, ca_file: Path, server: KeyPair) -> dict[str, Any]:
    """Return the kubelet's configuration, which leaves the machine's own resources alone."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(network.node),
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(ca_file)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(server.certificate),
        "tlsPrivateKeyFile": str(server.key),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "oomScoreAdj": 0,
        # Never evict pods because the machine itself is short of disk or memory.
        "evictionHard": dict.fromkeys(EVICTIONS, "0%"),
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "syncFrequency": "5s",
        "clusterDNS": [str(network.node)],
        "clusterDomain": DOMAIN,
        "resolvConf": str(folder / "resolv.conf"),
        "volumePluginDir": str(folder / "volume-plugins"),
    }


def proxy(kubeconfig: Path) -> dict[str, Any]:
    """Return kube-proxy's configuration.

    Connection tracking belongs to the whole machine, so all its values stay as they are.
    """
    conntrack = {
        "maxPerCore": 0,
        "min": 0,
        "tcpEstablishedTimeout": "0s",
        "tcpCloseWaitTimeout": "0s",
        "udpTimeout": "0s",
        "udpStreamTimeout": "0s",
    }
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": str(PODS),
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "conntrack": conntrack,
        "oomScoreAdj": 0,
    }


def coredns(network: Network, kubeconfig: Path) -> str:
    """Return CoreDNS's configuration: it answers names of the cluster and no others."""
    return f"""\
.:53 {{
    bind {network.node}
    errors
    ready 127.0.0.1:8181
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
    }}
    template ANY ANY . {{
        rcode NXDOMAIN
    }}
}}
"""


def write(path: Path, content: dict[str, Any] | str) -> Path:
    """Write one file; a document becomes JSON, which is valid YAML."""
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return path
