"""`plan` against a real API server, without Entra and with few rights."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml

from localcluster import Cluster
from tests.cli.scenes import CLIENT_ID, spec
from tests.cli.test_cluster import BINDING, COMMAND, LIVE, ROLE, Person, _wait_until

pytestmark = pytest.mark.cluster

AS_JANE: Final = ("--as", "jane", "--as-group", "system:authenticated")
TENANT_ID: Final = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def person(cluster: Cluster, namespace: str) -> Person:
    return Person(cluster, namespace)


def plan(person: Person, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "plan", "-f", "-", "--without-entra", "-n", person.namespace, *words],
        env=person.env,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def manifest(name: str = "orders", tenant: str = "default", **change: Any) -> dict[str, Any]:
    return {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "AppCredential",
        "metadata": {"name": name},
        "spec": spec(tenantRef={"name": tenant}, **change),
    }


@pytest.fixture
def tenant(person: Person) -> Iterator[str]:
    """An EntraTenant that no operator looks at, gone after the test with the grant of its name."""
    name, group = person.namespace, "/apis/appcredential.io/v1alpha1"
    body = {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "EntraTenant",
        "metadata": {"name": name},
        "spec": {
            "tenantId": TENANT_ID,
            "cloud": "Public",
            "identity": {"clientSecret": {"clientId": TENANT_ID, "secretRef": {"name": "x"}}},
        },
    }
    person.cluster.api.call("POST", f"{group}/entratenants", body)
    yield name
    for plural in ("entratenants", "applicationgrants"):
        person.cluster.api.send("DELETE", f"{group}/{plural}/{name}")


def test_a_manifest_without_a_grant_says_which_to_apply(person: Person, tenant: str) -> None:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    text = yaml.safe_dump_all([other, manifest(tenant=tenant), manifest("second", tenant)])

    done = plan(person, text, "-o", "json")

    assert done.returncode == 0, done.stderr
    assert "left out, because it is no AppCredential" in done.stderr
    assert "ConfigMap x" in done.stderr
    first, second = json.loads(done.stdout)
    assert second["resource"] == f"{person.namespace}/second"
    assert [step["where"] for step in first["steps"]] == ["Kubernetes"]
    assert first["ends"].startswith("NotGranted: No ApplicationGrant allows this namespace")
    grant = json.loads(first["ends"].partition("an administrator applies: ")[2])
    assert grant["spec"]["applications"]["clientIds"] == [CLIENT_ID]
    assert any(text.startswith("Entra: ") for text in first["notChecked"])

    grant["metadata"]["name"] = person.namespace
    person.cluster.api.call("POST", "/apis/appcredential.io/v1alpha1/applicationgrants", grant)
    done = plan(person, yaml.safe_dump(manifest(tenant=tenant)))
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[0] == f"{person.namespace}/orders"
    assert any(line.startswith("4. Entra: add a client secret to application") for line in lines)
    assert any(line.startswith("Later, in ") for line in lines)
    kept = person.cluster.api.call("GET", person.path())
    assert kept["items"] == [], "nothing is kept of what was only tried"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lifetime": "1s"}, ("spec.lifetime", "between")),
        ({"lifetim": "1d"}, ("spec.lifetim",)),
        ({"secret": {"labels": {"x": "y"}}}, ("spec.secret.labels",)),
    ],
)
def test_a_refused_manifest_names_field_and_remedy(
    person: Person, change: dict[str, Any], words: tuple[str, ...]
) -> None:
    done = plan(person, yaml.safe_dump(manifest(**change)))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is no YAML"), ("a: b", "holds no AppCredential"), ("", "holds no AppCredential")],
)
def test_what_is_no_manifest_is_told(person: Person, text: str, words: str) -> None:
    done = plan(person, text)

    assert done.returncode == 1
    assert words in done.stderr


def test_who_may_little_gets_a_plan_that_says_what_it_rests_on(person: Person) -> None:
    person.make("orders")
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{person.namespace}"
    person.cluster.api.call("POST", f"{rbac}/roles", ROLE)
    person.cluster.api.call("POST", f"{rbac}/rolebindings", BINDING)
    _wait_until(lambda: person.run("list", *AS_JANE).returncode == 0)

    (found,) = json.loads(person.did("plan", "orders", "--without-entra", "-o", "json", *AS_JANE))

    told = " ".join(found["notChecked"])
    for what in ("the EntraTenant", "a grant", "the operator's settings", "this cluster's"):
        assert what in told
    assert "whether the Secret exists: it is taken for absent" in told
    assert any("add a client secret" in step["what"] for step in found["steps"])


def test_a_plan_in_a_narrow_terminal(person: Person) -> None:
    person.make("orders")

    status, shown = person.typed("plan", "orders", "--without-entra", columns=40)

    assert status == 0
    rows = [LIVE.sub("", line) for line in shown.splitlines()]
    assert any("TenantNotFound" in row for row in rows)
    assert max(len(row) for row in rows if "appcredential-pending" not in row) <= 40
