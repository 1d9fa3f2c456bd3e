"""The operator signs in with a certificate that is replaced while it works, or with no secret."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from demo.processes import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from demo.seed import OPERATOR_ID, TENANT_ID
from tests.integration.installation import (
    API_VERSION,
    CORE,
    GROUP,
    SETTINGS,
    Installation,
    Team,
    condition_of,
)
from tests.support.keys import MadeCertificate, ec_key, make_certificate, rsa_key

pytestmark = [pytest.mark.cluster, pytest.mark.process]

TENANT: Final = "certified"
KEYLESS: Final = "keyless"
AUDIENCE: Final = "api://own-cloud"
PATIENCE: Final = 60.0


class Certified:
    """An EntraTenant whose identity is a certificate, and the Secret with it."""

    def __init__(self, installation: Installation, certificate: MadeCertificate) -> None:
        self.i = installation
        folder = f"{CORE}/namespaces/{installation.namespace}/secrets"
        self._path = f"{folder}/operator-tls"
        body = {
            "metadata": {"name": "operator-tls"},
            "type": "kubernetes.io/tls",
            "data": data(certificate),
        }
        installation.kube.create(folder, body)
        reference = {"clientId": OPERATOR_ID, "secretRef": {"name": "operator-tls"}}
        make_tenant(installation, TENANT, certificate=reference)

    def register(self, certificate: MadeCertificate) -> str:
        """Register it on the operator's own application; return its key id."""
        body = {"certificate": certificate.pem.decode()}
        made = self.i.emulator.call("POST", f"/applications/{OPERATOR_ID}/keys", body)
        return str(made["keyId"])

    def unregister(self, key_id: str) -> None:
        self.i.emulator.call("DELETE", f"/applications/{OPERATOR_ID}/keys/{key_id}")

    def put(self, content: Mapping[str, str]) -> None:
        """Write the Secret, and have the operator look before its next turn."""
        self.i.kube.edit(self._path, lambda found: found.update(data=dict(content)))
        self.nudge()

    def nudge(self) -> None:
        self.i.nudge(TENANT)

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.i.tenant(TENANT).get("status") or {}
        return found

    def uses(self, certificate: MadeCertificate) -> bool:
        """Tell whether the tenant is Ready with it and nothing is wrong beside that."""
        identity = self.status.get("identity") or {}
        types = {c["type"]: c["status"] for c in self.status.get("conditions") or ()}
        is_well = types == {"Ready": "True", "WritePermitted": "True"}
        return is_well and identity["thumbprint"] == certificate.thumbprint

    def goes_on(self, certificate: MadeCertificate, reason: str, words: str) -> bool:
        """Tell whether it works with that certificate and says why not with another one."""
        tenant = self.i.tenant(TENANT)
        stalled = condition_of(tenant, "Stalled")
        assert condition_of(tenant, "Ready")["status"] == "True"
        assert self.status["identity"]["thumbprint"] == certificate.thumbprint
        return stalled.get("reason") == reason and words in stalled["message"]


def make_tenant(i: Installation, name: str, **identity: Any) -> None:
    """Create an EntraTenant."""
    spec = {"tenantId": TENANT_ID, "cloud": "Custom", "identity": identity}
    tenant = {"apiVersion": API_VERSION, "kind": "EntraTenant", "metadata": {"name": name}}
    i.kube.create(f"{GROUP}/entratenants", {**tenant, "spec": spec})


def data(certificate: MadeCertificate) -> dict[str, str]:
    """Return what a Secret of type kubernetes.io/tls holds."""
    found = {"tls.crt": certificate.pem, "tls.key": certificate.key_pem}
    return {key: base64.b64encode(value).decode() for key, value in found.items()}


def team_in(i: Installation, tenant: str) -> Team:
    """Return a team with a credential that the operator made by this EntraTenant."""
    team = Team(i, i.make_namespace(tenant), i.make_application())
    team.tenant = tenant
    team.grant()
    team.apply(rotation={"renewBefore": "30m", "overlap": "5s", "retireWhen": "OverlapElapsed"})
    team.ready()
    return team


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pod") / "azure-identity-token"


@pytest.fixture(scope="module")
def settings(token_file: Path) -> Mapping[str, str]:
    return {
        **SETTINGS,
        "APPCREDENTIAL_CUSTOM_TOKEN_AUDIENCE": AUDIENCE,
        "APPCREDENTIAL_IDENTITY_TOKEN_FILE": str(token_file),
    }


def test_a_certificate_of_the_operator_s_own_is_replaced_while_it_works(
    installation: Installation,
) -> None:
    i = installation
    old, new = make_certificate("old"), make_certificate("new", key=rsa_key(1))
    certified = Certified(i, old)
    i.until(
        lambda: condition_of(i.tenant(TENANT), "Stalled").get("reason") == "IdentityRejected",
        "a certificate that is not registered is refused",
        PATIENCE,
    )
    first = certified.register(old)
    i.until(lambda: certified.uses(old), "the operator signs in with it", PATIENCE)
    end = old.certificate.not_valid_after_utc
    assert certified.status["identity"]["expirationTime"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    assert certified.status["identity"]["clientId"] == OPERATOR_ID
    team = team_in(i, TENANT)

    # Put there before it is registered: nothing stops, and it says what is missing.
    certified.put(data(new))
    i.until(
        lambda: certified.goes_on(old, "IdentityRejected", "Register the one in the Secret"),
        "the old one goes on beside one that is refused",
        PATIENCE,
    )
    team.rotated()
    certified.register(new)
    # Not nudged: it is seen in the course of things.
    i.until(lambda: certified.uses(new), "the new one takes over", PATIENCE)

    certified.unregister(first)
    assert team.signs_in()
    team.rotated()
    i.operator.child.stop()
    i.operator.restart()
    team.rotated()
    assert certified.uses(new)

    # What cannot be used is named, and stops nothing either.
    certified.put(data(make_certificate("curve", key=ec_key())))
    i.until(
        lambda: certified.goes_on(new, "IdentityCertificateUnusable", "not RSA"),
        "a key that nobody can sign in with is told",
        PATIENCE,
    )
    i.kube.delete(f"{CORE}/namespaces/{i.namespace}/secrets/operator-tls")
    certified.nudge()
    i.until(
        lambda: certified.goes_on(new, "IdentitySecretNotFound", "create it"),
        "a missing Secret is told",
        PATIENCE,
    )
    team.rotated()
    assert team.signs_in()
    warnings = {reason for kind, reason, _ in i.events("", TENANT, "EntraTenant")}
    assert {"IdentityRejected", "IdentityCertificateUnusable"} <= warnings


def test_the_operator_s_own_service_account_signs_it_in(
    installation: Installation, token_file: Path
) -> None:
    i = installation

    def project(audience: str) -> None:
        """Do as the kubelet does."""
        token = i.cluster.service_account_token(
            OPERATOR_NAMESPACE, OPERATOR_ACCOUNT, audiences=[audience]
        )
        token_file.write_text(token)

    def has(kind: str, status: str, reason: str) -> bool:
        found = condition_of(i.tenant(KEYLESS), kind)
        return (found.get("status"), found.get("reason")) == (status, reason)

    project("api://AzureADTokenExchange")
    make_tenant(i, KEYLESS, workloadIdentity={"clientId": OPERATOR_ID})
    i.until(
        lambda: has("Stalled", "True", "IdentityTokenUnusable"),
        "a token that the public cloud would take is kept back",
        PATIENCE,
    )
    project(AUDIENCE)
    i.nudge(KEYLESS)
    i.until(
        lambda: has("Stalled", "True", "IdentityRejected"),
        "without a federated credential it is refused",
        PATIENCE,
    )
    assert "federated credential" in condition_of(i.tenant(KEYLESS), "Stalled")["message"]
    trust = {
        "name": "operator",
        "issuer": i.cluster.issuer,
        "subject": f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_ACCOUNT}",
        "audiences": [AUDIENCE],
    }
    path = f"/applications/{OPERATOR_ID}/federatedIdentityCredentials"
    i.emulator.call("POST", path, trust)
    i.until(lambda: has("Ready", "True", "SignedIn"), "it signs in", PATIENCE)
    assert i.tenant(KEYLESS)["status"]["identity"] == {"clientId": OPERATOR_ID}
    team = team_in(i, KEYLESS)
    assert team.signs_in()

    token_file.unlink()
    i.nudge(KEYLESS)
    i.until(
        lambda: has("Stalled", "True", "IdentityTokenUnusable"), "a missing token is told", PATIENCE
    )
    assert has("Ready", "True", "SignedIn")
    team.rotated()
    assert team.signs_in()
