"""The pages for readers, walked through: what they say is seen, is seen."""

from __future__ import annotations

import json
from typing import Any, Final

from demo.processes import OPERATOR_NAMESPACE
from demo.seed import CLIENT_ID
from tests.docs.reading import ROOT
from tests.integration.installation import CORE, Installation, Team
from tests.integration.walking import Walk

_ENTRA: Final = "it asks Entra itself, as a person: tests/cli/test_entra_cluster.py"


def _deployment(team: Team, name: str = "orders") -> None:
    """Create a workload that uses the Secret, and is scaled to nothing: no node runs it."""
    container = {"name": "app", "image": "none", "envFrom": [{"secretRef": {"name": "orders"}}]}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    path = f"/apis/apps/v1/namespaces/{team.namespace}/deployments"
    team.i.kube.create(path, {"metadata": {"name": name}, "spec": spec})


def the_quickstart(i: Installation) -> None:
    """quickstart.md, on an installation like that of its first step."""
    why = "people; tests/localcluster runs the cluster's command"
    excused = {'eval "$(make -s cluster': why, "make cluster-down": why}
    i.make_application(appId=CLIENT_ID)
    walk = Walk(Team(i, "shop", CLIENT_ID), "quickstart.md", excused)
    assert "orders-entra" in walk.step("examples/quickstart.yaml")
    assert "AZURE_CLIENT_SECRET" in walk.step("kubectl describe secret")
    first = walk.team.key("orders-entra")
    assert "ClientSecret" in walk.step("appcredential status")
    walk.step("kubectl delete secret")
    walk.team.until(lambda: walk.team.secret("orders-entra"), "it is written anew", "orders")
    assert walk.team.key("orders-entra") != first
    walk.finish()


def into_a_repository_of_argo_cd(i: Installation) -> None:
    """tutorials/argocd.md, as far as it goes without Argo CD."""
    excused = {
        "kubectl kustomize": "it takes Argo CD's ConfigMap: tests/gitops does it",
        "kubectl apply --filename REPOSITORY": "it takes Argo CD: tests/gitops reads these files",
        "kubectl get applications": "it takes Argo CD",
    }
    repository = i.folder / "argocd"
    repository.mkdir()
    place = {"REPOSITORY": str(repository)}
    walk = Walk(i.team("argocd"), "tutorials/argocd.md", excused, place)
    walk.step("cp -r")
    assert (repository / "argocd" / "platform.yaml").is_file()
    walk.finish()


def into_a_repository_of_flux(i: Installation) -> None:
    """tutorials/flux.md, as far as it goes without Flux."""
    excused = {
        "kubectl apply --filename REPOSITORY": "it takes Flux: tests/gitops reads these files",
        "kubectl get kustomizations": "it takes Flux",
    }
    repository = i.folder / "flux"
    walk = Walk(i.team("flux"), "tutorials/flux.md", excused, {"REPOSITORY": str(repository)})
    walk.type("git init --quiet REPOSITORY")
    walk.type("git -C REPOSITORY config user.email a@example.com")
    walk.type("git -C REPOSITORY config user.name a")
    walk.step("cp -r")
    assert "flux/operator/operator.yaml" in walk.step("commit")
    walk.finish()


def a_client_secret(i: Installation) -> None:
    """tutorials/client-secret.md."""
    walk = Walk(i.team("tutorial"), "tutorials/client-secret.md")
    team = walk.team
    walk.step("kind: AppCredential")
    said = walk.step("AZURE_CLIENT_ID")
    assert said.startswith(team.client_id)
    assert "AZURE_CLIENT_SECRET\n" in said
    before = team.values("checkout-entra")
    assert len(before["SESSION_KEY"]) == 32
    assert before["AZURE_CLIENT_SECRET"] not in said
    assert '"keyId"' in walk.step("appcredential rotate")
    after = team.values("checkout-entra")
    assert after["SESSION_KEY"] == before["SESSION_KEY"]
    assert team.sign_in(before)
    assert team.sign_in(after)
    walk.step("appcredential revoke")
    team.until(lambda: not team.status("checkout").get("retiring"), "it is told", "checkout")
    assert not team.sign_in(before)
    assert not team.sign_in(after)
    assert team.signs_in("checkout-entra")
    assert "RevocationScheduled" in walk.step("kubectl delete appcred checkout")
    walk.finish()


def a_certificate(i: Installation) -> None:
    """tutorials/certificate.md."""
    walk = Walk(i.team("tutorial"), "tutorials/certificate.md")
    walk.step("kind: AppCredential")
    said = walk.step("openssl x509")
    assert "CN" in said
    assert "invoices" in said
    first = said.splitlines()[-1]
    assert first in walk.team.certificates().values()
    assert walk.team.signs_in("invoices-entra")
    second = walk.step("appcredential rotate").splitlines()[-1]
    assert {first, second} <= set(walk.team.certificates().values())
    walk.step("kubectl delete appcred invoices")
    walk.finish()


def a_federated_identity(i: Installation) -> None:
    """tutorials/federated-identity.md."""
    walk = Walk(i.team("tutorial"), "tutorials/federated-identity.md")
    walk.step("create serviceaccount")
    subject = f"system:serviceaccount:{walk.team.namespace}:search"
    assert subject in walk.step("kind: AppCredential")
    said = walk.step("get serviceaccount")
    assert said.count(walk.team.client_id) >= 2
    assert "AZURE_TENANT_ID" in said
    walk.step("kubectl delete appcred search")
    walk.finish()


def rotating_and_a_leak(i: Installation) -> None:
    """guides/rotate.md."""
    excused = {"kubectl appcredential inventory": _ENTRA}
    walk = Walk(i.team("rotate"), "guides/rotate.md", excused)
    team = walk.team
    _deployment(team)
    team.apply("orders")
    team.ready("orders")
    walk.type("kubectl label appcred orders -n shop team=orders")
    leaked = team.values("orders")
    first = team.status("orders")["credential"]["keyId"]
    walk.step("appcredential rotate")
    assert first in team.status("orders")["credential"]["keyId"] or team.sign_in(leaked)
    walk.step("appcredential revoke")
    assert not team.sign_in(leaked)
    assert "Revoked" in walk.step("reason=Revoked")
    said = walk.step("appcredential audit")
    assert first in said
    walk.finish()


def a_hand_made_secret(i: Installation) -> None:
    """guides/from-secrets.md."""
    excused = {"kubectl appcredential inventory": _ENTRA}
    walk = Walk(i.team("hand"), "guides/from-secrets.md", excused)
    team = walk.team
    _deployment(team)
    team.i.make_secret(team.namespace, "orders-entra", {"PASSWORD": "made by hand", "HOST": "db"})
    assert walk.step("go-template").strip() == "Opaque HOST PASSWORD"
    walk.step("appcredential.io/adopt")
    walk.step("kind: AppCredential")
    values = team.values("orders-entra")
    assert values["PASSWORD"] == values["AZURE_CLIENT_SECRET"]
    assert values["HOST"] == "db"
    assert team.signs_in("orders-entra")
    walk.step("rollout restart")
    walk.step("Retain")
    assert team.sign_in(values)
    walk.finish()


def from_azurerator(i: Installation) -> None:
    """guides/from-azurerator.md, from where azurerator stands still."""
    why = "azurerator's own kinds are not here"
    excused = {
        "kubectl scale deployment/azurerator": why,
        "kubectl get azureapp": why,
        "kubectl patch azureapp": why,
    }
    walk = Walk(i.team("move"), "guides/from-azurerator.md", excused)
    walk.step("kind: AppCredential")
    values = walk.team.values("orders-entra")
    assert values["AZURE_APP_CLIENT_SECRET"] == values["AZURE_CLIENT_SECRET"]
    tenant = f"{values['AZURE_AUTHORITY_HOST']}/{values['AZURE_APP_TENANT_ID']}"
    expected = f"{tenant}/v2.0/.well-known/openid-configuration"
    assert values["AZURE_APP_WELL_KNOWN_URL"] == expected
    walk.finish()


def workloads_that_read_once(i: Installation) -> None:
    """guides/restarts.md."""
    walk = Walk(i.team("restarts"), "guides/restarts.md")
    team = walk.team
    _deployment(team)
    team.apply("orders")
    team.ready("orders")
    walk.step("UsingSecret")
    assert team.live("orders")["spec"]["rotation"]["restart"] == {"workloads": "UsingSecret"}
    walk.step("rollout restart")
    walk.finish()


def a_team_comes_and_goes(i: Installation) -> None:
    """guides/onboarding.md."""
    excused = {"kubectl kustomize examples/onboarding": "typed below, with the team's own names"}
    team = i.team("onboarding", granted=False)
    walk = Walk(team, "guides/onboarding.md", excused)
    shop = ROOT / "examples" / "onboarding" / "teams" / "shop"
    _apply(walk, i.cluster.kubectl("kustomize", shop).stdout)
    assert "@" in walk.step("appcredential-claim")
    walk.step("kind: AppCredential")
    assert team.status("orders")["grant"] == team.namespace
    said = walk.step("kubectl delete applicationgrant")
    assert "appcredential-ticket" in said or "No resources found" not in said
    walk.finish()


def _apply(walk: Walk, text: str) -> None:
    """Apply manifests under the team's own names."""
    team = walk.team
    text = text.replace(CLIENT_ID, team.client_id)
    text = text.replace("shop", team.namespace)
    walk.type(f"kubectl apply -f - <<'END'\n{text}\nEND")


def a_backup_comes_back(i: Installation) -> None:
    """guides/backup.md: within the grace period, the very same credential goes on."""
    why = "the operator is a process here, and others need it"
    excused = {
        "kubectl scale deployment/appcredential": why,
        "kubectl delete configmap -n appcredential-system": "others' would go, too",
    }
    walk = Walk(
        i.team("backup"),
        "guides/backup.md",
        excused,
        {n: str(i.folder / f"backup-{n}") for n in ("appcreds.json", "secrets.json")},
    )
    team = walk.team
    generated: dict[str, Any] = {"cookie": {"generateOnce": {}}}
    team.apply("orders", secret={"name": "orders-entra", "data": generated})
    team.ready("orders")
    before, key = team.values("orders-entra"), team.key("orders-entra")
    walk.step("> secrets.json")
    team.delete("orders")
    i.kube.delete(team.secret_path("orders-entra"))
    i.until(lambda: i.tickets(team.namespace), "its revocation is scheduled")
    walk.step("kubectl create --save-config=false")
    team.ready("orders")
    assert (team.values("orders-entra"), team.key("orders-entra")) == (before, key)
    assert "last-applied" not in json.dumps(_metadata(team, "orders-entra"))
    i.until(lambda: i.tickets(team.namespace) == [], "its revocation is cancelled")
    assert team.sign_in(before)
    walk.step("custom-columns")
    walk.finish()


def _metadata(team: Team, name: str) -> dict[str, Any]:
    found = team.i.kube.get(f"{CORE}/namespaces/{team.namespace}/secrets/{name}")
    assert found is not None
    metadata: dict[str, Any] = found["metadata"]
    return metadata


def from_terraform(i: Installation) -> None:
    """guides/from-terraform.md: what is typed in a cluster; the rest is Terraform's."""
    walk = Walk(i.team("terraform"), "guides/from-terraform.md")
    _deployment(walk.team)
    walk.step("rollout restart")
    walk.finish()


def several_tenants(i: Installation) -> None:
    """guides/several-tenants.md."""
    walk = Walk(i.team("tenants"), "guides/several-tenants.md")
    assert "default" in walk.step("kubectl get entratenants")
    walk.finish()


def several_clusters(i: Installation) -> None:
    """guides/several-clusters.md: the former cluster's credentials go."""
    excused = {"kubectl appcredential inventory": _ENTRA}
    walk = Walk(i.team("clusters"), "guides/several-clusters.md", excused)
    team = walk.team
    team.apply("orders", deletionGracePeriod="0s")
    team.ready("orders")
    assert i.namespace == OPERATOR_NAMESPACE
    walk.step("kubectl delete appcred --all")
    team.until(lambda: i.emulator.credentials(team.client_id) == [], "its credential is gone")
    walk.finish()


PAGES: Final = {
    "quickstart.md": the_quickstart,
    "tutorials/argocd.md": into_a_repository_of_argo_cd,
    "tutorials/flux.md": into_a_repository_of_flux,
    "tutorials/client-secret.md": a_client_secret,
    "tutorials/certificate.md": a_certificate,
    "tutorials/federated-identity.md": a_federated_identity,
    "guides/rotate.md": rotating_and_a_leak,
    "guides/from-secrets.md": a_hand_made_secret,
    "guides/from-azurerator.md": from_azurerator,
    "guides/restarts.md": workloads_that_read_once,
    "guides/onboarding.md": a_team_comes_and_goes,
    "guides/backup.md": a_backup_comes_back,
    "guides/from-terraform.md": from_terraform,
    "guides/several-tenants.md": several_tenants,
    "guides/several-clusters.md": several_clusters,
}
"""By the page's path in docs/, the story that types its commands."""
