"""The admission policies hold the operator's own user, whatever its rights allow.

Each attempt is made as the operator's ServiceAccount with far more rights than the chart
gives it, so what refuses it is the policy and not RBAC.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Final

import pytest

from localcluster import Cluster
from tests.chart.attempts import (
    ALLOWED,
    BOUND,
    GUID,
    HELD,
    PENDING,
    REFUSED,
    TEAM,
    Attempt,
    lease,
    manifest,
    output,
    record,
    resource,
    secret,
    ticket,
)
from tests.chart.helming import CHART, RELEASE, Helm
from tests.chart.identity_attempts import (
    IDENTITY_ALLOWED,
    IDENTITY_OBJECTS,
    IDENTITY_REFUSED,
)
from tests.chart.released import drop_claim
from tests.chart.workload_attempts import (
    KINDS,
    ROLLOUTS,
    UNMARKED,
    WORKLOADS_ALLOWED,
    WORKLOADS_REFUSED,
    workload,
)
from tests.integration.confined import allow, may
from tests.integration.installation import CORE

pytestmark = pytest.mark.cluster

ALL_REFUSED: Final = (*REFUSED, *WORKLOADS_REFUSED, *IDENTITY_REFUSED)
USER: Final = f"system:serviceaccount:{BOUND}:{RELEASE}"
_WRITE: Final = ["get", "list", "create", "update", "patch", "delete"]
_FAR_TOO_MUCH: Final = [
    {
        "apiGroups": [
            *("", "appcredential.io", "events.k8s.io", "coordination.k8s.io"),
            *("apps", "argoproj.io"),
        ],
        "resources": ["*"],
        "verbs": _WRITE,
    }
]
_CLIENT: Final = "azure.workload.identity/client-id"
_TENANT: Final = "azure.workload.identity/tenant-id"
_MARK: Final = {"appcredential.io/wired-by": "orders/other"}
_ACCOUNTS: Final = {
    "foreign": {_CLIENT: GUID},
    "tenanted": {_TENANT: GUID},
    "edited": {_CLIENT: "edited", **_MARK},
    "wired": {_CLIENT: "other", **_MARK},
    "half": {_TENANT: GUID, **_MARK},
}
"""What ServiceAccounts are annotated with: by a person, by the operator, and edited since."""


@pytest.fixture(scope="module")
def served(bare: Cluster, bare_helm: Helm) -> Iterator[Cluster]:
    """The chart's policies in force, and what the attempts are made on."""
    drop_claim(bare)
    for name in (BOUND, TEAM):
        bare.api.call("POST", f"{CORE}/namespaces", {"metadata": {"name": name}})
    named = (
        "settings.allowedSecretKeys=example.com/,secretLabels.owned-by=platform,"
        "admissionPolicies.alsoAllowedKeys={cost-centre,mutated.example.net/},rbac.restarts=true"
    )
    bare_helm.run("install", RELEASE, CHART, "-n", BOUND, "--set", named)
    allow(bare, BOUND, _FAR_TOO_MUCH)
    bare.kubectl("create", "-f", "-", input=ROLLOUTS)
    bare.kubectl("wait", "--for=condition=Established", "crd/rollouts.argoproj.io")
    for made in _objects():
        bare.kubectl("create", "-f", "-", input=made)
    for kind, name in (("secret", "stripped"), ("configmap", "stripped")):
        bare.kubectl("label", kind, name, "-n", TEAM, "app.kubernetes.io/managed-by-")
    _hold(bare, "orders", "a.io/b")
    _hold(bare, "going", "a.io/b", "appcredential.io/credential")
    _hold(bare, "held", "appcredential.io/credential")
    bare.kubectl("delete", "appcred", "going", "-n", TEAM, "--wait=false")
    _wait_for_policies(bare)
    yield bare
    for name in ("orders", "going", "held"):
        _hold(bare, name)
    _hold(bare, "decorated", kind="secret")
    bare_helm.run("uninstall", RELEASE, "-n", BOUND)
    bare.kubectl("delete", "crd", "rollouts.argoproj.io")
    bare.kubectl("delete", "deployment", "web", "-n", "kube-system")
    bare.kubectl("delete", "applicationgrant", "shop")  # other tests install one of that name


def _objects() -> Iterator[str]:
    yield manifest("Secret", "foreign", type="Opaque")
    offer = {"appcredential.io/adopt": f"{TEAM}/orders"}
    yield manifest("Secret", "offered", annotations=offer, type="Opaque")
    yield secret("ours")
    yield secret("decorated", labels={"theirs": "kept"}, held=HELD[1])
    yield secret("stripped")
    yield manifest("Secret", "appcredential-pending-bare", type=PENDING)
    yield manifest("ConfigMap", "foreign")
    yield output("ours")
    yield output("stripped")
    yield manifest("ServiceAccount", "robot", {"team": "a"})
    for name, held in _ACCOUNTS.items():
        yield manifest("ServiceAccount", name, annotations=held)
    yield ticket("appcredential-ticket-kept")
    yield record("appcredential-issued-kept")
    yield lease("appcredential")
    yield manifest("ConfigMap", "foreign", namespace=BOUND)
    yield from IDENTITY_OBJECTS
    for name in ("orders", "going", "held"):
        yield resource(name)
    for kind in KINDS:
        yield workload(kind)
    for name in UNMARKED:
        yield workload("Rollout", name)
    yield workload("Deployment", namespace="kube-system")
    grant = {"applications": {"clientIds": [GUID]}, "namespaces": {"names": [TEAM]}}
    yield manifest("ApplicationGrant", "shop", version="appcredential.io/v1alpha1", spec=grant)


def _hold(cluster: Cluster, name: str, *finalizers: str, kind: str = "appcred") -> None:
    """Set an object's finalizers as the administrator."""
    change = json.dumps({"metadata": {"finalizers": list(finalizers)}})
    words = ("patch", kind, name, "-n", TEAM, "--type=merge", "-p", change)
    cluster.kubectl(*words, check=False)


def _wait_for_policies(cluster: Cluster) -> None:
    """A new policy is in force some time after it was created; all eight are asked.

    One of a new kind takes longer: the API server looks for kinds twice a minute.
    """
    asked = (
        *("a Secret without", "a ConfigMap without", "a ServiceAccount", "a token for", "a spec"),
        *("another Lease", "an Event of", "the image of a Deployment", "the image of a Rollout"),
    )
    probes = [next(r for r in ALL_REFUSED if r.what.startswith(start)) for start in asked]
    deadline = time.monotonic() + 60
    for probe in probes:
        while _try(cluster, probe).returncode == 0:
            assert time.monotonic() < deadline, probe.what
            time.sleep(0.2)


def _try(cluster: Cluster, attempt: Attempt) -> subprocess.CompletedProcess[str]:
    """Try something as the operator, without doing it."""
    dry = ["--dry-run=server"] if "token" not in attempt.words else []
    command = [*attempt.words.split(" "), "-n", attempt.namespace, f"--as={USER}", *dry]
    return cluster.kubectl(*command, input=attempt.text, check=False)


@pytest.mark.parametrize("attempt", ALL_REFUSED, ids=lambda a: a.what[:60])
def test_it_may_not(served: Cluster, attempt: Attempt) -> None:
    done = _try(served, attempt)
    assert done.returncode != 0, attempt.what
    assert attempt.message in done.stderr


ALL_ALLOWED: Final = (*ALLOWED, *WORKLOADS_ALLOWED, *IDENTITY_ALLOWED)


@pytest.mark.parametrize("attempt", ALL_ALLOWED, ids=lambda a: a.what[:60])
def test_it_may(served: Cluster, attempt: Attempt) -> None:
    done = _try(served, attempt)
    assert done.returncode == 0, f"{attempt.what}: {done.stderr}"


def test_nobody_else_is_bound(served: Cluster) -> None:
    other = "--as=system:serviceaccount:kube-system:generic-garbage-collector"
    words = ("delete", "secret", "foreign", "-n", TEAM, other, "--dry-run=server")
    assert "appcredential" not in served.kubectl(*words, check=False).stderr
    admin = served.kubectl("delete", "secret", "foreign", "-n", TEAM, "--dry-run=server")
    assert admin.returncode == 0


def test_a_confined_installation_elsewhere_has_its_own_policies(helm: Helm) -> None:
    found = helm.template(namespace="blue")
    assert "request.userInfo.username == 'system:serviceaccount:blue:appcredential'" in found


# --- rights alone -----------------------------------------------------------------------------

_DENIED: Final = (
    *((verb, "secrets") for verb in ("list", "watch", "patch", "deletecollection")),
    *(
        (verb, "pods")
        for verb in ("get", "watch", "create", "update", "patch", "delete", "deletecollection")
    ),
    *(("create", f"pods/{door}") for door in ("exec", "attach", "portforward", "eviction")),
    *((verb, "serviceaccounts") for verb in ("create", "update", "delete", "impersonate")),
    ("create", "serviceaccounts/token"),
    *(
        (verb, f"{kind}.appcredential.io")
        for verb in ("create", "update", "delete")
        for kind in ("appcredentials", "entratenants", "applicationgrants")
    ),
    *((verb, "namespaces") for verb in ("create", "update", "patch", "delete")),
    *((verb, "nodes") for verb in ("get", "list")),
    *(
        (verb, "customresourcedefinitions.apiextensions.k8s.io")
        for verb in ("list", "create", "update", "patch", "delete")
    ),
    *(
        (verb, f"{kind}.rbac.authorization.k8s.io")
        for verb in ("create", "update", "patch", "delete", "bind", "escalate")
        for kind in ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
    ),
    *(
        (verb, f"{kind}.admissionregistration.k8s.io")
        for verb in ("create", "update", "delete")
        for kind in ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
    ),
    ("impersonate", "users"),
    ("impersonate", "groups"),
    ("create", "certificatesigningrequests.certificates.k8s.io"),
    *((verb, "deployments.apps") for verb in ("list", "create", "patch")),
    ("*", "*"),
)


@pytest.fixture(scope="module")
def plain(bare: Cluster, bare_helm: Helm) -> Iterator[Cluster]:
    """The chart's rights and nothing on top, for another release."""
    bare.api.call("POST", f"{CORE}/namespaces", {"metadata": {"name": "plain"}})
    bare_helm.run("install", RELEASE, CHART, "-n", "plain")
    yield bare
    bare_helm.run("uninstall", RELEASE, "-n", "plain")


def test_what_it_is_denied(plain: Cluster) -> None:
    for namespace in ("", "plain", "kube-system", "default"):
        allowed = [(v, r) for v, r in _DENIED if may(plain, "plain", v, r, namespace)]
        assert allowed == [], namespace
    assert may(plain, "plain", "get", "secrets", "default")


def test_the_right_to_list_namespaces_can_be_left_out(plain: Cluster, bare_helm: Helm) -> None:
    assert may(plain, "plain", "list", "namespaces")
    narrower = ("--set", "rbac.selectNamespaces=false")
    bare_helm.run("upgrade", RELEASE, CHART, "-n", "plain", *narrower)
    assert not may(plain, "plain", "list", "namespaces")


def test_the_optional_right_to_ask_for_tokens_is_for_the_exchange_alone(
    plain: Cluster, bare_helm: Helm
) -> None:
    bare_helm.run("upgrade", RELEASE, CHART, "-n", "plain", "--set", "rbac.tokenRequests=true")
    ask = ("create", "token", "default", "-n", "default")
    user = f"--as=system:serviceaccount:plain:{RELEASE}"
    refused = plain.kubectl(*ask, user, check=False)
    assert "the operator may ask for tokens only for" in refused.stderr
    assert plain.kubectl(*ask, user, "--audience=api://AzureADTokenExchange").returncode == 0
    assert not may(plain, "plain", "impersonate", "serviceaccounts", "default")


def test_nothing_of_the_operators_own_namespace_is_open_elsewhere(plain: Cluster) -> None:
    for verb in ("get", "list", "create", "update", "delete"):
        assert not may(plain, "plain", verb, "leases.coordination.k8s.io", "kube-system")
    # Where it is installed beside others, their Leases are not its own either.
    for verb in ("get", "list", "update", "delete"):
        assert not may(plain, "plain", verb, "leases.coordination.k8s.io", "plain")
    assert not may(plain, "plain", "list", "configmaps", "kube-system")
