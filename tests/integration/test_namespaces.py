"""An operator that is confined to namespaces serves those, sees no other, and may do no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest

from demo.processes import OPERATOR_NAMESPACE
from demo.stack import RBAC, EmulatorProcess
from localcluster import Cluster
from tests.integration.at_once import at_once
from tests.integration.confined import (
    CLUSTER_WIDE,
    OF_A_TEAM,
    OF_DEFAULT,
    OF_THE_OPERATOR,
    SECRETS,
    Confined,
    allow,
    make_account,
    make_namespaces,
    may,
)
from tests.integration.installation import GROUP, Installation, Team, condition_of
from tests.integration.stories_issue import conditions

pytestmark = [pytest.mark.cluster, pytest.mark.process]

_DENIED_EVERYWHERE: Final = (
    ("list", "secrets"),
    ("watch", "secrets"),
    ("patch", "secrets"),
    ("deletecollection", "secrets"),
    ("create", "appcredentials.appcredential.io"),
    ("update", "appcredentials.appcredential.io"),
    ("delete", "appcredentials.appcredential.io"),
    ("create", "entratenants.appcredential.io"),
    ("delete", "entratenants.appcredential.io"),
    ("create", "applicationgrants.appcredential.io"),
    ("update", "applicationgrants.appcredential.io"),
    ("delete", "applicationgrants.appcredential.io"),
    ("create", "serviceaccounts/token"),
    *((verb, "serviceaccounts") for verb in ("list", "watch", "create", "update", "delete")),
    *((verb, "pods") for verb in ("get", "watch", "create")),
    ("create", "pods/exec"),
    ("list", "namespaces"),
    ("list", "nodes"),
    ("list", "customresourcedefinitions.apiextensions.k8s.io"),
    ("update", "customresourcedefinitions.apiextensions.k8s.io"),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io"),
    ("create", "rolebindings.rbac.authorization.k8s.io"),
    ("escalate", "roles.rbac.authorization.k8s.io"),
    ("bind", "roles.rbac.authorization.k8s.io"),
    ("impersonate", "users"),
)
_DENIED_OUTSIDE: Final = (
    ("list", "pods"),
    *((verb, "secrets") for verb in ("get", "create", "update", "delete")),
    *((verb, "appcredentials.appcredential.io") for verb in ("get", "list", "watch", "patch")),
    ("patch", "appcredentials/status.appcredential.io"),
    *((verb, "configmaps") for verb in ("get", "list", "create", "update", "delete")),
    *((verb, "leases.coordination.k8s.io") for verb in ("get", "create", "update")),
    *((verb, "serviceaccounts") for verb in ("get", "patch")),
    ("get", "events.events.k8s.io"),
)


@pytest.fixture(scope="module")
def installation(
    cluster: Cluster, emulator: EmulatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An operator that watches three namespaces.

    In the second it may not touch Secrets, in the third it has no rights at all.
    """
    folder = tmp_path_factory.mktemp("operator")
    cluster.kubectl("apply", "--server-side", "-f", RBAC)
    (own,) = make_namespaces(cluster, "operator", 1)
    watched = make_namespaces(cluster, "watched", 3)
    served, unbound, _ = watched
    kubeconfig = make_account(cluster, own, folder / "kubeconfig")
    allow(cluster, own, CLUSTER_WIDE)
    allow(cluster, own, OF_THE_OPERATOR, own)
    allow(cluster, own, OF_DEFAULT, "default")
    allow(cluster, own, [*OF_A_TEAM, SECRETS], served)
    allow(cluster, own, OF_A_TEAM, unbound)
    settings = {"KUBECONFIG": str(kubeconfig)}
    running = Confined(cluster, emulator, folder, settings, namespace=own, watched=watched)
    try:
        running.make_tenant("default")
        running.operator.wait_until_ready()
        yield running
    finally:
        running.close()


def _team(i: Installation, namespace: str) -> Team:
    team = Team(i, namespace, i.make_application())
    team.grant()
    return team


def _watched(i: Installation) -> tuple[str, ...]:
    assert isinstance(i, Confined)
    return i.watched


def a_watched_namespace_is_served(i: Installation) -> None:
    """From the issue over a rotation to the end of the deletion."""
    team = _team(i, _watched(i)[0])
    rotation = {"renewBefore": "30m", "overlap": "3s", "retireWhen": "OverlapElapsed"}
    team.apply(rotation=rotation, deletionGracePeriod="0s")
    team.ready()
    first = team.key()
    assert team.signs_in()
    team.rotated()
    team.until(lambda: first not in team.key_ids(), "the old one is retired")
    team.delete()
    i.until(lambda: i.tickets(team.namespace) == [], "the deletion is finished")
    assert team.key_ids() == []
    assert team.secret() is None


def another_namespace_is_not_seen(i: Installation) -> None:
    """No status, no finalizer, no Secret, and not one call about its application."""
    (name,) = make_namespaces(i.cluster, "unseen", 1)
    team = _team(i, name)
    made = team.apply()
    i.pass_time(i.now() + timedelta(seconds=12))
    assert team.live() == made
    assert (team.secret(), team.pending(), team.minted()) == (None, [], 0)
    assert i.requests(team.client_id) == []


def a_missing_role_is_said(i: Installation) -> None:
    """Nothing is issued that could not be stored; binding the role is all it takes."""
    team = _team(i, _watched(i)[1])
    team.apply()
    team.until(lambda: "Stalled" in conditions(team), "it is said")
    assert conditions(team)["Stalled"] == ("True", "SecretForbidden")
    assert conditions(team)["Ready"] == ("False", "SecretForbidden")
    assert "Bind its role" in team.condition("Stalled")["message"]
    team.until(team.warnings, "it is announced")  # an Event follows its condition
    assert team.warnings() == {"SecretForbidden"}
    assert team.minted() == 0
    allow(i.cluster, i.namespace, [SECRETS], team.namespace)
    team.ready()
    assert team.signs_in()


def a_namespace_without_rights_harms_no_other(i: Installation) -> None:
    """The operator serves the others meanwhile, and this one once it is bound."""
    team, other = _team(i, _watched(i)[2]), _team(i, _watched(i)[0])
    team.apply()
    other.apply("other")
    other.ready("other")
    assert team.condition("Ready") == {}
    allow(i.cluster, i.namespace, [*OF_A_TEAM, SECRETS], team.namespace)
    team.ready()
    assert team.signs_in()


def a_selector_cannot_be_used(i: Installation) -> None:
    """Without the right to look at labels a grant by them says so, and gives nothing."""
    team = Team(i, _watched(i)[0], i.make_application())
    name = team.grant(namespaces={"selector": {"matchLabels": {"env": "prod"}}})
    team.apply("selected")

    def said() -> dict[str, Any]:
        found = i.kube.get(f"{GROUP}/applicationgrants/{name}")
        return condition_of(found or {}, "Ready")

    i.until(lambda: said().get("reason") == "NamespacesUnreadable", "the grant says so")
    assert "rbac.selectNamespaces" in said()["message"]
    team.until(lambda: team.has("Stalled", "True", "GrantUnknown", "selected"), "it is said")
    assert "list namespaces.names" in team.condition("Stalled", "selected")["message"]
    assert i.requests(team.client_id) == []


test_watched = at_once(a_watched_namespace_is_served)
test_not_watched = at_once(another_namespace_is_not_seen)
test_missing_role = at_once(a_missing_role_is_said)
test_no_rights = at_once(a_namespace_without_rights_harms_no_other)
test_selector = at_once(a_selector_cannot_be_used)


def test_it_lacks_no_right_that_it_needs(installation: Installation) -> None:
    """Nothing was refused but what was taken away on purpose."""
    _, unbound, unknown = _watched(installation)
    wanted = (
        f"/namespaces/{unbound}/secrets",
        f"/namespaces/{unknown}/appcredentials",
        '"GET /api/v1/namespaces"',  # for the grant that selects by labels
    )
    lines = installation.operator.child.log.read_text().splitlines()
    refused = [line for line in lines if '"code": 403' in line]
    assert refused
    assert [line for line in refused if not any(path in line for path in wanted)] == []


def test_it_has_no_right_that_it_does_not_need(installation: Installation) -> None:
    i = installation
    served, own = _watched(i)[0], i.namespace
    outside = make_namespaces(i.cluster, "outside", 1)
    assert may(i.cluster, own, "get", "secrets", served)
    assert not may(i.cluster, own, "get", "secrets", _watched(i)[1] + "-x")
    everywhere = [(v, r, n) for v, r in _DENIED_EVERYWHERE for n in ("", served, own)]
    beyond = [
        (v, r, n) for v, r in _DENIED_OUTSIDE for n in ("", "kube-system", "default", *outside)
    ]
    of_its_own = [(v, "secrets", own) for v in ("list", "create", "update", "delete")]
    denied = [*everywhere, *beyond, *of_its_own]
    assert [(v, r, n) for v, r, n in denied if may(i.cluster, own, v, r, n)] == []


def test_the_example_for_the_whole_cluster_gives_no_more(installation: Installation) -> None:
    cluster, own = installation.cluster, OPERATOR_NAMESPACE
    assert may(cluster, own, "get", "secrets", "default")
    # One ConfigMap by its name is read and written as the output of a FederatedIdentity.
    elsewhere = [
        *((verb, "configmaps") for verb in ("list", "watch", "patch", "deletecollection")),
        ("get", "leases.coordination.k8s.io"),
    ]
    of_labels = ("list", "namespaces")  # by which grants select them, in a whole cluster only
    kept = [one for one in _DENIED_EVERYWHERE if one != of_labels]
    denied = [(v, r, n) for v, r in kept for n in ("", "kube-system", own)]
    denied += [(v, r, n) for v, r in elsewhere for n in ("", "kube-system", "default")]
    assert [(v, r, n) for v, r, n in denied if may(cluster, own, v, r, n)] == []


def test_kubectl_agrees(installation: Installation) -> None:
    """The same question asked as an administrator asks it."""
    user = f"--as=system:serviceaccount:{installation.namespace}:appcredential"
    for verb, scope, answer in (
        ("list", ("-A",), "no"),
        ("watch", ("-A",), "no"),
        ("get", ("-n", _watched(installation)[0]), "yes"),
    ):
        ask = ("auth", "can-i", verb, "secrets", user, *scope)
        said = installation.cluster.kubectl(*ask, check=False).stdout
        assert said.strip() == answer, ask
