"""`spec.certificate`: its source, and the files that it is written into."""

from __future__ import annotations

from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.certificate import (
    DEFAULT_KEY_SIZE,
    CertificateSource,
    CertificateSpec,
    KeyRef,
    KeystoreProfile,
)
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.presets import KEYSTORE_PRESETS, PRIVATE_NAMES
from appcredential.domain.spec.reserved import NAMES_RULE, is_reserved_name
from appcredential.domain.spec.secret import Preset, Template
from appcredential.domain.spec.subject import MAX_SUBJECT, plain_subject, subject_fault
from appcredential.domain.spec.templates import KEYSTORE_NAMES, names_in

KEY_SIZES: Final = (2048, 3072, 4096)
MAX_INLINE: Final = 65536
DEFAULT_KEY: Final = "tls.crt"
DEFAULT_PASSWORD_KEY: Final = "password"

_PATH: Final = "spec.certificate"


def parse_certificate(spec: shapes.Certificate) -> CertificateSpec:
    """Read `spec.certificate`.

    Raises:
        InvalidSpecError: a value cannot be used, or does not go with the source.
    """
    _check_source(spec)
    ref = spec.secret_key_ref or spec.config_map_key_ref
    keystore = spec.keystore
    password = keystore.pkcs12.password_secret_key_ref if keystore is not None else None
    profile = keystore.pkcs12.profile if keystore is not None else KeystoreProfile.MODERN
    path = f"{_PATH}.keystore.pkcs12.passwordSecretKeyRef"
    source_password, where = spec.password_secret_key_ref, f"{_PATH}.passwordSecretKeyRef"
    return CertificateSpec(
        source=spec.source,
        key_size=_key_size(spec.private_key),
        subject=_subject(spec.subject or ""),
        ref=_ref(spec.source.field, ref, DEFAULT_KEY) if ref is not None else None,
        source_password=(
            _ref(where, source_password, DEFAULT_PASSWORD_KEY) if source_password else None
        ),
        inline=_inline(spec.inline or ""),
        keystore_password=_ref(path, password, DEFAULT_PASSWORD_KEY) if password else None,
        keystore_profile=profile,
    )


def _check_source(spec: shapes.Certificate) -> None:
    """Require the member of the source, and refuse those of other sources."""
    found = {
        CertificateSource.SECRET: spec.secret_key_ref,
        CertificateSource.CONFIG_MAP: spec.config_map_key_ref,
        CertificateSource.INLINE: spec.inline,
    }
    for source, member in found.items():
        if source is spec.source:
            remedy = f"is required when source is {source}"
            checks.require(member is not None, source.field, remedy)
        else:
            checks.require(member is None, source.field, f"is only for source {source}: remove it")
    if spec.source is not CertificateSource.SECRET:
        remedy = "is only for source Secret: remove it"
        is_absent = spec.password_secret_key_ref is None
        checks.require(is_absent, f"{_PATH}.passwordSecretKeyRef", remedy)
    if spec.source is CertificateSource.GENERATE:
        return
    remedy = "is only for source Generate: the issuer of the certificate decides; remove it"
    checks.require(spec.private_key is None, f"{_PATH}.privateKey", remedy)
    checks.require(spec.subject is None, f"{_PATH}.subject", remedy)


def _key_size(spec: shapes.PrivateKey | None) -> int:
    size = spec.size if spec is not None else DEFAULT_KEY_SIZE
    sizes = ", ".join(map(str, KEY_SIZES))
    checks.require(size in KEY_SIZES, f"{_PATH}.privateKey.size", f"must be one of {sizes}")
    return size


def _subject(value: str) -> str:
    checks.at_most(f"{_PATH}.subject", value, MAX_SUBJECT)
    fault = subject_fault(value)
    checks.require(not fault, f"{_PATH}.subject", fault)
    return plain_subject(value)


def _inline(value: str) -> str:
    path = f"{_PATH}.inline"
    checks.at_most(path, value, MAX_INLINE)
    remedy = "may not hold a private key, which everybody could read here: use source Secret"
    checks.require("PRIVATE KEY-----" not in value, path, remedy)
    return value


def _ref(path: str, ref: shapes.KeyRef, default: str) -> KeyRef:
    remedy = f"{NAMES_RULE}: name another object"
    checks.require(not is_reserved_name(ref.name), f"{path}.name", remedy)
    name = checks.object_name(f"{path}.name", ref.name)
    return KeyRef(name=name, key=checks.secret_key(f"{path}.key", ref.key or default))


def check_secret_of(spec: AppCredentialSpec) -> None:
    """Check that the certificate can provide what `spec.secret` asks for.

    Raises:
        InvalidSpecError: the Secret asks for a file or a key that will not exist.
    """
    if not spec.type.is_certificate:
        return
    _check_preset(spec)
    _check_names(spec)
    _check_circle(spec)
    _check_takeover(spec)
    if spec.is_supplied:
        remedy = (
            "is only for certificates that are made here (source Generate): renew it at its source"
        )
        rotation = spec.rotation
        for name, value in (
            ("rotateIssuedBefore", rotation.rotate_issued_before),
            ("revokeIssuedBefore", rotation.revoke_issued_before),
        ):
            checks.require(value is None, f"spec.rotation.{name}", remedy)


def _check_preset(spec: AppCredentialSpec) -> None:
    path, preset = "spec.secret.preset", spec.secret.preset
    remedy = "may not be Grafana for a certificate, which Grafana cannot use: choose another preset"
    checks.require(preset is not Preset.GRAFANA, path, remedy)
    if preset in KEYSTORE_PRESETS:
        remedy = f"{preset} needs a PKCS #12 file: set certificate.keystore.pkcs12"
        checks.require(spec.has_keystore, path, remedy)
        remedy = f"{preset} needs the private key: use source Generate or Secret"
        checks.require(spec.certificate.source not in _KEYLESS, path, remedy)


_KEYLESS: Final = frozenset({CertificateSource.CONFIG_MAP, CertificateSource.INLINE})


def _check_names(spec: AppCredentialSpec) -> None:
    """Refuse references to parts that this certificate does not have."""
    is_keyless = spec.certificate.source in _KEYLESS
    remedy = "is of no use without the private key: use source Generate or Secret"
    checks.require(not (is_keyless and spec.has_keystore), f"{_PATH}.keystore", remedy)
    for key, entry in spec.secret.data.items():
        if not isinstance(entry, Template):
            continue
        path, names = f"spec.secret.data[{key}].value", names_in(entry.text, spec.type)
        remedy = "refers to a PKCS #12 file: set certificate.keystore.pkcs12"
        checks.require(spec.has_keystore or not names & KEYSTORE_NAMES, path, remedy)
        remedy = "refers to the private key, which this source does not have: remove it"
        checks.require(not (is_keyless and names & PRIVATE_NAMES), path, remedy)


def _check_takeover(spec: AppCredentialSpec) -> None:
    remedy = (
        "needs a certificate with its private key, or workloads would be left without a credential:"
        " use source Generate or Secret"
    )
    ok = spec.certificate.source not in _KEYLESS or not spec.secret.take_over_from
    checks.require(ok, "spec.secret.takeOverFrom", remedy)


def _check_circle(spec: AppCredentialSpec) -> None:
    ref = spec.certificate.ref
    for password, of in (
        (spec.certificate.keystore_password, "keystore.pkcs12."),
        (spec.certificate.source_password, ""),
    ):
        remedy = "may not be the Secret that is written: name the one that the password is in"
        ok = password is None or password.name != spec.secret.name
        checks.require(ok, f"{_PATH}.{of}passwordSecretKeyRef.name", remedy)
    if spec.certificate.source is CertificateSource.SECRET and ref is not None:
        remedy = "may not be the Secret that is written: name the one that the certificate is in"
        ok = ref.name != spec.secret.name
        checks.require(ok, f"{_PATH}.secretKeyRef.name", remedy)
