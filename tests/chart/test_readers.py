"""Who may read EntraTenants and ApplicationGrants, asked of a real API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest

from localcluster import Cluster
from tests.chart.helming import CHART, RELEASE, Helm
from tests.conftest import wait_until
from tests.integration.installation import CORE

pytestmark = pytest.mark.cluster

HOME: Final = "readers"
TEAM: Final = "readers-team"
KINDS: Final = ("entratenants.appcredential.io", "applicationgrants.appcredential.io")
_WRITES: Final = ("create", "update", "patch", "delete")


@pytest.fixture(scope="module")
def served(bare: Cluster, bare_helm: Helm) -> Iterator[Cluster]:
    """The chart with one group of readers, and people with the role view."""
    for name in (HOME, TEAM):
        bare.api.call("POST", f"{CORE}/namespaces", {"metadata": {"name": name}})
    readers = json.dumps([{"kind": "Group", "name": "teams"}])
    wanted = ("--set-json", f"rbac.clusterReaders={readers}")
    bare_helm.run("install", RELEASE, CHART, "-n", HOME, *wanted)
    bind = ("--clusterrole=view",)
    bare.kubectl("create", "rolebinding", "one", "-n", TEAM, *bind, "--user=of-a-namespace")
    bare.kubectl("create", "clusterrolebinding", "readers-all", *bind, "--user=of-the-cluster")
    yield bare
    bare.kubectl("delete", "clusterrolebinding", "readers-all")
    bare_helm.run("uninstall", RELEASE, "-n", HOME)


def may(cluster: Cluster, who: str, verb: str, kind: str, *words: str) -> bool:
    asked = cluster.kubectl("auth", "can-i", verb, kind, f"--as={who}", *words, check=False)
    return asked.stdout.strip() == "yes"


@pytest.mark.parametrize("kind", KINDS)
def test_readers_read_and_write_nothing(served: Cluster, kind: str) -> None:
    group = "--as-group=teams"
    for verb in ("get", "list", "watch"):
        assert may(served, "anna", verb, kind, group), verb
        assert not may(served, "anna", verb, kind), verb
    for verb in _WRITES:
        assert not may(served, "anna", verb, kind, group), verb
    assert not may(served, "anna", "get", "secrets", group)


@pytest.mark.parametrize("kind", KINDS)
def test_the_role_view_includes_them_for_the_whole_cluster_only(served: Cluster, kind: str) -> None:
    # The API server adds up the roles in the background.
    wait_until(lambda: may(served, "of-the-cluster", "list", kind), "the aggregated role")
    assert not may(served, "of-the-cluster", "patch", kind)
    assert may(served, "of-a-namespace", "list", "appcredentials.appcredential.io", f"-n={TEAM}")
    # Asked for the whole cluster, as every request for them is.
    assert not may(served, "of-a-namespace", "get", kind)


def test_what_a_team_sees_without_it(served: Cluster) -> None:
    words = ("get", "entratenant", "default", "--as=of-a-namespace")
    refused = served.kubectl(*words, check=False)
    assert 'cannot get resource "entratenants"' in refused.stderr
