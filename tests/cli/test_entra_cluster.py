"""`inventory` and `import` with a cluster: whose credentials are, and manifests that it accepts."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from appcredential.cli.main import run
from appcredential.cli.text import cells
from appcredential.domain.marker import (
    ClusterIdentity,
    Owner,
    attempt_id,
    build_display_name,
)
from localcluster import Cluster
from tests.cli.entra_scene import EntraPerson, emulator, person
from tests.cli.test_cluster import LIVE, Person
from tests.support.emulator import MadeApplication
from tests.support.keys import make_certificate

__all__ = ["emulator", "person"]
pytestmark = pytest.mark.cluster

GROUP: Final = "/apis/appcredential.io/v1alpha1"
GITHUB: Final = "https://token.actions.githubusercontent.com"


@dataclass
class AtHome:
    """A person with a kubeconfig, whose EntraTenant has the name of the namespace."""

    person: EntraPerson
    cluster: Cluster
    namespace: str

    def did(self, *words: str) -> str:
        status, out, err = self.run(*words)
        assert status == 0, err
        return out

    def refused(self, *words: str) -> str:
        status, out, err = self.run(*words)
        assert (status, out) == (1, "")
        (line,) = err.splitlines()
        assert line.startswith("error: ")
        return line

    def run(self, *words: str) -> tuple[int, str, str]:
        self.person.captured.readouterr()
        given = () if "--tenant-ref" in words else ("--tenant-ref", self.namespace)
        status = run([*words, "-n", self.namespace, *given])
        out, err = self.person.captured.readouterr()
        return status, out, err

    def make(self, name: str, client_id: str) -> None:
        """Create an AppCredential."""
        spec = {
            "tenantRef": {"name": self.namespace},
            "application": {"clientId": client_id},
            "type": "ClientSecret",
            "clientSecret": {},
        }
        body = _object("AppCredential", name, spec)
        path = f"{GROUP}/namespaces/{self.namespace}/appcredentials"
        self.cluster.api.call("POST", path, body)


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    version = "appcredential.io/v1alpha1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def home(person: EntraPerson, cluster: Cluster, namespace: str) -> AtHome:
    identity = {"clientSecret": {"clientId": person.client_id, "secretRef": {"name": "a"}}}
    limits = {"maxLifetime": "100d"}
    spec = {"tenantId": person.tenant, "cloud": "Custom", "identity": identity, "limits": limits}
    cluster.api.call("POST", f"{GROUP}/entratenants", _object("EntraTenant", namespace, spec))
    person.set_variables.setenv("KUBECONFIG", str(cluster.kubeconfig))
    return AtHome(person, cluster, namespace)


def app_of(home: AtHome) -> MadeApplication:
    """Make an application with one credential of this cluster's, and others."""
    uid = home.cluster.api.call("GET", "/api/v1/namespaces/kube-system")["metadata"]["uid"]
    here, there = ClusterIdentity.of(uid), ClusterIdentity.of("elsewhere")
    owner = Owner(home.namespace, "orders")
    names = [
        build_display_name(one, owner, attempt_id(one, "p", 1), "orders service")
        for one in (here, there)
    ]
    secrets = [{"displayName": name, "endInDays": 90} for name in (*names, "by hand")]
    secrets.append({"displayName": "too long", "endInDays": 120})
    app = home.person.emulator.create_application(
        home.person.tenant, displayName="Orders", passwords=secrets
    )
    home.person.emulator.add_key(
        app.app_id, certificate=make_certificate().pem.decode(), displayName="CN=orders"
    )
    return app


def test_the_cluster_tells_whose_credentials_are_and_how_long_they_may_live(home: AtHome) -> None:
    app = app_of(home)
    home.make("orders", app.app_id)
    shown = json.loads(home.did("inventory", "orders", "-o", "json"))
    (found,) = shown["applications"]
    by_whose = {one["whose"]: one for one in found["credentials"]}
    assert by_whose["ours"]["owner"] == f"{home.namespace}/orders"
    assert set(by_whose) == {"ours", "other cluster", "foreign"}
    long = [one["name"] for one in found["credentials"] if one["findings"]]
    assert long == ["too long"], "the EntraTenant allows 100 days"


def test_the_api_server_accepts_all_that_is_written(home: AtHome, tmp_path: Path) -> None:
    app = app_of(home)
    issuer = home.cluster.api.call("GET", "/.well-known/openid-configuration")["issuer"]
    tenant = f"{home.person.emulator.url}/{home.person.tenant}/v2.0"
    for number, (by, subject) in enumerate(
        [
            (issuer, f"system:serviceaccount:{home.namespace}:default"),
            (GITHUB, "repo:contoso/shop:environment:production"),
            (GITHUB, "repo:contoso/shop:pull_request"),
            (tenant, "55555555-5555-4555-8555-555555555555"),
            ("https://gitlab.com", "project_path:contoso/shop"),
        ]
    ):
        home.person.emulator.add_federated(
            app.app_id, name=f"trust-{number}", issuer=by, subject=subject
        )
    folder = tmp_path / "manifests"
    words = ("--secret", "orders-entra", "--secret-key", "PASSWORD", "--output-dir", str(folder))
    home.did("import", "--client-id", app.app_id, *words)
    for file in sorted(folder.iterdir()):
        done = home.cluster.kubectl(
            "apply", "--dry-run=server", "--validate=strict", "--filename", file
        )
        assert "created (server dry run)" in done.stdout
    manage = (folder / "3-manage.yaml").read_text()
    for member in ("serviceAccount", "gitHub", "managedIdentity", "other", "PASSWORD"):
        assert f"{member}:" in manage


def test_an_entra_tenant_that_cannot_be_read_is_one_line_with_the_remedy(home: AtHome) -> None:
    remedy = "Name the tenant with --tenant-id and --cloud."
    for words in (("--as", "jane"), ("--tenant-ref", "ghost")):
        line = home.refused("inventory", "--all", *words)
        assert line.endswith(remedy)
    assert "is no name of an EntraTenant" in home.refused(
        "inventory", "--all", "--tenant-ref", "../x"
    )


def test_a_terminal_of_40_columns(home: AtHome) -> None:
    app = app_of(home)
    names = ("CUSTOM_AUTHORITY", "CUSTOM_GRAPH", "CUSTOM_CA_FILE")
    wanted = [f"APPCREDENTIAL_{name}" for name in names]
    env = {name: os.environ[name] for name in (*wanted, "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")}
    words = ("inventory", "--client-id", app.app_id, "--tenant-ref", home.namespace)
    status, shown = Person(home.cluster, home.namespace).typed(*words, env=env)
    assert status == 0, shown
    lines = [LIVE.sub("", line).rstrip() for line in shown.splitlines()]
    rows = [line for line in lines if line.startswith(("Orders (", "  ", "1 application"))]
    assert len(rows) > 8
    assert max(map(cells, rows)) <= 40
