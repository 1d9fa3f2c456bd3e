"""An operator that is confined to namespaces lives its whole life by the rendered Roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from demo.stack import EmulatorProcess
from localcluster import Cluster
from tests.chart.helming import NAMESPACE, RELEASE, Helm
from tests.chart.released import Release
from tests.integration.confined import may
from tests.integration.installation import CORE, Team
from tests.integration.stories_federation import Federated

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_SERVED: Final = ("confined-shop", "confined-going")
_ELSEWHERE: Final = "confined-elsewhere"


@pytest.fixture(scope="module")
def release(
    bare: Cluster,
    bare_helm: Helm,
    emulator: EmulatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Release]:
    """A release that serves two namespaces."""
    for name in (*_SERVED, _ELSEWHERE):
        bare.api.call("POST", f"{CORE}/namespaces", {"metadata": {"name": name}})
    folder = tmp_path_factory.mktemp("confined")
    running = Release(bare_helm, bare, emulator, folder, watchNamespaces=list(_SERVED))
    running.operator.wait_until_ready()
    yield running
    running.end()


def _team(release: Release, namespace: str) -> Team:
    team = Team(release, namespace, release.make_application())
    team.grant()
    return team


def test_the_whole_life_in_a_namespace(release: Release) -> None:
    team = _team(release, _SERVED[0])
    team.apply(deletionGracePeriod="0s")
    team.ready()
    first = team.key()
    team.rotated()
    assert team.signs_in()
    assert first in team.key_ids()
    team.delete()
    release.until(lambda: release.tickets(team.namespace) == [], "the deletion is finished")
    assert (team.key_ids(), team.secret()) == ([], None)


def test_elsewhere_it_may_read_nothing_but_its_own_kinds(release: Release) -> None:
    cluster = release.cluster
    for namespace in ("", _ELSEWHERE, "kube-system"):
        for kind in ("secrets", "configmaps", "serviceaccounts", "pods", "events.events.k8s.io"):
            for verb in ("get", "list", "create", "update", "patch", "delete"):
                assert not may(cluster, NAMESPACE, verb, kind, namespace), (verb, kind, namespace)
    assert may(cluster, NAMESPACE, "patch", "appcredentials.appcredential.io", _ELSEWHERE)
    assert not may(cluster, NAMESPACE, "create", "secrets", NAMESPACE)
    assert may(cluster, NAMESPACE, "create", "events.events.k8s.io", "default")


def test_a_namespace_that_is_going_away_is_released_and_its_credential_revoked(
    release: Release,
) -> None:
    """The worst order: its Role is gone before anything else is."""
    team = _team(release, _SERVED[1])
    team.apply(deletionGracePeriod="0s")
    federated = Federated(team)
    federated.account()
    federated.apply(
        "trusted",
        serviceAccount={"name": "orders"},
        configMap={"name": "orders-entra"},
        deletionGracePeriod="0s",
    )
    team.ready()
    federated.ready("trusted")
    assert team.key_ids()
    assert federated.listed()
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{team.namespace}"
    for plural in ("rolebindings", "roles"):
        release.kube.delete(f"{rbac}/{plural}/{RELEASE}.{NAMESPACE}")
    path = f"{CORE}/namespaces/{team.namespace}"
    release.kube.delete(path)
    release.until(lambda: release.kube.get(path) is None, "the namespace is gone")
    release.until(lambda: release.tickets(team.namespace) == [], "the deletion is finished")
    assert (team.key_ids(), federated.listed()) == ([], [])
