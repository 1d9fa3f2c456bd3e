"""Which labels and annotations a user may put on a Secret."""

from __future__ import annotations

from typing import Final

import pytest

from appcredential.domain.spec.parse import parse_app_credential
from appcredential.domain.spec.reserved import (
    ALLOWED_KEYS,
    INSTANCE_KEY,
    ONLY_LISTED,
    RESERVED_DOMAINS,
    RESERVED_KEYS,
    UNPRUNED,
    AllowedKeys,
    is_reserved_key,
)
from appcredential.errors import InvalidSpecError
from tests.crds.manifests import APP, manifest

ACTED_ON: Final = (
    "owner",
    "name",
    "status",
    "version",
    "app.kubernetes.io/managed-by",
    "meta.helm.sh/release-name",
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/secret-type",
    "kustomize.toolkit.fluxcd.io/name",
    "kapp.k14s.io/app",
    "reflector.v1.k8s.emberstack.com/reflects",
    "replicator.v1.mittwald.de/replicate-to",
    "kubed.appscode.com/sync",
    "replicator.nadundesilva.github.io/object-type",
    "v1.kubernetes-replicator.olli.com/replicate-to",
    "k8s-replicator/replicate-to",
    "vault.security.banzaicloud.io/vault-addr",
    "vault.security.banzaicloud.io/vault-role",
    "secrets-webhook.security.bank-vaults.io/vault-addr",
    "management.cattle.io/project-scoped-secret",
    "field.cattle.io/projectId",
    "fleet.cattle.io/managed",
    "objectset.rio.cattle.io/hash",
    "cluster.x-k8s.io/cluster-name",
    "clusterctl.cluster.x-k8s.io/move",
    "secretgen.carvel.dev/image-pull-secret",
    "secretgen.carvel.dev/export",
    "sealedsecrets.bitnami.com/managed",
    "sealedsecrets.bitnami.com/sealed-secrets-key",
    "cert-manager.io/allow-direct-injection",
    "cert-manager.io/certificate-name",
    "generate.kyverno.io/clone-source",
    "cluster.open-cluster-management.io/backup",
    "jenkins.io/credentials-type",
    "istio/multiCluster",
    "grafana_datasource",
    "grafana_dashboard",
    "reconcile.external-secrets.io/managed",
    "velero.io/exclude-from-backup",
    "olm.managed",
    "strimzi.io/cluster",
    "crossplane.io/external-name",
    "k8up.io/backup",
    "clustersecret.io/created-by",
    "kubectl.kubernetes.io/last-applied-configuration",
    "appcredential.io/owner",
    "appcredential.io/adopt",
)
"""Keys that some controller acts on: it copies, prunes, replaces or believes such a Secret."""


def _parse(key: str, field: str, allowed: AllowedKeys = ONLY_LISTED) -> None:
    parse_app_credential(manifest(APP, {"secret": {field: {key: "true"}}}), allowed)


@pytest.mark.parametrize("field", ["labels", "annotations"])
@pytest.mark.parametrize("key", ACTED_ON)
def test_what_a_controller_acts_on_is_refused(key: str, field: str) -> None:
    with pytest.raises(InvalidSpecError) as raised:
        _parse(key, field)
    assert raised.value.path == f"spec.secret.{field}"
    assert f"may not contain {key}" in raised.value.remedy
    is_settable = "settings.allowedSecretKeys" in raised.value.remedy
    assert is_settable is not is_reserved_key(key)


@pytest.mark.parametrize("key", ALLOWED_KEYS)
def test_listed_keys_are_allowed(key: str) -> None:
    _parse(key, "labels")
    _parse(key, "annotations")
    with pytest.raises(InvalidSpecError):
        _parse(f"{key}x", "labels")


@pytest.mark.parametrize(
    ("named", "key", "ok"),
    [
        ("example.com/", "example.com/team", True),
        ("example.com/", "sub.example.com/team", False),
        ("example.com/", "example.com", False),
        ("example.com/team", "example.com/team", True),
        ("example.com/team", "example.com/teams", False),
        ("team", "team", True),
        ("team", "team/x", False),
        (INSTANCE_KEY, "app.kubernetes.io/managed-by", False),
        ("helm.sh/", "helm.sh/chart", False),
        ("owner", "owner", False),
    ],
)
def test_the_administrator_names_keys_and_prefixes(named: str, key: str, ok: bool) -> None:
    assert AllowedKeys((named,)).allows(key) is ok


@pytest.mark.parametrize("domain", RESERVED_DOMAINS)
def test_no_setting_opens_a_reserved_domain(domain: str) -> None:
    assert is_reserved_key(f"{domain}/x")
    assert is_reserved_key(f"deep.er.{domain}/x")
    assert not is_reserved_key(f"not{domain}/x")
    assert not is_reserved_key(domain)


def test_no_setting_lets_a_secret_pass_for_a_helm_release() -> None:
    everything = AllowedKeys(("owner", "name", "status", "version"))
    assert RESERVED_KEYS == ("owner",)
    with pytest.raises(InvalidSpecError, match="may not contain owner: other tools act on it"):
        _parse("owner", "labels", everything)


def test_labels_of_every_secret_give_way_to_those_of_the_resource() -> None:
    keys = AllowedKeys(("team",), (("team", "platform"), ("cost-centre", "7")))
    wanted = {"secret": {"labels": {"team": "shop"}}}
    found = parse_app_credential(manifest(APP, wanted), keys).secret
    assert dict(found.labels) == {"team": "shop", "cost-centre": "7"}
    assert dict(found.annotations) == {}


@pytest.mark.parametrize("everywhere", [False, True])
def test_the_instance_label_comes_with_what_keeps_argo_cd_from_pruning(*, everywhere: bool) -> None:
    label = {INSTANCE_KEY: "shop"}
    keys = AllowedKeys(labels=tuple(label.items()) if everywhere else ())
    wanted = {} if everywhere else {"secret": {"labels": label}}
    found = parse_app_credential(manifest(APP, wanted), keys).secret
    assert dict(found.labels) == label
    assert dict(found.annotations) == dict(UNPRUNED)
