"""What is trusted is exchanged for tokens of Entra; a near miss is refused in Entra's own words."""

from __future__ import annotations

from typing import Any, Final

from demo.exchanging import exchange, sign_in_as, token_of
from demo.processes import OPERATOR_ACCOUNT
from demo.seed import CLIENT_ID, OPERATOR_ID, TENANT_ID
from demo.stack import ROOT
from tests.integration.installation import CORE, Installation, Team
from tests.integration.stories_federation import Federated, of_a_team

KEYS_CLIENT_ID: Final = "66666666-6666-4666-8666-666666666666"
PRINCIPAL: Final = "55555555-5555-4555-8555-555555555555"
KEYS_PRINCIPAL: Final = "77777777-7777-4777-8777-777777777777"
OF_SERVICE: Final = {"idtyp": "app", "tid": TENANT_ID}
MANAGED: Final = {"idtyp": "app", "tid": TENANT_ID, "xms_mirid": "/subscriptions/s/identity"}
EXAMPLE_CONNECTION: Final = (
    "/eid1/c/pub/t/EREREREREUGBEREREREREQ/a/rISbSSETf0KqFyZ8ppdXmA"
    "/sc/88888888-8888-4888-8888-888888888888/99999999-9999-4999-8999-999999999999"
)
"""The subject of the example's service connection, as Azure DevOps would show it."""
ORGANIZATION_ID: Final = "88888888-8888-4888-8888-888888888888"
SERVERS: Final = {
    "enterprise": (
        {"enterprise": "contoso"},
        "https://token.actions.githubusercontent.com/contoso",
    ),
    "resident": ({"host": "contoso.ghe.com"}, "https://token.actions.contoso.ghe.com"),
    "server": ({"host": "git.contoso.example"}, "https://git.contoso.example/_services/token"),
}
"""Other GitHubs: what a manifest says, and the issuer."""
EXAMPLES: Final = {
    "serviceaccount": "orders-workload",
    "github": "deploy-shop",
    "azure-devops": "deploy-from-azure-devops",
    "managed-identity": "orders-in-azure",
    "customer-managed-key": "customer-keys",
    "other": "pipelines",
}


def every_example_comes_to_be_ready_and_is_exchanged(i: Installation) -> None:
    """One example for each scenario of the portal, applied as it stands."""
    if i.kube.get(f"{CORE}/namespaces/shop") is None:
        i.kube.create(f"{CORE}/namespaces", {"metadata": {"name": "shop"}})
    i.make_application(appId=CLIENT_ID)
    i.make_application(appId=KEYS_CLIENT_ID, signInAudience="AzureADMultipleOrgs")
    team = Team(i, "shop", CLIENT_ID)
    for name in EXAMPLES:
        i.cluster.kubectl("apply", "-f", ROOT / "examples" / f"federation-{name}.yaml")
    for name in EXAMPLES.values():
        Federated(team).ready(name)
    _exchange_each(i)
    output = i.kube.get(f"{CORE}/namespaces/shop/configmaps/customer-keys")
    assert output is not None
    assert output["data"]["federatedClientId"] == KEYS_CLIENT_ID
    assert output["data"]["resourceId"].endswith("/userAssignedIdentities/shop-keys")


def _exchange_each(i: Installation) -> None:
    e = i.emulator
    assert sign_in_as(i.cluster, e, "shop", "orders", client_id=CLIENT_ID) == ""
    subject = "repo:contoso@4242/shop@424242:environment:production"
    assert exchange(e, CLIENT_ID, token_of(e, "github", subject)) == ""
    assert exchange(e, CLIENT_ID, token_of(e, "entra", EXAMPLE_CONNECTION, **OF_SERVICE)) == ""
    assert exchange(e, CLIENT_ID, token_of(e, "entra", PRINCIPAL, **MANAGED)) == ""
    assert exchange(e, KEYS_CLIENT_ID, token_of(e, "entra", KEYS_PRINCIPAL, **MANAGED)) == ""
    pipeline = "project_path:contoso/shop:ref_type:branch:ref:main"
    assert exchange(e, CLIENT_ID, token_of(e, "gitlab", pipeline)) == ""


def only_who_is_named_signs_in(i: Installation) -> None:
    """A ServiceAccount with an AppCredential signs in; one without is refused by Entra itself."""
    f = of_a_team(i, "workload")
    f.account("orders")
    f.account("stranger")
    f.apply(serviceAccount={"name": "orders"}, configMap={"name": "out"})
    f.ready()
    where = (i.cluster, i.emulator, f.team.namespace)
    client_id = f.annotations()["azure.workload.identity/client-id"]
    assert sign_in_as(*where, "orders", client_id=client_id) == ""
    refusal = sign_in_as(*where, "stranger", client_id=client_id)
    assert "AADSTS700213" in refusal
    assert f.subject("stranger") in refusal


def every_form_of_a_repository_is_exchanged(i: Installation) -> None:
    """Each entity of the portal, with ids and by name; near misses are told apart."""
    entry = {"organization": "contoso", "repositories": ["shop"], "allowPullRequest": True}
    f = of_a_team(i, "github", federation={"sources": [], "gitHub": [entry]})
    forms = {
        "environment": ({"entityType": "Environment", "entityName": "a:b"}, "environment:a%3Ab"),
        "branch": ({"entityType": "Branch", "entityName": "main"}, "ref:refs/heads/main"),
        "tag": ({"entityType": "Tag", "entityName": "v1.0"}, "ref:refs/tags/v1.0"),
        "request": ({"entityType": "PullRequest"}, "pull_request"),
    }
    ids = {"organizationId": "42", "repositoryId": "4242", "subjectFormat": "Both"}
    for name, (entity, _) in forms.items():
        f.apply(name, gitHub={"organization": "contoso", "repository": "shop", **ids, **entity})
    for name in forms:
        f.ready(name, seconds=90)
    for _, subject in forms.values():
        for repository in ("contoso@42/shop@4242", "contoso/shop"):
            assert _github(i, f, f"repo:{repository}:{subject}") == ""
    assert "AADSTS7002138" in _github(i, f, "repo:Contoso/shop:ref:refs/heads/main")
    assert "AADSTS700213" in _github(i, f, "repo:contoso/shop:ref:refs/heads/next")
    assert "AADSTS700213" in _github(i, f, "repo:contoso@43/shop@4242:pull_request")


def every_github_is_exchanged_with_its_own_issuer(i: Installation) -> None:
    """An enterprise's, ghe.com's and a server's; a granted subject; none is another's."""
    subject = "repository_owner_id:1:repository_id:22"
    entries = [{"organization": "contoso", **server} for server, _ in SERVERS.values()]
    custom = {"organization": "contoso", "subjects": [subject]}
    f = of_a_team(i, "githubs", federation={"sources": [], "gitHub": [*entries, custom]})
    common = {"organization": "contoso", "repository": "shop", "subjectFormat": "Name"}
    entity = {"entityType": "Branch", "entityName": "main"}
    for name, (server, issuer) in SERVERS.items():
        i.emulator.call("POST", "/issuers", {"name": name, "url": issuer, "hosted": True})
        f.apply(name, gitHub={**common, **entity, **server})
    f.apply("custom", gitHub={"organization": "contoso", "subject": subject})
    f.apply("foreign", gitHub={"organization": "contoso", "subject": f"{subject}0"})
    for name in (*SERVERS, "custom"):
        f.ready(name, seconds=90)
    branch = "repo:contoso/shop:ref:refs/heads/main"
    for name in SERVERS:
        token = token_of(i.emulator, name, branch)
        assert exchange(i.emulator, f.team.client_id, token) == ""
    assert _github(i, f, subject) == ""
    assert "AADSTS700213" in _github(i, f, branch)
    f.team.until(lambda: f.team.has("Stalled", "True", "NotGranted", "foreign"), "it is refused")


def both_forms_of_a_service_connection_are_exchanged(i: Installation) -> None:
    """With tokens of Entra and of Azure DevOps, and a pipeline's; another project is refused."""
    connection_id = "99999999-9999-4999-8999-999999999990"
    entry = {
        "organizationId": ORGANIZATION_ID,
        "projects": ["Web shop"],
        "connectionIds": [connection_id],
    }
    f = of_a_team(i, "devops", federation={"sources": [], "azureDevOps": [entry]})
    own = f"https://vstoken.dev.azure.com/{ORGANIZATION_ID}"
    i.emulator.call("POST", "/issuers", {"name": "devops", "url": own, "hosted": True})
    names = {"issuer": "AzureDevOps", "organization": "contoso", "project": "Web shop"}
    members: dict[str, dict[str, str]] = {
        "new": {"connectionId": connection_id},
        "old": {**names, "connection": "azure"},
        "pipeline": {**names, "pipeline": "deploy"},
        "foreign": {**names, "project": "other", "connection": "azure"},
    }
    for name, member in members.items():
        f.apply(name, azureDevOps={"organizationId": ORGANIZATION_ID, **member})
    for name in ("new", "old", "pipeline"):
        f.ready(name, seconds=90)
    new = f"{EXAMPLE_CONNECTION.rsplit('/', 1)[0]}/{connection_id}"
    older = ("sc://contoso/Web shop/azure", "p://contoso/Web shop/deploy")
    tokens = [token_of(i.emulator, "devops", subject) for subject in older]
    for token in (token_of(i.emulator, "entra", new, **OF_SERVICE), *tokens):
        assert exchange(i.emulator, f.team.client_id, token) == ""
    near = token_of(i.emulator, "devops", "sc://contoso/web shop/azure")
    assert "AADSTS7002138" in exchange(i.emulator, f.team.client_id, near)
    f.team.until(lambda: f.team.has("Stalled", "True", "NotGranted", "foreign"), "it is refused")


def _github(i: Installation, f: Federated, subject: str, **claims: Any) -> str:
    token = token_of(i.emulator, "github", subject, **claims)
    return exchange(i.emulator, f.team.client_id, token)


def a_client_id_is_no_principal(i: Installation) -> None:
    """Entra would take it and match nothing, ever: looked up before it is asked for."""
    wrong = i.make_application()
    f = of_a_team(
        i, "principal", federation={"sources": [], "managedIdentities": [wrong, PRINCIPAL]}
    )
    f.apply(managedIdentity={"principalId": wrong})
    f.team.until(lambda: f.team.has("Stalled", "True", "InvalidSpec"), "it is told")
    assert "principal (object) id" in f.team.condition("Stalled")["message"]
    assert f.listed() == []
    f.team.change(federatedIdentity={"managedIdentity": {"principalId": PRINCIPAL}})
    f.ready()


def a_proof_is_had_before_anybody_is_told(i: Installation) -> None:
    """With the right to ask for a token: exchanged once, then annotated; without it said so."""
    f = of_a_team(i, "proof")
    f.account()
    f.apply(serviceAccount={"name": "orders"}, verification={"mode": "Required"})
    f.team.until(lambda: f.team.has("Stalled", "True", "TokenRequestForbidden"), "it is told")
    assert f.team.has("Verified", "Unknown", "TokenRequestForbidden")
    assert "rbac.tokenRequests" in f.team.condition("Verified")["message"]
    assert f.annotations() == {}
    _let_ask_for_tokens(f)
    f.ready(seconds=90)
    assert f.team.has("Verified", "True", "Proven")
    assert f.annotations()["azure.workload.identity/client-id"] == f.team.client_id
    count = len(i.requests(f.team.client_id, "token"))
    assert count == 1, "a proof is had once"


def _let_ask_for_tokens(f: Federated) -> None:
    kind = "rbac.authorization.k8s.io"
    path = f"/apis/{kind}/v1/namespaces/{f.team.namespace}"
    rule = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
    f.i.kube.create(f"{path}/roles", {"metadata": {"name": "tokens"}, "rules": [rule]})
    account = {"kind": "ServiceAccount", "name": OPERATOR_ACCOUNT, "namespace": f.i.namespace}
    role = {"apiGroup": kind, "kind": "Role", "name": "tokens"}
    binding = {"metadata": {"name": "tokens"}, "roleRef": role, "subjects": [account]}
    f.i.kube.create(f"{path}/rolebindings", binding)


def a_key_for_customers_needs_an_application_for_them(i: Installation) -> None:
    """Told with its remedy, and made once the application is for several tenants."""
    f = of_a_team(i, "keys", federation={"sources": [], "managedIdentities": [PRINCIPAL]})
    resource = (
        f"/subscriptions/{PRINCIPAL}/resourceGroups/shop/providers/Microsoft.ManagedIdentity"
        "/userAssignedIdentities/keys"
    )
    f.apply(customerManagedKey={"principalId": PRINCIPAL, "resourceId": resource})
    f.team.until(lambda: f.team.has("Stalled", "True", "NotMultiTenant"), "it is told")
    assert f.listed() == []
    assert OPERATOR_ID not in f.team.condition("Stalled")["message"]
    path = f"/applications/{f.team.client_id}"
    i.emulator.call("PATCH", path, {"signInAudience": "AzureADMultipleOrgs"})
    f.ready(seconds=90)
    f.team.delete()
    assert i.tickets(f.team.namespace)[0]["data"]["policy"] == "Retain"
