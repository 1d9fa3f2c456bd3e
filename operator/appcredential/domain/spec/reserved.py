"""Which labels, annotations and names a user may ask for, and which belong to others.

By labels and annotations, other tools copy a Secret to other namespaces, prune it, or treat it
as credentials of their own. The right to create an AppCredential must not include that, and
nobody knows all these tools. So only listed keys are allowed, and those that the administrator
names. The CRD has in CEL what no setting allows, `tests/crds/` compares the two, and the chart's
admission policies get these lists by `python -m charts.generate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RESERVED_DOMAINS: Final = (
    "appcredential.io",  # ours
    "kubernetes.io",  # Kubernetes, kubectl, and the labels Argo CD and Helm track by
    "k8s.io",
    "helm.sh",
    "argoproj.io",  # Argo CD: tracking, and "this Secret is a cluster or repository"
    "fluxcd.io",  # Flux: tracking and pruning
    "k14s.io",  # kapp: tracking
    "objectset.rio.cattle.io",  # Rancher: tracking and pruning
    "mittwald.de",  # kubernetes-replicator
    "emberstack.com",  # reflector
    "appscode.com",  # config-syncer (kubed)
    "clustersecret.io",
)
"""Domains that no setting allows as a prefix, with their subdomains."""

RESERVED_KEYS: Final = ("owner",)
"""Keys without a prefix that no setting allows: Helm finds its releases by `owner`."""

INSTANCE_KEY: Final = "app.kubernetes.io/instance"
"""Argo CD can be set to track by it; see `UNPRUNED`."""

ALLOWED_KEYS: Final = (
    "app.kubernetes.io/name",
    INSTANCE_KEY,
    "app.kubernetes.io/version",
    "app.kubernetes.io/component",
    "app.kubernetes.io/part-of",  # Argo CD reads a Secret only with part-of: argocd
    "secrets-store.csi.k8s.io/used",  # `true`: the CSI driver finds a nodePublishSecretRef by it
    "reconcile.fluxcd.io/watch",  # `Enabled`: Flux reconciles what refers to it when it changes
    "reloader.stakater.com/match",  # `true`: Reloader restarts the workloads that search for it
    "reloader.stakater.com/ignore",  # `true`: Reloader restarts nothing because of it
)
"""Keys that are always allowed: no tool copies or prunes by them, with `UNPRUNED` beside one."""

UNPRUNED: Final = (
    ("argocd.argoproj.io/sync-options", "Prune=false,Delete=false"),
    ("argocd.argoproj.io/compare-options", "IgnoreExtraneous"),
)
"""Annotations that the operator adds where a Secret has `INSTANCE_KEY`.

Argo CD, set to track by that label, takes the Secret for a part of the application of that name
which is not in Git any more: it would prune it, and workloads would lose their sign-in.
"""

CREDENTIAL_LABELS: Final = (
    "argocd.argoproj.io/secret-type",  # Argo CD: credentials of clusters and repositories
    "sealedsecrets.bitnami.com/sealed-secrets-key",  # Sealed Secrets: its private keys
    "cluster.x-k8s.io/cluster-name",  # Cluster API: kubeconfigs and authorities
)
"""Labels by which other controllers find Secrets that they sign in or decrypt with."""

RESERVED_NAMES: Final = ("appcredential-pending-", "sh.helm.release.v1.", "bootstrap-token-")
"""Beginnings of Secret names that belong to the operator, Helm and Kubernetes."""

RESERVED_SECRETS: Final = (
    "cacerts",  # Istio: the authority that signs for its mesh
    "istio-ca-secret",
    "linkerd-identity-issuer",
    "linkerd-trust-anchor",
    "cilium-ca",
    "cert-manager-webhook-ca",
    "argocd-secret",  # Argo CD: passwords, and the key that signs its sessions
    "azure-cloud-provider",  # Kubernetes on Azure: how it signs in itself
)
"""Secrets that tools look for by name, such as the keys of authorities that pods trust."""

RESERVED_CONFIG_MAPS: Final = (
    "kube-root-ca.crt",
    "openshift-service-ca.crt",
    "istio-ca-root-cert",
    "linkerd-identity-trust-roots",
    "aws-auth",
    "coredns",
    "coredns-custom",
)
"""ConfigMaps that tools look for by name, such as the authorities that pods trust."""

RESERVED_NAMESPACES: Final = ("kube-system", "kube-public", "kube-node-lease")
"""Kubernetes' own namespaces. Nothing in them is granted, or written for a resource."""


@dataclass(frozen=True, slots=True)
class AllowedKeys:
    """Which labels and annotations users may put on their Secret.

    Attributes:
        named: what the administrator allows besides `ALLOWED_KEYS`: keys, and prefixes that end
            in a slash.
        labels: what every Secret gets, by key. A user's own value for a key that is allowed wins.
    """

    named: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def allows(self, key: str) -> bool:
        """Return whether a user may set the key."""
        if is_reserved_key(key):
            return False
        return key in ALLOWED_KEYS or any(
            key == entry or (entry.endswith("/") and key.startswith(entry)) for entry in self.named
        )


ONLY_LISTED: Final = AllowedKeys()
"""What users may set where the administrator allows nothing more."""


def is_reserved_key(key: str) -> bool:
    """Return whether no setting can allow, or add, a label or annotation with this key."""
    if key in ALLOWED_KEYS:
        return False
    domain, slash, _ = key.partition("/")
    if not slash:
        return key in RESERVED_KEYS
    return any(domain == d or domain.endswith("." + d) for d in RESERVED_DOMAINS)


NAMES_RULE: Final = (
    f"may not start with {', '.join(RESERVED_NAMES)}, or be one that other tools look for, "
    f"such as {RESERVED_SECRETS[0]}"
)
"""What `is_reserved_name` refuses."""


def is_reserved_name(name: str) -> bool:
    """Return whether a Secret may not have this name."""
    return name in RESERVED_SECRETS or name.startswith(RESERVED_NAMES)
