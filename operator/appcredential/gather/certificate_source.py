"""Reads what a certificate needs besides its resource, and works out what is derived of it.

That is the certificate source, and the password of the keystore.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeAlias, TypeVar, assert_never

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.certificate import (
    CertificateInputs,
    Derived,
    SuppliedCertificate,
)
from appcredential.domain.observed.target import Target
from appcredential.domain.promised import required
from appcredential.domain.secret.annotations import Name, value_of
from appcredential.domain.secret.content import derived_names
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec, KeyRef
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
from appcredential.ports.certificate_sources import InputKind, Inputs
from appcredential.x509 import keystores
from appcredential.x509.reading import CertificateReader, digest_of

_TLS_CERTIFICATE: Final = "tls.crt"
_TLS_KEY: Final = "tls.key"


Outcome: TypeAlias = SuppliedCertificate | Problem
K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Generic[K]):
    """What one version of an object was found to hold. The object itself is let go.

    Attributes:
        asked: the kind of object and what the spec says of it.
        version: the object's.
    """

    asked: tuple[InputKind, KeyRef]
    version: str
    outcome: K


@dataclass(slots=True)
class HeldInputs:
    """What this process holds of one resource's inputs. Losing it costs reads.

    Attributes:
        source: what the Secret or ConfigMap with the certificate was found to hold.
        password_source: the same of the Secret with the keystore's password.
        password: of the keystore, as read last and usable.
        parsed: what the certificate's bytes were found to be, by their digest.
        derived: what was derived of the target Secret's last value, with what it rests on.
    """

    source: Known[Outcome] | None = None
    password_source: Known[SecretValue | Problem] | None = None
    password: SecretValue | None = None
    parsed: tuple[str, Outcome] | None = None
    derived: tuple[object, Derived] | None = None


class CertificateInputsReader:
    """Reads source and password, and parses again only bytes that changed."""

    def __init__(self, inputs: Inputs, certificates: CertificateReader) -> None:
        self._inputs = inputs
        self._certificates = certificates

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
    ) -> Outcome | None:
        match wanted.source:
            case CertificateSource.GENERATE:
                return None
            case CertificateSource.INLINE:
                return await self._parsed(wanted, held, SecretValue(wanted.inline), None)
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
    ) -> Outcome:
        ref = required(wanted.ref)
        if await self._is_unchanged(kind, namespace, ref, held.source):
            return required(held.source).outcome
        has_pair = kind is InputKind.SECRET and ref.key == _TLS_CERTIFICATE
        keys = {ref.key, _TLS_KEY} if has_pair else {ref.key}
        found = await self._inputs.read(kind, namespace, ref.name, keys)
        if found is None:
            return missing_source(kind, ref.name)
        content = found.data.get(ref.key)
        if content is None:
            outcome: Outcome = missing_key(kind, ref)
        else:
            private = found.data.get(_TLS_KEY) if has_pair else None
            outcome = await self._parsed(wanted, held, content, private)
        held.source = Known(asked=(kind, ref), version=found.version, outcome=outcome)
        return outcome

    async def _is_unchanged(
        self, kind: InputKind, namespace: str, ref: KeyRef, known: Known[Any] | None
    ) -> bool:
        if known is None or known.asked != (kind, ref):
            return False
        return await self._inputs.version(kind, namespace, ref.name) == known.version

    async def _parsed(
        self,
        wanted: CertificateSpec,
        held: HeldInputs,
        content: SecretValue,
        private: SecretValue | None,
    ) -> Outcome:
        """Parse the same bytes once, whatever else of their object changes."""
        digest = digest_of(content, private)
        if held.parsed is None or held.parsed[0] != digest:
            try:
                outcome: Outcome = await self._certificates.read(content, private)
            except UnusableCertificateError as exc:
                outcome = unusable_source(f"{exc}.", wanted.source.field)
            held.parsed = (digest, outcome)
        return held.parsed[1]

    async def _password(
        self, namespace: str, wanted: CertificateSpec, held: HeldInputs
    ) -> SecretValue | Problem | None:
        ref, kind = wanted.keystore_password, InputKind.SECRET
        if ref is None:
            return None
        if await self._is_unchanged(kind, namespace, ref, held.password_source):
            return required(held.password_source).outcome
        found = await self._inputs.read(kind, namespace, ref.name, {ref.key})
        outcome = usable_password(ref, found.data if found is not None else None)
        if found is not None:
            known = Known(asked=(kind, ref), version=found.version, outcome=outcome)
            held.password_source = known
        return outcome


async def derived_of(spec: AppCredentialSpec, target: Target | None, held: HeldInputs) -> Derived:
    """Return what the target Secret's content derives of its value, once for each value."""
    value, names = target.value if target is not None else None, derived_names(spec)
    if target is None or value is None or not names:
        return Derived()
    key = (value, target.data.get(KEYSTORE), _recorded(target), held.password, names)
    if held.derived is None or held.derived[0] != key:
        held.derived = (key, await derive(spec, value, target, held.password))
    return held.derived[1]


async def derive(
    spec: AppCredentialSpec,
    value: SecretValue,
    live: Target | None,
    password: SecretValue | None,
) -> Derived:
    """Return what cryptography makes of a credential's value.

    A PKCS #12 file in the live Secret is kept if the record there says that this value was
    packed in it with this password: another one would differ by its salts alone. Anybody may
    have put that file there, so it is never opened.

    Returns:
        What the Secret's content refers to; without what has no password or key.
    """
    names = derived_names(spec)
    if not names or not can_sign_in(value):
        return Derived()
    packed = live.data.get(KEYSTORE) if live is not None else None
    recorded = _recorded(live) if live is not None else ""
    found = await asyncio.to_thread(_derive, value, packed, recorded, password)
    values = {name: text for name, text in found.values.items() if name in names}
    return replace(found, values=values)


def _recorded(live: Target) -> str:
    return value_of(live.annotations, Name.KEYSTORE_DIGEST)


def _derive(
    value: SecretValue, packed: SecretValue | None, recorded: str, password: SecretValue | None
) -> Derived:
    try:
        found = {"jwk": keystores.build_jwk(value)}
        if password is None:
            return Derived(values=found)
        if packed is None or keystores.digest(packed, value, password) != recorded:
            packed = keystores.pack_pkcs12(value, password)
    except ValueError:
        return Derived()  # a damaged value, which a rule replaces
    return Derived(
        values={**found, "pkcs12": packed, "pkcs12Password": password},
        keystore_digest=keystores.digest(packed, value, password),
    )
