"""The admission policies hold the operator's own user, whatever its rights allow.

Each attempt is made as the operator's ServiceAccount with far more rights than the chart
gives it, so what refuses it is the policy and not RBAC.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from localcluster import Cluster
from tests.chart.helming import CHART, RELEASE, Helm
from tests.integration.confined import allow, may
from tests.integration.installation import CORE

pytestmark = pytest.mark.cluster

TEAM: Final = "admission-team"
GUID: Final = "11111111-1111-4111-8111-111111111111"
BOUND: Final = "admission-operator"
USER: Final = f"system:serviceaccount:{BOUND}:{RELEASE}"
OURS: Final = {"app.kubernetes.io/managed-by": "appcredential"}
TICKET: Final = {"appcredential.io/ticket": "true"}
_FAR_TOO_MUCH: Final = [
    {
        "apiGroups": ["", "appcredential.io"],
        "resources": [
            *("secrets", "configmaps", "serviceaccounts", "serviceaccounts/token"),
            *("appcredentials", "entratenants", "applicationgrants"),
        ],
        "verbs": ["get", "list", "create", "update", "patch", "delete"],
    }
]


def manifest(
    kind: str,
    name: str,
    labels: dict[str, str] | None = None,
    namespace: str = TEAM,
    **rest: Any,
) -> str:
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
    version = "appcredential.io/v1alpha1" if kind == "AppCredential" else "v1"
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, **rest})


def token_secret(account: str) -> str:
    """Return a Secret into which the cluster would write a lasting token of the account."""
    made = json.loads(manifest("Secret", "new", OURS, type="kubernetes.io/service-account-token"))
    made["metadata"]["annotations"] = {"kubernetes.io/service-account.name": account}
    return json.dumps(made)


def resource(name: str, lifetime: str = "1h") -> str:
    spec = {
        "application": {"clientId": GUID},
        "type": "ClientSecret",
        "clientSecret": {},
        "lifetime": lifetime,
    }
    return manifest("AppCredential", name, spec=spec)


@pytest.fixture(scope="module")
def served(bare: Cluster, bare_helm: Helm) -> Iterator[Cluster]:
    """The chart's policies in force, and what the attempts are made on."""
    for name in (BOUND, TEAM):
        bare.api.call("POST", f"{CORE}/namespaces", {"metadata": {"name": name}})
    bare_helm.run("install", RELEASE, CHART, "-n", BOUND)
    allow(bare, BOUND, _FAR_TOO_MUCH)
    for made in (
        manifest("Secret", "foreign", type="Opaque"),
        manifest("Secret", "offered", type="Opaque"),
        manifest("Secret", "ours", OURS, type="Opaque"),
        manifest("Secret", "stripped", OURS, type="Opaque"),
        manifest("ConfigMap", "foreign"),
        manifest("ConfigMap", "ours", OURS),
        manifest("ServiceAccount", "robot", {"team": "a"}),
        manifest("ConfigMap", "kept", TICKET, BOUND),
        manifest("ConfigMap", "foreign", namespace=BOUND),
        resource("orders"),
    ):
        bare.kubectl("create", "-f", "-", input=made)
    bare.kubectl("annotate", "secret", "offered", "-n", TEAM, "appcredential.io/adopt=a/b")
    bare.kubectl("annotate", "secret", "stripped", "-n", TEAM, "appcredential.io/owner=a/b")
    bare.kubectl("label", "secret", "stripped", "-n", TEAM, "app.kubernetes.io/managed-by-")
    foreign = '{"metadata":{"finalizers":["a.io/b"]}}'
    bare.kubectl("patch", "appcred", "orders", "-n", TEAM, "--type=merge", "-p", foreign)
    _wait_for_policies(bare)
    yield bare
    released = '{"metadata":{"finalizers":[]}}'
    bare.kubectl("patch", "appcred", "orders", "-n", TEAM, "--type=merge", "-p", released)
    bare_helm.run("uninstall", RELEASE, "-n", BOUND)


def _wait_for_policies(cluster: Cluster) -> None:
    """A new policy is in force some time after it was created; all five are asked."""
    asked = ("a Secret without", "a ConfigMap without", "a ServiceAccount", "a token for", "a spec")
    probes = [next(r for r in REFUSED if r[0].startswith(start)) for start in asked]
    deadline = time.monotonic() + 30
    for _, words, text, _ in probes:
        while attempt(cluster, words, text).returncode == 0:
            assert time.monotonic() < deadline, words
            time.sleep(0.2)


def attempt(
    cluster: Cluster, words: str, text: str = "", namespace: str = TEAM
) -> subprocess.CompletedProcess[str]:
    """Try something as the operator, without doing it."""
    dry = ["--dry-run=server"] if "token" not in words else []
    command = [*words.split(" "), "-n", namespace, f"--as={USER}", *dry]
    return cluster.kubectl(*command, input=text, check=False)


_LABEL: Final = "only with the label app.kubernetes.io/managed-by=appcredential"
_OWN: Final = "may change and delete only Secrets of its own"
_ANNOTATIONS: Final = '{"metadata":{"annotations":{"%s":"x"}}}'
_SPEC: Final = "never their spec"
_METADATA: Final = "no owners and no finalizer but its own"
# The garbage collector deletes what has an owner that does not exist.
_OWNED: Final = (
    '{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone",'
    f'"uid":"{GUID}"}}]}}}}'
)
_HELD: Final = '{"metadata":{"finalizers":["a.io/b","appcredential.io/credential"]}}'
REFUSED: Final[list[tuple[str, str, str, str]]] = [
    ("a Secret without its label", "create -f -", manifest("Secret", "new"), _LABEL),
    (
        "a token of a ServiceAccount",
        "create -f -",
        token_secret("robot"),
        "of type Opaque and appcredential.io/pending only",
    ),
    (
        "a bootstrap token",
        "create -f -",
        manifest("Secret", "new", OURS, type="bootstrap.kubernetes.io/token"),
        "of type Opaque and appcredential.io/pending only",
    ),
    (
        "somebody's Secret",
        "replace -f -",
        manifest("Secret", "foreign", OURS, stringData={"a": "b"}),
        _OWN,
    ),
    ("its deletion", "delete secret foreign", "", _OWN),
    ("the deletion of one that is offered", "delete secret offered", "", _OWN),
    ("a ConfigMap without its label", "create -f -", manifest("ConfigMap", "new"), _LABEL),
    (
        "somebody's ConfigMap",
        "replace -f -",
        manifest("ConfigMap", "foreign", OURS, data={"a": "b"}),
        "may change and delete only ConfigMaps of its own",
    ),
    ("a ticket elsewhere", "create -f -", manifest("ConfigMap", "new", TICKET), _LABEL),
    ("its deletion", "delete configmap foreign", "", "only ConfigMaps of its own"),
    (
        "a ServiceAccount",
        "create -f -",
        manifest("ServiceAccount", "new"),
        "neither creates nor deletes ServiceAccounts",
    ),
    ("its deletion", "delete serviceaccount robot", "", "neither creates nor deletes"),
    (
        "a label of a ServiceAccount",
        "label serviceaccount robot team=b --overwrite",
        "",
        "nothing but annotations",
    ),
    (
        "an owner of a ServiceAccount",
        f"patch serviceaccount robot --type=merge -p {_OWNED}",
        "",
        "nothing but annotations",
    ),
    (
        "a finalizer of a ServiceAccount",
        """patch serviceaccount robot --type=merge -p {"metadata":{"finalizers":["a.io/b"]}}""",
        "",
        "nothing but annotations",
    ),
    (
        "another annotation of a ServiceAccount",
        "annotate serviceaccount robot eks.amazonaws.com/role-arn=x",
        "",
        "only annotations azure.workload.identity/… and appcredential.io/…",
    ),
    ("a token for the API server", "create token robot", "", "may ask for tokens only for"),
    (
        "a token for another audience",
        "create token robot --audience=https://vault.example.com",
        "",
        "may ask for tokens only for api://AzureADTokenExchange",
    ),
    (
        "a spec",
        """patch appcred orders --type=merge -p {"spec":{"lifetime":"2h"}}""",
        "",
        _SPEC,
    ),
    ("an AppCredential", "create -f -", resource("new"), _SPEC),
    ("its deletion", "delete appcred orders", "", _SPEC),
    ("an owner of it", f"patch appcred orders --type=merge -p {_OWNED}", "", _METADATA),
    (
        "somebody's finalizer",
        """patch appcred orders --type=merge -p {"metadata":{"finalizers":[]}}""",
        "",
        _METADATA,
    ),
    (
        "another finalizer",
        """patch appcred orders --type=merge -p {"metadata":{"finalizers":["a.io/b","c.io/d"]}}""",
        "",
        _METADATA,
    ),
]
ALLOWED: Final[list[tuple[str, str, str]]] = [
    ("a target Secret", "create -f -", manifest("Secret", "new", OURS, type="Opaque")),
    (
        "a pending Secret",
        "create -f -",
        manifest("Secret", "new", OURS, type="appcredential.io/pending"),
    ),
    ("its own Secret", "replace -f -", manifest("Secret", "ours", OURS, stringData={"a": "b"})),
    (
        "its own Secret without the label",
        "replace -f -",
        manifest("Secret", "stripped", OURS, stringData={"a": "b"}),
    ),
    ("the deletion of that", "delete secret stripped", ""),
    ("the deletion of its own", "delete secret ours", ""),
    ("a Secret that is offered", "replace -f -", manifest("Secret", "offered", OURS)),
    ("an output ConfigMap", "create -f -", manifest("ConfigMap", "new", OURS)),
    ("its own ConfigMap", "replace -f -", manifest("ConfigMap", "ours", OURS, data={"a": "b"})),
    (
        "wiring a ServiceAccount",
        "annotate serviceaccount robot azure.workload.identity/client-id=x",
        "",
    ),
    (
        "its finalizer",
        f"patch appcred orders --type=merge -p {_HELD}",
        "",
    ),
    ("an exchange token", "create token robot --audience=api://AzureADTokenExchange", ""),
]


OF_ITS_NAMESPACE: Final[list[tuple[str, str, str]]] = [
    ("a new ticket", "create -f -", manifest("ConfigMap", "new", TICKET, BOUND)),
    (
        "a ticket that is written anew",
        "replace -f -",
        manifest("ConfigMap", "kept", TICKET, BOUND, data={"a": "b"}),
    ),
    ("the end of a ticket", "delete configmap kept", ""),
    ("a ConfigMap", "create -f -", manifest("ConfigMap", "new", namespace=BOUND)),
    ("somebody's", "replace -f -", manifest("ConfigMap", "foreign", TICKET, BOUND)),
    ("its deletion", "delete configmap foreign", ""),
]


@pytest.mark.parametrize(("what", "words", "text", "message"), REFUSED, ids=lambda v: str(v)[:45])
def test_it_may_not(served: Cluster, what: str, words: str, text: str, message: str) -> None:
    done = attempt(served, words, text)
    assert done.returncode != 0, what
    assert message in done.stderr


@pytest.mark.parametrize(("what", "words", "text"), ALLOWED, ids=lambda v: str(v)[:45])
def test_it_may(served: Cluster, what: str, words: str, text: str) -> None:
    done = attempt(served, words, text)
    assert done.returncode == 0, f"{what}: {done.stderr}"


@pytest.mark.parametrize(("what", "words", "text"), OF_ITS_NAMESPACE, ids=lambda v: str(v)[:45])
def test_in_its_own_namespace_it_may_write_tickets(
    served: Cluster, what: str, words: str, text: str
) -> None:
    done = attempt(served, words, text, namespace=BOUND)
    is_ticket = "ticket" in what
    assert (done.returncode == 0) is is_ticket, f"{what}: {done.stderr}"


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
    *((verb, "pods") for verb in ("create", "update", "patch", "delete", "deletecollection")),
    *(("create", f"pods/{door}") for door in ("exec", "attach", "portforward", "eviction")),
    *((verb, "serviceaccounts") for verb in ("create", "update", "delete", "impersonate")),
    ("create", "serviceaccounts/token"),
    *(
        (verb, f"{kind}.appcredential.io")
        for verb in ("create", "update", "delete")
        for kind in ("appcredentials", "entratenants", "applicationgrants")
    ),
    *((verb, "namespaces") for verb in ("list", "create", "update", "patch", "delete")),
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
    ("create", "deployments.apps"),
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
