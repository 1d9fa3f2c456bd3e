"""Wrong values are refused by name, with what would be right."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.chart.helming import Helm, flags

GUID: Final = "11111111-1111-4111-8111-111111111111"
IDENTITY: Final = {"clientSecret": {"clientId": GUID, "secretRef": {"name": "operator-identity"}}}
TENANT: Final = {"tenantId": GUID, "cloud": "Public", "identity": IDENTITY}

REFUSED: Final[list[tuple[dict[str, Any], str, str]]] = [
    ({"replica": 2}, "", "additional properties 'replica' not allowed"),
    ({"replicas": "two"}, "/replicas", "got string, want integer"),
    ({"replicas": 9}, "/replicas", "maximum"),
    ({"shards": 0}, "/shards", "minimum: got 0, want 1"),
    ({"shards": 17}, "/shards", "maximum: got 17, want 16"),
    ({"shards": "2"}, "/shards", "got string, want null or integer"),
    ({"settings.shard": 1}, "/settings", "'shard' not allowed"),
    ({"image.tags": "1"}, "/image", "additional properties 'tags' not allowed"),
    ({"image.digest": "sha256:12"}, "/image/digest", "does not match pattern"),
    ({"image.pullPolicy": "Sometimes"}, "/image/pullPolicy", "'Always', 'IfNotPresent', 'Never'"),
    ({"image.repository": "Has Blanks"}, "/image/repository", "does not match pattern"),
    ({"settings.leaseDuration": "60"}, "/settings/leaseDuration", "does not match pattern"),
    ({"settings.leaseDurations": "60s"}, "/settings", "'leaseDurations' not allowed"),
    ({"settings.leaseDuration": "0s"}, "/settings/leaseDuration", "does not match pattern '[1-9]'"),
    ({"settings.workers": 0}, "/settings/workers", "minimum: got 0, want 1"),
    ({"settings.workers": "many"}, "/settings/workers", "want integer"),
    ({"settings.logLevel": "TRACE"}, "/settings/logLevel", "'DEBUG', 'INFO'"),
    ({"settings.trial": True}, "/settings", "'trial' not allowed"),
    ({"watchNamespaces": ["Shop"]}, "/watchNamespaces/0", "does not match pattern"),
    ({"watchNamespaces": "shop"}, "/watchNamespaces", "got string, want array"),
    ({"watchNamespaces": ["shop", "shop"]}, "/watchNamespaces", "equal"),
    ({"tenants.default": {**TENANT, "cloud": "Azure"}}, "/tenants/default/cloud", "'Public'"),
    (
        {"tenants.default": {**TENANT, "tenantID": GUID}},
        "/tenants/default",
        "'tenantID' not allowed",
    ),
    (
        {"tenants.default": {"cloud": "Public", "identity": IDENTITY}},
        "/tenants/default",
        "missing property 'tenantId'",
    ),
    ({"tenants": {"Default": TENANT}}, "/tenants", "'Default' not allowed"),
    ({"tenants": [TENANT]}, "/tenants", "got array, want object"),
    (
        {"grants.shop": {"applications": {}, "namespaces": {"names": ["shop"]}, "nam": 1}},
        "/grants/shop",
        "'nam' not allowed",
    ),
    ({"custom.authority": "http://login.test"}, "/custom/authority", "does not match pattern"),
    ({"workloadIdentity.clientId": "orders"}, "/workloadIdentity/clientId", "does not match"),
    (
        {"workloadIdentity.tokenExpirationSeconds": 60},
        "/workloadIdentity/tokenExpirationSeconds",
        "minimum",
    ),
    ({"metrics.serviceMonitor.renderMode": "maybe"}, "/renderMode", "'failIfMissing'"),
    ({"networkPolicy.ports": [0]}, "/networkPolicy/ports/0", "minimum"),
    ({"networkPolicy.cidrs": ["10.0.0.0"]}, "/networkPolicy/cidrs/0", "does not match pattern"),
    ({"extraEnv": [{"value": "x"}]}, "/extraEnv/0", "missing property 'name'"),
    ({"extraEnv": [{"name": "a", "value": 3128}]}, "/extraEnv/0/value", "got number, want string"),
    ({"resources.limit.memory": "1Gi"}, "/resources", "additional properties 'limit' not allowed"),
    ({"hostUsers": "no"}, "/hostUsers", "got string, want boolean"),
    ({"rbac.tokenRequests": "yes"}, "/rbac/tokenRequests", "got string, want boolean"),
    ({"rbac.restarts": "yes"}, "/rbac/restarts", "got string, want boolean"),
    ({"rbac.readPods": "no"}, "/rbac/readPods", "got string, want boolean"),
    ({"managedIdentity": True}, "/managedIdentity", "got boolean, want object"),
    ({"report": True}, "/report", "got boolean, want object"),
    ({"report.teamLabel": "a team"}, "/report/teamLabel", "does not match pattern"),
    ({"podLabels": {"a": 1}}, "/podLabels/a", "got number, want string"),
    ({"admissionPolicies.tokenAudiences": []}, "/admissionPolicies/tokenAudiences", "minItems"),
    *(
        ({"admissionPolicies.alsoAllowedKeys": [key]}, "/alsoAllowedKeys/0", told)
        for key, told in (
            ("*", "does not match pattern"),
            ("", "minLength"),
            ("appcredential.io/", "'not' failed"),
            ("sub.appcredential.io/adopt", "'not' failed"),
        )
    ),
    (
        # With a token for the API server itself it could become any ServiceAccount.
        {"admissionPolicies.tokenAudiences": ["https://kubernetes.default.svc"]},
        "/admissionPolicies/tokenAudiences/0",
        "does not match pattern '^api://",
    ),
    ({"trial.enabled": "yes"}, "/trial/enabled", "got string, want boolean"),
    ({"trial.namespace": ""}, "/trial/namespace", "does not match pattern"),
]
TOGETHER: Final[list[tuple[dict[str, Any], str]]] = [
    (
        {"trial.enabled": True, "tenants.real": TENANT},
        "tenants.real.cloud is Public, but trial.enabled serves only Custom",
    ),
    (
        {"trial.enabled": True, "tenants.default": {**TENANT, "cloud": "Custom"}},
        "tenants.default is made by the trial itself",
    ),
    (
        {"trial.enabled": True, "custom.authority": "https://a.test", "custom.graph": ""},
        "custom.authority is set by the trial itself",
    ),
    ({"trial.enabled": True, "watchNamespaces": ["shop"]}, "add it there"),
    ({"custom.authority": "https://a.test"}, "custom.authority and custom.graph go together"),
    ({"workloadIdentity.webhook": True}, "workloadIdentity.clientId is missing"),
    (
        {"tenants.default": {**TENANT, "identity": {"workloadIdentity": {"clientId": GUID}}}},
        "for which no token is mounted: set workloadIdentity.enabled=true",
    ),
    (
        {"tenants.default": {**TENANT, "identity": {"managedIdentity": {}}}},
        "the NetworkPolicy keeps out of reach: set managedIdentity.enabled=true",
    ),
    (
        {"extraEnv": [{"name": "APPCREDENTIAL_LEASE_DURATION", "value": "2m"}]},
        "use settings.leaseDuration instead",
    ),
    ({"podLabels": {"app.kubernetes.io/instance": "x"}}, "choose another label"),
    ({"commonLabels": {"helm.sh/chart": "x"}}, "choose another label"),
    (
        {"rbac.tokenRequests": True, "admissionPolicies.enabled": False},
        "set admissionPolicies.enabled=true",
    ),
    (
        {"rbac.restarts": True, "admissionPolicies.enabled": False},
        "leaves it one annotation of their pod templates",
    ),
]


@pytest.mark.parametrize(("values", "field", "fault"), REFUSED, ids=lambda v: str(v)[:40])
def test_it_is_refused(helm: Helm, values: dict[str, Any], field: str, fault: str) -> None:
    said = helm.refusal(*flags(values))
    assert f"{field}'" in said
    assert fault in said


def test_a_parent_chart_may_switch_it_by_a_condition(helm: Helm) -> None:
    """Its values go through our schema; where it is off, nothing of ours is asked."""
    assert helm.template(*flags({"enabled": True, "global": {"region": "eu"}}))
    assert "/enabled'" in helm.refusal(*flags({"enabled": False}))


@pytest.mark.parametrize(("values", "fault"), TOGETHER, ids=lambda v: str(v)[:40])
def test_what_does_not_go_together_is_refused(
    helm: Helm, values: dict[str, Any], fault: str
) -> None:
    assert fault in helm.refusal(*flags(values))
