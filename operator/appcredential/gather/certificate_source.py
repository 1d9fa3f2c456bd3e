"""Reads what a certificate needs besides its resource.

That is the certificate source, and the password of the keystore.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar, assert_never

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.certificate import (
    CertificateInputs,
    Derived,
    SuppliedCertificate,
)
from appcredential.domain.promised import required
from appcredential.domain.secret.references import (
    CERTIFICATE_TYPES,
    PASSWORD_TYPES,
    refusal,
)
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec, KeyRef
from appcredential.domain.status.problems_source import (
    CONFIG_MAPS_FORBIDDEN,
    empty_key,
    missing_key,
    missing_source,
    refused_password,
    refused_source,
    unusable_source,
    usable_password,
)
from appcredential.errors import PermissionDeniedError, UnusableCertificateError
from appcredential.ports.certificate_sources import InputKind, InputObject, Inputs
from appcredential.x509.read import CertificateFiles
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
                files = CertificateFiles(content=SecretValue(wanted.inline), name="inline.pem")
                return await self._parsed(wanted, held, files)
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
        content, why = found.data.get(ref.key), _refusal(kind, found, CERTIFICATE_TYPES)
        if why is not None:
            outcome: Outcome = refused_source(ref, wanted.source.field, why)
        elif content is None:
            outcome = missing_key(kind, ref)
        elif blank := [key for key in sorted(keys) if _is_blank(found.data.get(key))]:
            outcome = empty_key(kind, ref.name, blank[0])
        else:
            private = found.data.get(_TLS_KEY) if has_pair else None
            files = CertificateFiles(content=content, private=private, name=ref.key)
            outcome = await self._parsed(wanted, held, files)
        held.source = Known(asked=(kind, ref), version=found.version, outcome=outcome)
        return outcome

    async def _is_unchanged(
        self, kind: InputKind, namespace: str, ref: KeyRef, known: Known[Any] | None
    ) -> bool:
        if known is None or known.asked != (kind, ref):
            return False
        return await self._inputs.version(kind, namespace, ref.name) == known.version

    async def _parsed(
        self, wanted: CertificateSpec, held: HeldInputs, files: CertificateFiles
    ) -> Outcome:
        """Parse the same bytes once, whatever else of their object changes."""
        digest = digest_of(files)
        if held.parsed is None or held.parsed[0] != digest:
            try:
                outcome: Outcome = await self._certificates.read(files)
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
        why = _refusal(kind, found, PASSWORD_TYPES) if found is not None else None
        if why is not None:
            outcome: SecretValue | Problem = refused_password(ref, why)
        else:
            outcome = usable_password(ref, found.data if found is not None else None)
        if found is not None:
            known = Known(asked=(kind, ref), version=found.version, outcome=outcome)
            held.password_source = known
        return outcome


def _is_blank(value: SecretValue | None) -> bool:
    return value is not None and not value.reveal().strip()


def _refusal(kind: InputKind, found: InputObject, allowed: tuple[str, ...]) -> str | None:
    """Return why a Secret may not be read; anybody who may read a ConfigMap may see it all."""
    if kind is not InputKind.SECRET:
        return None
    return refusal(found.type, found.labels, found.annotations, allowed)
