"""The guides of docs/, walked through: what they say is seen, is seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.marker import ClusterIdentity
from demo.processes import OPERATOR_NAMESPACE
from demo.seed import CLIENT_ID
from tests.docs.reading import ROOT
from tests.integration.at_once import Story
from tests.integration.installation import CORE, Installation, Team
from tests.integration.stories_adoption import trusting
from tests.integration.walking import Walk

_LOST: Final = "6f1c7a0e-0000-4000-8000-000000000002"
_ENTRA: Final = "it asks Entra itself, as a person: tests/cli/test_entra_cluster.py"


def deployment(team: Team, name: str = "orders") -> None:
    """Create a workload that uses the Secret, and is scaled to nothing: no node runs it."""
    container = {"name": "app", "image": "none", "envFrom": [{"secretRef": {"name": "orders"}}]}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    path = f"/apis/apps/v1/namespaces/{team.namespace}/deployments"
    team.i.kube.create(path, {"metadata": {"name": name}, "spec": spec})


def rotating_and_a_leak(i: Installation) -> None:
    """guides/rotate.md."""
    excused = {"kubectl appcredential inventory": _ENTRA}
    walk = Walk(i.team("rotate"), "guides/rotate.md", excused)
    team = walk.team
    deployment(team)
    team.apply("orders")
    team.ready("orders")
    walk.type("kubectl label appcred orders -n shop team=orders")
    leaked = team.values("orders")
    first = team.status("orders")["credential"]["keyId"]
    walk.step("appcredential rotate")
    team.until(lambda: team.key("orders") not in {"", first}, "it is rotated", "orders")
    assert team.sign_in(leaked), "the old one is refused during the overlap"
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
    deployment(team)
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
    deployment(team)
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
    assert "Accepted" in walk.step("kubectl appcredential grants")
    said = walk.step("kubectl delete applicationgrant")
    (ticket,) = i.tickets(team.namespace)
    assert ticket["metadata"]["name"] in said
    walk.finish()


def _apply(walk: Walk, text: str) -> None:
    """Apply manifests under the team's own names."""
    team = walk.team
    text = text.replace(CLIENT_ID, team.client_id)
    text = text.replace("shop", team.namespace)
    # A quota of a new kind counts once the controller manager has seen the kind: half a minute.
    parts = [part for part in text.split("\n---\n") if "kind: ResourceQuota" not in part]
    text = "\n---\n".join(parts)
    walk.type(f"kubectl apply -f - <<'END'\n{text}\nEND")


def a_backup_comes_back(i: Installation) -> None:
    """guides/backup.md: within the grace period, the very same credential goes on."""
    why = "the operator is a process here, and others need it"
    excused = {
        "kubectl scale deployment -n appcredential-system": why,
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
    before, key = team.values("orders-entra"), team.key("orders")
    walk.step("> secrets.json")
    team.delete("orders")
    i.kube.delete(team.secret_path("orders-entra"))
    i.until(lambda: i.tickets(team.namespace), "its revocation is scheduled")
    walk.step("kubectl create --save-config=false")
    team.ready("orders")
    assert key
    assert (team.values("orders-entra"), team.key("orders")) == (before, key)
    assert "last-applied" not in json.dumps(_metadata(team, "orders-entra"))
    i.until(lambda: i.tickets(team.namespace) == [], "its revocation is cancelled")
    assert team.sign_in(before)
    walk.step("custom-columns")
    claimed = walk.step("holderIdentity").partition("@")[2].strip()
    recorded = _metadata(team, "orders-entra")["annotations"]["appcredential.io/cluster"]
    assert recorded == ClusterIdentity.of("", claimed).cluster
    assert walk.step("openssl").split() == [ClusterIdentity.of("", _LOST).cluster, recorded]
    assert recorded in walk.step("CLUSTER:.metadata")
    adopting, _ = trusting(i)
    adopting.ready()
    assert f"{adopting.team.namespace} app\n" in walk.step("Another cluster made")
    walk.finish()


def _metadata(team: Team, name: str) -> dict[str, Any]:
    found = team.i.kube.get(f"{CORE}/namespaces/{team.namespace}/secrets/{name}")
    assert found is not None
    metadata: dict[str, Any] = found["metadata"]
    return metadata


def from_terraform(i: Installation) -> None:
    """guides/from-terraform.md: what is typed in a cluster; the rest is Terraform's."""
    walk = Walk(i.team("terraform"), "guides/from-terraform.md")
    deployment(walk.team)
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


GUIDES: Final[Mapping[str, Story]] = {
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
