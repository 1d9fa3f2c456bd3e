"""What the holder of the operator's token tries, and what the operator itself writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from appcredential.domain.spec.reserved import UNPRUNED

TEAM: Final = "admission-team"
BOUND: Final = "admission-operator"
GUID: Final = "11111111-1111-4111-8111-111111111111"
MANAGED: Final = {"app.kubernetes.io/managed-by": "appcredential"}
OWNED: Final = {"appcredential.io/owner": f"{TEAM}/orders"}
TICKET: Final = {"appcredential.io/ticket": "true"}
PENDING: Final = "appcredential.io/pending"
PENDING_NAME: Final = "appcredential-pending-new"
TICKET_NAME: Final = "appcredential-ticket-new"
RECORD: Final = {"appcredential.io/issued": "true"}
RECORD_NAME: Final = "appcredential-issued-new"
ACTED_ON: Final = (
    ("labels", {"argocd.argoproj.io/secret-type": "cluster"}),
    ("annotations", {UNPRUNED[0][0]: "Replace=true"}),
    ("labels", dict(UNPRUNED[1:])),
    ("labels", {"owner": "helm", "name": "web", "status": "deployed"}),
    ("labels", {"team": "a"}),
    ("annotations", {"reflector.v1.k8s.emberstack.com/reflection-auto-enabled": "true"}),
    ("annotations", {"replicator.v1.mittwald.de/replicate-to": "*"}),
    ("annotations", {"vault.security.banzaicloud.io/vault-addr": "https://vault.example.com"}),
)
"""By these, another tool copies, replaces or believes an object."""
_OWNER: Final = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": GUID}
HELD: Final = ({"ownerReferences": [_OWNER]}, {"finalizers": ["a.io/b"]})
"""The garbage collector deletes what has an owner that does not exist."""


class Attempt(NamedTuple):
    """One command of kubectl as the operator's user.

    Attributes:
        what: it shows.
        words: of the command, separated by single blanks.
        text: its standard input.
        message: part of the refusal; empty where it is allowed.
        namespace: where.
    """

    what: str
    words: str
    text: str = ""
    message: str = ""
    namespace: str = TEAM


def manifest(
    kind: str,
    name: str,
    labels: dict[str, str] | None = None,
    namespace: str = TEAM,
    *,
    annotations: dict[str, str] | None = None,
    held: dict[str, Any] | None = None,
    version: str = "v1",
    **rest: Any,
) -> str:
    """Return an object; `held` has its owners or finalizers."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": labels or {},
        "annotations": annotations or {},
        **(held or {}),
    }
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, **rest})


def secret(name: str = "new", namespace: str = TEAM, **changed: Any) -> str:
    """Return a target Secret as the operator writes it, except what is changed."""
    owned = {"appcredential.io/owner": f"{namespace}/orders"}
    wanted = {
        "labels": MANAGED | changed.pop("labels", {}),
        "annotations": owned | changed.pop("annotations", {}),
        "type": "Opaque",
    }
    return manifest("Secret", name, namespace=namespace, **wanted | changed)


def output(name: str = "new", namespace: str = TEAM, **changed: Any) -> str:
    """Return an output ConfigMap as the operator writes it, except what is changed."""
    owned = {"appcredential.io/owner": f"{namespace}/orders"}
    wanted = {
        "labels": MANAGED | changed.pop("labels", {}),
        "annotations": owned | changed.pop("annotations", {}),
        "data": {"AZURE_CLIENT_ID": GUID},
    }
    return manifest("ConfigMap", name, namespace=namespace, **wanted | changed)


def ticket(name: str = TICKET_NAME, **changed: Any) -> str:
    """Return a scheduled revocation as the operator writes it, except what is changed."""
    return manifest("ConfigMap", name, **{"labels": TICKET, "namespace": BOUND} | changed)


def record(name: str = RECORD_NAME, **changed: Any) -> str:
    """Return a record of what was issued, in the same way."""
    return ticket(name, **{"labels": RECORD} | changed)


def resource(name: str, namespace: str = TEAM) -> str:
    """Return an AppCredential."""
    spec = {
        "application": {"clientId": GUID},
        "type": "ClientSecret",
        "clientSecret": {},
        "lifetime": "1h",
    }
    version = "appcredential.io/v1alpha1"
    return manifest("AppCredential", name, namespace=namespace, version=version, spec=spec)


def event(namespace: str = TEAM, controller: str = "appcredential.io/operator", **rest: Any) -> str:
    """Return an Event about an AppCredential."""
    about = {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "AppCredential",
        "name": "orders",
        "namespace": namespace,
    }
    told = {
        "eventTime": "2026-11-22T10:00:00.000000Z",
        "reportingController": controller,
        "reportingInstance": "x",
        "action": "Reconcile",
        "reason": "Issued",
        "note": "told",
        "type": "Normal",
        "regarding": about,
    }
    version = "events.k8s.io/v1"
    return manifest("Event", "new", namespace=namespace, version=version, **told | rest)


def lease(name: str, namespace: str = BOUND, **rest: Any) -> str:
    """Return a Lease."""
    return manifest("Lease", name, namespace=namespace, version="coordination.k8s.io/v1", **rest)


def _merge(kind: str, name: str, change: dict[str, Any], *more: str) -> str:
    body = json.dumps(change, separators=(",", ":"))
    return " ".join(["patch", kind, name, "--type=merge", "-p", body, *more])


def _annotate(key: str, value: str | None = "x", name: str = "robot") -> str:
    return _merge("serviceaccount", name, {"metadata": {"annotations": {key: value}}})


CREATE: Final = "create -f -"
REPLACE: Final = "replace -f -"
LABEL: Final = "only with the label app.kubernetes.io/managed-by=appcredential"
_TYPES: Final = "of type Opaque and appcredential.io/pending only"
_OWN: Final = "may change and delete only Secrets of its own"
_OWN_MAPS: Final = "may change and delete only ConfigMaps of its own"
_OWN_ANNOTATION: Final = "only with the annotation appcredential.io/owner that names"
_KEYS: Final = "no labels and annotations that other tools could act on"
_HOLDERS: Final = "no owners and no finalizers of"
_SYSTEM: Final = "in namespaces of Kubernetes"
_ACCOUNTS: Final = "no ServiceAccounts of Kubernetes, and not its own"
_NOTHING_BUT: Final = "nothing but annotations"
_SPEC: Final = "never their spec"
_METADATA: Final = "no owners and no finalizer but its own"
_KUBE: Final = "kube-system"
_CLIENT_ID: Final = "azure.workload.identity/client-id"
_TENANT_ID: Final = "azure.workload.identity/tenant-id"
_MARK: Final = "appcredential.io/wired-by"
_WIRED: Final = {_CLIENT_ID: "wanted", _TENANT_ID: GUID, _MARK: "orders/wanted"}


def _of_a_kind(what: str, build: Any, **where: Any) -> Iterator[Attempt]:
    """Yield what another tool or the garbage collector would act on."""
    for field, keys in ACTED_ON:
        yield Attempt(f"{what}, {next(iter(keys))}", CREATE, build(**{field: keys}), _KEYS, **where)
    for held in HELD:
        yield Attempt(f"{what}, {next(iter(held))}", CREATE, build(held=held), _HOLDERS, **where)


SECRETS: Final = (
    Attempt("a Secret without its label", CREATE, secret(labels={next(iter(MANAGED)): ""}), LABEL),
    Attempt("a Secret of no owner", CREATE, manifest("Secret", "new", MANAGED), _OWN_ANNOTATION),
    Attempt(
        "a Secret of another namespace's owner",
        CREATE,
        secret(annotations={"appcredential.io/owner": "shop/orders"}),
        _OWN_ANNOTATION,
    ),
    Attempt(
        "a token of a ServiceAccount",
        CREATE,
        secret(
            type="kubernetes.io/service-account-token",
            annotations={"kubernetes.io/service-account.name": "robot"},
        ),
        _TYPES,
    ),
    Attempt("a bootstrap token", CREATE, secret(type="bootstrap.kubernetes.io/token"), _TYPES),
    Attempt("a TLS Secret", CREATE, secret(type="helm.sh/release.v1"), _TYPES),
    Attempt(
        "a pending Secret of another name",
        CREATE,
        secret(type=PENDING),
        "names that begin with appcredential-pending-",
    ),
    Attempt(
        "a target Secret of a pending one's name",
        CREATE,
        secret(PENDING_NAME),
        "names that begin with appcredential-pending-",
    ),
    Attempt(
        "a Helm release",
        CREATE,
        secret("sh.helm.release.v1.web.v1"),
        "belong to Helm or Kubernetes",
    ),
    Attempt(
        "a bootstrap token's name",
        CREATE,
        secret("bootstrap-token-abcdef"),
        "belong to Helm or Kubernetes",
    ),
    Attempt("an authority that pods trust", CREATE, secret("cacerts"), "look for by their names"),
    Attempt("a Secret of Kubernetes", CREATE, secret("new", _KUBE), _SYSTEM, _KUBE),
    Attempt(
        "one that anybody can read", CREATE, secret("new", "kube-public"), _SYSTEM, "kube-public"
    ),
    *_of_a_kind("a Secret", secret),
    Attempt("a label on its own Secret", REPLACE, secret("ours", labels={"owner": "helm"}), _KEYS),
    Attempt("a holder of its own Secret", REPLACE, secret("ours", held=HELD[0]), _HOLDERS),
    Attempt("somebody's Secret", REPLACE, secret("foreign"), _OWN),
    Attempt("its deletion", "delete secret foreign", message=_OWN),
    Attempt("the deletion of one that is offered", "delete secret offered", message=_OWN),
)
CONFIG_MAPS: Final = (
    Attempt("a ConfigMap without its label", CREATE, manifest("ConfigMap", "new"), LABEL),
    Attempt("one of no owner", CREATE, manifest("ConfigMap", "new", MANAGED), _OWN_ANNOTATION),
    Attempt("who may sign in to EKS", CREATE, output("aws-auth", _KUBE), _SYSTEM, _KUBE),
    Attempt("what DNS answers", CREATE, output("coredns-custom", _KUBE), _SYSTEM, _KUBE),
    Attempt("the authorities that pods trust", CREATE, output("istio-ca-root-cert"), "look for by"),
    *_of_a_kind("an output", output),
    Attempt("somebody's ConfigMap", REPLACE, output("foreign"), _OWN_MAPS),
    Attempt("its deletion", "delete configmap foreign", message=_OWN_MAPS),
    Attempt("a ticket elsewhere", CREATE, ticket(namespace=TEAM), LABEL),
    Attempt("a record elsewhere", CREATE, record(namespace=TEAM), LABEL),
    Attempt("a record of a ticket's name", CREATE, record(TICKET_NAME), LABEL, BOUND),
    Attempt("a label on a record", CREATE, record(labels=RECORD | {"a": "b"}), _KEYS, BOUND),
    Attempt("a ticket of another name", CREATE, ticket("new"), LABEL, BOUND),
    Attempt("a ConfigMap beside them", CREATE, ticket(labels={}), LABEL, BOUND),
    Attempt("a label on a ticket", CREATE, ticket(labels=TICKET | {"a": "b"}), _KEYS, BOUND),
    Attempt("a holder of a ticket", CREATE, ticket(held=HELD[0]), _HOLDERS, BOUND),
    Attempt("somebody's beside them", REPLACE, ticket("foreign"), LABEL, BOUND),
    Attempt("its end", "delete configmap foreign", message=_OWN_MAPS, namespace=BOUND),
)
ACCOUNTS: Final = (
    Attempt("a ServiceAccount", CREATE, manifest("ServiceAccount", "new"), "neither creates nor"),
    Attempt("its deletion", "delete serviceaccount robot", message="neither creates nor deletes"),
    Attempt(
        "a label of a ServiceAccount",
        "label serviceaccount robot team=b --overwrite",
        message=_NOTHING_BUT,
    ),
    *(
        Attempt(
            f"a ServiceAccount's {next(iter(held))}",
            _merge("serviceaccount", "robot", {"metadata": held}),
            message=_NOTHING_BUT,
        )
        for held in HELD
    ),
    *(
        Attempt(f"the annotation {key}", _annotate(key), message="only the annotations azure.")
        for key in (
            "eks.amazonaws.com/role-arn",
            "azure.workload.identity/service-account-token-expiration",
            "appcredential.io/adopt",
        )
    ),
    Attempt(
        "another's annotation",
        _annotate("azure.workload.identity/client-id", name="foreign"),
        message="may not replace what somebody else annotated",
    ),
    Attempt(
        "another's annotation, removed",
        _annotate("azure.workload.identity/client-id", None, name="foreign"),
        message="may not replace what somebody else annotated",
    ),
    *(
        Attempt(what, _annotate(key, value, name), message="may not replace what somebody else")
        for what, key, value, name in (
            ("a mark on another's annotation", _MARK, f"orders/{GUID}", "foreign"),
            ("a tenant beside another's application", _TENANT_ID, GUID, "foreign"),
            ("an application beside another's tenant", _CLIENT_ID, GUID, "tenanted"),
            ("what was edited since it was wired", _CLIENT_ID, GUID, "edited"),
            ("its mark on that", _MARK, "orders/edited", "edited"),
        )
    ),
    Attempt(
        "another's annotation with its mark at once",
        _merge("serviceaccount", "foreign", {"metadata": {"annotations": _WIRED}}),
        message="may not replace what somebody else",
    ),
    Attempt(
        "a ServiceAccount of Kubernetes",
        _annotate("azure.workload.identity/client-id", name="default"),
        message=_ACCOUNTS,
        namespace=_KUBE,
    ),
    Attempt(
        "its own ServiceAccount",
        _annotate("azure.workload.identity/client-id", name="appcredential"),
        message=_ACCOUNTS,
        namespace=BOUND,
    ),
    Attempt("a token for the API server", "create token robot", message="may ask for tokens only"),
    Attempt(
        "a token for another audience",
        "create token robot --audience=https://vault.example.com",
        message="may ask for tokens only for api://AzureADTokenExchange",
    ),
    Attempt(
        "a token of a ServiceAccount of Kubernetes",
        "create token default --audience=api://AzureADTokenExchange",
        message="no tokens of ServiceAccounts of Kubernetes",
        namespace=_KUBE,
    ),
)
_SPEC_PATCH: Final = {"spec": {"lifetime": "2h"}}
RESOURCES: Final = (
    Attempt("a spec", _merge("appcred", "orders", _SPEC_PATCH), message=_SPEC),
    Attempt("an AppCredential", CREATE, resource("new"), _SPEC),
    Attempt("its deletion", "delete appcred orders", message=_SPEC),
    Attempt("a grant's deletion", "delete applicationgrant shop", message=_SPEC),
    *(
        Attempt(
            f"{field} of an AppCredential",
            _merge("appcred", "orders", {"metadata": {field: {"argocd.argoproj.io/x": "y"}}}),
            message="no labels and annotations of appcredential.io objects",
        )
        for field in ("labels", "annotations")
    ),
    Attempt(
        "an owner of it", _merge("appcred", "orders", {"metadata": HELD[0]}), message=_METADATA
    ),
    Attempt(
        "somebody's finalizer",
        _merge("appcred", "orders", {"metadata": {"finalizers": []}}),
        message=_METADATA,
    ),
    Attempt(
        "another finalizer",
        _merge("appcred", "orders", {"metadata": {"finalizers": ["a.io/b", "c.io/d"]}}),
        message=_METADATA,
    ),
    Attempt(
        "a finalizer of a grant",
        _merge(
            "applicationgrant",
            "shop",
            {"metadata": {"finalizers": ["appcredential.io/credential"]}},
        ),
        message=_METADATA,
    ),
    Attempt(
        "its own finalizer, so that a deletion revokes nothing",
        _merge("appcred", "held", {"metadata": {"finalizers": []}}),
        message="only from an AppCredential that is being deleted",
    ),
)
OTHERS: Final = (
    Attempt("another Lease", CREATE, lease("kube-scheduler"), "only its own Lease", BOUND),
    Attempt("a claim elsewhere", CREATE, lease("appcredential-claim", TEAM), "only its own Lease"),
    Attempt("a Lease elsewhere", CREATE, lease("appcredential", TEAM), "only its own Lease"),
    Attempt(
        "a Lease that goes", REPLACE, lease("appcredential", held=HELD[0]), "but the spec", BOUND
    ),
    Attempt(
        "a Lease with a label",
        REPLACE,
        lease("appcredential", labels={"a": "b"}),
        "but the spec",
        BOUND,
    ),
    Attempt("the end of its Lease", "delete lease appcredential", "", "only its own Lease", BOUND),
    Attempt("an Event of the kubelet", CREATE, event(controller="kubelet"), "under its own name"),
    Attempt(
        "an Event about a Pod",
        CREATE,
        event(regarding={"apiVersion": "v1", "kind": "Pod", "name": "a", "namespace": TEAM}),
        "only about appcredential.io objects",
    ),
    Attempt(
        "an Event of the older kind",
        CREATE,
        manifest(
            "Event",
            "new",
            involvedObject={"apiVersion": "v1", "kind": "Pod", "name": "a", "namespace": TEAM},
            source={"component": "kubelet"},
        ),
        "under its own name",
    ),
    Attempt("an Event with labels", CREATE, event(labels={"a": "b"}), "only without labels"),
    Attempt(
        "an Event with an annotation that others act on",
        CREATE,
        event(annotations={"argocd.argoproj.io/hook": "Sync"}),
        "nothing but its record",
    ),
)
REFUSED: Final = (*SECRETS, *CONFIG_MAPS, *ACCOUNTS, *RESOURCES, *OTHERS)

_OF_A_TENANT: Final = {
    "apiVersion": "appcredential.io/v1alpha1",
    "kind": "EntraTenant",
    "name": "default",
}
_OURS: Final = "appcredential.io/credential"
ADDED: Final[dict[str, Any]] = {
    "labels": {"cost-centre": "7"},
    "annotations": {"mutated.example.net/by": "x"},
}
"""What mutating admission adds, which a policy cannot tell from what the operator wrote."""
_ADDED_TO_ALL: Final = (
    Attempt("a target Secret", CREATE, secret(**ADDED)),
    Attempt("an output ConfigMap", CREATE, output(**ADDED)),
    Attempt("a ticket", CREATE, ticket(**ADDED | {"labels": TICKET | ADDED["labels"]}), "", BOUND),
    Attempt("a ServiceAccount", _merge("serviceaccount", "robot", {"metadata": ADDED})),
    Attempt("an AppCredential", _merge("appcred", "orders", {"metadata": ADDED})),
    Attempt("its Lease", REPLACE, lease("appcredential", **ADDED), namespace=BOUND),
    Attempt("an Event", CREATE, event(**ADDED)),
)
ALLOWED: Final = (
    *(a._replace(what=f"{a.what} with what admission added") for a in _ADDED_TO_ALL),
    Attempt("a target Secret", CREATE, secret()),
    Attempt(
        "a target Secret with what users may set",
        CREATE,
        secret(
            labels={"app.kubernetes.io/part-of": "shop", "example.com/team": "a"},
            annotations={"reloader.stakater.com/match": "true", "appcredential.io/key-id": GUID},
        ),
    ),
    Attempt("a pending Secret", CREATE, secret(PENDING_NAME, type=PENDING)),
    Attempt(
        "a pending Secret with labels of all Secrets",
        CREATE,
        secret(PENDING_NAME, type=PENDING, labels={"owned-by": "platform"}),
    ),
    Attempt(
        "a target Secret that Argo CD is not to prune",
        CREATE,
        secret(labels={"app.kubernetes.io/instance": "shop"}, annotations=dict(UNPRUNED)),
    ),
    Attempt("its own Secret", REPLACE, secret("ours", stringData={"a": "b"})),
    Attempt(
        "its own Secret with what others put there",
        REPLACE,
        secret("decorated", labels={"theirs": "kept"}, held=HELD[1], stringData={"a": "b"}),
    ),
    Attempt("its own Secret without the label", REPLACE, secret("stripped")),
    Attempt("the deletion of that", "delete secret stripped"),
    Attempt("the deletion of its own", "delete secret ours"),
    Attempt("a Secret that is offered", REPLACE, secret("offered")),
    Attempt(
        "a pending Secret that was stripped",
        REPLACE,
        secret("appcredential-pending-bare", type=PENDING),
    ),
    Attempt("an output ConfigMap", CREATE, output()),
    Attempt("its own ConfigMap", REPLACE, output("ours", data={"a": "b"})),
    Attempt("its own ConfigMap without the label", REPLACE, output("stripped")),
    Attempt("the deletion of its output", "delete configmap ours"),
    Attempt("a new ticket", CREATE, ticket(), namespace=BOUND),
    Attempt("a new record", CREATE, record(), namespace=BOUND),
    Attempt(
        "a record that is written anew",
        REPLACE,
        record("appcredential-issued-kept", data={"a": "b"}),
        namespace=BOUND,
    ),
    Attempt("the end of a record", "delete configmap appcredential-issued-kept", namespace=BOUND),
    Attempt(
        "a ticket that is written anew",
        REPLACE,
        ticket("appcredential-ticket-kept", data={"a": "b"}),
        namespace=BOUND,
    ),
    Attempt("the end of a ticket", "delete configmap appcredential-ticket-kept", namespace=BOUND),
    Attempt(
        "wiring a ServiceAccount",
        _merge("serviceaccount", "robot", {"metadata": {"annotations": _WIRED}}),
    ),
    Attempt(
        "wiring it anew",
        _merge("serviceaccount", "wired", {"metadata": {"annotations": dict(_WIRED)}}),
    ),
    Attempt(
        "unwiring it",
        _merge("serviceaccount", "wired", {"metadata": {"annotations": dict.fromkeys(_WIRED)}}),
    ),
    Attempt("its application, which somebody took away", _annotate(_CLIENT_ID, name="half")),
    Attempt("its mark, taken from what was edited", _annotate(_MARK, None, "edited")),
    Attempt("an exchange token", "create token robot --audience=api://AzureADTokenExchange"),
    Attempt(
        "its finalizer",
        _merge("appcred", "orders", {"metadata": {"finalizers": ["a.io/b", _OURS]}}),
    ),
    Attempt(
        "the end of its finalizer, once the resource is deleted",
        _merge("appcred", "going", {"metadata": {"finalizers": ["a.io/b"]}}),
    ),
    Attempt(
        "status",
        _merge("appcred", "orders", {"status": {"observedGeneration": 1}}, "--subresource=status"),
    ),
    Attempt(
        "its claim",
        CREATE,
        lease("appcredential-claim", "default", spec={"holderIdentity": "x"}),
        namespace="default",
    ),
    Attempt(
        "its Lease",
        REPLACE,
        lease("appcredential", spec={"holderIdentity": "x"}),
        namespace=BOUND,
    ),
    Attempt("an Event", CREATE, event()),
    Attempt(
        "an Event with the record of a change",
        CREATE,
        event(annotations={"appcredential.io/audit": "{}"}),
    ),
    Attempt(
        "an Event about a tenant",
        CREATE,
        event("default", regarding=_OF_A_TENANT),
        namespace="default",
    ),
)
