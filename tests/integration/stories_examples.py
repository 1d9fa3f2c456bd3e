"""Every example with a Secret is applied as it stands in its file, and becomes Ready."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

import yaml

from tests.docs.reading import ROOT
from tests.integration.installation import CORE, GROUP, Installation, Team
from tests.support.keys import make_certificate

_NEEDS: Final[dict[str, Callable[[Team], None]]] = {}
"""What the file's comments ask for before it is applied, by the file's name."""


def _needs(name: str) -> Callable[[Callable[[Team], None]], Callable[[Team], None]]:
    def note(make: Callable[[Team], None]) -> Callable[[Team], None]:
        _NEEDS[name] = make
        return make

    return note


@_needs("certificate-cert-manager.yaml")
def _issued(team: Team) -> None:
    """Do what cert-manager does for the Certificate in the file."""
    made = make_certificate("orders")
    data = {"tls.crt": made.pem.decode(), "tls.key": made.key_pem.decode()}
    body = {"metadata": {"name": "orders-tls"}, "type": "kubernetes.io/tls", "stringData": data}
    team.i.kube.create(f"{CORE}/namespaces/{team.namespace}/secrets", body)


@_needs("certificate-uploaded.yaml")
def _uploaded(team: Team) -> None:
    content = base64.b64encode(make_certificate("payments").der).decode()
    body = {
        "metadata": {"name": "payments-certificate"},
        "binaryData": {"payments.cer": content},
    }
    team.i.kube.create(f"{CORE}/namespaces/{team.namespace}/configmaps", body)


@_needs("certificate-keystore.yaml")
def _password(team: Team) -> None:
    key = "AzureAd__ClientCredentials__0__CertificatePassword"
    team.i.make_secret(team.namespace, "web-keystore", {key: "b1946ac92492d2347c6235b4"})


def apply_example(team: Team, name: str) -> list[str]:
    """Apply the AppCredentials of a file, in the team's namespace and for its application.

    Returns:
        Their names.
    """
    documents = yaml.safe_load_all((ROOT / "examples" / name).read_text())
    found = [d for d in documents if d["kind"] == "AppCredential"]
    for document in found:
        document["metadata"]["namespace"] = team.namespace
        document["spec"]["application"] = {"clientId": team.client_id}
        document["spec"]["tenantRef"] = {"name": team.tenant}
        team.i.kube.create(f"{GROUP}/namespaces/{team.namespace}/appcredentials", document)
    return [d["metadata"]["name"] for d in found]


def becomes_ready(i: Installation, name: str) -> None:
    """Apply it and wait."""
    team = i.team("example")
    make = _NEEDS.get(name)
    if make is not None:
        make(team)
    names = apply_example(team, name)
    assert names
    for each in names:
        team.ready(each, seconds=90)


def story(name: str) -> Callable[[Installation], None]:
    """Return the story of one file."""

    def told(i: Installation) -> None:
        becomes_ready(i, name)

    told.__name__ = name
    told.__doc__ = f"examples/{name}"
    return told


def _is_told_here(path: Any) -> bool:
    """Those of federation are exchanged as well: stories_exchange.py."""
    documents = yaml.safe_load_all(path.read_text())
    found = [d for d in documents if d and d.get("kind") == "AppCredential"]
    return bool(found) and all(d["spec"]["type"] != "FederatedIdentity" for d in found)


EXAMPLES: Final = sorted(
    path.name for path in (ROOT / "examples").glob("*.yaml") if _is_told_here(path)
)
