"""What `doctor` finds in an installation, each thing with its remedy."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.cli.doctor.findings import Finding, Gravity
from appcredential.cli.doctor.gathered import Gathered, Grants, Read, Right
from appcredential.cli.doctor.judge import judge
from appcredential.domain.demanded import SCHEMA_VERSION
from tests.cli.installations import (
    SYSTEM,
    binding,
    claim,
    crd,
    deployment,
    grant,
    lease,
    pod,
    read,
    tenant,
    ticket,
    unread,
    well,
)
from tests.cli.scenes import CLIENT_ID, NOW, STALLED, condition, day, published, resource, spec

BROKEN, WRONG, RISK = Gravity.BROKEN, Gravity.WRONG, Gravity.RISK
ADVICE, UNCHECKED = Gravity.ADVICE, Gravity.UNCHECKED
NOT_READY: Final = condition("Ready", "False", "IdentityRejected", "Entra refuses it.")
READY: Final = condition("Ready", "True", "SignedIn")
UNOWNED: Final = condition("WritePermitted", "Unknown", "NotOwner", "It owns all but 3.")
UNREADABLE: Final = condition("WritePermitted", "Unknown", "PermissionUnknown", "No roles.")
FEDERATED: Final = spec(type="FederatedIdentity", federatedIdentity={"serviceAccount": {}})
REFUSED: Final = {"conditions": [condition("Ready", "False", "NotGranted"), STALLED]}
PENDING: Final = {"startTime": day(-1), "waitingFor": "a sign-in"}
OOM: Final = {"terminated": {"reason": "OOMKilled", "finishedAt": day(-0.1)}}
CRASH: Final = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}


def beyond_fine(gathered: Gathered) -> list[Finding]:
    return [finding for finding in judge(gathered) if finding.gravity is not Gravity.FINE]


def test_an_installation_that_is_well_has_no_finding() -> None:
    assert beyond_fine(well()) == []
    assert len(judge(well())) > 12


@pytest.mark.parametrize(
    ("change", "gravity", "about", "text", "remedy"),
    [
        ({"server": read({"major": "1", "minor": "30"})}, BROKEN, "Kubernetes", "1.30", "Upgrade"),
        ({"crds": read(crd("entratenants"))}, BROKEN, "CRDs", "appcredentials is missing", "apply"),
        (
            {"crds": read(*(crd(k, "0") for k in ("appcredentials", "entratenants")))},
            BROKEN, "CRDs", f"schema 0 in place of {SCHEMA_VERSION}", "crds | kubectl apply",
        ),
        ({"deployments": read()}, BROKEN, "operator", "No Deployment", "helm install"),
        ({"deployments": read(deployment(replicas=0))}, BROKEN, "operator", "to 0", "scale"),
        ({"deployments": read(deployment(ready=0))}, BROKEN, "operator", "None of 2", "logs"),
        ({"deployments": read(deployment(ready=1))}, RISK, "operator", "1 of 2", "get pods"),
        ({"pods": read(pod(CRASH))}, WRONG, "pod", "CrashLoopBackOff. back-off", "describe pod"),
        (
            {"pods": read(pod(restartCount=7, lastState=OOM))},
            RISK, "pod", "7 times, the last time because of OOMKilled", "resources.limits.memory",
        ),
        ({"leases": read()}, BROKEN, "leader", "No pod leads", "kubectl logs"),
        (
            {"leases": read(lease(renewTime=day(-1)))},
            BROKEN, "leader", "renewed it 24 h ago, and it lasts 1 min. Nobody", "kubectl logs",
        ),
        (
            {"leases": read(lease(holderIdentity="a-stranger"))},
            WRONG, "leader", "is no pod of", "grep a-stranger",
        ),
        ({"claim": read()}, BROKEN, "claim", "No installation claims", "kubectl logs"),
        (
            {"claim": read(claim("other/op@7"))},
            BROKEN, "claim", "Another installation, other/op,",
            "settings.replaceClaim of the chart to other/op@7",
        ),
        (
            {"claim": read(claim("2 shards of appcredential-system/appcredential@id"))},
            WRONG, "claim", "counts 2 shards, and the Deployments count 1", "shards of the chart",
        ),
        ({"tool_version": "0.9.0"}, ADVICE, "version", "0.9.0", "same version"),
        (
            {"deployments": read(deployment({"APPCREDENTIAL_WORKERS": "0"}))},
            BROKEN, "settings", "APPCREDENTIAL_WORKERS: must not be 0", "settings of the chart",
        ),
        (
            {"deployments": read(deployment({"APPCREDENTIAL_TRIAL": "true"}))},
            RISK, "settings", "trial", "trial.enabled: false",
        ),
        (
            {"deployments": read(deployment({"APPCREDENTIAL_PUBLISHED_SIGN_IN_RATE": "0"}))},
            RISK, "settings", "noticed late", "settings.publishedSignInRate",
        ),
        (
            {"deployments": read(deployment({"APPCREDENTIAL_ALLOW_PRIVATE_ISSUERS": "true"}))},
            RISK, "settings", "private", "settings.allowPrivateIssuers",
        ),
        (
            {"deployments": read(deployment({"APPCREDENTIAL_SETTLE": "1s"}))},
            RISK, "settings", "APPCREDENTIAL_SETTLE is 1s", "set 30s",
        ),
        (
            {
                "deployments": read(deployment({"APPCREDENTIAL_WATCH_NAMESPACES": "bank"})),
                "rights": Grants(),
            },
            WRONG, "settings", "served by no operator: shop", "watchNamespaces",
        ),
        (
            {"rights": Grants({(Right.SECRETS, ""): False, (Right.PODS, ""): True})},
            BROKEN, "rights", "may not update secrets in all namespaces", "rbac.create",
        ),
        (
            {
                "resources": (resource(status=published(), spec=spec(rotation={"restart": {}})),),
                "rights": Grants({(Right.RESTARTS, ""): False}),
            },
            WRONG, "rights", "may not patch deployments", "rbac.restarts: true",
        ),
        (
            {
                "resources": (
                    resource(
                        status=published(),
                        spec={**FEDERATED, "verification": {"mode": "Required"}},
                    ),
                ),
                "rights": Grants({(Right.TOKENS, ""): False}),
            },
            WRONG, "rights", "create serviceaccounts/token", "rbac.tokenRequests: true",
        ),
        (
            {
                "deployments": read(deployment({"APPCREDENTIAL_WATCH_SECRETS": "true"})),
                "rights": Grants({(Right.LIST_SECRETS, ""): False}),
            },
            WRONG, "rights", "may not list secrets", "rbac.watchSecrets: true",
        ),
        (
            {
                "grants": read(grant(namespaces={"selector": {"matchLabels": {"team": "shop"}}})),
                "rights": Grants({(Right.NAMESPACES, ""): False}),
            },
            WRONG, "rights", "may not list namespaces", "rbac.selectNamespaces: true",
        ),
        (
            {"policies": read(), "bindings": read()},
            ADVICE, "admission", "There are none", "admissionPolicies.enabled: true",
        ),
        ({"bindings": read()}, RISK, "admission", "No binding", "admissionPolicies.enabled"),
        (
            {"bindings": read(binding("Audit", "Warn"))},
            RISK, "admission", "No binding has these deny", "admissionPolicies.enabled",
        ),
        (
            {"tenants": read(tenant(NOT_READY))},
            BROKEN, "EntraTenant", "IdentityRejected", "describe",
        ),
        ({"tenants": read(tenant(READY, STALLED))}, WRONG, "EntraTenant", "NotGranted", "describe"),
        (
            {"tenants": read(tenant(READY, UNOWNED))},
            RISK, "may change in EntraTenant", "NotOwner: It owns all but 3.", "describe",
        ),
        (
            {"tenants": read({**tenant(), "status": {}})},
            WRONG, "EntraTenant", "has not looked", "describe",
        ),
        (
            {"tenants": read(tenant(identity={"expirationTime": day(3)}))},
            RISK, "own credential", "ends in 3 d", "Secret operator-tls",
        ),
        (
            {"tenants": read(tenant(identity={"expirationTime": day(-3)}))},
            BROKEN, "own credential", "ended 3 d ago", "Secret operator-tls",
        ),
        (
            {"grants": read(grant("b", tenantRef={"name": "x"}), grant())},
            RISK, "Grant b", "EntraTenant x", "delete",
        ),
        (
            {"grants": read(grant(), grant("b", types=["Certificate"]))},
            ADVICE, "nobody", "needs b:", "delete",
        ),
        (
            {"grants": read(grant(), {"metadata": {"name": "c"}})},
            WRONG, "Grant c", "allows nothing", "edit",
        ),
        (
            {"resources": (resource(status=REFUSED),) * 5},
            BROKEN, "NotGranted: shop/orders, shop/orders, shop/orders and 2 more",
            "No ApplicationGrant allows it.", "kubectl appcredential status orders -n shop",
        ),
        (
            {"resources": (resource(status=published(ends=-1)),)},
            BROKEN, "Expired: shop/orders", "is an operator running?", "status orders",
        ),
        (
            {"resources": (resource(status=published(renewalTime=day(-1))),)},
            WRONG, "RenewalDue", "A successor was due", "status orders",
        ),
        (
            {"resources": (resource(status=published(ends=3), spec=spec(suspend=True)),)},
            RISK, "Suspended", "ends in 3 d without a successor", "status orders",
        ),
        (
            {"resources": (resource(status=published(pending=PENDING)),)},
            RISK, "Stuck", "issued 24 h ago, and waits for a sign-in", "status orders",
        ),
        ({"resources": (resource(),)}, RISK, "NotLookedAt", "is its namespace served?", "status"),
        (
            {"tickets": read(ticket(-1))},
            WRONG, "revocation of shop/gone", "revoked 23 h ago", "kubectl describe entratenant",
        ),
        (
            {"tickets": read(ticket(-1, tenant="lost"))},
            WRONG, "revocation of shop/gone", "lost does not exist", "Create EntraTenant lost",
        ),
        (
            {"tickets": read({"metadata": {"name": "x"}, "data": {"due": "soon"}})},
            WRONG, "ConfigMap", "cannot be read", "delete",
        ),
        (
            {"discovery": read({"issuer": "https://kubernetes.default.svc"})},
            ADVICE, "issuer", "no public", "--service-account-issuer",
        ),
        (
            {
                "discovery": read({"issuer": "https://10.0.0.1"}),
                "resources": (resource(status=published(), spec=FEDERATED),),
            },
            WRONG, "issuer", "no public https address", "--service-account-issuer",
        ),
        ({"keys": read()}, ADVICE, "issuer", "serves no keys", "/openid/v1/jwks"),
        ({"local_time": NOW - timedelta(minutes=9)}, RISK, "clocks", "9 min behind", "timedatectl"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_with_its_remedy(
    change: dict[str, Any], gravity: Gravity, about: str, text: str, remedy: str
) -> None:
    found = beyond_fine(well(**change))

    assert [f for f in found if about in f.about and text in f.text and remedy in f.remedy] == [
        f for f in found if f.gravity is gravity
    ]
    assert min(f.gravity for f in found) is gravity


def test_a_token_that_cannot_be_read_is_no_finding_but_unchecked() -> None:
    (found,) = beyond_fine(replace(well(), tenants=read(tenant(READY, UNREADABLE))))
    assert (found.gravity, "No roles." in found.text) == (UNCHECKED, True)
    permitted = condition("WritePermitted", "True", "Permitted")
    assert not beyond_fine(replace(well(), tenants=read(tenant(READY, permitted))))


@pytest.mark.parametrize(
    "field", [f.name for f in fields(Gathered) if f.type == "Read"] + ["rights"]
)
def test_what_cannot_be_read_is_said_and_never_fine(field: str) -> None:
    nothing = Grants(missing="you may not") if field == "rights" else unread()

    found = judge(well(**{field: nothing}))

    said = [f for f in found if f.gravity is UNCHECKED]
    assert said
    assert all(f.text.startswith("not checked: ") for f in said)
    assert len([f for f in found if f.gravity is Gravity.FINE]) < len(judge(well()))
    assert not any(f.gravity.is_wrong for f in found)


def test_with_no_rights_nothing_but_the_clock_is_judged() -> None:
    nothing = {f.name: unread() for f in fields(Gathered) if f.type == "Read"}

    found = judge(
        well(**nothing, rights=Grants(missing="no"), resources=(), resources_missing="no")
    )

    assert [f.about for f in found if f.gravity is Gravity.FINE] == ["clocks"]
    assert {f.gravity for f in found} == {UNCHECKED, Gravity.FINE}


def test_one_namespace_says_nothing_of_unused_grants() -> None:
    found = beyond_fine(well(namespace="shop", grants=read(grant(), grant("unused"))))

    assert {f.gravity for f in found} == {UNCHECKED}
    assert any("AppCredentials of other namespaces" in f.about for f in found)


@pytest.mark.parametrize("change", [{"namespace": "shop"}, {"resources_missing": "no"}])
def test_nothing_is_said_of_what_unread_resources_need(change: dict[str, str]) -> None:
    found = judge(well(**change, discovery=read({"issuer": "https://kubernetes.default.svc"})))

    assert any("rights for other AppCredentials" in f.about for f in found)
    assert not any("Nothing here needs it" in f.text for f in found)
    assert any("Nothing that you may read needs it" in f.text for f in found)


def test_an_operator_elsewhere_is_not_ruled_out_by_a_look_at_one_namespace() -> None:
    found = judge(well(deployments=read(), searched="appcredential-system"))

    (told,) = [f for f in found if f.about == "operator"]
    assert told.gravity is UNCHECKED
    assert "--operator-namespace" in told.remedy


def test_a_spec_that_cannot_be_read_makes_no_grant_unused() -> None:
    strange = resource(status=published(), spec={"application": {"clientId": CLIENT_ID}, "x": 1})

    assert beyond_fine(well(resources=(strange,))) == []


def test_what_is_younger_than_the_tool_or_of_another_version_is_no_fault() -> None:
    strange = deployment({"APPCREDENTIAL_NEW": "1"}, labels={"app.kubernetes.io/version": "2.0.0"})

    assert {f.gravity for f in beyond_fine(well(deployments=read(strange)))} == {ADVICE}
    newer = read(
        *(
            crd(k, str(SCHEMA_VERSION + 1))
            for k in ("appcredentials", "entratenants", "applicationgrants")
        )
    )
    assert {f.gravity for f in beyond_fine(well(crds=newer))} == {ADVICE}


def test_a_successor_that_waits_for_its_window_is_not_stuck() -> None:
    pending = {"startTime": day(-1), "publishTime": day(1)}

    assert beyond_fine(well(resources=(resource(status=published(pending=pending)),))) == []


def test_only_names_of_crds_may_be_known() -> None:
    names = (
        f"{k}.appcredential.io" for k in ("appcredentials", "entratenants", "applicationgrants")
    )
    found = beyond_fine(well(crds=read(*({"metadata": {"name": name}} for name in names))))

    assert [(f.gravity, f.about) for f in found] == [(UNCHECKED, "CRDs' version")]


def test_a_client_secret_or_policy_that_nobody_can_read_is_said() -> None:
    strange = tenant(identity={}, appManagementPolicy={"clientSecret": "Unknown: no permission"})
    strange["spec"]["identity"] = {"clientSecret": {}}

    found = beyond_fine(well(tenants=read(strange)))

    assert {f.gravity for f in found} == {UNCHECKED}
    assert any("no permission" in f.text for f in found)


def test_no_selector_is_of_use_in_the_operators_own_namespace() -> None:
    chosen = grant("b", namespaces={"selector": {"matchLabels": {"team": "shop"}}})
    for namespace, expected in (("shop", set()), (SYSTEM, {"grants that nobody uses"})):
        user = resource(status=published(), spec=spec(), namespace=namespace)
        found = beyond_fine(well(resources=(user,), grants=read(chosen)))
        assert {f.about for f in found if f.gravity is ADVICE} == expected


def test_the_gravest_comes_first() -> None:
    found = judge(
        well(tool_version="0.9.0", tenants=read(tenant(NOT_READY)), claim=Read(missing="x"))
    )

    assert [f.gravity for f in found] == sorted(f.gravity for f in found)
    assert found[0].gravity is BROKEN
