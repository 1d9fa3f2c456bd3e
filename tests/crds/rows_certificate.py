"""Rows about certificates: each sets one field of a resource of type Certificate."""

from __future__ import annotations

from typing import Final

from tests.crds.manifests import Row

_VALUE: Final = "secret.data.a.value"
_ALL_NAMES: Final = (
    "$(privateKey)$(certificate)$(thumbprint)$(thumbprintSHA256)$(x5t)$(x5tS256:url)"
)
_PATTERN: Final = "should match"
_SUBJECT: Final = "certificate.subject"

ACCEPTED: Final[tuple[Row, ...]] = (
    ("a certificate", "", None),
    ("a certificate that says what is the default", "certificate.source", "Generate"),
    ("the largest key", "certificate.privateKey", {"algorithm": "RSA", "size": 4096}),
    ("a subject", _SUBJECT, "CN=orders,O=Contoso\\, Inc.,C=DE"),
    ("a subject of several values", _SUBJECT, "CN=orders+OU=shop,DC=contoso,DC=com"),
    ("the longest lifetime of a certificate", "lifetime", "3650d"),
    ("all names of a certificate", _VALUE, _ALL_NAMES),
    (
        "a key that another type's preset writes",
        "secret.data",
        {"AZURE_CLIENT_SECRET": {"value": "x"}},
    ),
)
REFUSED: Final[tuple[Row, ...]] = (
    ("no member of the type", "certificate", None, "add `certificate: {}`"),
    ("a secret's member", "clientSecret", {}, "only for type ClientSecret"),
    ("a source that is not there yet", "certificate.source", "Secret", "Unsupported value"),
    ("another algorithm", "certificate.privateKey.algorithm", "EC", "Unsupported value"),
    ("a small key", "certificate.privateKey.size", 1024, "Unsupported value"),
    ("a subject that is only a name", _SUBJECT, "orders", _PATTERN),
    ("an unknown attribute", _SUBJECT, "XX=orders", _PATTERN),
    ("an empty attribute", _SUBJECT, "CN=", _PATTERN),
    ("a subject with a bare quote", _SUBJECT, 'CN="orders"', _PATTERN),
    ("a subject that goes on", _SUBJECT, "CN=orders,", _PATTERN),
    ("a long subject", _SUBJECT, "CN=" + "x" * 254, "Too long"),
    ("too long a life of a certificate", "lifetime", "3651d", "must be between 60s and 3650d"),
    ("a secret's name", _VALUE, "$(clientSecret)", "of another type", "secret.data[a].value"),
    (
        "a key that the preset writes for it",
        "secret.data",
        {"tls.crt": {"value": "x"}},
        "preset AzureIdentity writes",
    ),
)
