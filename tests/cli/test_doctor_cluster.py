"""`doctor` against a real API server: as an administrator, with few rights, and in a terminal."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from localcluster import Cluster
from tests.cli.installations import SYSTEM, deployment
from tests.cli.scenes import STALLED, condition, conditions
from tests.cli.test_cluster import BINDING, LIVE, ROLE, Person, _wait_until

pytestmark = pytest.mark.cluster

AS_JANE: Final = ("--as", "jane", "--as-group", "system:authenticated")


@pytest.fixture
def person(cluster: Cluster, namespace: str) -> Person:
    return Person(cluster, namespace)


def found(person: Person, *words: str) -> dict[str, list[dict[str, str]]]:
    done = person.run("doctor", "-o", "json", *words)
    assert done.returncode == 1, done.stderr
    by_gravity: dict[str, list[dict[str, str]]] = {}
    for finding in json.loads(done.stdout):
        by_gravity.setdefault(finding["gravity"], []).append(finding)
    return by_gravity


def operator(namespace: str) -> dict[str, Any]:
    """Return a Deployment that the API server accepts; no pod of it ever runs."""
    made = deployment(replicas=0)
    made["metadata"]["namespace"] = namespace
    made["spec"]["selector"] = {"matchLabels": {"a": "b"}}
    made["spec"]["template"]["metadata"] = {"labels": {"a": "b"}}
    (container,) = made["spec"]["template"]["spec"]["containers"]
    container["image"] = "none"
    return {k: v for k, v in made.items() if k != "status"}


def test_doctor_tells_an_administrator_and_somebody_with_few_rights(person: Person) -> None:
    refused = conditions(condition("Ready", "False", "NotGranted"), STALLED)
    person.make("refused", refused)
    person.cluster.api.call(
        "POST",
        f"/apis/apps/v1/namespaces/{person.namespace}/deployments",
        operator(person.namespace),
    )

    by_gravity = found(person, "--operator-namespace", person.namespace)

    broken = {f["about"]: f for f in by_gravity["broken"]}
    assert "scaled to 0" in broken[f"operator {person.namespace}/appcredential"]["text"]
    assert any(f"{person.namespace}/refused" in about for about in broken)
    assert any(about.startswith("leader") for about in broken)
    (rights,) = (f for f in by_gravity["broken"] if f["about"].startswith("rights"))
    assert "may not update secrets" in rights["text"]
    fine = {f["about"] for f in by_gravity["fine"]}
    assert {"Kubernetes", "CRDs", "clocks"} <= fine

    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{person.namespace}"
    person.cluster.api.call("POST", f"{rbac}/roles", ROLE)
    person.cluster.api.call("POST", f"{rbac}/rolebindings", BINDING)
    _wait_until(lambda: person.run("list", *AS_JANE).returncode == 0)
    by_gravity = found(person, *AS_JANE)
    assert {f["about"] for f in by_gravity["not checked"]} >= {
        *("operator", "leader", "CRDs' version", "EntraTenants", "ApplicationGrants"),
        *("rights of the operator", "admission policies", "AppCredentials of other namespaces"),
    }
    assert all("cannot" in f["text"] or "may" in f["text"] for f in by_gravity["not checked"][:3])
    assert any(f"{person.namespace}/refused" in f["about"] for f in by_gravity["broken"])
    assert SYSTEM in json.dumps(by_gravity["not checked"])


def test_doctor_in_a_narrow_terminal(person: Person) -> None:
    status, shown = person.typed("doctor", *AS_JANE, columns=60)

    assert status == 0
    rows = [LIVE.sub("", line) for line in shown.splitlines()]
    assert max(map(len, rows)) <= 60
    assert any(row.startswith("✓ ") for row in rows)
    assert rows[-1].startswith("0 wrong, ")
