"""What a reference in a spec may read: Secrets of users, and none that means more than it says."""

from __future__ import annotations

import pytest

from appcredential.domain.secret.references import CERTIFICATE_TYPES, PASSWORD_TYPES, refusal
from appcredential.domain.spec.reserved import CREDENTIAL_LABELS

OTHERS = (
    "kubernetes.io/service-account-token",
    "kubernetes.io/dockerconfigjson",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
    "appcredential.io/pending",
    "Opaque ",
    "",
)
LABELS = {
    "app.kubernetes.io/managed-by": "Helm",
    "app.kubernetes.io/instance": "shop",
    "argocd.argoproj.io/instance": "shop",
    "kustomize.toolkit.fluxcd.io/name": "shop",
    "controller.cert-manager.io/fao": "true",
}


@pytest.mark.parametrize(
    ("kind", "password", "certificate"),
    [("Opaque", True, True), ("kubernetes.io/tls", False, True)]
    + [(kind, False, False) for kind in OTHERS],
)
def test_the_type_decides(kind: str, password: bool, certificate: bool) -> None:
    assert (refusal(kind, {}, {}, PASSWORD_TYPES) is None) is password
    assert (refusal(kind, {}, {}, CERTIFICATE_TYPES) is None) is certificate


def test_labels_that_tools_put_on_what_they_deploy_are_no_obstacle() -> None:
    annotations = {"helm.sh/resource-policy": "keep", "cert-manager.io/issuer-name": "ca"}
    assert refusal("Opaque", LABELS, annotations, PASSWORD_TYPES) is None


@pytest.mark.parametrize("label", CREDENTIAL_LABELS)
def test_what_another_controller_signs_in_with_is_refused(label: str) -> None:
    found = refusal("Opaque", {label: ""}, {}, CERTIFICATE_TYPES)
    assert found is not None
    assert label in found


@pytest.mark.parametrize(
    ("labels", "annotations"),
    [
        ({"app.kubernetes.io/managed-by": "appcredential"}, {}),
        ({}, {"appcredential.io/owner": "shop/orders"}),
    ],
)
def test_ours_are_refused(labels: dict[str, str], annotations: dict[str, str]) -> None:
    found = refusal("Opaque", labels, annotations, CERTIFICATE_TYPES)
    assert found == "belongs to an AppCredential: name a Secret of your own"
