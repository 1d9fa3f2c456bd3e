"""What a certificate needs beside its resource: source, password, what is derived of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.observed.certificate import CertificateInputs, SuppliedCertificate
from appcredential.domain.observed.target import Target
from appcredential.domain.secret.content import derived_names
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec, KeyRef
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.presets import KEYSTORE
from appcredential.errors import PermissionDeniedError, UnusableCertificateError
from appcredential.ports.certificate_sources import InputKind, InputObject, Inputs
from appcredential.x509 import keystores
from appcredential.x509 import read as certificate_files

_MAX_PASSWORD: Final = 1024
_KINDS: Final = {
    CertificateSource.SECRET: InputKind.SECRET,
    CertificateSource.CONFIG_MAP: InputKind.CONFIG_MAP,
}
_TLS_CERTIFICATE, _TLS_KEY = "tls.crt", "tls.key"


@dataclass(slots=True)
class HeldMaterial:
    """What this process holds of one resource's material. Losing it costs reads.

    Attributes:
        password: of the keystore, as read last and usable.
        parsed: what was made of the source's last version.
        derived: what was made of T's last value.
    """

    source: InputObject | None = None
    password_object: InputObject | None = None
    password: SecretValue | None = None
    parsed: dict[object, SuppliedCertificate | Problem] = field(default_factory=dict)
    derived: dict[object, Mapping[str, SecretValue]] = field(default_factory=dict)


class CertificateInputsReader:
    """Reads it, and again only what changed."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    async def read(
        self, namespace: str, wanted: CertificateSpec, held: HeldMaterial
    ) -> CertificateInputs:
        """Look at source and password.

        Returns:
            The material but for what is derived of T's value.

        Raises:
            SecretForbiddenError: no role lets the operator read Secrets there.
            UnavailableError: the API server did not answer.
        """
        found = await self._brought(namespace, wanted, held)
        password = await self._password(namespace, wanted, held)
        held.password = password if isinstance(password, SecretValue) else None
        return CertificateInputs(
            supplied=found if isinstance(found, SuppliedCertificate) else None,
            problem=found if isinstance(found, Problem) else None,
            keystore_problem=password if isinstance(password, Problem) else None,
        )

    async def _brought(
        self, namespace: str, wanted: CertificateSpec, held: HeldMaterial
    ) -> SuppliedCertificate | Problem | None:
        if wanted.source is CertificateSource.GENERATE:
            return None
        ref = wanted.ref
        if ref is None:
            return await _parsed(held, wanted.inline, SecretValue(wanted.inline), None)
        kind = _KINDS[wanted.source]
        try:
            held.source = await self._inputs.read(kind, namespace, ref.name, held.source)
        except PermissionDeniedError:
            if kind is InputKind.SECRET:
                raise
            return _unusable(
                "cannot be read: the operator may not read ConfigMaps in this namespace. Bind its "
                "role there, or use source Secret."
            )
        return await _from_object(kind, ref, held)

    async def _password(
        self, namespace: str, wanted: CertificateSpec, held: HeldMaterial
    ) -> SecretValue | Problem | None:
        ref = wanted.keystore_password
        if ref is None:
            return None
        found = await self._inputs.read(InputKind.SECRET, namespace, ref.name, held.password_object)
        held.password_object = found
        value = found.data.get(ref.key) if found is not None else None
        if value is None:
            what = "does not exist" if found is None else f"has no key {ref.key}"
            return _bad_password(f"Secret {ref.name} {what}. Create it with a password.")
        text = value.reveal()
        if not text or len(text) > _MAX_PASSWORD or not text.isprintable():
            return _bad_password(
                f"Key {ref.key} of Secret {ref.name} is no password: it must have 1 to "
                f"{_MAX_PASSWORD} printable characters, without a line break at its end."
            )
        return value


async def derived_of(
    spec: AppCredentialSpec, target: Target | None, held: HeldMaterial
) -> Mapping[str, SecretValue]:
    """Return what T's content needs of its value; worked out once for each of its versions."""
    value = target.value if target is not None else None
    if target is None or value is None or not derived_names(spec):
        return {}
    key = (value, target.data.get(KEYSTORE), held.password, derived_names(spec))
    if key not in held.derived:
        held.derived = {key: await derive(spec, value, target, held.password)}
    return held.derived[key]


async def derive(
    spec: AppCredentialSpec,
    value: SecretValue,
    live: Target | None,
    password: SecretValue | None,
) -> dict[str, SecretValue]:
    """Return the template values that cryptography makes of a credential's value.

    A PKCS #12 file in the live Secret that holds this value already is kept: another
    one would differ by its salts alone.

    Returns:
        Those that the Secret's content refers to; without what has no password or key.
    """
    names = derived_names(spec)
    if not names or not can_sign_in(value):
        return {}
    packed = live.data.get(KEYSTORE) if live is not None else None
    found = await asyncio.to_thread(_derive, value, packed, password)
    return {name: text for name, text in found.items() if name in names}


def _derive(
    value: SecretValue, packed: SecretValue | None, password: SecretValue | None
) -> dict[str, SecretValue]:
    try:
        found = {"jwk": keystores.build_jwk(value)}
        if password is None:
            return found
        if packed is None or not keystores.is_packed(packed, value, password):
            packed = keystores.pack_pkcs12(value, password)
    except ValueError:
        return {}  # a damaged value: whoever finds it so replaces it
    return {**found, "pkcs12": packed, "pkcs12Password": password}


async def _from_object(
    kind: InputKind, ref: KeyRef, held: HeldMaterial
) -> SuppliedCertificate | Problem:
    found = held.source
    if found is None:
        return _missing(f"{kind} {ref.name} does not exist. Create it, or name another one.")
    content = found.data.get(ref.key)
    if content is None:
        return _missing(f"{kind} {ref.name} has no key {ref.key}. Name the key it is in.")
    has_pair = kind is InputKind.SECRET and ref.key == _TLS_CERTIFICATE
    private = found.data.get(_TLS_KEY) if has_pair else None
    return await _parsed(held, (kind, ref, found.version), content, private)


async def _parsed(
    held: HeldMaterial, key: object, content: SecretValue, private: SecretValue | None
) -> SuppliedCertificate | Problem:
    """Read what was read once no second time: checking a private key takes a while."""
    if key not in held.parsed:
        held.parsed = {key: await asyncio.to_thread(_parse, content, private)}
    return held.parsed[key]


def _parse(content: SecretValue, private: SecretValue | None) -> SuppliedCertificate | Problem:
    try:
        if private is None:
            return certificate_files.read_certificate(content)
        return certificate_files.read_pair(content, private)
    except UnusableCertificateError as exc:
        return _unusable(f"{exc}.")


def _missing(message: str) -> Problem:
    return Problem(reason=Reason.SOURCE_NOT_FOUND, message=message)


def _unusable(what: str) -> Problem:
    return Problem(reason=Reason.SOURCE_UNUSABLE, message=f"The certificate at the source {what}")


def _bad_password(message: str) -> Problem:
    return Problem(reason=Reason.KEYSTORE_PASSWORD, message=message)
