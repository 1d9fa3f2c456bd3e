"""Quickstart and tutorials, walked through: what they say is seen, is seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from demo.seed import CLIENT_ID
from tests.integration.at_once import Story
from tests.integration.installation import Installation, Team
from tests.integration.stories_guides import GUIDES, deployment
from tests.integration.stories_identity import the_operators_own_identity
from tests.integration.walking import Walk


def the_quickstart(i: Installation) -> None:
    """quickstart.md, on an installation like that of its first step."""
    why = "people; tests/localcluster runs the cluster's command"
    excused = {'eval "$(make -s cluster': why, "make cluster-down": why}
    i.make_application(appId=CLIENT_ID)
    walk = Walk(Team(i, "shop", CLIENT_ID), "quickstart.md", excused)
    assert "orders-entra" in walk.step("examples/quickstart.yaml")
    assert "AZURE_CLIENT_SECRET" in walk.step("kubectl describe secret")
    assert "ClientSecret" in walk.step("appcredential status")
    lost = walk.team.values("orders-entra")
    assert "condition met" in walk.step("kubectl delete secret")
    found = walk.team.values("orders-entra")
    assert found["AZURE_CLIENT_SECRET"] != lost["AZURE_CLIENT_SECRET"]
    assert walk.team.sign_in(found)
    walk.finish()


def how_do_i(i: Installation) -> None:
    """how-do-i.md, from a rotation to the end of the resource."""
    excused = {"kubectl scale deployment -n appcredential-system": "others need the operator"}
    place = {"report.html": str(i.folder / "report.html")}
    walk = Walk(i.team("index"), "how-do-i.md", excused, place)
    team = walk.team
    deployment(team)
    team.apply("orders", secret={"name": "orders-entra"})
    first = team.ready("orders")["credential"]["keyId"]
    i.pass_time(i.now() + timedelta(seconds=1.1))  # the commands' times are whole seconds
    walk.step("rotateIssuedBefore")
    team.until(lambda: team.key("orders") not in {"", first}, "it is rotated", "orders")
    second = team.key("orders")
    i.pass_time(i.now() + timedelta(seconds=1.1))
    walk.step("revokeIssuedBefore", instead={"kubectl get appcred orders -n shop -w": ""})
    team.until(lambda: team.key("orders") not in {"", second}, "it is replaced", "orders")
    walk.step("waitingFor")
    walk.step("publishTime")
    i.pass_time(i.now() + timedelta(seconds=1.1))  # kubectl restarts once a second
    walk.step("retireTime")
    walk.step("appcredential.io/adopt")
    assert team.namespace in walk.step("--field-selector spec.application.clientId")
    walk.step("appcredential report")
    assert "Published" in walk.step("describe")
    walk.step("appcredential.io/check")
    walk.step('"suspend":true')
    assert team.live("orders")["spec"]["suspend"] is True
    walk.type("kubectl delete appcred orders -n shop")
    i.until(lambda: i.tickets(team.namespace), "its revocation is scheduled")
    walk.step("RevocationScheduled")
    assert "appcredential-ticket" in walk.step("ticket=true")
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
    assert after["AZURE_CLIENT_SECRET"] != before["AZURE_CLIENT_SECRET"]
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
    assert first != second
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


PAGES: Final[Mapping[str, Story]] = {
    "quickstart.md": the_quickstart,
    "how-do-i.md": how_do_i,
    "tutorials/argocd.md": into_a_repository_of_argo_cd,
    "tutorials/flux.md": into_a_repository_of_flux,
    "tutorials/client-secret.md": a_client_secret,
    "tutorials/certificate.md": a_certificate,
    "tutorials/federated-identity.md": a_federated_identity,
    "guides/operator-identity.md": the_operators_own_identity,
    **GUIDES,
}
"""By the page's path in docs/, the story that types its commands."""
