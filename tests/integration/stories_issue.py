"""How a credential comes about, what is said meanwhile, and what of a manifest may change."""

from __future__ import annotations

import copy
import json
import re
from datetime import timedelta
from typing import Any, Final

from demo.seed import TENANT_ID
from tests.integration.installation import GROUP, Installation, Team, condition_of, parse
from tests.support.kstatus import kstatus

AZURE_KEYS: Final = {
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_SECRET",
}
RAW_KEYS: Final = {"tenantId", "clientId", "authorityHost", "clientSecret"}
OWN_CONDITIONS: Final = {
    "Ready": ("True", "Published"),
    "Verified": ("True", "Proven"),
    "Expiring": ("False", "NotDue"),
}


def conditions(team: Team, name: str = "app") -> dict[str, tuple[str, str]]:
    """Return all conditions of a resource as status and reason."""
    found = team.status(name).get("conditions") or ()
    return {c["type"]: (c["status"], c["reason"]) for c in found}


def the_policy_of_the_tenant_shortens_what_is_asked(i: Installation) -> None:
    """Where the operator may read it: the EntraTenant tells it, and nothing is refused."""
    limit = {"restrictionType": "passwordLifetime", "maxLifetime": "PT50M"}
    team = i.strict_team(passwordCredentials=[limit])
    team.apply(lifetime="2h")
    assert team.ready()["requestedLifetime"] == "49m30s"
    told = i.tenant(team.tenant)["status"]["appManagementPolicy"]
    assert told == {"clientSecret": "at most 50m", "certificate": "not restricted"}
    assert team.time("expirationTime") - team.time("startTime") <= timedelta(minutes=50)
    assert "LifetimeOverPolicy" not in team.warnings()


def the_policy_that_may_not_be_read_is_unknown(i: Installation) -> None:
    """The tenant is as usable as with the permission."""
    team = i.team("unread")
    team.apply()
    team.ready()
    told = i.tenant("default")["status"]["appManagementPolicy"]
    assert set(told.values()) == {"Unknown: permission missing"}


def an_issue_is_complete(i: Installation) -> None:
    """Secret, status, conditions, Events and Entra agree with the manifest, and it signs in."""
    team = i.team("issue", granted=False, displayName="orders")
    grant = team.grant()
    team.apply(
        clientSecret={"description": "orders service"},
        secret={
            "name": "orders-entra",
            "labels": {"team": "orders"},
            "annotations": {"example.com/contact": "orders"},
            "data": {
                "URL": {"value": "$(clientId):$(clientSecret:url)@$(tenantId)"},
                "cookie-secret": {"generateOnce": {"length": 24}},
            },
        },
    )
    team.ready()
    _the_secret_is_as_wanted(team)
    _the_status_is_whole(team, grant)
    (credential,) = i.emulator.credentials(team.client_id)
    assert credential["keyId"] == team.key()
    assert re.fullmatch(
        r"appcred1\.[a-z2-7]{8}\.[a-z2-7]{20}\.[a-z2-7]{14} orders service",
        credential["displayName"],
    )
    assert [(kind, reason) for kind, reason, _ in team.events()] == [
        ("Normal", "Issued"),
        ("Normal", "Published"),
    ]
    assert team.pending() == []
    for plural, name in (("entratenants", "default"), ("applicationgrants", grant)):
        found = i.kube.get(f"{GROUP}/{plural}/{name}")
        assert found is not None
        assert (condition_of(found, "Ready")["status"], kstatus(found)) == ("True", "Current")


def _the_secret_is_as_wanted(team: Team) -> None:
    secret, values = team.secret("orders-entra"), team.values("orders-entra")
    assert secret is not None
    metadata = secret["metadata"]
    assert secret["type"] == "Opaque"
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "appcredential", "team": "orders"}
    assert metadata["annotations"]["example.com/contact"] == "orders"
    assert metadata["annotations"]["appcredential.io/owner"] == f"{team.namespace}/app"
    assert "ownerReferences" not in metadata
    assert values.keys() == AZURE_KEYS | {"URL", "cookie-secret"}
    assert (values["AZURE_TENANT_ID"], values["AZURE_CLIENT_ID"]) == (TENANT_ID, team.client_id)
    assert re.fullmatch("[A-Za-z0-9]{24}", values["cookie-secret"])
    assert values["URL"].startswith(f"{team.client_id}:")
    assert values["URL"].endswith(f"@{TENANT_ID}")
    assert team.sign_in(values)


def _the_status_is_whole(team: Team, grant: str) -> None:
    resource, status = team.live(), team.status()
    assert conditions(team) == OWN_CONDITIONS
    generation = resource["metadata"]["generation"]
    assert {c["observedGeneration"] for c in status["conditions"]} == {generation}
    assert kstatus(resource) == "Current"
    assert status["secretRef"] == {"name": "orders-entra"}
    assert status["grant"] == grant
    assert status["application"]["clientId"] == team.client_id
    assert status["application"]["displayName"] == "orders"
    assert status["requestedLifetime"] == "1h"
    assert status["inventory"] == {"managed": 1, "foreign": 0, "expired": 0}
    assert not {"pending", "retiring"} & status.keys()
    credential = status["credential"]
    start, end = parse(credential["startTime"]), parse(credential["expirationTime"])
    assert end - start <= timedelta(hours=1)
    assert start <= parse(credential["verifiedTime"]) <= parse(credential["publishedTime"])
    # A third of the lifetime before the end, and a little earlier by chance.
    lead = (end - parse(status["renewalTime"])) / (end - start)
    assert 0.33 < lead < 0.36


def the_raw_preset_signs_in(i: Installation) -> None:
    """The preset Raw has its own keys, and their values are as good."""
    team = i.team("raw")
    team.apply(secret={"preset": "Raw"})
    team.ready()
    values = team.values()
    assert values.keys() == RAW_KEYS
    assert team.sign_in(as_azure(values))


def as_azure(raw: dict[str, str]) -> dict[str, str]:
    """Return the values of preset Raw under the names of AzureIdentity."""
    return {
        "AZURE_TENANT_ID": raw["tenantId"],
        "AZURE_CLIENT_ID": raw["clientId"],
        "AZURE_AUTHORITY_HOST": raw["authorityHost"],
        "AZURE_CLIENT_SECRET": raw["clientSecret"],
    }


def nothing_unproven_is_published(i: Installation) -> None:
    """Until it has signed in it is pending, the status says so, and there is no Secret."""
    team = i.team("stages")
    rule = i.add_rule(fault="token-error", code=7000215, match={"app": team.client_id})
    fresh = team.apply()
    assert kstatus(fresh) == "InProgress"
    team.until(lambda: team.status().get("pending") or team.secret() is not None, "it is pending")
    assert team.secret() is None, "published without a sign-in"
    assert team.status()["pending"]["keyId"] in team.key_ids()
    assert conditions(team)["Ready"] == ("False", "Progressing"), "Ready without a credential"
    assert conditions(team)["Reconciling"][0] == "True"
    assert "Stalled" not in conditions(team)
    assert team.status()["observedGeneration"] == -1
    assert kstatus(team.live()) == "InProgress"
    (pending,) = team.pending()
    assert pending["metadata"]["name"].startswith("appcredential-pending-")
    # Longer than all the sign-ins of a proof take.
    i.pass_time(i.now() + timedelta(seconds=5))
    assert team.secret() is None, "published without a sign-in"
    i.drop_rule(rule)
    team.ready()
    assert team.signs_in()
    assert conditions(team) == OWN_CONDITIONS
    assert team.minted() == 1


def a_withdrawn_grant_lets_it_expire(i: Installation) -> None:
    """Nothing is taken away and nothing new is issued; each step to the end is said."""
    team = i.team("withdrawn", granted=False)
    grant = team.grant()
    team.apply(lifetime="62s", rotation={"renewBefore": "41s"})
    team.ready()
    values = team.values()
    i.kube.delete(f"{GROUP}/applicationgrants/{grant}")

    def said(**wanted: str) -> bool:
        now = conditions(team)
        return {kind: now.get(kind, ("", ""))[1] for kind in wanted} == wanted

    team.until(lambda: said(Stalled="GrantWithdrawn"), "it is told at once")
    assert conditions(team)["Ready"][0] == "True"
    refused = {"Stalled": "GrantWithdrawn", "Ready": "RotationFailing"}
    team.until(lambda: said(**refused), "the renewal is refused")
    assert conditions(team)["Ready"][0] == "True"
    assert team.sign_in(values)
    assert kstatus(team.live()) == "Failed"
    team.until(lambda: said(Expiring="RenewalDue"), "the renewal is overdue")
    assert conditions(team)["Expiring"][0] == "True"
    assert conditions(team)["Ready"][0] == "True"
    team.until(lambda: said(Expiring="Expired"), "it has expired", seconds=60)
    assert i.now() >= team.time("expirationTime")
    assert conditions(team)["Ready"][0] == "False"
    assert not team.sign_in(values)
    assert team.minted() == 1
    assert len(i.requests(team.client_id, "application.removePassword")) == 0
    team.grant()
    team.ready()
    assert team.signs_in()
    assert {"Stalled", "Reconciling"}.isdisjoint(conditions(team))


def what_is_immutable_is_refused(i: Installation) -> None:
    """Tenant, application, type and the Secret's name cannot change, and the answer says so."""
    team = i.team("fixed")
    team.apply()
    team.ready()
    other = "99999999-9999-4999-8999-999999999999"
    changes: dict[str, Any] = {
        "tenantRef": {"name": "other"},
        "application": {"clientId": other},
        "secret": {"name": "other"},
    }
    for field, value in changes.items():
        body = copy.deepcopy(team.live())
        body["spec"][field] = {**body["spec"].get(field, {}), **value}
        status, text = i.cluster.api.send("PUT", team.path(), body)
        message = json.loads(text)["message"]
        assert (status, "is immutable" in message, field in message) == (422, True, True), message


def a_changed_manifest_is_followed_in_place(i: Installation) -> None:
    """Preset, templates, labels and description change without a new credential."""
    team = i.team("changed")
    once = {"generateOnce": {"length": 20}}
    before = {"url": {"value": "$(clientId)"}, "once": once}
    team.apply(
        clientSecret={"description": "before"},
        secret={"data": before, "labels": {"team": "a", "gone": "x"}, "annotations": {"a": "1"}},
    )
    team.ready()
    key, old = team.key(), team.values()
    i.kube.edit(team.secret_path(), _add_something_of_theirs)
    after = {"json": {"value": "[$(clientSecret:json)]"}, "once": once}
    team.change(
        clientSecret={"description": "after"},
        secret={"preset": "Raw", "data": after, "labels": {"team": "b"}},
    )
    team.until(lambda: "json" in team.values(), "the Secret follows")
    team.ready()
    new, secret = team.values(), team.secret()
    assert secret is not None
    assert new.keys() == RAW_KEYS | {"json", "theirs"} | old.keys()
    assert new.items() >= old.items(), "what workloads may read stays for the overlap"
    assert new["once"] == old["once"]
    assert json.loads(new["json"]) == [old["AZURE_CLIENT_SECRET"]]
    assert secret["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "appcredential",
        "team": "b",
        "theirs": "kept",
    }
    assert "a" not in secret["metadata"]["annotations"]
    assert (team.key(), team.minted(), team.sign_in(as_azure(new))) == (key, 1, True)
    (named,) = i.emulator.credentials(team.client_id)
    assert named["displayName"].endswith(" before")
    second = team.rotated()
    names = {c["keyId"]: c["displayName"] for c in i.emulator.credentials(team.client_id)}
    assert names[second].endswith(" after")
    assert team.values()["once"] == old["once"]


def _add_something_of_theirs(secret: dict[str, Any]) -> None:
    secret["data"]["theirs"] = "a2VwdA=="
    secret["metadata"]["labels"]["theirs"] = "kept"
