"""`grants`: what a namespace may ask for, for people with few rights too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from appcredential.cli.app_credential import Document
from appcredential.cli.grants import table
from localcluster import Cluster
from tests.cli.scenes import CLIENT_ID, NOW, condition, day
from tests.cli.test_cluster import GROUP, Person, _wait_until

AS_JANE: Final = ("--as", "jane-of-grants")
_RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
_IDS: Final = [CLIENT_ID, "99999999-9999-4999-8999-999999999999"]


def shown(*grants: dict[str, Any], namespace: str = "shop", wide: bool = False) -> list[list[str]]:
    """Return the cells of each row, by two blanks or more between them."""
    rows = table(list(map(Document, grants)), namespace, NOW, None, is_wide=wide)
    return [
        ["".join(part.text for part in row[n : n + 1]).strip() for n in range(len(row))]
        for row in rows
    ]


def grant(spec: dict[str, Any], **status: Any) -> dict[str, Any]:
    metadata = {"name": "one", "creationTimestamp": day(-3)}
    return {"metadata": metadata, "spec": spec, "status": status}


NAMED: Final[dict[str, Any]] = {
    "applications": {"clientIds": _IDS},
    "namespaces": {"names": ["shop", "bank"]},
    "types": ["ClientSecret", "Certificate"],
    "maxLifetime": "90d",
}
USED: Final[dict[str, Any]] = {
    "conditions": [condition("Ready", "True", "Accepted")],
    "usage": {
        "appCredentials": 5,
        "namespaces": 2,
        "byNamespace": [
            {"namespace": "shop", "appCredentials": 3},
            {"namespace": "stock", "appCredentials": 2},
        ],
    },
    "applications": {"found": 1, "missing": 1, "unknown": 0},
}


def test_a_row_says_what_is_allowed_and_used() -> None:
    head, row = shown(grant(NAMED, **USED))
    told = dict(zip(head, row, strict=True))
    assert (told["NAME"], told["READY"], told["REASON"]) == ("one", "True", "Accepted")
    assert told["TYPES"] == "ClientSecret,Certificate"
    assert told["APPLICATIONS"] == f"{CLIENT_ID} +1"
    assert (told["LIFETIME"], told["USED"]) == ("90d", "3")


def test_a_wide_row_says_all() -> None:
    head, row = shown(grant(NAMED, **USED), wide=True)
    told = dict(zip(head, row, strict=True))
    assert told["APPLICATIONS"] == ",".join(_IDS)
    assert (told["TENANT"], told["NAMESPACES"]) == ("default", "shop,bank")
    assert (told["MISSING"], told["AGE"]) == ("1", "3 d")


@pytest.mark.parametrize(
    ("namespace", "used"), [("shop", "3"), ("bank", "0"), ("", "5")], ids=["most", "none", "all"]
)
def test_what_is_used_is_the_namespaces_own(namespace: str, used: str) -> None:
    head, row = shown(grant(NAMED, **USED), namespace=namespace)
    assert dict(zip(head, row, strict=True))["USED"] == used


def test_what_nobody_can_know_is_left_empty() -> None:
    many = {"usage": {**USED["usage"], "namespaces": 40}}
    head, row = shown(grant(NAMED, **many), namespace="bank")
    told = dict(zip(head, row, strict=True))
    assert (told["READY"], told["REASON"], told["USED"]) == ("Unknown", "NotLookedAt", "")


@pytest.mark.parametrize("form", ["tagged", "all"])
def test_the_other_forms_are_named(form: str) -> None:
    spec = {"applications": {form: True}, "namespaces": {"selector": {"matchLabels": {"a": "b"}}}}
    head, row = shown(grant(spec), wide=True)
    told = dict(zip(head, row, strict=True))
    assert (told["APPLICATIONS"], told["NAMESPACES"], told["TYPES"]) == (form, "by labels", "all")


# --- against a real API server ----------------------------------------------------------------


@pytest.fixture
def person(cluster: Cluster, namespace: str) -> Iterator[Person]:
    """A person in a namespace with two grants; a third one is for another namespace."""
    label = {"metadata": {"labels": {"team": namespace}}}
    patch = json.dumps(label)
    cluster.kubectl("patch", "namespace", namespace, "--type=merge", "-p", patch)
    spaces = {
        "named": {"names": [namespace]},
        "chosen": {"selector": {"matchLabels": {"team": namespace}}},
        "other": {"names": ["elsewhere"]},
    }
    for name, chosen in spaces.items():
        spec = {"applications": {"clientIds": [CLIENT_ID]}, "namespaces": chosen}
        body = {"apiVersion": "appcredential.io/v1alpha1", "kind": "ApplicationGrant"}
        made = {**body, "metadata": {"name": f"{namespace}-{name}"}, "spec": spec}
        cluster.api.call("POST", f"{GROUP}/applicationgrants", made)
    yield Person(cluster, namespace)
    for name in spaces:
        cluster.api.call("DELETE", f"{GROUP}/applicationgrants/{namespace}-{name}")


@pytest.mark.cluster
def test_whoever_may_read_grants_sees_those_of_the_namespace(person: Person) -> None:
    own = [f"{person.namespace}-{name}" for name in ("chosen", "named")]
    names = [line.split("/")[1] for line in person.did("grants", "-o", "name").splitlines()]
    assert names == own
    everything = json.loads(person.did("grants", "-A", "-o", "json"))
    assert {*own, f"{person.namespace}-other"} <= {
        item["metadata"]["name"] for item in everything["items"]
    }
    assert {item["kind"] for item in everything["items"]} == {"ApplicationGrant"}

    refused = person.run("grants", *AS_JANE)
    assert refused.returncode == 1
    assert "rbac.clusterReaders" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    may_list = {"apiGroups": ["appcredential.io"], "resources": ["applicationgrants"]}
    name = f"{person.namespace}-readers"
    role = {"metadata": {"name": name}, "rules": [{**may_list, "verbs": ["list"]}]}
    person.cluster.api.call("POST", f"{_RBAC}/clusterroles", role)
    words = ("create", "clusterrolebinding", name, f"--clusterrole={name}", f"--user={AS_JANE[1]}")
    person.cluster.kubectl(*words)
    try:
        _wait_until(lambda: person.run("grants", *AS_JANE).returncode == 0)
        done = person.run("grants", *AS_JANE, "-o", "name")
        assert done.stdout.split("/")[1].strip() == f"{person.namespace}-named"
        assert f"you may not read the labels of {person.namespace}: {own[0]}." in done.stderr
    finally:
        person.cluster.kubectl("delete", "clusterrolebinding,clusterrole", name)


@pytest.mark.cluster
def test_no_selector_matches_the_operators_own_namespace(person: Person) -> None:
    labels = {"app.kubernetes.io/part-of": "appcredential"}
    pod = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "operator", "image": "none"}]},
    }
    path = f"/apis/apps/v1/namespaces/{person.namespace}/deployments"
    for component, left in (("entra-emulator", ["chosen", "named"]), ("operator", ["named"])):
        metadata = {
            "name": component,
            "labels": {**labels, "app.kubernetes.io/component": component},
        }
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod}
        person.cluster.api.call("POST", path, {"metadata": metadata, "spec": spec})
        found = person.did("grants", "-o", "name").splitlines()
        assert [name.rpartition("-")[2] for name in found] == left
