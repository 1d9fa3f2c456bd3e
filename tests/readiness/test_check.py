"""`appcredential check` against the emulator over TLS and a real API server: what is missing."""

from __future__ import annotations

import base64
import importlib
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from appcredential.__main__ import main
from localcluster import Cluster
from tests.support.emulator import OWNED_BY, READ_ALL, READ_WRITE_ALL, Emulator
from tests.support.keys import make_certificate

with warnings.catch_warnings():  # every other warning is an error
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("appcredential.entra.reader")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings(
        r"ignore:.*is deprecated\..*:DeprecationWarning:(msgraph|kiota_abstractions)\..*"
    ),
]

GROUP: Final = "/apis/appcredential.io/v1alpha1"
VARIABLES: Final = ("CUSTOM_AUTHORITY", "CUSTOM_GRAPH", "CUSTOM_CA_FILE", "NAMESPACE")
POLICY: Final = "Policy.Read.ApplicationConfiguration"
READY: Final = f"{OWNED_BY} {POLICY}"
MINE: Final = "the operator's own credential"
SECRET_POLICY: Final = "app management policy, ClientSecret"


@dataclass
class Place:
    """A cluster with the operator's Secret and its EntraTenant, named as the namespace is."""

    cluster: Cluster
    namespace: str
    emulator: Emulator
    tenant: str
    client_id: str
    secret: str
    captured: pytest.CaptureFixture[str]

    def make(self, *, values: Mapping[str, str], identity: str = "clientSecret") -> None:
        """Create the Secret, and the EntraTenant that names it."""
        data = {key: base64.b64encode(text.encode()).decode() for key, text in values.items()}
        body: dict[str, Any] = {"metadata": {"name": "identity"}, "data": data}
        self.cluster.api.call("POST", self.secret_path, body)
        named = {"clientId": self.client_id, "secretRef": {"name": "identity"}}
        spec = {"tenantId": self.tenant, "cloud": "Custom", "identity": {identity: named}}
        version = {"apiVersion": "appcredential.io/v1alpha1", "kind": "EntraTenant"}
        body = {**version, "metadata": {"name": self.namespace}, "spec": spec}
        self.cluster.api.call("POST", f"{GROUP}/entratenants", body)

    @property
    def secret_path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets"

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run the command; return its status and what it wrote to stdout and stderr."""
        self.captured.readouterr()
        given = () if "--tenant-ref" in words else ("--tenant-ref", self.namespace)
        status = main(["check", *given, *words])
        out, err = self.captured.readouterr()
        assert self.secret not in out + err
        return status, out, err

    def found(self, status: int) -> dict[str, dict[str, str]]:
        """Run it; return the findings by what they are about."""
        ended, out, err = self.run("-o", "json")
        assert (ended, err) == (status, "")
        return {finding["about"]: finding for finding in json.loads(out)}

    def wrong(self) -> dict[str, str]:
        """Run what finds something; return the text of each finding that is wrong."""
        return {
            about: one["text"]
            for about, one in self.found(1).items()
            if one["gravity"] in {"broken", "wrong", "risk"}
        }

    def allow(self, permission: str) -> None:
        self.emulator.set_permissions(self.tenant, self.client_id, permission)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture
def place(
    emulator: Emulator,
    cluster: Cluster,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Place]:
    values = (emulator.url, emulator.url, str(emulator.ca_file), namespace)
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(f"APPCREDENTIAL_{name}", value)
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    tenant = emulator.create_tenant()
    client_id, secret = emulator.create_operator(tenant, READY)
    yield Place(cluster, namespace, emulator, tenant, client_id, secret, capsys)
    emulator.clear_faults()
    cluster.api.send("DELETE", f"{GROUP}/entratenants/{namespace}")


@pytest.fixture
def ready(place: Place) -> Place:
    """A place where nothing is missing."""
    place.make(values={"clientSecret": place.secret})
    place.emulator.create_application(place.tenant, owner=place.client_id)
    return place


def test_nothing_is_missing_and_nothing_is_written(ready: Place) -> None:
    paths = (f"{GROUP}/entratenants/{ready.namespace}", f"{ready.secret_path}/identity")
    before = [ready.cluster.api.call("GET", path) for path in paths]
    ready.emulator.reset_log()

    status, out, err = ready.run()

    assert (status, err) == (0, "")
    assert out.endswith("0 wrong, 0 not checked.\n")
    assert f"{MINE}: It ends in " in out
    sent = {(entry.method, entry.operation) for entry in ready.emulator.requests()}
    written = {operation for method, operation in sent if method != "GET"}
    assert written == {"token"}
    assert [ready.cluster.api.call("GET", path) for path in paths] == before
    found = ready.found(0)
    about = ["sign-in", "permission", "ownership", SECRET_POLICY, "clock"]
    assert [found[one]["gravity"] for one in about] == ["fine"] * len(about)


def test_without_a_permission_it_reads_no_application(ready: Place) -> None:
    ready.allow("")
    found = ready.found(1)
    assert found["sign-in"]["gravity"] == "fine"
    assert found["permission"]["gravity"] == "broken"
    assert "Consent to Application.ReadWrite.OwnedBy" in found["permission"]["text"]
    assert found["ownership"]["gravity"] == found[MINE]["gravity"] == "not checked"


def test_a_permission_to_read_alone_changes_nothing(ready: Place) -> None:
    ready.allow(READ_ALL)
    assert set(ready.wrong()) == {"permission"}
    policy = ready.found(1)["app management policy"]
    assert (policy["gravity"], policy["text"]) == ("not checked", "not checked: permission missing")


def test_it_has_to_own_an_application_or_to_have_the_permission_for_all(place: Place) -> None:
    place.make(values={"clientSecret": place.secret})
    place.emulator.create_application(place.tenant, displayName="somebody else's")
    assert set(place.wrong()) == {"ownership"}
    place.allow(READ_WRITE_ALL)
    assert place.found(0)["ownership"]["gravity"] == "fine"


@pytest.mark.parametrize(
    ("restriction", "gravity", "told"),
    [
        ({"restrictionType": "passwordAddition"}, "risk", "forbidden"),
        ({"restrictionType": "passwordLifetime", "maxLifetime": "PT30M"}, "risk", "at most 30m"),
        ({"restrictionType": "passwordLifetime", "maxLifetime": "P90D"}, "advice", "at most 90d"),
    ],
    ids=["forbidden", "too short", "a limit"],
)
def test_the_default_policy_s_limits(
    ready: Place, restriction: dict[str, str], gravity: str, told: str
) -> None:
    policy = {
        "isEnabled": True,
        "applicationRestrictions": {"passwordCredentials": [restriction]},
    }
    ready.tenant = ready.emulator.create_tenant(defaultPolicy=policy)
    ready.client_id, ready.secret = ready.emulator.create_operator(ready.tenant, READY)
    ready.emulator.create_application(ready.tenant, owner=ready.client_id)
    ready.cluster.api.call("DELETE", f"{ready.secret_path}/identity")
    ready.cluster.api.call("DELETE", f"{GROUP}/entratenants/{ready.namespace}")
    ready.make(values={"clientSecret": ready.secret})

    found = ready.found(int(gravity == "risk"))

    assert found[SECRET_POLICY]["gravity"] == gravity
    assert told in found[SECRET_POLICY]["text"]
    assert found["app management policy, Certificate"]["gravity"] == "fine"


@pytest.mark.parametrize(("minutes", "told"), [(20, "20 min ahead of"), (-20, "20 min behind")])
def test_a_clock_that_is_off(place: Place, minutes: int, told: str) -> None:
    place.emulator.move_clock(minutes * 60)
    try:
        place.client_id, place.secret = place.emulator.create_operator(place.tenant, READY)
        place.emulator.create_application(place.tenant, owner=place.client_id)
        place.make(values={"clientSecret": place.secret})
        wrong = place.wrong()
    finally:
        place.emulator.move_clock(-minutes * 60)
    assert set(wrong) == {"clock"}
    assert told in wrong["clock"]


def test_refused_sign_ins_name_entra_s_number(place: Place) -> None:
    place.make(values={"clientSecret": "not-the-secret-of-this-application"})
    (text,) = place.wrong().values()
    assert text.startswith("IdentityRejected: ")
    assert "AADSTS7000215" in text
    for code, reason in (
        (53003, "BlockedByConditionalAccess"),
        (7000222, "IdentityRejected"),
        (90002, "WrongTenantOrCloud"),
    ):
        place.emulator.clear_faults()
        place.emulator.add_rule("token-error", code=code)
        (text,) = place.wrong().values()
        assert text.startswith(f"{reason}: ")
        assert f"AADSTS{code}" in text


def test_a_certificate_tells_when_it_ends(place: Place) -> None:
    made = make_certificate()
    pem = made.pem.decode()
    place.emulator.add_key(place.client_id, certificate=pem)
    place.emulator.create_application(place.tenant, owner=place.client_id)
    place.make(values={"tls.crt": pem, "tls.key": made.key_pem.decode()}, identity="certificate")
    assert place.found(0)[MINE]["text"].startswith("It ends in ")


def test_a_secret_that_does_not_exist_is_missing(ready: Place) -> None:
    ready.cluster.api.call("DELETE", f"{ready.secret_path}/identity")
    (text,) = ready.wrong().values()
    assert text.startswith("IdentitySecretNotFound: ")


def test_it_says_that_it_could_not_look(
    ready: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for words, told in (
        (("--tenant-ref", "ghost"), "There is no EntraTenant ghost"),
        (("--tenant-ref", "../x"), "is no name of an EntraTenant"),
    ):
        status, out, err = ready.run(*words)
        assert (status, out) == (2, "")
        assert told in err
    ready.emulator.add_rule("throttle", match={"operation": "token"}, retryAfter=7)
    status, out, err = ready.run()
    assert (status, out) == (2, "")
    assert err == "error: Graph or the token endpoint cannot be reached.\n"
    (tmp_path / "no-yaml").write_text("{")
    (tmp_path / "empty").write_text("")
    (tmp_path / "list").write_text("[]")
    for name in ("none", "no-yaml", "empty", "list"):
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / name))
        status, out, err = ready.run()
        assert (status, out) == (2, "")
        assert "KUBECONFIG" in err
    monkeypatch.setenv("APPCREDENTIAL_SHARDS", "none")
    status, out, err = ready.run()
    assert (status, out) == (2, "")
    assert "APPCREDENTIAL_SHARDS" in err
