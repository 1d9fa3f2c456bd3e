"""Federated identities: trusted, told, changed, left alone and revoked."""

from __future__ import annotations

from typing import Any, Final

from tests.integration.installation import CORE, GROUP, Installation, Team

CLIENT_ID: Final = "azure.workload.identity/client-id"
WIRED_BY: Final = "appcredential.io/wired-by"
AUDIENCE: Final = "api://AzureADTokenExchange"


class Federated:
    """The federated identities of a team, and what they lead to."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.i = team.i

    def account(self, name: str = "orders", **annotations: str) -> None:
        """Create a ServiceAccount."""
        metadata = {"name": name, "annotations": {k: str(v) for k, v in annotations.items()}}
        self.i.kube.create(self.path("serviceaccounts"), {"metadata": metadata})

    def path(self, plural: str, name: str = "") -> str:
        """Return a path in the team's namespace."""
        return f"{CORE}/namespaces/{self.team.namespace}/{plural}" + (f"/{name}" if name else "")

    def annotations(self, name: str = "orders") -> dict[str, str]:
        """Return a ServiceAccount's annotations."""
        found = self.i.kube.get(self.path("serviceaccounts", name))
        assert found is not None
        return dict(found["metadata"].get("annotations") or {})

    def apply(self, name: str = "app", **spec: Any) -> None:
        """Create an AppCredential; the members are of `federatedIdentity`, or of the spec."""
        outer = ("deletionGracePeriod", "mode", "deletionPolicy", "verification", "tenantRef")
        more = {k: spec.pop(k) for k in outer if k in spec}
        manifest = self.team.manifest(name)
        manifest["spec"] = {
            "tenantRef": {"name": self.team.tenant},
            "application": {"clientId": self.team.client_id},
            "type": "FederatedIdentity",
            "federatedIdentity": spec,
            **more,
        }
        path = f"{GROUP}/namespaces/{self.team.namespace}/appcredentials"
        self.i.kube.create(path, manifest)

    def is_ready(self, name: str = "app") -> bool:
        """Tell whether all that was asked for is there."""
        return self.team.has("Ready", "True", "Trusted", name)

    def ready(self, name: str = "app", seconds: float = 60) -> dict[str, Any]:
        """Wait until it is; return the status."""
        self.team.until(lambda: self.is_ready(name), f"{name} is trusted", name, seconds)
        return self.team.status(name)

    def listed(self) -> list[dict[str, Any]]:
        """Return what the application truly has."""
        found = self.i.emulator.call("GET", f"/applications/{self.team.client_id}")
        credentials: list[dict[str, Any]] = found["federatedIdentityCredentials"]
        return credentials

    def pairs(self) -> set[tuple[str, str]]:
        """Return issuers and subjects that are trusted."""
        return {(c["issuer"], c["subject"]) for c in self.listed()}

    def put(self, **seed: Any) -> dict[str, Any]:
        """Add a federated credential as somebody else."""
        path = f"/applications/{self.team.client_id}/federatedIdentityCredentials"
        made: dict[str, Any] = self.i.emulator.call("POST", path, seed)
        return made

    def edit(self, id_: str, **changes: Any) -> None:
        """Change one as somebody else."""
        path = f"/applications/{self.team.client_id}/federatedIdentityCredentials/{id_}"
        self.i.emulator.call("PATCH", path, changes)

    def subject(self, name: str = "orders") -> str:
        """Return the subject of a ServiceAccount's tokens."""
        return f"system:serviceaccount:{self.team.namespace}:{name}"

    def pair(self, name: str = "orders") -> tuple[str, str]:
        """Return what a ServiceAccount's tokens say."""
        return self.i.cluster.issuer, self.subject(name)


def of_a_team(i: Installation, prefix: str, **grant: Any) -> Federated:
    """Return a team with an application and a grant."""
    team = i.team(prefix, granted=False)
    team.grant(**grant)
    return Federated(team)


def a_service_account_is_trusted_told_and_let_go(i: Installation) -> None:
    """Created, annotated after the quiet time, and both taken back after the deletion."""
    f = of_a_team(i, "account")
    f.account()
    f.apply(
        serviceAccount={"name": "orders"},
        configMap={"name": "orders-entra"},
        deletionGracePeriod="0s",
    )
    status = f.ready()
    assert f.pairs() == {f.pair()}
    (made,) = status["federatedIdentities"]
    assert made["audience"] == AUDIENCE
    assert f.annotations()[CLIENT_ID] == f.team.client_id
    output = i.kube.get(f.path("configmaps", "orders-entra"))
    assert output is not None
    assert output["data"]["AZURE_CLIENT_ID"] == f.team.client_id
    assert output["data"]["AZURE_AUTHORITY_HOST"] == i.emulator.url
    assert f.team.secret() is None
    assert f.team.pending() == []
    f.team.delete()
    f.team.until(lambda: not f.listed(), "the trust is revoked")
    f.team.until(lambda: not i.tickets(f.team.namespace), "the ticket is done")
    assert f.annotations() == {}
    assert i.kube.get(f.path("configmaps", "orders-entra")) is None


def another_issuer_is_trusted_only_where_it_is_granted(i: Installation) -> None:
    """Default deny for what comes from elsewhere; the grant in the message opens just that."""
    f = of_a_team(i, "other")
    source = {"issuer": "https://ci.example", "subject": "job-1"}
    f.apply(other=source)
    f.team.until(lambda: f.team.has("Stalled", "True", "NotGranted"), "it is refused")
    assert i.requests(f.team.client_id) == [], "something was asked about the application"
    f.team.grant(federation={"sources": [], "issuers": ["https://ci.example"]})
    f.ready()
    assert f.pairs() == {("https://ci.example", "job-1")}


def a_changed_account_is_made_before_the_old_one_goes(i: Installation) -> None:
    """Another ServiceAccount: trusted and annotated first, the first one untouched for a while."""
    f = of_a_team(i, "change")
    f.account("one")
    f.account("two")
    f.apply(serviceAccount={"name": "one"})
    f.ready()
    f.team.change(federatedIdentity={"serviceAccount": {"name": "two"}})
    f.team.until(lambda: f.pairs() == {f.pair("one"), f.pair("two")}, "both are trusted")
    f.team.until(lambda: f.pairs() == {f.pair("two")}, "the old one goes", seconds=60)
    assert f.annotations("one") == {}
    assert f.annotations("two")[WIRED_BY] == f"app/{f.team.client_id}"
    f.ready()


def what_others_made_is_left_alone(i: Installation) -> None:
    """The same issuer and subject by hand: named as in the way, and handed over on request."""
    f = of_a_team(i, "conflict")
    f.account()
    made = f.put(name="by-hand", issuer=i.cluster.issuer, subject=f.subject(), audiences=[AUDIENCE])
    f.apply(serviceAccount={"name": "orders"})
    f.team.until(lambda: f.team.has("Stalled", "True", "CredentialConflict"), "it is told")
    message = f.team.condition("Stalled")["message"]
    assert "by-hand" in message
    assert f.listed() == [made]
    f.edit(made["id"], description=message.rsplit(": ", 1)[1])
    f.ready()
    assert [c["id"] for c in f.listed()] == [made["id"]]


def an_edit_in_the_portal_is_mended(i: Installation) -> None:
    """What was ours is made right again, under the same id."""
    f = of_a_team(i, "drift")
    f.account()
    f.apply(serviceAccount={"name": "orders"})
    f.ready()
    (before,) = f.listed()
    f.edit(before["id"], subject="system:serviceaccount:elsewhere:orders")
    f.team.until(lambda: f.pairs() == {f.pair()}, "it is mended", seconds=60)
    f.ready()
    (after,) = f.listed()
    assert after["id"] == before["id"]


def the_twenty_first_is_counted_before_it_is_asked_for(i: Installation) -> None:
    """A full application: refused without a call, and made as soon as there is room."""
    f = of_a_team(i, "quota")
    f.account()
    for n in range(20):
        f.put(name=f"full-{n}", issuer="https://x.example", subject=f"s{n}", audiences=[AUDIENCE])
    f.apply(serviceAccount={"name": "orders"})
    f.team.until(lambda: f.team.has("Stalled", "True", "QuotaExceeded"), "it is told")
    operation = "application.federatedIdentityCredentials.create"
    assert i.requests(f.team.client_id, operation) == []
    path = f"/applications/{f.team.client_id}/federatedIdentityCredentials/full-3"
    i.emulator.call("DELETE", path)
    f.ready()


def a_service_account_may_appear_later(i: Installation) -> None:
    """Told as missing, and annotated once it is there; another one's annotation is kept."""
    f = of_a_team(i, "later")
    f.apply(serviceAccount={"name": "orders"})
    f.team.until(lambda: f.team.has("Stalled", "True", "ServiceAccountNotFound"), "it is told")
    f.account(**{CLIENT_ID: "another"})
    f.team.until(
        lambda: f.team.has("Stalled", "True", "AnnotationConflict"),
        "the other's is kept",
        seconds=60,
    )
    assert f.annotations() == {CLIENT_ID: "another"}
    i.kube.edit(
        f.path("serviceaccounts", "orders"), lambda found: found["metadata"].pop("annotations")
    )
    f.ready()


def another_resource_takes_over_without_a_gap(i: Installation) -> None:
    """Moved from one resource to another: the very same credential stays in Entra."""
    f = of_a_team(i, "move")
    f.account()
    f.apply("first", serviceAccount={"name": "orders"}, deletionGracePeriod="0s")
    f.ready("first")
    (before,) = f.listed()
    f.apply("second", serviceAccount={"name": "orders"})
    f.team.until(
        lambda: f.team.has("Stalled", "True", "CredentialConflict", "second"),
        "one holds what the other wants",
        "second",
    )
    f.team.delete("first")
    f.ready("second")
    f.team.until(lambda: not i.tickets(f.team.namespace), "the first one's ticket is done")
    (after,) = f.listed()
    assert after["id"] == before["id"]
    assert f.annotations()[WIRED_BY] == f"second/{f.team.client_id}"


def a_subject_moves_between_living_resources_without_a_gap(i: Installation) -> None:
    """One asks for another account and a second one for the first, at the same time."""
    f = of_a_team(i, "swap")
    f.account()
    f.account("others")
    f.apply("first", serviceAccount={"name": "orders"})
    f.ready("first")
    (before,) = f.listed()
    f.apply("second", serviceAccount={"name": "orders"})
    f.team.change("first", federatedIdentity={"serviceAccount": {"name": "others"}})
    f.team.until(lambda: f.team.has("Ready", "True", "Trusted", "second"), "it moves", "second", 90)
    f.team.until(lambda: f.team.has("Ready", "True", "Trusted", "first"), "both", "first", 90)
    assert before["id"] in {c["id"] for c in f.listed()}
    assert f.annotations()[CLIENT_ID] == f.team.client_id


def who_observes_writes_nothing(i: Installation) -> None:
    """Told what there is; nothing is made, annotated or held."""
    f = of_a_team(i, "observe")
    f.account()
    f.apply(serviceAccount={"name": "orders"}, mode="Observe")
    f.team.until(lambda: f.team.has("Ready", "False", "Observing"), "it is told")
    assert f.listed() == []
    assert f.annotations() == {}
    assert not f.team.live()["metadata"].get("finalizers")
    f.team.change(mode="Manage")
    f.ready()


def a_lost_answer_makes_no_second_one(i: Installation) -> None:
    """Created, and nobody heard of it: found by its marker."""
    f = of_a_team(i, "lost")
    f.account()
    operation = "application.federatedIdentityCredentials.create"
    i.add_rule(
        fault="timeout-after-commit",
        count=1,
        match={"app": f.team.client_id, "operation": operation},
    )
    f.apply(serviceAccount={"name": "orders"})
    f.ready(seconds=90)
    assert len(f.listed()) == 1


def the_default_account_needs_a_word(i: Installation) -> None:
    """Every pod has it that names no other: never without a grant that names it."""
    f = of_a_team(i, "default")
    f.apply(serviceAccount={"name": "default"})
    f.team.until(lambda: f.team.has("Stalled", "True", "NotGranted"), "it is refused")
    f.team.grant(serviceAccounts=["default"])
    f.ready()
    assert f.annotations("default")[CLIENT_ID] == f.team.client_id
