"""A real Kubernetes control plane on one machine, for tests and demonstrations.

`Cluster` starts etcd, the API server and the controller manager as child processes and removes them
again; `python -m localcluster` does the same for a person at a terminal. Tests, demo/ and make use
it. It knows nothing of the operator or the emulator, and imports neither.
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
