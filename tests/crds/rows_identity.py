"""Rows about how the operator signs in to a tenant: the value is its whole identity."""

from __future__ import annotations

from typing import Any, Final

from tests.crds.manifests import GUID, Row

_REF: Final = {"name": "operator"}
_CERTIFICATE: Final[dict[str, Any]] = {"clientId": GUID, "secretRef": _REF}
_WORKLOAD: Final = {"clientId": GUID}
_PATTERN: Final = "should match"
_ONE: Final = (
    "identity must have exactly one member: certificate, clientSecret, managedIdentity or "
    "workloadIdentity"
)


def _identity(value: Any, **spec: Any) -> dict[str, Any]:
    """Return a patch that takes the right manifest's identity away."""
    return {"identity": {"clientSecret": None, **value}, **spec}


def _rotation(rotation: dict[str, Any], member: str = "certificate") -> dict[str, Any]:
    return _identity({member: {**_CERTIFICATE, "rotation": rotation}})


ACCEPTED: Final[tuple[Row, ...]] = (
    ("a certificate of cert-manager's", "", _identity({"certificate": _CERTIFICATE})),
    (
        "a certificate with its key in one file",
        "",
        _identity({"certificate": {**_CERTIFICATE, "secretRef": {**_REF, "key": "client.pem"}}}),
    ),
    (
        "a certificate in a custom cloud",
        "",
        _identity({"certificate": _CERTIFICATE}, cloud="Custom"),
    ),
    ("a certificate that is renewed", "", _rotation({})),
    ("one with all fields", "", _rotation({"lifetime": "365d", "renewBefore": "1h"})),
    ("a client secret that is renewed", "", _rotation({}, "clientSecret")),
    ("a workload identity", "", _identity({"workloadIdentity": _WORKLOAD})),
    (
        "a workload identity in a custom cloud",
        "",
        _identity({"workloadIdentity": _WORKLOAD}, cloud="Custom"),
    ),
    ("the node's only managed identity", "", _identity({"managedIdentity": {}})),
    ("a managed identity by its id", "", _identity({"managedIdentity": {"clientId": GUID}})),
)
REFUSED: Final[tuple[Row, ...]] = (
    ("an identity of nothing", "", _identity({}), _ONE, "identity"),
    (
        "a certificate that lives too short",
        "",
        _rotation({"lifetime": "23h"}),
        "rotation.lifetime must be between 1d and 365d",
        "identity.certificate.rotation.lifetime",
    ),
    (
        "a certificate that lives too long",
        "",
        _rotation({"lifetime": "366d"}),
        "rotation.lifetime must be between 1d and 365d",
        "identity.certificate.rotation.lifetime",
    ),
    (
        "a certificate that is renewed too late",
        "",
        _rotation({"renewBefore": "59m"}),
        "rotation.renewBefore must be at least 1h",
        "identity.certificate.rotation.renewBefore",
    ),
    (
        "a certificate that is renewed all the time",
        "",
        _rotation({"renewBefore": "90d"}),
        "rotation.renewBefore must be less than lifetime",
        "identity.certificate.rotation.renewBefore",
    ),
    (
        "a client secret that lives too long",
        "",
        _rotation({"lifetime": "366d"}, "clientSecret"),
        "rotation.lifetime must be between 1d and 365d",
        "identity.clientSecret.rotation.lifetime",
    ),
    (
        "a client secret that is renewed too late",
        "",
        _rotation({"renewBefore": "59m"}, "clientSecret"),
        "rotation.renewBefore must be at least 1h",
        "identity.clientSecret.rotation.renewBefore",
    ),
    (
        "a client secret that is renewed all the time",
        "",
        _rotation({"renewBefore": "90d"}, "clientSecret"),
        "rotation.renewBefore must be less than lifetime",
        "identity.clientSecret.rotation.renewBefore",
    ),
    (
        "two identities",
        "",
        {"identity": {"certificate": _CERTIFICATE}},
        _ONE,
        "identity",
    ),
    (
        "all but the secret",
        "",
        _identity(
            {
                "certificate": _CERTIFICATE,
                "workloadIdentity": _WORKLOAD,
                "managedIdentity": {},
            }
        ),
        _ONE,
        "identity",
    ),
    (
        "a certificate without a Secret",
        "",
        _identity({"certificate": {"clientId": GUID}}),
        "Required",
        "identity.certificate.secretRef",
    ),
    (
        "a certificate's Secret without a name",
        "",
        _identity({"certificate": {"clientId": GUID, "secretRef": {}}}),
        "Required",
        "identity.certificate.secretRef.name",
    ),
    (
        "a certificate's key that no Secret has",
        "",
        _identity({"certificate": {"clientId": GUID, "secretRef": {**_REF, "key": "..a"}}}),
        "secretRef.key may not be .",
        "identity.certificate.secretRef.key",
    ),
    (
        "a certificate of nobody",
        "",
        _identity({"certificate": {"secretRef": _REF}}),
        "Required",
        "identity.certificate.clientId",
    ),
    (
        "a workload identity of nobody",
        "",
        _identity({"workloadIdentity": {}}),
        "Required",
        "identity.workloadIdentity.clientId",
    ),
    (
        "a workload identity in upper case",
        "",
        _identity({"workloadIdentity": {"clientId": GUID.upper()}}),
        _PATTERN,
        "identity.workloadIdentity.clientId",
    ),
    (
        "a managed identity that is no id",
        "",
        _identity({"managedIdentity": {"clientId": "g" * 36}}),
        _PATTERN,
        "identity.managedIdentity.clientId",
    ),
    (
        "a managed identity in a custom cloud",
        "",
        _identity({"managedIdentity": {}}, cloud="Custom"),
        "identity.managedIdentity cannot be used with cloud Custom",
        "identity.managedIdentity",
    ),
)
