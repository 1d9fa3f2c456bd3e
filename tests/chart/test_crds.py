"""CRDs that helm installed are upgraded by the command that the operator itself tells."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import pytest
import yaml

from localcluster import Cluster
from tests.chart.helming import CHART, NAMESPACE, RELEASE, ROOT, Helm
from tests.chart.released import FROZEN

pytestmark = pytest.mark.cluster

NAMES: Final = ("appcredentials", "applicationgrants", "entratenants")
SOURCE: Final = (ROOT / "operator" / "appcredential" / "domain" / "demanded.py").read_text()


@pytest.fixture
def older(bare: Cluster, bare_helm: Helm) -> Iterator[Cluster]:
    """A cluster whose CRDs are those of an older chart, made by helm."""
    names = [f"{name}.appcredential.io" for name in NAMES]
    bare.kubectl("delete", "crd", "--ignore-not-found", *names)
    bare_helm.run("install", RELEASE, FROZEN, "-n", NAMESPACE)
    yield bare
    bare_helm.run("uninstall", RELEASE, "-n", NAMESPACE)
    bare.kubectl("apply", "--server-side", "--force-conflicts", "-f", CHART / "crds")


def _told() -> str:
    """Return the words after `kubectl apply` that the operator tells."""
    (words,) = re.findall(r'kubectl apply ([^"]+) -f -"', SOURCE)
    return str(words)


def _is_current(cluster: Cluster) -> bool:
    def versions(name: str) -> object:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}.appcredential.io"
        served = cluster.api.call("GET", path)["spec"]["versions"][0]["schema"]
        wanted = yaml.safe_load((ROOT / "crds" / f"{name}.yaml").read_text())
        return served == wanted["spec"]["versions"][0]["schema"]

    return all(versions(name) for name in NAMES)


def _crds() -> str:
    command = [sys.executable, "-m", "appcredential", "crds"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_command_that_the_operator_tells_upgrades_them(older: Cluster) -> None:
    assert not _is_current(older)
    text = _crds()
    # Whoever leaves it out is stopped by the API server: helm holds what it created.
    refused = older.kubectl("apply", "--server-side", "-f", "-", input=text, check=False)
    assert re.search('conflicts? with "helm"', refused.stderr)
    older.kubectl("apply", *_told().split(), "-f", "-", input=text)
    assert _is_current(older)
