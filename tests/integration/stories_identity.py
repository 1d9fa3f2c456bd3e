"""guides/operator-identity.md and the runbooks of the operator's own credential, typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import yaml

from demo.seed import TENANT_ID
from tests.docs.reading import ROOT, blocks
from tests.integration.installation import (
    API_VERSION,
    CORE,
    GROUP,
    Installation,
    Team,
    condition_of,
)
from tests.integration.walking import Walk
from tests.support.keys import make_certificate

PAGE: Final = "guides/operator-identity.md"
RUNBOOKS: Final = ("AppCredentialIdentityExpiring", "AppCredentialIdentityExpiringSoon")
EXCUSED: Final = {
    "az ad app federated-credential": "azure-cli does it: tests/entra_emulator/clients/real",
    "kubectl get deployment": "no pod runs the operator here: tests/chart/test_documented.py",
    "az identity create": "people, when they change it: it takes machines of Azure",
    "az ad app credential list": "azure-cli does it: tests/entra_emulator/clients/real",
}
REGISTER: Final = "az ad app credential reset --id $OPERATOR_CLIENT_ID --append --cert @tls.crt\n"
RENEW: Final = "az ad app credential reset --id $OPERATOR_CLIENT_ID --append --cert @renewed.pem\n"
MAKE_SECRET: Final = (
    "az ad app credential reset --id $OPERATOR_CLIENT_ID --append --display-name operator "
    "--query password -o tsv"
)
OWN: Final = """OPERATOR_SP=$(az ad sp show --id $OPERATOR_CLIENT_ID --query id -o tsv)
az ad app owner add --id $OPERATOR_CLIENT_ID --owner-object-id $OPERATOR_SP
"""


class OwnWalk:
    """The page, for an operator's application and an EntraTenant that nobody else uses.

    What azure-cli would do in Entra, the emulator's administrator does.
    """

    def __init__(self, i: Installation) -> None:
        self.i = i
        body = {"permissions": ["Application.ReadWrite.OwnedBy"]}
        made = i.emulator.call("POST", f"/tenants/{TENANT_ID}/operators", body)
        self.client_id: str = made["clientId"]
        self.tenant = f"own-{self.client_id[:8]}"
        self.files = {n: i.folder / f"own-{n}" for n in ("tls.crt", "tls.key", "renewed.pem")}
        variables = {
            "OPERATOR_CLIENT_ID": self.client_id,
            "CLIENT-ID": self.client_id,
            "TENANT": self.tenant,
            "default": self.tenant,
            "operator-certificate": f"{self.tenant}-certificate",
            "operator-identity": f"{self.tenant}-secret",
            **{name: str(path) for name, path in self.files.items()},
        }
        # The page acts in the operator's namespace: the team is nobody.
        self.walk = Walk(Team(i, i.namespace, self.client_id), PAGE, EXCUSED, variables)

    # --- in Entra -------------------------------------------------------------------------

    def register(self, name: str = "tls.crt") -> None:
        """Register a certificate from a file, as `az ad app credential reset --append` does."""
        body = {"certificate": self.files[name].read_text()}
        self.i.emulator.call("POST", f"/applications/{self.client_id}/keys", body)

    def write_old_pair(self) -> None:
        """Write a certificate that ends soon where the page's commands read it."""
        now = datetime.now(UTC).replace(microsecond=0)
        made = make_certificate(start=now - timedelta(days=80), end=now + timedelta(days=10))
        self.files["tls.crt"].write_bytes(made.pem)
        self.files["tls.key"].write_bytes(made.key_pem)

    def make_secret(self, days: int) -> str:
        """Make a client secret; return what types it where azure-cli would print it."""
        body = {"displayName": "operator", "endInDays": days}
        path = f"/applications/{self.client_id}/passwords"
        return f"echo {self.i.emulator.call('POST', path, body)['secretText']}"

    # --- in the cluster -------------------------------------------------------------------

    def identify(self, member: str, *, rotates: bool) -> None:
        """Write spec.identity as the page shows it, for this operator and its Secret."""
        shown = [yaml.safe_load(b) for b in blocks((ROOT / "docs" / PAGE).read_text(), "yaml")]
        (identity,) = (
            found["identity"]
            for found in shown
            if member in found.get("identity", {})
            and ("rotation" in found["identity"][member]) is rotates
        )
        identity[member]["clientId"] = self.client_id
        kind = "certificate" if member == "certificate" else "secret"
        identity[member]["secretRef"] = {"name": f"{self.tenant}-{kind}"}
        path = f"{GROUP}/entratenants"
        if self.i.kube.get(f"{path}/{self.tenant}") is None:
            spec = {"tenantId": TENANT_ID, "cloud": "Custom", "identity": identity}
            body = {"apiVersion": API_VERSION, "kind": "EntraTenant", "spec": spec}
            self.i.kube.create(path, {**body, "metadata": {"name": self.tenant}})
        else:
            change = {"identity": identity}
            self.i.kube.edit(f"{path}/{self.tenant}", lambda found: found["spec"].update(change))

    def identity(self) -> dict[str, Any]:
        """Return what status tells of the identity."""
        found: dict[str, Any] = self.i.tenant(self.tenant).get("status", {}).get("identity") or {}
        return found

    def stalled(self) -> str:
        """Return why the EntraTenant is Stalled; empty when it is not."""
        reason: str = condition_of(self.i.tenant(self.tenant), "Stalled").get("reason", "")
        return reason

    def is_well(self) -> bool:
        """Return whether the operator signs in so, and nothing hinders a renewal."""
        conditions = self.i.tenant(self.tenant).get("status", {}).get("conditions") or ()
        found = {c["type"]: c["status"] for c in conditions if c["type"] != "WritePermitted"}
        return found == {"Ready": "True"}

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Have the operator look, and poll; a failure shows what the EntraTenant says."""
        self.i.nudge(self.tenant)
        try:
            self.i.until(condition, what)
        except pytest.fail.Exception as error:
            pytest.fail(f"{error}\n{self.i.tenant(self.tenant).get('status')}")

    def content(self, kind: str, key: str) -> str:
        """Return what stands under a key of the Secret."""
        path = f"{CORE}/namespaces/{self.i.namespace}/secrets/{self.tenant}-{kind}"
        found = self.i.kube.get(path)
        assert found is not None
        assert found["metadata"]["labels"] == {"appcredential.io/identity": "true"}
        content: str = found["data"][key]
        return content

    def is_renewed(self, kind: str, key: str) -> None:
        """See that the operator replaces what a person wrote."""
        written = self.content(kind, key)
        self.until(lambda: self.content(kind, key) != written, "it is renewed")
        self.until(self.is_well, "it signs in with its own")

    def runbook(self, words: str, instead: str = "") -> None:
        """Type the block of the runbooks that contains the words; both must have the same."""
        texts = ((ROOT / "docs" / "runbooks" / f"{name}.md").read_text() for name in RUNBOOKS)
        (block,) = {b for text in texts for b in blocks(text, "sh") if words in b}
        secret = f"{self.tenant}-{'certificate' if ' tls ' in block else 'secret'}"
        block = block.replace("IDENTITY-SECRET", secret)
        shown = MAKE_SECRET.replace("$OPERATOR_CLIENT_ID", "CLIENT-ID")
        assert (shown in block) is bool(instead)
        self._survives_a_failure(block.replace(shown, "false"), secret)
        self.walk.type(block.replace(shown, instead))

    def _survives_a_failure(self, block: str, secret: str) -> None:
        """See that the Secret is as it was where azure-cli fails, or the files are not there."""
        path = f"{CORE}/namespaces/{self.i.namespace}/secrets/{secret}"
        before = (self.i.kube.get(path) or {})["data"]
        moved = block.replace("tls.crt", "missing.crt")
        self.walk.type(f"set +e +o pipefail\n{moved}", fails=True)  # as a person's shell
        assert (self.i.kube.get(path) or {})["data"] == before


def the_operators_own_identity(i: Installation) -> None:
    """guides/operator-identity.md, and what the runbooks tell when nothing renews it."""
    own = OwnWalk(i)
    issuer = 'curl -fsS "${ISSUER%/}/.well-known/openid-configuration" | jq -r .issuer\n'
    said = own.walk.step("ISSUER=", instead={issuer: 'echo "$ISSUER"\n'})
    assert said.strip() == i.cluster.issuer
    _certificate(own)
    _client_secret(own)
    assert own.walk.step("kubectl wait").splitlines()[-1] == "Ready WritePermitted"
    own.walk.finish()


def _certificate(own: OwnWalk) -> None:
    made = own.walk.left[0].partition("kubectl")[0]
    assert "openssl req" in made
    own.walk.step("create secret tls", instead={REGISTER: "", "rm tls.key\n": ""})
    own.register()
    own.identify("certificate", rotates=False)
    own.until(own.is_well, "the operator signs in with the certificate")
    own.identify("certificate", rotates=True)
    own.until(lambda: own.stalled() == "IdentitySecretNotOurs", "the label is missed")
    own.walk.step("kubectl label secret")
    own.until(lambda: own.is_well() and own.identity().get("renewalTime"), "it is to be renewed")

    first = own.identity()["thumbprint"]
    own.walk.type(made)
    own.register()
    own.walk.step("kubectl patch secret")
    own.until(lambda: own.identity()["thumbprint"] != first and own.is_well(), "another is used")
    _renewed_by_hand(own)
    # One that ends soon shows that the operator goes on to renew what a person wrote.
    own.write_old_pair()
    own.register()
    own.runbook("create secret tls")
    own.is_renewed("certificate", "tls.crt")
    own.files["tls.key"].unlink()


def _renewed_by_hand(own: OwnWalk) -> None:
    """What the page tells of a pair that cert-manager, or a person, put into the Secret."""
    own.walk.step("renewed.pem", instead={RENEW: ""})
    own.register("renewed.pem")
    told, shown = own.walk.step("thumbprint").splitlines()
    assert told == shown.partition("=")[2].replace(":", "")


def _client_secret(own: OwnWalk) -> None:
    own.walk.step("create secret generic", instead={MAKE_SECRET: own.make_secret(180)})
    own.identify("clientSecret", rotates=False)
    own.until(lambda: "thumbprint" not in own.identity() and own.is_well(), "it signs in with it")
    own.walk.step("kubectl patch secret", instead={MAKE_SECRET: own.make_secret(180)})
    owners = {"owners": [own.client_id]}
    own.i.emulator.call("PUT", f"/applications/{own.client_id}/owners", owners)
    own.walk.step("az ad app owner add", instead={OWN: ""})
    own.identify("clientSecret", rotates=True)
    own.until(lambda: own.is_well() and own.identity().get("renewalTime"), "it is to be renewed")
    own.runbook("create secret generic", own.make_secret(20))
    own.is_renewed("secret", "clientSecret")
