"""The emulator's initial state: one tenant, the operator, and one application of a team."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TENANT_ID: Final = "11111111-1111-4111-8111-111111111111"
OPERATOR_ID: Final = "22222222-2222-4222-8222-222222222222"
CLIENT_ID: Final = "33333333-3333-4333-8333-333333333333"
OPERATOR_SECRET: Final = "the-operators-own-demo-secret-000000000"
FOREIGN: Final = ("made by hand in the portal", "terraform, team payments")

FOREIGN_KEY: Final = "of the payments team"

_LAG: Final = {"create": (1, 3), "add": (1, 3), "update": (1, 3), "remove": (1, 3)}


def seed(*, lag: bool) -> dict[str, Any]:
    """Return the emulator's seed document; with `lag`, replicas show a change after 1-3 s."""
    operator = {
        "displayName": "appcredential operator",
        "appId": OPERATOR_ID,
        "passwords": [{"displayName": "operator", "value": OPERATOR_SECRET, "endInDays": 30}],
        "servicePrincipal": {"permissions": ["Application.ReadWrite.OwnedBy"]},
    }
    application = {
        "displayName": "orders",
        "appId": CLIENT_ID,
        "owners": [OPERATOR_ID],
        "passwords": [{"displayName": name, "endInDays": 200} for name in FOREIGN],
        "keys": [{"displayName": FOREIGN_KEY, "certificate": _certificate()}],
    }
    tenant = {
        "id": TENANT_ID,
        "displayName": "Contoso",
        "applications": [operator, application],
    }
    document: dict[str, Any] = {"tenants": [tenant]}
    if lag:
        rows = {"application": _LAG, "list": _LAG, "token": _LAG}
        document["faults"] = {"lag": {"replicas": 3, **rows}}
    return document


def _certificate() -> str:
    """Return a certificate that another team registered; nobody keeps its private key."""
    now = datetime.now(UTC).replace(microsecond=0)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=payments")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=200))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
