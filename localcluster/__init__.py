"""A real Kubernetes control plane on one machine, for tests, demonstrations and benchmarks.

`Cluster` starts etcd, the API server and the controller manager as processes of
this one and takes them away again; `python -m localcluster` does the same for a
person at a terminal.
"""

from localcluster.binaries import Binaries, locate
from localcluster.cluster import Cluster
from localcluster.errors import BuildError, ClusterError, ComponentError, KubectlError

__all__ = [
    "Binaries",
    "BuildError",
    "Cluster",
    "ClusterError",
    "ComponentError",
    "KubectlError",
    "locate",
]
