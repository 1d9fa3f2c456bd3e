"""Rows about certificates: each sets one field of a resource of type Certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.crds.manifests import Row

_VALUE: Final = "secret.data.a.value"
_ALL_NAMES: Final = (
    "$(privateKey)$(certificate)$(thumbprint)$(thumbprintSHA256)$(x5t)$(x5tS256:url)$(jwk:base64)"
)
_PASSWORD: Final = {"pkcs12": {"passwordSecretKeyRef": {"name": "p"}}}
_OF_SECRET: Final = {"source": "Secret", "secretKeyRef": {"name": "orders-tls"}}
_OF_FILE: Final = {"source": "Secret", "secretKeyRef": {"name": "vault", "key": "client.pfx"}}
_OF_CONFIG_MAP: Final = {"source": "ConfigMap", "configMapKeyRef": {"name": "c", "key": "a.cer"}}
_INLINE: Final = {"source": "Inline", "inline": "MII="}
_CERTIFICATE: Final = "certificate"


def _with(member: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"certificate": {**member, **more}}


def _with_data(member: Mapping[str, object], text: str) -> dict[str, object]:
    return {"certificate": member, "secret": {"data": {"a": {"value": text}}}}


def _profile(name: str) -> dict[str, object]:
    return {"pkcs12": {"passwordSecretKeyRef": {"name": "p"}, "profile": name}}


_PATTERN: Final = "should match"
_SUBJECT: Final = "certificate.subject"
_NO_NAME: Final = "must be a distinguished name"

ACCEPTED: Final[tuple[Row, ...]] = (
    ("a certificate", "", None),
    ("a certificate that says what is the default", "certificate.source", "Generate"),
    ("the largest key", "certificate.privateKey", {"algorithm": "RSA", "size": 4096}),
    ("a subject", _SUBJECT, "CN=orders,O=Contoso\\, Inc.,C=DE"),
    ("a subject with blanks", _SUBJECT, "CN=orders, O=Contoso"),
    ("a subject as openssl prints it now", _SUBJECT, " CN = orders , O = Contoso\\, Inc. + OU=a "),
    ("an empty subject", _SUBJECT, ""),
    ("a subject of several values", _SUBJECT, "CN=orders+OU=shop,DC=contoso,DC=com"),
    ("the longest lifetime of a certificate", "lifetime", "3650d"),
    ("all names of a certificate", _VALUE, _ALL_NAMES),
    (
        "a key that another type's preset writes",
        "secret.data",
        {"AZURE_CLIENT_SECRET": {"value": "x"}},
    ),
    ("a certificate in a Secret", _CERTIFICATE, _OF_SECRET),
    ("a file with both", "", _with(_OF_FILE)),
    ("a PKCS #12 file with a password", "", _with(_OF_FILE, passwordSecretKeyRef={"name": "p"})),
    (
        "a password in the same Secret",
        "",
        _with(_OF_FILE, passwordSecretKeyRef={"name": "vault", "key": "pfx-password"}),
    ),
    ("a certificate in a ConfigMap", _CERTIFICATE, _OF_CONFIG_MAP),
    ("a certificate written out", _CERTIFICATE, _INLINE),
    ("a keystore", "certificate.keystore", _PASSWORD),
    ("a profile", "certificate.keystore", _profile("LegacyDES")),
    ("the default profile", "certificate.keystore", _profile("Modern2023")),
    ("a keystore of a pair", "", _with(_OF_SECRET, keystore=_PASSWORD)),
    (
        "Terraform with a keystore",
        "",
        {"certificate": {"keystore": _PASSWORD}, "secret": {"preset": "Terraform"}},
    ),
    ("a keystore's names", "", _with_data({"keystore": _PASSWORD}, "$(pkcs12)$(pkcs12:base64)")),
    ("a brought certificate's key", "", _with_data(_OF_SECRET, "$(privateKey)")),
    ("a generated value beside a certificate", "secret.data.a", {"generateOnce": {}}),
    ("literal names of a keystore", _VALUE, "$$(pkcs12)"),
    ("a literal name of a secret", _VALUE, "$$(clientSecret)"),
)
REFUSED: Final[tuple[Row, ...]] = (
    ("no member of the type", "certificate", None, "add `certificate: {}`"),
    ("a secret's member", "clientSecret", {}, "only for type ClientSecret"),
    ("an unknown source", "certificate.source", "Vault", "Unsupported value"),
    (
        "a source without its member",
        "certificate.source",
        "Secret",
        "required when source is Secret",
        "certificate.secretKeyRef",
    ),
    (
        "a member of another source",
        "certificate.inline",
        "MII=",
        "only for source Inline",
    ),
    (
        "a key size of what others make",
        "",
        _with(_OF_SECRET, privateKey={"size": 2048}),
        "only for source Generate",
        "certificate.privateKey",
    ),
    (
        "a subject of what others make",
        "",
        _with(_INLINE, subject="CN=a"),
        "only for source Generate",
        "certificate.subject",
    ),
    *(
        (
            f"a password for {source}",
            "",
            _with(member, passwordSecretKeyRef={"name": "p"}),
            "only for source Secret",
            "certificate.passwordSecretKeyRef",
        )
        for source, member in (
            ("ConfigMap", _OF_CONFIG_MAP),
            ("Inline", _INLINE),
            ("no source", {}),
        )
    ),
    (
        "a password in the Secret that is written",
        "",
        _with(_OF_FILE, passwordSecretKeyRef={"name": "orders"}),
        "may not be the Secret that is written",
        "certificate.passwordSecretKeyRef.name",
    ),
    (
        "a password in a reserved Secret",
        "",
        _with(_OF_FILE, passwordSecretKeyRef={"name": "argocd-secret"}),
        "name another object",
        "certificate.passwordSecretKeyRef.name",
    ),
    (
        "a private key for all to see",
        "",
        _with(_INLINE, inline="-----BEGIN PRIVATE KEY-----"),
        "may not hold a private key",
        "certificate.inline",
    ),
    (
        "a keystore without a key",
        "",
        _with(_OF_CONFIG_MAP, keystore=_PASSWORD),
        "of no use without the private key",
        "certificate.keystore",
    ),
    (
        "the operator's own Secret",
        "",
        _with({"source": "Secret", "secretKeyRef": {"name": "appcredential-pending-x"}}),
        "may not start with appcredential-pending-",
        "certificate.secretKeyRef.name",
    ),
    (
        "the Secret that is written",
        "",
        _with({"source": "Secret", "secretKeyRef": {"name": "orders"}}),
        "may not be the Secret that is written",
        "certificate.secretKeyRef.name",
    ),
    (
        "a key of two dots for a certificate",
        "",
        _with({"source": "Secret", "secretKeyRef": {"name": "a", "key": "..a"}}),
        "may not be . or start with ..",
        "certificate.secretKeyRef.key",
    ),
    (
        "a renewal of what others make",
        "",
        {**_with(_OF_SECRET), "rotation": {"rotateIssuedBefore": "2026-11-22T10:00:00Z"}},
        "only for certificates that are made here",
        "rotation.rotateIssuedBefore",
    ),
    (
        "a revocation of what others make",
        "",
        {**_with(_OF_SECRET), "rotation": {"revokeIssuedBefore": "2026-11-22T10:00:00Z"}},
        "only for certificates that are made here",
        "rotation.revokeIssuedBefore",
    ),
    (
        "a password in the Secret that is written",
        "certificate.keystore",
        {"pkcs12": {"passwordSecretKeyRef": {"name": "orders"}}},
        "may not be the Secret that is written",
        "certificate.keystore.pkcs12.passwordSecretKeyRef.name",
    ),
    (
        "a Secret taken over without a private key",
        "",
        {**_with(_INLINE), "secret": {"name": "a", "takeOverFrom": "old"}},
        "needs a certificate with its private key",
        "secret.takeOverFrom",
    ),
    (
        "a certificate for Grafana",
        "secret.preset",
        "Grafana",
        "may not be Grafana for a certificate",
    ),
    (
        "Terraform without a keystore",
        "secret.preset",
        "Terraform",
        "set certificate.keystore.pkcs12",
    ),
    (
        "a keystore's name without one",
        _VALUE,
        "$$$(pkcs12:base64)",
        "refers to a PKCS #12 file",
        "secret.data[a].value",
    ),
    (
        "a key that is elsewhere",
        "",
        _with_data(_INLINE, "$(jwk)"),
        "refers to the private key",
        "secret.data[a].value",
    ),
    (
        "an unknown profile",
        "certificate.keystore",
        _profile("LegacyRC2"),
        "Unsupported value",
        "certificate.keystore.pkcs12.profile",
    ),
    ("an empty keystore", "certificate.keystore", {}, "Required", "certificate.keystore.pkcs12"),
    ("another algorithm", "certificate.privateKey.algorithm", "EC", "Unsupported value"),
    ("a small key", "certificate.privateKey.size", 1024, "Unsupported value"),
    ("a subject that is only a name", _SUBJECT, "orders", _NO_NAME),
    ("an unknown attribute", _SUBJECT, "XX=orders", _NO_NAME),
    ("an empty attribute", _SUBJECT, "CN=", _NO_NAME),
    ("an attribute of blanks", _SUBJECT, "CN=  ,O=Contoso", _NO_NAME),
    ("a subject with a bare quote", _SUBJECT, 'CN="orders"', _NO_NAME),
    ("a subject that goes on", _SUBJECT, "CN=orders, ", _NO_NAME),
    ("a subject of two lines", _SUBJECT, "CN=orders\n", _NO_NAME),
    ("a subject as openssl printed it", _SUBJECT, "/CN=orders/O=Contoso", "begins with /"),
    ("an address", _SUBJECT, "CN=orders, emailAddress=a@b.example", "has emailAddress"),
    ("an address by its short name", _SUBJECT, "E=a@b.example,CN=orders", "has emailAddress"),
    ("a serial number", _SUBJECT, "CN=orders,SERIALNUMBER=1", "has serialNumber"),
    ("one beside a value", _SUBJECT, "CN=orders+serialNumber=1", "has serialNumber"),
    ("small letters", _SUBJECT, "cn=orders,O=Contoso", "in small letters"),
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
