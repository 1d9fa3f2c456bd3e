"""Whether a PodSpec uses a Secret: of a Pod, or of the pod template of any kind of workload.

A PodSpec of a built-in kind went through the API server's checks; one inside a custom resource, as
a Rollout's, may have any shape. So nothing is assumed: what has another shape than Kubernetes' own
names no Secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")

_NAMES_IN_VOLUMES: Final = (
    ("secret", "secretName"),
    ("azureFile", "secretName"),
    ("csi", "nodePublishSecretRef", "name"),
    ("cephfs", "secretRef", "name"),
    ("flexVolume", "secretRef", "name"),
    ("iscsi", "secretRef", "name"),
    ("rbd", "secretRef", "name"),
    ("scaleIO", "secretRef", "name"),
    ("storageos", "secretRef", "name"),
)
"""Where a volume names a Secret, besides the sources of a projected one."""


def used_secrets(pod_spec: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of all Secrets that pods of this PodSpec read, in any way there is.

    A volume counts also where no container mounts it, and `optional` makes no difference: the
    kubelet reads the Secret once it exists. `imagePullSecrets` do not count, because the kubelet
    ignores Secrets of other types there.
    """
    return frozenset(name for name in _secret_names(pod_spec) if isinstance(name, str))


def _secret_names(pod_spec: Mapping[str, Any]) -> Iterator[object]:
    for volume in _items(pod_spec, "volumes"):
        yield from (_at(volume, *path) for path in _NAMES_IN_VOLUMES)
        for source in _items(_at(volume, "projected"), "sources"):
            yield _at(source, "secret", "name")
    for kind in _CONTAINERS:
        for container in _items(pod_spec, kind):
            for variable in _items(container, "env"):
                yield _at(variable, "valueFrom", "secretKeyRef", "name")
            for source in _items(container, "envFrom"):
                yield _at(source, "secretRef", "name")


def _items(parent: object, key: str) -> list[Any]:
    found = _at(parent, key)
    return found if isinstance(found, list) else []


def _at(value: object, *path: str) -> object:
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
