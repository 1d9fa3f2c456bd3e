"""An operator that is confined to namespaces lives its whole life by the rendered Roles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import pytest

from demo.stack import EmulatorProcess
from localcluster import Cluster
from tests.chart.attempts import resource
from tests.chart.helming import NAMESPACE, RELEASE, Helm
from tests.chart.living import OfEachType
from tests.chart.released import Release
from tests.chart.rights import CLAIM_UPDATE, TICKET_UPDATE, WITHIN_OVERLAP, compare
from tests.integration.confined import may
from tests.integration.installation import CORE, Team
from tests.integration.stories_federation import Federated

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_SERVED: Final = ("confined-shop", "confined-going")
_ELSEWHERE: Final = "confined-elsewhere"
_KIND, _GROUP = "appcredentials", "appcredential.io"
_FORBIDDEN: Final = "TokenRequestForbidden"
UNUSED: Final = {
    **TICKET_UPDATE,
    **CLAIM_UPDATE,
    f"list pods in {_SERVED[0]}": WITHIN_OVERLAP,
    "get namespaces (2 names)": "whether a served namespace is leaving, once nothing may be read "
    "in it: the last test of this module",
}
"""Rights that a life has no use for, and why they are given."""


@pytest.fixture(scope="module")
def release(
    bare: Cluster,
    bare_helm: Helm,
    known_issuer: EmulatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Release]:
    """A release that serves two namespaces."""
    for name in (*_SERVED, _ELSEWHERE):
        bare.api.call("POST", f"{CORE}/namespaces", {"metadata": {"name": name}})
    folder = tmp_path_factory.mktemp("confined")
    running = Release(bare_helm, bare, known_issuer, folder, watchNamespaces=list(_SERVED))
    running.operator.wait_until_ready()
    yield running
    running.end()


def _team(release: Release, namespace: str) -> Team:
    team = Team(release, namespace, release.make_application())
    team.grant()
    return team


def test_the_whole_life_of_each_type_takes_what_is_granted_and_no_more(
    release: Release, tell: Callable[[str], None]
) -> None:
    trio = OfEachType(_team(release, _SERVED[0]))
    trio.apply()
    trio.live_on()
    trio.ready()
    assert all(trio.sign_ins(trio.mounted()).values())
    trio.end()
    _have_a_tenant_warned_about(release)
    rights = release.granted()
    served = [{replace(r, namespace="") for r in rights if r.namespace == n} for n in _SERVED]
    assert served[0] == served[1]
    # Also in the other one its Secrets are watched, although nothing lives there.
    asked = {
        request: n for request, n in release.asked().items() if request.namespace != _SERVED[1]
    }
    found = compare([r for r in rights if r.namespace != _SERVED[1]], asked)
    tell("rights of the operator in some namespaces, of which one is shown")
    for line in found.table(UNUSED):
        tell(line)
    assert found.faults(UNUSED) == []


def _have_a_tenant_warned_about(release: Release) -> None:
    """Events about what is in no namespace are in `default`."""
    release.make_tenant("unusable", identity="nowhere")
    release.until(lambda: release.events("", "unusable", "EntraTenant"), "there is an Event")


def test_a_trust_is_proven_once_the_optional_right_is_given(release: Release) -> None:
    team = _team(release, _SERVED[0])
    federated = Federated(team)
    federated.account("prover")
    account, asked = {"name": "prover"}, {"mode": "Required"}
    federated.apply("unproven", serviceAccount=account, verification=asked)
    team.until(lambda: team.has("Stalled", "True", _FORBIDDEN, "unproven"), "it is said")
    verified = team.condition("Verified", "unproven")
    assert (verified["status"], verified["reason"]) == ("Unknown", _FORBIDDEN)
    assert "Set rbac.tokenRequests to true in the chart's values" in verified["message"]
    assert federated.annotations("prover") == {}
    release.upgrade(rbac={"tokenRequests": True})
    federated.ready("unproven")
    assert team.has("Verified", "True", "Proven", "unproven")


def test_elsewhere_it_may_read_nothing_but_its_own_kinds(release: Release) -> None:
    cluster = release.cluster
    for namespace in ("", _ELSEWHERE, "kube-system"):
        for kind in ("secrets", "configmaps", "serviceaccounts", "pods", "events.events.k8s.io"):
            for verb in ("get", "list", "create", "update", "patch", "delete"):
                assert not may(cluster, NAMESPACE, verb, kind, namespace), (verb, kind, namespace)
    for verb in ("create", "update", "delete"):
        assert not may(cluster, NAMESPACE, verb, f"{_KIND}.{_GROUP}", _ELSEWHERE), verb
    assert not may(cluster, NAMESPACE, "patch", f"{_KIND}/status.{_GROUP}", _ELSEWHERE)
    # The right to write that is needed where a Role was lost is confined by an admission policy.
    assert may(cluster, NAMESPACE, "patch", f"{_KIND}.{_GROUP}", _ELSEWHERE)
    refused = _hold_elsewhere(cluster)
    assert "only in the namespaces that it serves" in refused
    assert not may(cluster, NAMESPACE, "create", "secrets", NAMESPACE)
    assert may(cluster, NAMESPACE, "create", "events.events.k8s.io", "default")


def _hold_elsewhere(cluster: Cluster) -> str:
    """Return what the API server says of our finalizer on somebody else's AppCredential."""
    cluster.kubectl("create", "-n", _ELSEWHERE, "-f", "-", input=resource("theirs", _ELSEWHERE))
    held = '{"metadata":{"finalizers":["appcredential.io/credential"]}}'
    user = f"--as=system:serviceaccount:{NAMESPACE}:{RELEASE}"
    words = ("patch", "appcred", "theirs", "-n", _ELSEWHERE, "--type=merge", "-p", held, user)
    return cluster.kubectl(*words, check=False).stderr


def _is_refused_its_secrets(team: Team) -> bool:
    """Have the operator look again; return whether it asked for a Secret, and was refused."""
    release = team.i
    assert isinstance(release, Release)
    path = f"/apis/{_GROUP}/v1alpha1/namespaces/{team.namespace}/{_KIND}/app"
    looked = {"example.com/looked": str(time.monotonic())}
    release.kube.edit(path, lambda found: found["metadata"].update(annotations=looked))
    return any(
        r.is_refused and (r.verb, r.resource, r.namespace) == ("get", "secrets", team.namespace)
        for r in release.asked()
    )


def test_a_namespace_that_is_going_away_is_released_and_its_credential_revoked(
    release: Release,
) -> None:
    """The worst order: its Role is gone before anything else is, and what was read is too old."""
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
    release.until(lambda: _is_refused_its_secrets(team), "the Secrets are read anew")
    path = f"{CORE}/namespaces/{team.namespace}"
    release.kube.delete(path)
    release.until(lambda: release.kube.get(path) is None, "the namespace is gone")
    release.until(lambda: release.tickets(team.namespace) == [], "the deletion is finished")
    assert (team.key_ids(), federated.listed()) == ([], [])
