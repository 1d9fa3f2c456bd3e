"""Operators that look after a few namespaces only, with no more rights than that takes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from demo.processes import OPERATOR_ACCOUNT
from demo.stack import EmulatorProcess, OperatorProcess
from localcluster import Cluster
from tests.integration.installation import SETTINGS, Installation

Rule = dict[str, Any]

_GROUP: Final = "appcredential.io"
_RBAC: Final = "rbac.authorization.k8s.io"
_TENANTS_AND_GRANTS: Final = ["entratenants", "applicationgrants"]
_KINDS: Final = ["appcredentials", *_TENANTS_AND_GRANTS]
SECRETS: Final[Rule] = {
    "apiGroups": [""],
    "resources": ["secrets"],
    "verbs": ["get", "create", "update", "delete"],
}
_EVENTS: Final[Rule] = {
    "apiGroups": ["events.k8s.io"],
    "resources": ["events"],
    "verbs": ["create"],
}
CLUSTER_WIDE: Final[tuple[Rule, ...]] = (
    {
        "apiGroups": [_GROUP],
        "resources": _TENANTS_AND_GRANTS,
        "verbs": ["get", "list", "watch", "patch"],
    },
    {
        "apiGroups": [_GROUP],
        "resources": [f"{kind}/status" for kind in _TENANTS_AND_GRANTS],
        "verbs": ["patch"],
    },
    {
        "apiGroups": ["apiextensions.k8s.io"],
        "resources": ["customresourcedefinitions"],
        "resourceNames": [f"{kind}.{_GROUP}" for kind in _KINDS],
        "verbs": ["get"],
    },
    {
        "apiGroups": [""],
        "resources": ["namespaces"],
        "resourceNames": ["kube-system"],
        "verbs": ["get"],
    },
)
OF_THE_OPERATOR: Final[tuple[Rule, ...]] = (
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "verbs": ["get", "list", "create", "update", "delete"],
    },
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "create", "update"],
    },
)
OF_A_TEAM: Final[tuple[Rule, ...]] = (
    {
        "apiGroups": [_GROUP],
        "resources": ["appcredentials"],
        "verbs": ["get", "list", "watch", "patch"],
    },
    {"apiGroups": [_GROUP], "resources": ["appcredentials/status"], "verbs": ["patch"]},
    _EVENTS,
)
# Events about cluster-scoped objects are in this namespace.
OF_DEFAULT: Final[tuple[Rule, ...]] = (_EVENTS,)


class Confined(Installation):
    """An installation whose operator has a namespace of its own and watches the given ones."""

    def __init__(
        self,
        cluster: Cluster,
        emulator: EmulatorProcess,
        folder: Path,
        settings: Mapping[str, str],
        *,
        namespace: str,
        watched: Sequence[str],
        process: type[OperatorProcess] = OperatorProcess,
    ) -> None:
        wanted = {
            **SETTINGS,
            "APPCREDENTIAL_NAMESPACE": namespace,
            "APPCREDENTIAL_CLAIM_NAMESPACE": namespace,
            "APPCREDENTIAL_WATCH_NAMESPACES": ",".join(watched),
            **settings,
        }
        super().__init__(cluster, emulator, folder, wanted, namespace=namespace, process=process)
        self.watched = tuple(watched)
        self._unused: Iterator[str] = iter(watched)

    def make_namespace(self, prefix: str) -> str:
        """Return the next of the watched namespaces; they cannot be made any more."""
        return next(self._unused)


def make_namespaces(cluster: Cluster, prefix: str, count: int) -> list[str]:
    """Create namespaces of fresh names."""
    names = [f"{prefix}-{secrets.token_hex(3)}" for _ in range(count)]
    for name in names:
        cluster.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return names


def make_account(cluster: Cluster, namespace: str, path: Path) -> Path:
    """Create the operator's ServiceAccount; return its kubeconfig, written to `path`."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    cluster.api.call("POST", accounts, {"metadata": {"name": OPERATOR_ACCOUNT}})
    return cluster.service_account_kubeconfig(namespace, OPERATOR_ACCOUNT, path)


def allow(cluster: Cluster, account: str, rules: Sequence[Rule], namespace: str = "") -> None:
    """Bind rules to the operator of namespace `account`, in a namespace or everywhere."""
    scope = "" if namespace else "Cluster"
    metadata: dict[str, str] = {"name": f"confined-{account}-{secrets.token_hex(3)}"}
    if namespace:
        metadata["namespace"] = namespace
    subject = {"kind": "ServiceAccount", "name": OPERATOR_ACCOUNT, "namespace": account}
    reference = {"apiGroup": _RBAC, "kind": f"{scope}Role", "name": metadata["name"]}
    shared = {"apiVersion": f"{_RBAC}/v1", "metadata": metadata}
    role = {**shared, "kind": f"{scope}Role", "rules": list(rules)}
    binding = {
        **shared,
        "kind": f"{scope}RoleBinding",
        "roleRef": reference,
        "subjects": [subject],
    }
    items = {"apiVersion": "v1", "kind": "List", "items": [role, binding]}
    cluster.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(items))


def may(
    cluster: Cluster, account: str, verb: str, resource: str, namespace: str = "", name: str = ""
) -> bool:
    """Ask the API server, as `kubectl auth can-i` does; an empty namespace means all of them."""
    kind, _, group = resource.partition(".")
    kind, _, subresource = kind.partition("/")
    attributes = {
        "verb": verb,
        "resource": kind,
        "subresource": subresource,
        "group": group,
        "namespace": namespace,
        "name": name,
    }
    user = f"system:serviceaccount:{account}:{OPERATOR_ACCOUNT}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{account}", "system:authenticated"]
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    answer = cluster.api.call("POST", path, body)
    return bool(answer["status"]["allowed"])
