"""Reads what a certificate needs besides its resource, and works out what is derived of it.

That is the certificate source, and the password of the keystore.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.certificate import CertificateInputs, SuppliedCertificate
from appcredential.domain.observed.target import Target
from appcredential.domain.promised import required
from appcredential.domain.secret.content import derived_names
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.spec.presets import KEYSTORE
from appcredential.domain.status.problems_source import (
    CONFIG_MAPS_FORBIDDEN,
    missing_key,
    missing_source,
    unusable_source,
    usable_password,
)
from appcredential.errors import PermissionDeniedError, UnusableCertificateError
from appcredential.ports.certificate_sources import InputKind, InputObject, Inputs
from appcredential.x509 import keystores
from appcredential.x509 import read as certificate_files

_TLS_CERTIFICATE: Final = "tls.crt"
_TLS_KEY: Final = "tls.key"


@dataclass(slots=True)
class HeldInputs:
    """What this process holds of one resource's inputs. Losing it costs reads.

    Attributes:
        source: the Secret or ConfigMap that supplies the certificate.
        password_object: the Secret with the keystore's password.
        password: of the keystore, as read last and usable.
        parsed: what the source's last version holds, by that version.
        derived: what was derived of the target Secret's last value, by that value.
    """

    source: InputObject | None = None
    password_object: InputObject | None = None
    password: SecretValue | None = None
    parsed: dict[object, SuppliedCertificate | Problem] = field(default_factory=dict)
    derived: dict[object, Mapping[str, SecretValue]] = field(default_factory=dict)


class CertificateInputsReader:
    """Reads source and password, and parses again only what changed."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    async def read(
        self, namespace: str, wanted: CertificateSpec, held: HeldInputs
    ) -> CertificateInputs:
        """Look at source and password.

        Args:
            namespace: the resource's.
            wanted: what its spec says of the certificate.
            held: of the same resource; what is read is noted there.

        Returns:
            The inputs, without what is derived of the target Secret's value.

        Raises:
            SecretForbiddenError: no role lets the operator read Secrets there.
            UnavailableError: the API server did not answer.
        """
        found = await self._supplied(namespace, wanted, held)
        password = await self._password(namespace, wanted, held)
        held.password = password if isinstance(password, SecretValue) else None
        return CertificateInputs(
            supplied=found if isinstance(found, SuppliedCertificate) else None,
            problem=found if isinstance(found, Problem) else None,
            keystore_problem=password if isinstance(password, Problem) else None,
        )

    async def _supplied(
        self, namespace: str, wanted: CertificateSpec, held: HeldInputs
    ) -> SuppliedCertificate | Problem | None:
        match wanted.source:
            case CertificateSource.GENERATE:
                return None
            case CertificateSource.INLINE:
                return await _parsed(held, wanted.inline, SecretValue(wanted.inline), None)
            case CertificateSource.SECRET:
                return await self._of_object(InputKind.SECRET, namespace, wanted, held)
            case CertificateSource.CONFIG_MAP:
                try:
                    return await self._of_object(InputKind.CONFIG_MAP, namespace, wanted, held)
                except PermissionDeniedError:
                    return CONFIG_MAPS_FORBIDDEN
            case _:
                assert_never(wanted.source)

    async def _of_object(
        self, kind: InputKind, namespace: str, wanted: CertificateSpec, held: HeldInputs
    ) -> SuppliedCertificate | Problem:
        ref = required(wanted.ref)
        held.source = found = await self._inputs.read(kind, namespace, ref.name, held.source)
        if found is None:
            return missing_source(kind, ref.name)
        content = found.data.get(ref.key)
        if content is None:
            return missing_key(kind, ref)
        has_pair = kind is InputKind.SECRET and ref.key == _TLS_CERTIFICATE
        private = found.data.get(_TLS_KEY) if has_pair else None
        return await _parsed(held, (kind, ref, found.version), content, private)

    async def _password(
        self, namespace: str, wanted: CertificateSpec, held: HeldInputs
    ) -> SecretValue | Problem | None:
        ref = wanted.keystore_password
        if ref is None:
            return None
        found = await self._inputs.read(InputKind.SECRET, namespace, ref.name, held.password_object)
        held.password_object = found
        return usable_password(ref, found.data if found is not None else None)


async def derived_of(
    spec: AppCredentialSpec, target: Target | None, held: HeldInputs
) -> Mapping[str, SecretValue]:
    """Return what the target Secret's content derives of its value, once for each value."""
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
        return {}  # a damaged value, which a rule replaces
    return {**found, "pkcs12": packed, "pkcs12Password": password}


async def _parsed(
    held: HeldInputs, key: object, content: SecretValue, private: SecretValue | None
) -> SuppliedCertificate | Problem:
    """Parse each version once: checking a private key takes a while."""
    if key not in held.parsed:
        held.parsed = {key: await asyncio.to_thread(_parse, content, private)}
    return held.parsed[key]


def _parse(content: SecretValue, private: SecretValue | None) -> SuppliedCertificate | Problem:
    try:
        if private is None:
            return certificate_files.read_certificate(content)
        return certificate_files.read_pair(content, private)
    except UnusableCertificateError as exc:
        return unusable_source(f"{exc}.")
