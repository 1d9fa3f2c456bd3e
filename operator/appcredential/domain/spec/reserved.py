"""Which labels, annotations and names a user may not put on the Secret.

By labels and annotations, other tools copy a Secret to other namespaces, prune it, or treat it
as credentials of their own. The right to create an AppCredential must not include that. The
CRD has the same lists in CEL, and `tests/crds/` compares the two.
"""

from __future__ import annotations

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
"""Domains that are refused as a prefix, with their subdomains."""

ALLOWED_KEYS: Final = (
    "app.kubernetes.io/part-of",  # Argo CD reads a Secret only with part-of: argocd
    "app.kubernetes.io/component",
    "secrets-store.csi.k8s.io/used",  # `true`: the CSI driver finds a nodePublishSecretRef by it
    "reconcile.fluxcd.io/watch",  # `Enabled`: Flux reconciles what refers to it when it changes
)
"""Useful keys under a reserved domain, by which no tool copies or prunes."""

RESERVED_NAMES: Final = ("appcredential-pending-", "sh.helm.release.v1.", "bootstrap-token-")
"""Beginnings of Secret names that belong to the operator, Helm and Kubernetes."""


def is_reserved_key(key: str) -> bool:
    """Return whether a label or annotation key is refused."""
    domain, slash, _ = key.partition("/")
    if not slash or key in ALLOWED_KEYS:
        return False
    return any(domain == d or domain.endswith("." + d) for d in RESERVED_DOMAINS)


def is_reserved_name(name: str) -> bool:
    """Return whether a Secret may not have this name."""
    return name.startswith(RESERVED_NAMES)
