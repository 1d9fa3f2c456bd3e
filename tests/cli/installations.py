"""An installation with which all is well, as `doctor` reads it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from appcredential.cli.app_credential import Document
from appcredential.cli.doctor.gathered import Gathered, Grants, Read, Right
from appcredential.domain.demanded import SCHEMA_ANNOTATION, SCHEMA_VERSION
from tests.cli.scenes import CLIENT_ID, NOW, condition, day, published, resource

SYSTEM: Final = "appcredential-system"
POD: Final = "appcredential-7d9f-abcde"
LABELS: Final = {
    "app.kubernetes.io/part-of": "appcredential",
    "app.kubernetes.io/component": "operator",
    "app.kubernetes.io/version": "1.0.0",
}
FROM_POD: Final = {"fieldRef": {"fieldPath": "metadata.namespace"}}
ISSUER: Final = "https://oidc.example.com/cluster"


def read(*documents: Mapping[str, Any]) -> Read:
    """Return what was read."""
    return Read(tuple(map(Document, documents)))


def unread(why: str = "you may not") -> Read:
    """Return what could not be read."""
    return Read(missing=why)


def crd(kind: str, schema: str = str(SCHEMA_VERSION), **metadata: Any) -> dict[str, Any]:
    """Return a CRD."""
    found = {"name": f"{kind}.appcredential.io", "annotations": {SCHEMA_ANNOTATION: schema}}
    return {"metadata": {**found, **metadata}, "spec": {}}


def deployment(env: Mapping[str, str] | None = None, **change: Any) -> dict[str, Any]:
    """Return the operator's Deployment; `change` replaces its spec's and status' members."""
    named = {"APPCREDENTIAL_INSTALLATION": "appcredential", **(env or {})}
    container = {
        "name": "operator",
        "env": [
            {"name": "APPCREDENTIAL_NAMESPACE", "valueFrom": FROM_POD},
            *({"name": name, "value": value} for name, value in named.items()),
        ],
    }
    pod = {"serviceAccountName": "appcredential", "containers": [container]}
    return {
        "metadata": {
            "name": "appcredential",
            "namespace": SYSTEM,
            "labels": {**LABELS, **change.pop("labels", {})},
        },
        "spec": {"replicas": change.pop("replicas", 2), "template": {"spec": pod}},
        "status": {"readyReplicas": change.pop("ready", 2)},
    }


def pod(state: Mapping[str, Any] | None = None, **change: Any) -> dict[str, Any]:
    """Return a pod of the operator."""
    container = {"restartCount": 0, "state": state or {"running": {}}, **change}
    return {
        "metadata": {"name": POD, "namespace": SYSTEM, "labels": LABELS},
        "status": {"containerStatuses": [container]},
    }


def lease(**spec: Any) -> dict[str, Any]:
    """Return the Lease of the leader."""
    held = {"holderIdentity": POD, "renewTime": day(0), "leaseDurationSeconds": 60}
    return {"metadata": {"name": "appcredential", "namespace": SYSTEM}, "spec": {**held, **spec}}


def claim(holder: str = f"{SYSTEM}/appcredential@id") -> dict[str, Any]:
    """Return the Lease with the claim on the cluster."""
    return {"metadata": {"name": "appcredential-claim"}, "spec": {"holderIdentity": holder}}


def tenant(*conditions: Mapping[str, Any], **status: Any) -> dict[str, Any]:
    """Return an EntraTenant."""
    ready = condition("Ready", "True", "SignedIn", "The operator signs in.")
    return {
        "metadata": {"name": "default", "creationTimestamp": day(-40)},
        "spec": {
            "cloud": "Public",
            "identity": {"certificate": {"secretRef": {"name": "operator-tls"}}},
        },
        "status": {
            "conditions": list(conditions or (ready,)),
            "identity": {"expirationTime": day(60)},
            "appManagementPolicy": {"clientSecret": "at most 90d", "certificate": "not restricted"},
            **status,
        },
    }


def grant(name: str = "shop-apps", **change: Any) -> dict[str, Any]:
    """Return an ApplicationGrant."""
    spec = {
        "tenantRef": {"name": "default"},
        "applications": {"clientIds": [CLIENT_ID]},
        "namespaces": {"names": ["shop"]},
    }
    return {"metadata": {"name": name}, "spec": {**spec, **change}}


def binding(*actions: str) -> dict[str, Any]:
    """Return what puts the admission policy into force."""
    spec = {"policyName": "writes", "validationActions": list(actions or ("Deny",))}
    return {"metadata": {"name": "writes"}, "spec": spec}


def ticket(due: float, **data: str) -> dict[str, Any]:
    """Return a scheduled revocation that is due in so many days."""
    told = {"namespace": "shop", "name": "gone", "tenant": "default", "due": day(due)}
    return {"metadata": {"name": "appcredential-ticket-x"}, "data": {**told, **data}}


def well(**change: Any) -> Gathered:
    """Return an installation with which all is well, but for the change."""
    found = Gathered(
        now=NOW,
        local_time=NOW - timedelta(seconds=1),
        tool_version="1.0.0",
        server=read({"major": "1", "minor": "34"}),
        crds=read(*map(crd, ("appcredentials", "entratenants", "applicationgrants"))),
        deployments=read(deployment()),
        pods=read(pod()),
        leases=read(lease()),
        claim=read(claim()),
        tenants=read(tenant()),
        grants=read(grant()),
        resources=(resource("orders", published()),),
        discovery=read({"issuer": ISSUER}),
        keys=read({"keys": [{"kid": "1"}]}),
        policies=read({"metadata": {"name": "writes"}}),
        bindings=read(binding()),
        tickets=read(ticket(1)),
        rights=Grants({(Right.SECRETS, ""): True, (Right.PODS, ""): True}),
    )
    return replace(found, **copy.deepcopy(change))
