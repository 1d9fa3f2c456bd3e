"""The cluster authenticates and authorises as one that matters."""

from __future__ import annotations

import base64
import json
import ssl
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from localcluster import Cluster, ClusterError, KubectlError

pytestmark = pytest.mark.cluster


def get(cluster: Cluster, path: str, token: str = "") -> tuple[int, Any]:
    """Read over TLS verified as strictly as the newest Python does."""
    tls = ssl.create_default_context(cafile=cluster.ca_file)
    tls.verify_flags |= ssl.VERIFY_X509_STRICT
    url = path if path.startswith("https:") else f"{cluster.server}{path}"
    request = urllib.request.Request(url)  # noqa: S310 - always https
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=tls), urllib.request.ProxyHandler({})
    )
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * 3))
    return decoded


def test_a_token_without_rights_is_forbidden(cluster: Cluster, namespace: str) -> None:
    token = cluster.service_account_token(namespace, "default")
    status, answer = get(cluster, f"/api/v1/namespaces/{namespace}/secrets", token)
    assert status == 403
    assert f"system:serviceaccount:{namespace}:default" in answer["message"]


def test_rights_come_with_a_role(cluster: Cluster, namespace: str) -> None:
    subject = f"{namespace}:default"
    cluster.kubectl(
        *("create", "rolebinding", "viewer", "--clusterrole=view"),
        *(f"--serviceaccount={subject}", f"--namespace={namespace}"),
    )
    token = cluster.service_account_token(namespace, "default")
    assert get(cluster, f"/api/v1/namespaces/{namespace}/pods", token)[0] == 200
    assert get(cluster, f"/api/v1/namespaces/{namespace}/secrets", token)[0] == 403


def test_nobody_and_a_wrong_token_get_nothing(cluster: Cluster) -> None:
    assert get(cluster, "/api/v1/namespaces")[0] == 403
    assert get(cluster, "/api/v1/namespaces", "wrong")[0] == 401


def test_a_stranger_to_the_authority_is_not_trusted(cluster: Cluster) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(cluster.server, timeout=10)  # noqa: S310 - always https


def test_issuer_and_its_keys_are_readable_by_anybody(cluster: Cluster) -> None:
    status, discovery = get(cluster, "/.well-known/openid-configuration")
    assert status == 200
    assert discovery["issuer"] == cluster.issuer == cluster.server
    assert discovery["jwks_uri"].startswith(f"{cluster.issuer}/")
    status, keys = get(cluster, discovery["jwks_uri"])
    assert status == 200
    assert [(key["kty"], key["alg"]) for key in keys["keys"]] == [("RSA", "RS256")]


def test_a_minted_token_says_who_and_for_whom(cluster: Cluster, namespace: str) -> None:
    audience = "api://AzureADTokenExchange"
    token = cluster.service_account_token(namespace, "default", audiences=[audience], seconds=1200)
    said = claims(token)
    assert said["iss"] == cluster.issuer
    assert said["sub"] == f"system:serviceaccount:{namespace}:default"
    assert said["aud"] == [audience]
    assert said["exp"] - said["iat"] == 1200
    # Meant for somebody else, so worthless here.
    assert get(cluster, "/api/v1/namespaces", token)[0] == 401


def test_a_token_for_nobody_names_the_missing_account(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(ClusterError, match=f"no ServiceAccount ghost in namespace {namespace}"):
        cluster.service_account_token(namespace, "ghost")


def test_a_service_account_kubeconfig_acts_as_that_account(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.touch(mode=0o644)
    cluster.service_account_kubeconfig(namespace, "default", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    who = cluster.kubectl("--kubeconfig", path, "auth", "whoami", "-o", "json").stdout
    user = json.loads(who)["status"]["userInfo"]["username"]
    assert user == f"system:serviceaccount:{namespace}:default"
    with pytest.raises(KubectlError, match="Forbidden"):
        cluster.kubectl("--kubeconfig", path, "get", "secrets")


def test_private_files_are_private(cluster: Cluster) -> None:
    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.folder.stat().st_mode) == 0o700
    for key in cluster.folder.glob("pki/*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_kubectl_takes_input_and_reports_failure(cluster: Cluster, namespace: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "written"}}
    cluster.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(manifest))
    assert cluster.kubectl("get", "cm", "absent", "-n", namespace, check=False).returncode == 1
    with pytest.raises(KubectlError, match=r"kubectl get cm absent .*NotFound") as caught:
        cluster.kubectl("get", "cm", "absent", "-n", namespace)
    assert caught.value.returncode == 1


def test_garbage_is_collected(cluster: Cluster, namespace: str) -> None:
    kubectl = ("-n", namespace)
    cluster.kubectl(*kubectl, "create", "configmap", "owner")
    uid = cluster.kubectl(*kubectl, "get", "cm", "owner", "-o", "jsonpath={.metadata.uid}").stdout
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    metadata = {"name": "owned", "ownerReferences": [owner]}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    cluster.kubectl(*kubectl, "create", "-f", "-", input=json.dumps(manifest))
    cluster.kubectl(*kubectl, "delete", "cm", "owner", "--wait=false")
    cluster.kubectl(*kubectl, "wait", "--for=delete", "cm/owned", "--timeout=30s")
