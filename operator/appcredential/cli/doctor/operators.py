"""The operator as its Deployment describes it: where it runs, with which settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appcredential.cli.app_credential import Document
from appcredential.cli.doctor.gathered import Gathered, Read
from appcredential.cli.text import plain
from appcredential.domain.shards import Shard
from appcredential.setting_values import PREFIX

COMPONENT: Final = "app.kubernetes.io/component"
PART_OF: Final = "app.kubernetes.io/part-of=appcredential"
_OPERATOR: Final = "operator"


@dataclass(frozen=True, slots=True)
class Operator:
    """One Deployment of the operator: all replicas of one shard."""

    deployment: Document

    @property
    def namespace(self) -> str:
        """Where it runs."""
        return self.deployment.text("metadata", "namespace")

    @property
    def full_name(self) -> str:
        """Namespace and name of the Deployment."""
        return f"{self.namespace}/{self.deployment.name}"

    @property
    def version(self) -> str:
        """The version that the chart says it installed; empty without the label."""
        return self.deployment.text("metadata", "labels", "app.kubernetes.io/version")

    @property
    def component(self) -> str:
        """The label by which its pods are told from those of other shards."""
        return self.deployment.text("metadata", "labels", COMPONENT)

    @property
    def replicas(self) -> int:
        """How many pods are wanted."""
        found = self.deployment.number("spec", "replicas")
        return 1 if found is None else found

    @property
    def ready(self) -> int:
        """How many pods are ready."""
        return self.deployment.number("status", "readyReplicas") or 0

    @property
    def username(self) -> str:
        """As whom the API server knows it."""
        pod = ("spec", "template", "spec")
        account = self.deployment.text(*pod, "serviceAccountName") or "default"
        return f"system:serviceaccount:{self.namespace}:{account}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of its container that stand in the Deployment itself."""
        found: dict[str, str] = {}
        for container in self.deployment.entries("spec", "template", "spec", "containers"):
            if container.text("name") == _OPERATOR:
                found |= {
                    entry.text("name"): str(entry.at("value") or "")
                    for entry in container.entries("env")
                    if entry.at("valueFrom") is None
                }
        return found

    def setting(self, name: str, default: str = "") -> str:
        """Return a setting that stands in the Deployment."""
        return plain(self.environment.get(PREFIX + name)) or default

    @property
    def shard(self) -> Shard:
        """Which part of the cluster it works on."""
        return Shard(_number(self.setting("SHARD"), 0), _number(self.setting("SHARDS"), 1))

    @property
    def lease(self) -> str:
        """The Lease by which its replicas elect their leader."""
        return f"appcredential{self.shard.suffix}"

    @property
    def claim_namespace(self) -> str:
        """Where the claim on the cluster is."""
        return self.setting("CLAIM_NAMESPACE", "default")

    @property
    def holder(self) -> str:
        """What names the installation in that claim."""
        return f"{self.namespace}/{self.setting('INSTALLATION', 'appcredential')}"

    @property
    def served(self) -> tuple[str, ...]:
        """The namespaces that it serves; empty for all."""
        names = self.setting("WATCH_NAMESPACES").split(",")
        return tuple(name.strip() for name in names if name.strip())


def operators(gathered: Gathered) -> list[Operator]:
    """Return the operators whose Deployments were read."""
    return operators_of(gathered.deployments)


def operators_of(deployments: Read) -> list[Operator]:
    """Return the operators among Deployments, which may be of other parts of the chart, too."""
    found = map(Operator, deployments.items)
    return [operator for operator in found if operator.component.startswith(_OPERATOR)]


def _number(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and text.isascii() else default
