"""The health checks become keys of Argo CD's ConfigMap, beside those that are there."""

from __future__ import annotations

import json
import subprocess

import pytest

from localcluster import Cluster
from tests.docs.reading import ROOT, blocks
from tests.gitops.health import CUSTOMIZATIONS, KINDS

pytestmark = pytest.mark.cluster

GUIDE = (ROOT / "docs" / "guides" / "gitops.md").read_text()


def test_the_command_adds_the_checks_and_keeps_every_other_key(cluster: Cluster) -> None:
    theirs = {"url": "https://argocd.example.com"}
    metadata = {"name": "argocd-cm", "namespace": "argocd"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": theirs}
    cluster.kubectl("create", "namespace", "argocd")
    cluster.kubectl("apply", "-f", "-", input=json.dumps(config))
    (command,) = (block for block in blocks(GUIDE, "sh") if "argocd-cm" in block)
    for _ in range(2):
        words = ["bash", "-euo", "pipefail", "-c", command]
        subprocess.run(words, env=cluster.env(), cwd=ROOT, check=True, timeout=60)
    found = json.loads(cluster.kubectl("get", "-n", "argocd", "cm", "argocd-cm", "-ojson").stdout)
    checks = {
        f"resource.customizations.health.appcredential.io_{kind}": (
            CUSTOMIZATIONS / kind / "health.lua"
        ).read_text()
        for kind in KINDS
    }
    assert found["data"] == {**theirs, **checks}
    cluster.kubectl("delete", "namespace", "argocd", "--wait=false")
